/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Rule files in SpamAssassin's syntax, compiled: gatepost-rules(5). Loading makes an immutable
 * ruleset; a message is matched once (which rules hit) and then scored once for each profile.
 *
 * Threads: a ruleset and its profiles are immutable after loading and may be used by many threads
 * at once; references are counted atomically. Matches and results belong to one thread at a time.
 */
#ifndef RULESET_RULESET_H
#define RULESET_RULESET_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/problems.h"
#include "mail/header.h"
#include "mail/script.h"

/* As much of the body is looked at for the Content-Type fields of its MIME parts. */
#define RULESET_BODY_MAX ((size_t)64 << 10)

struct ruleset;
struct ruleset_profile;
struct ruleset_matches;

struct ruleset_options {
    bool missing_is_empty; /* a path that does not exist holds no rules (the default folders) */
    bool keep_subrules;    /* run __rules that count for no score, too, and report them (tests) */
    bool no_prefilter;     /* try every pattern (tests of the prefilter) */
    bool timeless;         /* the clock cuts nothing off (tests that count) */
};

/* Loads rule files; a folder stands for its *.cf files in byte order. PATHS ends with NULL;
 * OPTIONS may be NULL. Errors and warnings go to PROBLEMS with file and line, all of them; the
 * caller refuses the ruleset when there are errors. Always returns a ruleset (what could be read),
 * which the caller unrefs. */
struct ruleset *ruleset_load(const char *const *paths, const struct ruleset_options *options,
                             struct problems *problems);

/* The same with the LENGTH bytes at TEXT as the only file, which problems call NAME; it can include
 * no other. For tests. */
struct ruleset *ruleset_load_text(const char *name, const char *text, size_t length,
                                  const struct ruleset_options *options, struct problems *problems);

/* Whether the ruleset was loaded from PATHS with OPTIONS without a complaint, and each file and
 * folder is certainly as it was: loading them again would make the same. */
bool ruleset_is_current(const struct ruleset *ruleset, const char *const *paths,
                        const struct ruleset_options *options);

struct ruleset *ruleset_ref(struct ruleset *ruleset);
void ruleset_unref(struct ruleset *ruleset); /* accepts NULL */

/* Whether there is no rule that could hit. */
bool ruleset_is_empty(const struct ruleset *ruleset);

/* Whether a rule asks for the MIME parts, so that the first RULESET_BODY_MAX bytes of the body
 * must be read. */
bool ruleset_needs_body(const struct ruleset *ruleset);

/* The last required_score of the rule files; false if none says one. */
bool ruleset_required_score(const struct ruleset *ruleset, double *score_r);

enum ruleset_kind {
    RULESET_HEADER,
    RULESET_META,
    RULESET_CHARSET,
    RULESET_SCRIPT,
    RULESET_ADDRESS, /* blocklist_from and its family */
    RULESET_EXTERNAL /* dnsbl: somebody else tells whether it hits */
};

struct ruleset_rule {
    enum ruleset_kind kind;
    const char *name;
    double score;            /* in force without a profile; 0: not run (or a __rule) */
    const char *description; /* "" if there is none */
    const char *text;        /* what defines it, without directive and name */
    const char *file;
    unsigned line;
};

/* The rules in order of their definition; INDEX from 0; NULL past the end. */
size_t ruleset_rule_count(const struct ruleset *ruleset);
const struct ruleset_rule *ruleset_rule_get(const struct ruleset *ruleset, size_t index);
const struct ruleset_rule *ruleset_rule_find(const struct ruleset *ruleset, const char *name);

/* A directive of SpamAssassin that needs what gatepost does not have. */
struct ruleset_skipped {
    const char *file;
    unsigned line;
    const char *directive; /* "body" */
    const char *reason;    /* "looks at the body" */
};

size_t ruleset_skipped_count(const struct ruleset *ruleset);
const struct ruleset_skipped *ruleset_skipped_get(const struct ruleset *ruleset, size_t index);

/* A dnsbl rule. */
struct ruleset_external {
    const char *name;
    const char *spec;   /* ZONE[=FILTER][/PLACE,...] as written */
    const char *zone;   /* ZONE[=FILTER] */
    const char *places; /* PLACE,...; "" if none is given */
    const char *file;
    unsigned line;
};

