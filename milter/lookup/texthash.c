/* SPDX-License-Identifier: BSD-2-Clause
 *
 * texthash: lines of "key white-space value", postmap(1). The text of the file is kept as it was
 * read, cut up in place; keys are folded there too. Only a key that is not ASCII cannot stay, as
 * its folded form may be longer: such an entry goes to the end of the text.
 */
#include <string.h>

#include "table_content.h"
#include "keyindex.h"
#include "table_lines.h"

struct entry {
    uint32_t offset;
    uint32_t line;
};

struct texthash {
    struct content base;
    char *text;
    GArray *entries; /* struct entry, by offset, without duplicates: as in the file, but for those
                        that stand behind all lines */
    struct keyindex index;
};

struct key_reader {
    struct table_lines lines;
    GArray *entries;
    GString *moved; /* entries that found no room where they stood, as "key NUL value NUL" */
    unsigned skipped;
};

/* Whether a value could be shown twice by texthash_foreach: this many are remembered. */
#define VALUES_REMEMBERED 4096

/* Ends the key in LINE by NUL and returns what follows; NULL if a quote is not closed. */
static char *split_key(char *line)
{
    char *end = lines_key_end(line, '\0');
    if (!end)
        return NULL;
    if (*end)
        *end++ = '\0';
    return lines_trim(end);
}

static const char *check_entry(const char *key, const char *value)
{
    if (!value)
        return "a quote (\") has no partner; the line is skipped";
    if (*key == '\0' || *value == '\0')
        return "expected a key, white space, a value; the line is skipped";
    if (!g_str_is_ascii(key) && !g_utf8_validate(key, -1, NULL))
        return "the key is not UTF-8; the line is skipped";
    if (!g_str_is_ascii(value) && !g_utf8_validate(value, -1, NULL))
        return "the value is not UTF-8; the line is skipped";
    return NULL;
}

static void append_entry(struct key_reader *reader, size_t offset, unsigned line)
{
    struct entry entry = {(uint32_t)offset, line};
    g_array_append_val(reader->entries, entry);
}

/* Puts the folded key and its value where the line stood, or behind all lines. */
static void store(struct key_reader *reader, char *key, const char *value, unsigned line)
{
    size_t key_length = strlen(key), value_size = strlen(value) + 1;
    if (g_str_is_ascii(key)) {
        for (char *p = key; *p; p++)
            *p = g_ascii_tolower(*p);
        memmove(key + key_length + 1, value, value_size);
        append_entry(reader, (size_t)(key - reader->lines.text), line);
        return;
    }
    g_autofree char *folded = g_utf8_casefold(key, -1);
    append_entry(reader, reader->lines.length + 1 + reader->moved->len, line);
    g_string_append_len(reader->moved, folded, (gssize)strlen(folded) + 1);
    g_string_append_len(reader->moved, value, (gssize)value_size);
}

static void read_line(struct key_reader *reader, char *key, unsigned line)
{
    const struct table_lines *lines = &reader->lines;
    char *value = split_key(key);
    const char *why = check_entry(key, value);
    if (why) {
        problems_warning(lines->problems, lines->file, line, "%s", why);
        reader->skipped++;
        return;
    }
    if (key[strlen(key) - 1] == ':')
        problems_warning(lines->problems, lines->file, line,
                         "the key ends in a colon; is this an alias file?");
    store(reader, key, value, line);
}

/* The index is made when the number of entries is known. The first of equal keys counts. */
static void build_index(struct texthash *table, const char *file, struct problems *problems)
{
    GArray *entries = table->entries;
    keyindex_init(&table->index, table->text, entries->len);
    unsigned kept = 0;
    for (unsigned i = 0; i < entries->len; i++) {
        struct entry entry = g_array_index(entries, struct entry, i);
        if (keyindex_add(&table->index, entry.offset))
            g_array_index(entries, struct entry, kept++) = entry;
        else
            problems_warning(problems, file, entry.line,
                             "the key \"%s\" is there already; the first one counts here, but "
                             "Postfix's smtpd cannot use a table with such a key (451); take one "
                             "of the two out",
                             table->text + entry.offset);
    }
    g_array_set_size(entries, kept);
}

