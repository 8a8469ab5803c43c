/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The first byte chooses the type of the table; the rest is its text up to a line "=", then come
 * keys, one a line.
 */
#include <stdint.h>
#include <string.h>

#include "../../milter/lookup/table_content.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool see(void *data, const char *file, unsigned line, const char *key, const char *value)
{
    gsize *sum = data;
    *sum += strlen(file) + line + strlen(key) + strlen(value);
    return true;
}

static void ask(struct content *content, const char *keys)
{
    g_auto(GStrv) all = g_strsplit(keys, "\n", 8);
    g_autoptr(GString) value = g_string_new(NULL);
    for (char **key = all; *key; key++) {
        g_autofree char *folded = content->class->folds ? content_fold(*key) : NULL;
        unsigned line;
        g_string_truncate(value, 0);
        if (folded || !content->class->folds)
            content->class->find(content, folded ? folded : *key, value, &line);
    }
    gsize sum = 0;
    content->class->foreach (content, "f", see, &sum);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct content_class *const classes[] = {
        &texthash_class, &cidr_class, &pcre_class, &regexp_class, &inline_class, &static_class};
    if (size == 0)
        return 0;
    const struct content_class *class = classes[data[0] % G_N_ELEMENTS(classes)];
    char *text = g_malloc(size);
    memcpy(text, data + 1, size - 1);
    text[size - 1] = '\0';
    char *split = g_strstr_len(text, (gssize)size, "\n=\n");
    g_autofree char *keys = g_strdup(split ? split + 3 : "");
    size_t length = split ? (size_t)(split - text) : size - 1;
    text[length] = '\0';
    struct problems *problems = problems_new();
    const char *why = NULL;
    struct content *content =
        class->read ? class->read(text, length, "f", problems) : class->make(text, &why);
    if (!class->read)
        g_free(text);
    if (content)
        ask(content, keys);
    content_unref(content);
    problems_free(problems);
    return 0;
}