/* The dnsbl rules; the index is what ruleset_message.external is asked with. */
size_t ruleset_external_count(const struct ruleset *ruleset);
const struct ruleset_external *ruleset_external_get(const struct ruleset *ruleset, size_t index);

/* Whether dnsbl rule INDEX counts for PROFILE (NULL: none), so that its list must be asked. */
bool ruleset_external_wanted(const struct ruleset *ruleset, const struct ruleset_profile *profile,
                             size_t index);

/* The files and folders that were read, includes among them: when one changes, the ruleset is
 * to be loaded again. NULL past the end. */
const char *ruleset_file(const struct ruleset *ruleset, size_t index);

/* The siphash_digest of what was read of that file; 0: it is a folder, or could not be read. */
uint64_t ruleset_file_digest(const struct ruleset *ruleset, size_t index);

/* The files that a folder of rules stands for, in their order (of char *); NULL with *WHY_R if it
 * cannot be read. The caller unrefs it. */
GPtrArray *ruleset_folder_files(const char *folder, GError **why_r);

/* One `score RULE = N` of a profile. */
struct ruleset_override {
    const char *rule;
    double score;
    const char *file; /* where it stands, for problems */
    unsigned line;
};

/* Compiles the overrides of a profile against RULESET (a later one of the same rule wins); a name
 * that no rule has is warned of. The caller frees it before the ruleset. */
struct ruleset_profile *ruleset_profile_new(const struct ruleset *ruleset,
                                            const struct ruleset_override *overrides, size_t count,
                                            struct problems *problems);
void ruleset_profile_free(struct ruleset_profile *profile);

struct ruleset_message {
    const struct header_list *headers;
    const char *envelope_sender; /* without angle brackets; "": null sender; NULL: not known */
    const char *body;            /* its beginning; NULL if it was not read */
    size_t body_length;
    bool smtputf8; /* the client said SMTPUTF8: raw UTF-8 in the header is no raw8bit */
    /* Whether external rule INDEX hits; NULL: none does. */
    bool (*external)(void *data, size_t index);
    void *external_data;
};

/* Finds out which rules hit. PROFILES are the COUNT profiles that will be scored (NULL among them
 * stands for none; COUNT 0 as well): a rule that scores 0 in all of them is not run. The caller
 * frees the matches, before the ruleset. */
struct ruleset_matches *ruleset_match(const struct ruleset *ruleset,
                                      const struct ruleset_message *message,
                                      const struct ruleset_profile *const *profiles, size_t count);
void ruleset_matches_free(struct ruleset_matches *matches);

/* Rules whose patterns were cut off because they took too long on this message: the caller warns of
 * each name once. NULL past the end. */
const char *ruleset_matches_exploded(const struct ruleset_matches *matches, size_t index);

/* Whether all rules together took more than one message may cost (gatepost-rules(5)): what they
 * were still to be asked is not known. */
bool ruleset_matches_spent(const struct ruleset_matches *matches);

/* What the message took of that, in the units of the bound: the same each time, but where the clock
 * ended it. */
uint64_t ruleset_matches_work(const struct ruleset_matches *matches);

/* Length of the longest matched text that is kept. */
#define RULESET_TEXT_MAX 200

struct ruleset_hit {
    const char *name;
    const char *description; /* "" if there is none */
    double score;            /* what it added: the rule's score times COUNT */
    unsigned count;          /* 1, more only with tflags multiple */
    const char *text;        /* what matched, raw bytes; "" where that is nothing */
};

struct ruleset_result {
    double score;             /* rounded to three decimals */
    double least, most;       /* what it would be at least and at most, had nothing been cut off */
    struct ruleset_hit *hits; /* those that count, by name in byte order */
    size_t hit_count;
};

/* Adds up what hit for PROFILE (NULL: the scores of the rule files), which must have been among
 * those that were matched; what was cut off counts as no hit. *RESULT_R borrows from RULESET and
 * MATCHES; ruleset_result_clear frees the rest. */
void ruleset_score(const struct ruleset *ruleset, const struct ruleset_matches *matches,
                   const struct ruleset_profile *profile, struct ruleset_result *result_r);
void ruleset_result_clear(struct ruleset_result *result);

#endif
