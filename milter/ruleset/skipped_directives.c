/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Directives of SpamAssassin 4.0 and its plug-ins (Mail::SpamAssassin::Conf and the plug-ins'
 * manuals), some of 3.x, sorted (a test holds that).
 */
#include "skipped_directives.h"

#include <glib.h>
#include <stdlib.h>
#include <string.h>

static const struct row {
    const char *key, *reason;
} rows[] = {
#include "skipped_directives.inc"
};

/* Directives that plug-ins make up as they are asked. */
static const struct row prefixes[] = {
    {"bayes_stopword_", "needs SpamAssassin's learner"},
    {"hashbl_acl_", "needs a plug-in of SpamAssassin"},
};

static int compare_row(const void *key, const void *row)
{
    return strcmp(key, ((const struct row *)row)->key);
}

const char *skipped_directive_reason(const char *key)
{
    const struct row *row = bsearch(key, rows, G_N_ELEMENTS(rows), sizeof *rows, compare_row);
    for (size_t i = 0; !row && i < G_N_ELEMENTS(prefixes); i++)
        if (g_str_has_prefix(key, prefixes[i].key))
            row = &prefixes[i];
    return row ? row->reason : NULL;
}

int skipped_directive_is_rule(const char *key)
{
    static const char *const keys[] = {"body",       "rawbody",    "full",     "uri",
                                       "mimeheader", "uri_detail", "uridnsbl", "urirhsbl",
                                       "urirhssub",  "askdns",     NULL};
    return g_strv_contains(keys, key);
}
