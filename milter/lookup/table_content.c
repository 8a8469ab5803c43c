/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Counting and folding, for all types of tables.
 */
#include "table_content.h"

struct content *content_ref(struct content *content)
{
    g_atomic_int_inc(&content->references);
    return content;
}

void content_unref(struct content *content)
{
    if (content && g_atomic_int_dec_and_test(&content->references))
        content->class->free(content);
}

char *content_fold(const char *key)
{
    if (g_str_is_ascii(key))
        return g_ascii_strdown(key, -1);
    if (!g_utf8_validate(key, -1, NULL))
        return NULL;
    return g_utf8_casefold(key, -1);
}
