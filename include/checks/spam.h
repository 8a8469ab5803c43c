/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Spam by rules: what a message scores, and what that means to the profiles of its recipients.
 *
 * Threads: immutable once built (site), one thread at a time (verdict).
 */
#ifndef CHECKS_SPAM_H
#define CHECKS_SPAM_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "ruleset/ruleset.h"

/* How a kind of recipients wants its mail judged. */
struct spam_profile {
    char *name; /* NULL: what is in force without a profile */
    double tag_score, reject_score;
    int64_t dnsbl_threshold;
    int64_t max_visible_recipients; /* 0: no limit */
    bool spares_greylist;           /* greylist = no */
    struct ruleset_profile *rules;  /* NULL: the scores of the rule files */
};

/* The rules of a site and its profiles; the first one has no name. */
struct spam_site {
    struct ruleset *ruleset;
    GPtrArray *profiles; /* of struct spam_profile * */
    GArray *rule_zones;  /* of unsigned: for each dnsbl rule its index in site->dnsbl_zones; empty
                            where nothing can lead to reject_spam */
    bool split;          /* mixed_recipients = split */
    /* What the rules are, for the history: a line for each, "NAME DEFINITION SCORE", the definition
     * as a hash, then "[PROFILE]" and "RULE SCORE" for what a profile changes; and a name for it,
     * a hash of the whole. Of GRefString. */
    char *rules_text, *rules_name;
};

struct spam_hit {
    char *name, *description, *text;
    double score;
};

/* What a message scored for the profile whose outcome counts. */
struct spam_verdict {
    double score, required;
    double least, most;   /* what the score might be, had no rule been cut off */
    const char *profile;  /* the profile's name, of the site; NULL: none */
    bool untold;          /* what the rules would have said is not known: they were cut off */
    bool tagged, refused; /* what is refused is also to be tagged, should it pass all the same */
    GPtrArray *hits;      /* of struct spam_hit *, by name */
};

/* What RESULT means to PROFILE, which must outlive the verdict. */
struct spam_verdict *spam_verdict_new(const struct spam_profile *profile,
                                      const struct ruleset_result *result);

void spam_site_free(struct spam_site *spam);          /* accepts NULL */
void spam_verdict_free(struct spam_verdict *verdict); /* accepts NULL */

/* The names of the rules that hit, joined by SEPARATOR; the caller frees it. */
char *spam_verdict_rules(const struct spam_verdict *verdict, const char *separator);

struct site;
struct facts;
struct check_effects;

/* Takes the X-Spam fields that a message from outside came with out of it, whether or not a rule is
 * asked afterwards: who reads them takes them for this site's own. What site_trusts_marks keeps
 * its own. facts->message is set. */
void spam_remove_forged(const struct site *site, const struct facts *facts,
                        struct check_effects *effects);

/* The place of the profile called NAME; -1 if there is none. */
int spam_profile_find(const struct spam_site *spam, const char *name);

#endif
