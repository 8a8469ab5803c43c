/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Tables that stand in their own name: inline:{key=value, {key = a long value}}, static:value,
 * and fail:, which can never tell.
 */
#include <string.h>

#include "base/text.h"
#include "table_content.h"
#include "keyindex.h"
#include "table_lines.h"

struct inline_table {
    struct content base;
    GString *text; /* "key NUL value NUL" of each entry */
    GArray *offsets;
    struct keyindex index;
};

struct static_table {
    struct content base;
    char *value;
};

/* How long the text in braces is with which TEXT begins, both braces counted; 0 if none. */
static size_t braced_length(const char *text)
{
    if (*text != '{')
        return 0;
    size_t depth = 0;
    for (const char *p = text; *p; p++) {
        if (*p == '{')
            depth++;
        else if (*p == '}' && --depth == 0)
            return (size_t)(p - text) + 1;
    }
    return 0;
}

/* What stands between the braces that enclose all of TEXT; NULL if none do. */
static char *unbrace(const char *text)
{
    size_t length = braced_length(text);
    if (length == 0 || text[length] != '\0')
        return NULL;
    return g_strndup(text + 1, length - 2);
}

/* Splits "key = value" in place; returns what is wrong or NULL. */
static const char *split_pair(char *pair, char **key_r, char **value_r)
{
    char *key = lines_trim(pair);
    char *end = lines_key_end(key, '=');
    if (!end)
        return "a quote (\") has no partner; expected {key=value, ...}";
    char *equals = end;
    while (lines_is_space(*equals))
        equals++;
    if (end == key || *equals != '=')
        return "expected {key=value, ...}";
    *end = '\0';
    *key_r = key;
    *value_r = lines_trim(equals + 1);
    return NULL;
}

static const char *add_word(struct inline_table *table, const char *word)
{
    g_autofree char *pair = *word == '{' ? unbrace(word) : g_strdup(word);
    char *key, *value;
    if (!pair)
        return "text follows a closing brace; expected {key=value, {key = value}, ...}";
    const char *why = split_pair(pair, &key, &value);
    if (why)
        return why;
    g_autofree char *folded = content_fold(key);
    if (!folded || !g_utf8_validate(value, -1, NULL))
        return "the text is not UTF-8";
    g_array_append_val(table->offsets, table->text->len);
    g_string_append_len(table->text, folded, (gssize)strlen(folded) + 1);
    g_string_append_len(table->text, value, (gssize)strlen(value) + 1);
    return NULL;
}

static const char *add_words(struct inline_table *table, const char *name)
{
    g_autofree char *inner = unbrace(name);
    if (!inner)
        return "expected {key=value, ...}";
    const char *why = NULL;
    g_autoptr(GPtrArray) words = text_split_list(inner, &why);
    if (!words)
        return why;
    if (words->len == 0)
        return "the table is empty; expected {key=value, ...}";
    for (unsigned i = 0; !why && i < words->len; i++)
        why = add_word(table, words->pdata[i]);
    return why;
}

static void inline_free(struct content *content)
{
    struct inline_table *table = (struct inline_table *)content;
    keyindex_clear(&table->index);
    g_string_free(table->text, TRUE);
    g_array_unref(table->offsets);
    g_free(table);
}

/* The last of equal keys counts, so they are indexed from the end. */
static struct content *inline_make(const char *name, const char **why_r)
{
    struct inline_table *table = g_new0(struct inline_table, 1);
    table->base = (struct content){.class = &inline_class, .references = 1};
    table->text = g_string_new(NULL);
    table->offsets = g_array_new(FALSE, FALSE, sizeof(gsize));
    *why_r = add_words(table, name);
    if (*why_r) {
        inline_free(&table->base);
        return NULL;
    }
    keyindex_init(&table->index, table->text->str, table->offsets->len);
    for (unsigned i = table->offsets->len; i-- > 0;)
        keyindex_add(&table->index, g_array_index(table->offsets, gsize, i));
    return &table->base;
}

static enum lookup_status inline_find(const struct content *content, const char *key,
                                      GString *value_r, unsigned *line_r)
{
    (void)line_r;
    return keyindex_ask(&((const struct inline_table *)content)->index, key, value_r);
}

static size_t inline_count(const struct content *content)
{
    return ((const struct inline_table *)content)->offsets->len;
}

static bool inline_foreach(const struct content *content, const char *file, content_visit *visit,
                           void *data)
{
    const struct inline_table *table = (const struct inline_table *)content;
    for (unsigned i = 0; i < table->offsets->len; i++) {
        const char *key = table->text->str + g_array_index(table->offsets, gsize, i);
        if (!visit(data, file, 0, key, key + strlen(key) + 1))
            return false;
    }
    return true;
}

const struct content_class inline_class = {
    .type = "inline",
    .folds = true,
    .make = inline_make,
    .find = inline_find,
    .count = inline_count,
    .foreach = inline_foreach,
    .free = inline_free,
};

static struct content *static_make(const char *name, const char **why_r)
{
    g_autofree char *value = *name == '{' ? unbrace(name) : g_strdup(name);
    if (!value) {
        *why_r = "expected static:VALUE or static:{VALUE WITH SPACES}";
        return NULL;
    }
    struct static_table *table = g_new0(struct static_table, 1);
    table->base = (struct content){.class = &static_class, .references = 1};
    table->value = g_strdup(*name == '{' ? lines_trim(value) : value);
    return &table->base;
}

static enum lookup_status static_find(const struct content *content, const char *key,
                                      GString *value_r, unsigned *line_r)
{
    (void)key;
    (void)line_r;
    g_string_append(value_r, ((const struct static_table *)content)->value);
    return LOOKUP_HIT;
}

static size_t static_count(const struct content *content)
{
    (void)content;
    return 1;
}

static bool static_foreach(const struct content *content, const char *file, content_visit *visit,
                           void *data)
{
    return visit(data, file, 0, "*", ((const struct static_table *)content)->value);
}

static void static_free(struct content *content)
{
    g_free(((struct static_table *)content)->value);
    g_free(content);
}

const struct content_class static_class = {
    .type = "static",
    .make = static_make,
    .find = static_find,
    .count = static_count,
    .foreach = static_foreach,
    .free = static_free,
};

static struct content *fail_make(const char *name, const char **why_r)
{
    (void)name;
    (void)why_r;
    struct content *content = g_new0(struct content, 1);
    *content = (struct content){.class = &fail_class, .references = 1};
    return content;
}

static enum lookup_status fail_find(const struct content *content, const char *key,
                                    GString *value_r, unsigned *line_r)
{
    (void)line_r;
    (void)content;
    (void)key;
    (void)value_r;
    return LOOKUP_ERROR;
}

static size_t fail_count(const struct content *content)
{
    (void)content;
    return 0;
}

static bool fail_foreach(const struct content *content, const char *file, content_visit *visit,
                         void *data)
{
    (void)content;
    (void)file;
    (void)visit;
    (void)data;
    return true;
}

static void fail_free(struct content *content)
{
    g_free(content);
}

const struct content_class fail_class = {
    .type = "fail",
    .pattern = true, /* asked for whole keys, malformed ones too: that is enough to fail */
    .make = fail_make,
    .find = fail_find,
    .count = fail_count,
    .foreach = fail_foreach,
    .free = fail_free,
};
