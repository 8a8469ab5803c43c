/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The inside of a ruleset. Loading goes through a builder (directives add rules, scores and lists
 * to it as they are read, later ones replacing earlier ones), which build.c turns into the
 * immutable ruleset.
 */
#ifndef RULESET_RULESET_PRIVATE_H
#define RULESET_RULESET_PRIVATE_H

#include <sys/types.h>

#include "addressset.h"
#include "expression.h"
#include "field_traits.h"
#include "pattern.h"
#include "ruleset/ruleset.h"
#include "sieve.h"
#include "source.h"

/* Longest name of a rule: SpamAssassin's limit. */
#define RULE_NAME_MAX 100

/* Most different rules, and bytes of one file. */
#define RULES_MAX     200000
#define RULE_FILE_MAX ((gsize)256 << 20)

/* Most hits of one rule with tflags multiple that are counted. */
#define RULE_HITS_MAX 100000u

/* What a charset or script rule looks at: the fields after "in"; none: the default. */
struct field_list {
    GArray *sources; /* struct source */
    GArray *places;  /* unsigned, of each: its place in the ruleset's LISTED */
};

struct header_rule {
    struct source source;
    bool exists, negated;
    char *if_unset;          /* NULL: none */
    struct pattern *pattern; /* NULL with exists */
    unsigned absent;         /* hits when the message does not have the source */
    unsigned max_hits;       /* 1 without tflags multiple */
};

struct charset_rule {
    struct field_list in;
    GPtrArray *labels; /* canonical names */
    bool raw8bit;
};

struct script_rule {
    struct field_list in;
    GArray *scripts; /* int */
    double percent;
};

/* What a list of addresses is compared with. */
enum address_source {
    ADDRESSES_FROM,            /* the senders that SpamAssassin finds: who is welcome */
    ADDRESSES_FROM_ANY_READER, /* and those that others may find: who is not */
    ADDRESSES_TO,
    ADDRESS_SOURCES
};

struct address_rule {
    enum address_source source;
    GPtrArray *patterns;
    struct addressset *set;
};

struct rule {
    struct ruleset_rule info; /* strings are owned by the ruleset */
    bool subrule;             /* __NAME */
    bool disabled;            /* scored 0 */
    unsigned index;
    unsigned rank;         /* among the names, in byte order */
    unsigned place;        /* of a meta: in the ruleset's METAS */
    GPtrArray *dependents; /* metas that name it (struct rule); NULL: none */
    GArray *clauses;       /* of a meta: see expression_clauses, those of metas among them */
    struct header_rule *header;
    struct expression *meta;
    struct charset_rule *charset;
    struct script_rule *script;
    struct address_rule *address;
    unsigned external; /* number of the dnsbl rule */
};

/* Header rules that look at the same text. */
struct rule_group {
    struct source source;
    GPtrArray *rules;    /* struct rule */
    struct sieve *sieve; /* numbers are places in RULES; NULL: none */
    GArray *negated;     /* unsigned: places of rules that hit where the sieve says no */
};

/* Scores of one profile, and what follows from them. */
struct ruleset_profile {
    double *scores;   /* [rule] */
    bool *disabled;   /* [rule] */
    bool *live;       /* [rule]: must be run, as it counts itself or a meta that does hangs on it */
    double *baseline; /* [rule]: its value when no rule hits; of a meta, if it can be that */
    uint64_t *metas;  /* bits of places in the ruleset's METAS: live ones, by 64 */
    GArray *usual;    /* unsigned: places of metas whose baseline is not 0 */
};

/* What tells whether a file or folder is as it was. */
struct rule_stamp {
    bool exists;
    dev_t device;
    ino_t inode;
    off_t size;
    int64_t modified, changed; /* ns since the epoch */
};

struct ruleset {
    gatomicrefcount references;
    struct ruleset_options options;
    GStringChunk *strings;
    struct pattern_context *patterns;
    struct match_rooms *rooms;
    GPtrArray *rules;                                      /* struct rule, by index */
    GHashTable *names;                                     /* name -> struct rule */
    GPtrArray *groups;                                     /* struct rule_group */
    size_t patterned;                                      /* header rules with a pattern */
    GPtrArray *charsets, *scripts, *addresses, *externals; /* struct rule, borrowed */
    GArray
        *listed; /* struct source, borrowed: what charsets and scripts name after "in", each once */
    GPtrArray *metas;      /* struct rule in the order in which they can be worked out */
    GArray *external_info; /* struct ruleset_external */
    GArray *skipped;       /* struct ruleset_skipped */
    GPtrArray *files;      /* paths of what was read, borrowed from STRINGS */
    GArray *stamps;        /* struct rule_stamp, of each of FILES before it was read */
    char **paths;          /* from where it was loaded; NULL: from a text */
    bool complained;       /* something was told of what was read */
    int64_t loaded_at;     /* us since the epoch: before anything was read */
    GArray *digests;       /* of uint64_t, beside them */
    struct ruleset_profile *base;
    bool has_required;
    double required;
};

enum address_list {
    LIST_BLOCK_FROM,
    LIST_WELCOME_FROM,
    LIST_BLOCK_TO,
    LIST_WELCOME_TO,
    LIST_MORE_SPAM_TO,
    LIST_ALL_SPAM_TO,
    ADDRESS_LISTS
};

