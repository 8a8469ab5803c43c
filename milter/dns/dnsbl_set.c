/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The texts that name DNS lists. One reader for all of them: which parts may follow the zone is a
 * matter of the grammar's flags.
 */
#include "dns/dnsbl_set.h"

#include <glib.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "mail/hostname.h"

struct dnsbl_set {
    gint references;
    GPtrArray *entries;
};

enum { WITH_WEIGHT = 1, WITH_PLACES = 2, WITH_HASH = 4 };

struct grammar {
    enum dnsbl_kind kind;
    unsigned parts;
    unsigned places; /* when none are written */
};

/* Where what is wrong is told. */
struct report {
    struct problems *problems;
    const char *file;
    unsigned line;
    const char *entry;
};

static const struct {
    const char *name;
    enum dnsbl_place place;
    bool for_names; /* may be written after a "/" */
} places[] = {
    {"sender", DNSBL_SENDER, true},     {"helo", DNSBL_HELO, true},
    {"ptr", DNSBL_PTR, true},           {"from", DNSBL_FROM, true},
    {"reply-to", DNSBL_REPLY_TO, true}, {"client", DNSBL_CLIENT, false},
    {"reverse", DNSBL_REVERSE, false},  {"recipient", DNSBL_RECIPIENT, false},
};

static const struct {
    const char *name;
    enum dnsbl_hash hash;
} hashes[] = {{"sha1", DNSBL_SHA1}, {"sha256", DNSBL_SHA256}, {"md5", DNSBL_MD5}};

static bool wrong(const struct report *report, const char *format, ...) G_GNUC_PRINTF(2, 3);

static bool wrong(const struct report *report, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *why = g_strdup_vprintf(format, args);
    va_end(args);
    problems_error(report->problems, report->file, report->line, "DNS list \"%s\": %s",
                   report->entry, why);
    return false;
}

/* Cuts TEXT at the first SEPARATOR; what follows it, or NULL. */
static char *cut(char *text, char separator)
{
    char *at = strchr(text, separator);
    if (!at)
        return NULL;
    *at = '\0';
    return at + 1;
}

static bool read_hash(const struct report *report, const char *text, struct dnsbl_entry *entry)
{
    for (size_t i = 0; i < G_N_ELEMENTS(hashes); i++) {
        if (g_ascii_strcasecmp(text, hashes[i].name) == 0) {
            entry->hash = hashes[i].hash;
            return true;
        }
    }
    return wrong(report, "unknown hash \"%s\"; there are sha1, sha256, md5", text);
}

static bool read_place(const struct report *report, const char *name, struct dnsbl_entry *entry)
{
    const char *known[G_N_ELEMENTS(places)];
    size_t count = 0;
    for (size_t i = 0; i < G_N_ELEMENTS(places); i++) {
        if (!places[i].for_names)
            continue;
        if (g_ascii_strcasecmp(name, places[i].name) == 0) {
            entry->places |= places[i].place;
            return true;
        }
        known[count++] = places[i].name;
    }
    const char *near = text_nearest(name, known, count);
    if (near)
        return wrong(report, "unknown place \"%s\"; is \"%s\" meant?", name, near);
    return wrong(report, "unknown place \"%s\"; there are sender, helo, ptr, from, reply-to", name);
}

static bool read_places(const struct report *report, const char *text, struct dnsbl_entry *entry)
{
    g_auto(GStrv) names = g_strsplit(text, ",", -1);
    entry->places = 0;
    if (!names[0])
        return wrong(report, "no place after the \"/\"");
    for (unsigned i = 0; names[i]; i++)
        if (!read_place(report, names[i], entry))
            return false;
    unsigned addresses = DNSBL_SENDER | DNSBL_FROM | DNSBL_REPLY_TO;
    if (entry->kind == DNSBL_HASH && entry->places & ~addresses)
        return wrong(report, "helo and ptr have no e-mail address; there are sender, from, "
                             "reply-to");
    return true;
}

static bool read_weight(const struct report *report, const char *text, struct dnsbl_entry *entry)
{
    const char *digits = text + (*text == '-' || *text == '+');
    if (!text_is_number(digits))
        return wrong(report, "the weight \"%s\" is not a number", text);
    long weight = strlen(digits) > 9 ? DNSBL_WEIGHT_MAX + 1 : strtol(digits, NULL, 10);
    if (weight > DNSBL_WEIGHT_MAX)
        return wrong(report, "the weight \"%s\" is beyond %d", text, DNSBL_WEIGHT_MAX);
    entry->weight = (int)(*text == '-' ? -weight : weight);
    return true;
}

static bool read_filter(const struct report *report, const char *text, struct dnsbl_entry *entry)
{
    g_autofree char *why = NULL;
    entry->filtered = dnsbl_filter_parse(text, &entry->filter, &why);
    return entry->filtered || wrong(report, "bad filter: %s", why);
}

/* What a person may have meant by a character that cannot stand in a zone. */
static bool read_zone(const struct report *report, const char *text, const struct grammar *grammar)
{
    if (hostname_valid(text) && !hostname_ends_in_number(text))
        return true;
    if (*text == '\0')
        return wrong(report, "the zone is missing");
    if (strchr(text, '*') && !(grammar->parts & WITH_WEIGHT))
        return wrong(report, "a weight has no meaning here; write ZONE or ZONE=FILTER");
    if (strchr(text, '/') && !(grammar->parts & WITH_PLACES))
        return wrong(report, "places have no meaning here");
    if (strchr(text, ','))
        return wrong(report, "such entries are separated by white space, not by commas");
    return wrong(report, "\"%s\" is no domain name", text);
}

