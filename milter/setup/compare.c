/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Comparing, a row a setting.
 */
#include "compare.h"

#include <string.h>

#include "lookup/matchlist.h"
#include "mail/hostname.h"
#include "smallfile.h"

/* More than these of one setting are counted, not named. */
enum { NAMED_MAX = 10, EXTRA_MAX = 10000 };

/* A comparison under way. */
struct comparison {
    struct setup_task *task;
    const char *mta;
    enum setting id;
    const struct setting_value *own;
    const char *harm; /* what comes of what is lacking; "%s" is the MTA */
    GPtrArray *words; /* of own */
    struct match_list *list;
    unsigned lacking;
    GPtrArray *literals; /* address literals that are lacking: hardly anybody writes to them */
};

static const char *name_of(const struct comparison *comparison)
{
    return setting_row(comparison->id)->name;
}

/* "FILE:LINE: NAME = ", "FILE: NAME (not set)". The caller frees it. */
static char *place_of(const struct comparison *comparison)
{
    const struct setting_value *own = comparison->own;
    if (own->given)
        return g_strdup_printf("%s:%u: %s", own->file, own->line, name_of(comparison));
    return g_strdup_printf("%s: %s, left at its default,", comparison->task->settings_file,
                           name_of(comparison));
}

static void tell_lacking(struct comparison *comparison, const char *what)
{
    if (++comparison->lacking > NAMED_MAX)
        return;
    g_autofree char *place = place_of(comparison);
    setup_warn(comparison->task, "%s lacks %s, which %s has: %s", place, what, comparison->mta,
               comparison->harm);
}

static void tell_rest(const struct comparison *comparison)
{
    g_autofree char *place = place_of(comparison);
    if (comparison->lacking > NAMED_MAX)
        setup_warn(comparison->task, "%s lacks %u more", place, comparison->lacking - NAMED_MAX);
    if (comparison->literals->len == 0)
        return;
    g_autofree char *text = setup_join(comparison->literals);
    bool is_local = comparison->id == SETTING_LOCAL_DOMAINS;
    setup_note(comparison->task, "%s lacks %s: %s", place, text,
               is_local ? "mail for user@[ADDRESS] is refused" : comparison->harm);
}

/* Words of a list */

/* "hash:/x", "proxy:hash:/x" and "texthash:/x" are the same text. */
static const char *plain_word(const char *word)
{
    static const char *const prefixes[] = {
        "proxy:", "texthash:", "hash:", "btree:", "lmdb:", "cdb:", "dbm:"};
    for (size_t i = 0; i < G_N_ELEMENTS(prefixes); i++)
        if (g_str_has_prefix(word, prefixes[i]))
            word += strlen(prefixes[i]);
    return word;
}

static bool has_word(const GPtrArray *words, const char *word)
{
    for (guint i = 0; i < words->len; i++)
        if (g_ascii_strcasecmp(plain_word(words->pdata[i]), plain_word(word)) == 0)
            return true;
    return false;
}

static void compare_words(struct comparison *comparison, const char *value)
{
    g_autoptr(GPtrArray) theirs = setup_words(value);
    for (guint i = 0; i < theirs->len; i++)
        if (!has_word(comparison->words, theirs->pdata[i]))
            tell_lacking(comparison, theirs->pdata[i]);
}

static void compare_text(struct comparison *comparison, const char *value)
{
    if (strcmp(comparison->own->text, value) == 0)
        return;
    const char *own = *comparison->own->text ? comparison->own->text : "empty";
    g_autofree char *place = place_of(comparison);
    setup_warn(comparison->task, "%s is %s, that of %s is %s: %s", place, own, comparison->mta,
               *value ? value : "empty", comparison->harm);
}

static void compare_switch(struct comparison *comparison, const char *value)
{
    /* "No" is no, for both */
    if (g_ascii_strcasecmp(comparison->own->text, value) != 0)
        compare_text(comparison, value);
}

bool compare_has_own(const struct setup_task *task, enum setting id, const char *mta_value)
{
    g_autoptr(GPtrArray) theirs = setup_words(mta_value);
    g_autoptr(GPtrArray) ours = setup_words(settings_get(task->settings, NULL, id)->text);
    for (guint i = 0; i < ours->len; i++)
        if (!has_word(theirs, ours->pdata[i]))
            return true;
    return false;
}

