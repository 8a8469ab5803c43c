/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The first line is a match list, the second is asked for, the rest is a file of patterns.
 */
#include <glib/gstdio.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "lookup/matchlist.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ask(const char *value, enum match_kind kind, const char *key)
{
    struct table_context context = {.problems = problems_new(), .file = "fuzz", .line = 1};
    struct match_list *list = match_list_open(value, kind, &context);
    struct ipaddr address;
    g_autoptr(GString) entry = g_string_new(NULL);
    bool is_address = ipaddr_parse(key, &address);
    if (list && kind == MATCH_DOMAINS)
        match_list_find_domain(list, key);
    if (list && kind == MATCH_NETWORKS)
        match_list_find_client(list, is_address ? &address : NULL, key, entry);
    match_list_unref(list);
    problems_free(context.problems);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *path = g_strdup_printf("%s/gatepost-fuzz-%d", g_get_tmp_dir(), (int)getpid());
    g_autofree char *text = g_strndup((const char *)data, size);
    g_auto(GStrv) lines = g_strsplit(text, "\n", 3);
    const char *key = lines[0] && lines[1] ? lines[1] : "";
    size_t head = lines[0] && lines[1] ? strlen(lines[0]) + strlen(key) + 2 : size;
    FILE *stream = g_fopen(path, "w");
    if (!stream)
        return 0;
    if (head < size)
        fwrite(data + head, 1, size - head, stream);
    fclose(stream);
    for (enum match_kind kind = MATCH_NETWORKS; kind <= MATCH_DOMAINS; kind++) {
        ask(lines[0] ? lines[0] : "", kind, key);
        ask(path, kind, key);
    }
    g_remove(path);
    return 0;
}