/* The parts are cut off from the right, as each may stand without those after it. */
static bool read_parts(const struct report *report, char *text, const struct grammar *grammar,
                       struct dnsbl_entry *entry)
{
    char *hash = grammar->parts & WITH_HASH ? cut(text, ':') : NULL;
    char *where = grammar->parts & WITH_PLACES ? cut(text, '/') : NULL;
    char *weight = grammar->parts & WITH_WEIGHT ? cut(text, '*') : NULL;
    char *filter = cut(text, '=');
    if (where && grammar->kind == DNSBL_ADDRESS)
        entry->kind = DNSBL_NAME;
    if ((hash && !read_hash(report, hash, entry)) ||
        (where && !read_places(report, where, entry)) ||
        (weight && !read_weight(report, weight, entry)) || !read_zone(report, text, grammar) ||
        (filter && !read_filter(report, filter, entry)))
        return false;
    entry->zone = g_strdup(text);
    return true;
}

static void entry_free(void *data)
{
    struct dnsbl_entry *entry = data;
    g_free(entry->text);
    g_free(entry->zone);
    g_free(entry);
}

static bool add_entry(struct dnsbl_set *set, const char *text, const struct grammar *grammar,
                      struct report report)
{
    g_autofree char *copy = g_strdup(text);
    struct dnsbl_entry *entry = g_new0(struct dnsbl_entry, 1);
    report.entry = text;
    entry->text = g_strdup(text);
    entry->kind = grammar->kind;
    entry->places = grammar->places;
    entry->weight = 1;
    bool right = read_parts(&report, copy, grammar, entry);
    if (right && set->entries->len >= DNSBL_ENTRIES_MAX)
        right = wrong(&report, "more than %d DNS lists", DNSBL_ENTRIES_MAX);
    if (!right) {
        entry_free(entry);
        return false;
    }
    if (entry->weight < 0 && !entry->filtered)
        problems_warning(report.problems, report.file, report.line,
                         "DNS list \"%s\": a negative weight without a filter counts whatever the "
                         "list answers; write ZONE=FILTER*WEIGHT",
                         entry->text);
    g_ptr_array_add(set->entries, entry);
    return true;
}

static bool add_words(struct dnsbl_set *set, GPtrArray *words, const char *why,
                      const struct grammar *grammar, struct report report)
{
    if (!words) {
        problems_error(report.problems, report.file, report.line, "list of DNS lists: %s", why);
        return false;
    }
    bool right = true;
    for (unsigned i = 0; i < words->len; i++)
        right &= add_entry(set, words->pdata[i], grammar, report);
    return right;
}

bool dnsbl_set_add_sites(struct dnsbl_set *set, const char *value, struct problems *problems,
                         const char *file, unsigned line)
{
    static const struct grammar grammar = {DNSBL_ADDRESS, WITH_WEIGHT, DNSBL_CLIENT};
    const char *why = NULL;
    g_autoptr(GPtrArray) words = text_split_list(value, &why);
    return add_words(set, words, why, &grammar, (struct report){problems, file, line, NULL});
}

bool dnsbl_set_add_rhsbl(struct dnsbl_set *set, const char *value, struct problems *problems,
                         const char *file, unsigned line)
{
    static const struct grammar grammar = {DNSBL_NAME, WITH_WEIGHT | WITH_PLACES, DNSBL_SENDER};
    const char *why = NULL;
    g_autoptr(GPtrArray) words = text_split_words(value, &why);
    return add_words(set, words, why, &grammar, (struct report){problems, file, line, NULL});
}

bool dnsbl_set_add_hashbl(struct dnsbl_set *set, const char *value, struct problems *problems,
                          const char *file, unsigned line)
{
    static const struct grammar grammar = {DNSBL_HASH, WITH_WEIGHT | WITH_PLACES | WITH_HASH,
                                           DNSBL_SENDER};
    const char *why = NULL;
    g_autoptr(GPtrArray) words = text_split_words(value, &why);
    return add_words(set, words, why, &grammar, (struct report){problems, file, line, NULL});
}

bool dnsbl_set_add_zone(struct dnsbl_set *set, enum dnsbl_kind kind, unsigned where,
                        const char *text, struct problems *problems, const char *file,
                        unsigned line)
{
    struct grammar grammar = {kind, 0, where};
    return add_entry(set, text, &grammar, (struct report){problems, file, line, NULL});
}

bool dnsbl_set_add_rule(struct dnsbl_set *set, const char *text, struct problems *problems,
                        const char *file, unsigned line)
{
    static const struct grammar grammar = {DNSBL_ADDRESS, WITH_PLACES, DNSBL_CLIENT};
    return add_entry(set, text, &grammar, (struct report){problems, file, line, NULL});
}

struct dnsbl_set *dnsbl_set_new(void)
{
    struct dnsbl_set *set = g_new0(struct dnsbl_set, 1);
    g_atomic_int_set(&set->references, 1);
    set->entries = g_ptr_array_new_with_free_func(entry_free);
    return set;
}

struct dnsbl_set *dnsbl_set_ref(struct dnsbl_set *set)
{
    g_atomic_int_inc(&set->references);
    return set;
}

void dnsbl_set_unref(struct dnsbl_set *set)
{
    if (!set || !g_atomic_int_dec_and_test(&set->references))
        return;
    g_ptr_array_unref(set->entries);
    g_free(set);
}

unsigned dnsbl_set_count(const struct dnsbl_set *set)
{
    return set->entries->len;
}

const struct dnsbl_entry *dnsbl_set_get(const struct dnsbl_set *set, unsigned index)
{
    return set->entries->pdata[index];
}

unsigned dnsbl_set_places(const struct dnsbl_set *set)
{
    unsigned all = 0;
    for (unsigned i = 0; i < set->entries->len; i++)
        all |= dnsbl_set_get(set, i)->places;
    return all;
}