/* Match lists */

static struct match_list *open_list(const struct setup_task *task, const char *value,
                                    enum match_kind kind)
{
    struct problems *problems = problems_new();
    g_autofree char *folder = g_path_get_dirname(task->settings_file);
    const struct table_context context = {
        .base_dir = folder, .problems = problems, .file = task->settings_file};
    struct match_list *list = match_list_open(value, kind, &context);
    problems_free(problems);
    return list;
}

/* Domains */

/* One of the MTA's: a name, ".name" for what is below, an address literal. */
static void compare_domain(struct comparison *comparison, const char *word)
{
    struct ipaddr address;
    g_autofree char *below = word[0] == '.' ? g_strconcat("any", word, NULL) : NULL;
    if (!hostname_valid(below ? below : word) && !hostname_address_literal(word, &address))
        return;
    if (match_list_find_domain(comparison->list, below ? below : word) != LOOKUP_MISS)
        return;
    if (word[0] == '[')
        setup_add_word(comparison->literals, word);
    else
        tell_lacking(comparison, word);
}

static bool compare_key(void *data, const char *file, unsigned line, const char *key,
                        const char *value)
{
    (void)file, (void)line, (void)value;
    compare_domain(data, key);
    return true;
}

/* A table, or a file, of domains that gatepost.conf does not name itself. */
static void compare_source(struct comparison *comparison, const char *word)
{
    const char *why;
    if (word[0] == '/') {
        g_auto(GStrv) lines = smallfile_lines(word, &why);
        for (char **line = lines; line && *line; line++) {
            g_autofree char *entry = g_strndup(*line, strcspn(*line, "# \t"));
            compare_domain(comparison, entry);
        }
        return;
    }
    struct problems *problems = problems_new();
    const struct table_context context = {.problems = problems,
                                          .file = comparison->task->settings_file};
    struct table *table = table_open(word, false, &context);
    /* Patterns, and "static:", have no names to go through. */
    if (table && !table_is_pattern(table) && !g_str_has_prefix(table_name(table), "static:"))
        table_foreach(table, compare_key, comparison);
    else
        tell_lacking(comparison, word);
    table_unref(table);
    problems_free(problems);
}

struct extra {
    struct match_list *theirs;
    GPtrArray *names;
};

static bool collect_extra(void *data, const char *name)
{
    struct extra *extra = data;
    if (match_list_find_domain(extra->theirs, name) == LOOKUP_MISS && extra->names->len < NAMED_MAX)
        setup_add_word(extra->names, name);
    return true;
}

static void tell_extra(struct comparison *comparison, const char *value)
{
    struct extra extra = {.theirs = open_list(comparison->task, value, MATCH_DOMAINS),
                          .names = g_ptr_array_new_with_free_func(g_free)};
    if (extra.theirs)
        match_list_each_name(comparison->list, EXTRA_MAX, collect_extra, &extra);
    g_autofree char *text = setup_join(extra.names);
    g_autofree char *place = place_of(comparison);
    if (extra.names->len > 0)
        setup_note(comparison->task, "%s has %s, for which %s does not receive", place, text,
                   comparison->mta);
    match_list_unref(extra.theirs);
    g_ptr_array_unref(extra.names);
}

static void compare_domains(struct comparison *comparison, const char *value)
{
    g_autoptr(GPtrArray) theirs = setup_words(value);
    for (guint i = 0; i < theirs->len; i++) {
        const char *word = theirs->pdata[i];
        if (has_word(comparison->words, word) || word[0] == '!')
            continue;
        if (word[0] == '/' || (strchr(word, ':') && word[0] != '['))
            compare_source(comparison, word);
        else
            compare_domain(comparison, word);
    }
    if (comparison->id == SETTING_LOCAL_DOMAINS)
        tell_extra(comparison, value);
}

/* Networks */

/* The last address of a network. */
static struct ipaddr last_address(const struct ipnet *net)
{
    struct ipaddr last = net->address;
    unsigned bits = last.family == IP_V4 ? 32 : 128;
    for (unsigned i = net->prefix; i < bits; i++)
        last.bytes[i / 8] |= (uint8_t)(0x80 >> i % 8);
    return last;
}