static gint by_offset(gconstpointer a, gconstpointer b)
{
    uint32_t first = ((const struct entry *)a)->offset, second = ((const struct entry *)b)->offset;
    return first < second ? -1 : first > second;
}

static struct content *texthash_read(char *text, size_t length, const char *file,
                                     struct problems *problems)
{
    struct key_reader reader = {
        .lines = {.text = text, .length = length, .file = file, .problems = problems},
        .entries = g_array_new(FALSE, FALSE, sizeof(struct entry)),
        .moved = g_string_new(NULL),
    };
    unsigned line;
    for (char *p; (p = lines_next(&reader.lines, &line));)
        read_line(&reader, p, line);
    struct texthash *table = g_new0(struct texthash, 1);
    table->base =
        (struct content){.class = &texthash_class, .references = 1, .skipped = reader.skipped};
    table->text = text;
    if (reader.moved->len > 0) {
        table->text = g_realloc(text, length + 1 + reader.moved->len);
        memcpy(table->text + length + 1, reader.moved->str, reader.moved->len);
    }
    table->entries = reader.entries;
    build_index(table, file, problems);
    if (reader.moved->len > 0)
        g_array_sort(table->entries, by_offset);
    g_string_free(reader.moved, TRUE);
    return &table->base;
}

static enum lookup_status texthash_find(const struct content *content, const char *key,
                                        GString *value_r, unsigned *line_r)
{
    const struct texthash *table = (const struct texthash *)content;
    const char *value = keyindex_find(&table->index, key);
    if (!value)
        return LOOKUP_MISS;
    g_string_append(value_r, value);
    struct entry entry = {.offset = (uint32_t)((value - table->text) - (ptrdiff_t)strlen(key) - 1)};
    guint index;
    if (g_array_binary_search(table->entries, &entry, by_offset, &index))
        *line_r = g_array_index(table->entries, struct entry, index).line;
    return LOOKUP_HIT;
}

static size_t texthash_count(const struct content *content)
{
    return ((const struct texthash *)content)->entries->len;
}

static bool texthash_foreach(const struct content *content, const char *file, content_visit *visit,
                             void *data)
{
    const struct texthash *table = (const struct texthash *)content;
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
    for (unsigned i = 0; i < table->entries->len; i++) {
        const struct entry *entry = &g_array_index(table->entries, struct entry, i);
        char *key = table->text + entry->offset;
        char *value = key + strlen(key) + 1;
        if (g_hash_table_contains(seen, value))
            continue;
        if (g_hash_table_size(seen) < VALUES_REMEMBERED)
            g_hash_table_add(seen, value);
        if (!visit(data, file, entry->line, key, value))
            return false;
    }
    return true;
}

static bool texthash_foreach_entry(const struct content *content, const char *file,
                                   content_visit *visit, void *data)
{
    const struct texthash *table = (const struct texthash *)content;
    for (unsigned i = 0; i < table->entries->len; i++) {
        const struct entry *entry = &g_array_index(table->entries, struct entry, i);
        const char *key = table->text + entry->offset;
        if (!visit(data, file, entry->line, key, key + strlen(key) + 1))
            return false;
    }
    return true;
}

static void texthash_free(struct content *content)
{
    struct texthash *table = (struct texthash *)content;
    keyindex_clear(&table->index);
    g_array_unref(table->entries);
    g_free(table->text);
    g_free(table);
}

const struct content_class texthash_class = {
    .type = "texthash",
    .folds = true,
    .read = texthash_read,
    .find = texthash_find,
    .count = texthash_count,
    .foreach = texthash_foreach,
    .foreach_entry = texthash_foreach_entry,
    .free = texthash_free,
};