struct builder {
    struct ruleset *ruleset;
    struct problems *problems;
    GHashTable *rules;                /* name -> struct rule, owned */
    GPtrArray *order;                 /* names in order of their first definition */
    GHashTable *scores;               /* name -> double */
    GHashTable *descriptions;         /* name -> text */
    GHashTable *tflags;               /* name -> text */
    GHashTable *tagged;               /* names given to replace_rules */
    GHashTable *blind;                /* names of rules that were skipped */
    GHashTable *lists[ADDRESS_LISTS]; /* address -> struct list_place */
    unsigned list_entries;            /* how many were ever added */
    GHashTable *compat;               /* flags of enable_compat */
    unsigned include_depth;
    bool no_includes;
};

/* Where an entry of an address list stands; the pattern itself is the key. */
struct list_place {
    const char *file;
    unsigned line;
    unsigned order;
};

/* One line of a file, comments and white space at its ends removed. */
struct line {
    const char *file;
    unsigned number;
    char *key;   /* directive, lower case, "-" as "_" */
    char *value; /* the rest */
};

/* builder.c: an empty builder for RULESET; what it holds is freed by builder_clear, RULESET is not.
 * Notes that a DIRECTIVE is passed over, and why. */
void builder_init(struct builder *builder, struct ruleset *ruleset, struct problems *problems);
void builder_clear(struct builder *builder);
void builder_note_skipped(struct builder *builder, const char *file, unsigned line,
                          const char *directive, const char *reason);

/* rule_lines.c: reads a file or folder, its includes and conditions; hands its lines to directives.
 */
void lines_read_path(struct builder *builder, const char *path);
struct rule_stamp lines_stamp(const char *path);
void lines_read_text(struct builder *builder, const char *name, const char *text, size_t length);

/* directives.c: carries out one line; notes what is skipped. */
void directive_apply(struct builder *builder, const struct line *line);

/* condition.c: evaluates what follows "if". Returns false with *WHY_R (caller frees) when it cannot
 * be read. */
bool condition_evaluate(const struct builder *builder, const char *text, bool *value_r,
                        char **why_r);
bool condition_plugin(const char *name);

/* header_rule.c, meta_rule.c, charset_rule.c, script_rule.c: definitions. Each fills its part of
 * RULE from TEXT; PATTERN_SKIPPED and PATTERN_BAD with *WHY_R (caller frees). */
enum pattern_status header_rule_parse(struct builder *builder, struct rule *rule, const char *text,
                                      char **why_r);
enum pattern_status meta_rule_parse(struct builder *builder, struct rule *rule, const char *text,
                                    char **why_r);
enum pattern_status charset_rule_parse(struct builder *builder, struct rule *rule, const char *text,
                                       char **why_r);
enum pattern_status script_rule_parse(struct builder *builder, struct rule *rule, const char *text,
                                      char **why_r);
void header_rule_free(struct header_rule *rule);
void charset_rule_free(struct charset_rule *rule);
void script_rule_free(struct script_rule *rule);
void address_rule_free(struct address_rule *rule);

/* field_list.c: reads "in H,H" off the words from *AT on. false with *WHY_R (caller frees). */
bool field_list_parse(struct field_list *list, char *const *words, unsigned *at, char **why_r);
void field_list_clear(struct field_list *list);

/* build.c: makes the ruleset of what the builder gathered. */
void build_finish(struct builder *builder);

/* address_rule.c: makes the rules of the address lists that hold anything, with their scores. */
void address_rules_add(struct builder *builder);
bool address_rule_match(const struct address_rule *rule, const GPtrArray *addresses, GString *text);

/* meta_rule.c: the rule that a meta calls NAME, among RULES by name; a name of 3.x will do. NULL:
 * there is none. */
struct rule *meta_rule_find(GHashTable *rules, const char *name);

/* blind_meta.c: skips metas that name nothing but skipped rules, and those that name nothing but
 * these, BLIND_ROUNDS_MAX deep. */
#define BLIND_ROUNDS_MAX 20
void blind_metas_skip(struct builder *builder);

/* meta_rule.c: resolves the names of all metas, orders them, reports circles. */
void meta_rules_order(struct builder *builder);

/* match.c: what matching needs room for, kept from message to message; any thread may take it. */
struct match_rooms *match_rooms_new(void);
void match_rooms_free(struct match_rooms *rooms);

/* match.c's helpers in the files of the rules: ALL is of the message, FIELDS are those that rules
 * name. TEXT gets what matched; it stays empty where nothing did. false: the work is spent. */
bool charset_rule_match(const struct charset_rule *rule, const struct traits *all,
                        struct field_traits *fields, GString *text);
bool script_rule_match(const struct script_rule *rule, const struct script_counts *all,
                       struct field_traits *fields, GString *text);

/* The value of a meta with VALUES of all rules. */
double meta_rule_value(const struct expression *meta, const double *values);

/* score.c: ranks the rules by their names, once they have their indexes. */
void score_rank(struct ruleset *ruleset);

/* score.c: a profile with the scores of the ruleset and OVERRIDES of its rules. */
struct ruleset_profile *profile_new(const struct ruleset *ruleset);
void profile_finish(const struct ruleset *ruleset, struct ruleset_profile *profile);

/* Which rules what counts can hang on, [rule], whatever a profile disables. The caller frees it. */
bool *score_possible(const struct ruleset *ruleset);

void rule_free(struct rule *rule); /* accepts NULL */
void rule_destroy(gpointer rule);  /* the same, for GLib */
bool rule_name_valid(const char *name);

#endif