static void compare_network(struct comparison *comparison, const char *word)
{
    struct ipnet net;
    bool excluded = word[0] == '!';
    if (!ipnet_parse(word + excluded, &net, NULL) || setup_holds_nobody(&net))
        return;
    struct ipaddr last = last_address(&net);
    bool first_hit = match_list_find_address(comparison->list, &net.address) == LOOKUP_HIT;
    bool last_hit = match_list_find_address(comparison->list, &last) == LOOKUP_HIT;
    if (!excluded && (!first_hit || !last_hit))
        tell_lacking(comparison, word);
    if (excluded && first_hit)
        tell_lacking(comparison, word);
}

static void compare_networks(struct comparison *comparison, const char *value)
{
    const char *why;
    g_autoptr(GPtrArray) theirs = setup_words(value);
    for (guint i = 0; i < theirs->len; i++) {
        const char *word = theirs->pdata[i];
        if (has_word(comparison->words, word))
            continue;
        if (word[0] == '/') {
            g_auto(GStrv) lines = smallfile_lines(word, &why);
            for (char **line = lines; line && *line; line++) {
                g_autofree char *entry = g_strndup(*line, strcspn(*line, "# \t"));
                compare_network(comparison, entry);
            }
        } else if (strchr(word, ':') && word[0] != '[' && word[0] != '!') {
            tell_lacking(comparison, word);
        } else {
            compare_network(comparison, word);
        }
    }
}

/* Settings */

static const struct {
    enum setting id;
    void (*compare)(struct comparison *comparison, const char *value);
    const char *harm;
    enum match_kind kind;
    bool is_list;     /* a match list */
    bool of_logins;   /* means nothing while nobody owns a sender address */
    bool given_alone; /* a default means something else than a value */
} rows[] = {
    {SETTING_LOCAL_DOMAINS, compare_domains, "gatepost refuses its mail with 550 5.7.1",
     MATCH_DOMAINS, true, false, true},
    {SETTING_LOGIN_DOMAINS, compare_domains, "a bare login owns no address there", MATCH_DOMAINS,
     true, true, false},
    {SETTING_ORIGIN, compare_text, "to it bare addresses belong", MATCH_DOMAINS, false, true,
     false},
    {SETTING_MYNETWORKS, compare_networks, "the two treat its clients differently", MATCH_NETWORKS,
     true, false, false},
    {SETTING_RECIPIENT_DELIMITER, compare_text,
     "they look addresses with an extension up "
     "differently",
     MATCH_DOMAINS, false, false, false},
    {SETTING_SENDER_LOGIN_MAPS, compare_words, "gatepost does not know whose addresses it lists",
     MATCH_DOMAINS, false, false, false},
    {SETTING_SASL_LOCAL_REALMS, compare_words, "logins come with it, and own no address",
     MATCH_DOMAINS, false, false, false},
    {SETTING_DELAY_CHECKS, compare_switch, "they refuse at different commands", MATCH_DOMAINS,
     false, false, false},
};

void compare_setting(struct setup_task *task, const struct section *section, const char *mta,
                     enum setting id, const char *value)
{
    size_t i = 0;
    while (rows[i].id != id) {
        i++;
        g_assert(i < G_N_ELEMENTS(rows));
    }
    struct comparison comparison = {.task = task,
                                    .mta = mta,
                                    .id = id,
                                    .own = settings_get(task->settings, section, id),
                                    .harm = rows[i].harm};
    const char *logins = settings_get(task->settings, section, SETTING_SENDER_LOGIN_MAPS)->text;
    if ((rows[i].given_alone && !comparison.own->given) ||
        (rows[i].of_logins && !comparison.own->given && !*logins))
        return;
    comparison.words = setup_words(comparison.own->text);
    comparison.literals = g_ptr_array_new_with_free_func(g_free);
    if (rows[i].is_list)
        comparison.list = open_list(task, comparison.own->text, rows[i].kind);
    if (rows[i].is_list && !comparison.list)
        setup_warn(task, "%s:%u: %s cannot be compared: see gatepostctl check",
                   comparison.own->file, comparison.own->line, name_of(&comparison));
    else
        rows[i].compare(&comparison, value);
    tell_rest(&comparison);
    match_list_unref(comparison.list);
    g_ptr_array_unref(comparison.words);
    g_ptr_array_unref(comparison.literals);
}
