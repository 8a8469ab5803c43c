/* SPDX-License-Identifier: BSD-2-Clause
 *
 * gatepostctl lookup: asks a table as postmap -q does, for whole keys.
 */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "command.h"
#include "ondisk.h"
#include "lookup/table.h"

struct lookup {
    struct table *table;
    unsigned found;
    bool failed; /* a table could not tell, which is not the same as "not found" */
};

static void ask(struct lookup *lookup, const char *key, bool print_key)
{
    g_autoptr(GString) value = g_string_new(NULL);
    if (!g_utf8_validate(key, -1, NULL)) {
        g_autofree char *safe = text_escape(key);
        complain("\"%s\" is not UTF-8: postmap and Postfix look up no such key", safe);
        return;
    }
    switch (table_find(lookup->table, key, value)) {
    case LOOKUP_HIT:
        lookup->found++;
        printf("%s%s%s\n", print_key ? key : "", print_key ? "\t" : "", value->str);
        break;
    case LOOKUP_ERROR:
        lookup->failed = true;
        complain("%s cannot tell about \"%s\"", table_name(lookup->table), key);
        break;
    default:
        break;
    }
}

/* As postmap -q -: a line a key; what is found is printed as "KEY<TAB>VALUE". */
static void ask_for_line(void *data, char *line)
{
    ask(data, line, true);
}

static struct table *open_table(const char *spec)
{
    struct problems *problems = problems_new();
    struct table_context context = {.problems = problems, .file = "command line"};
    struct table *table = table_open(spec, true, &context);
    problems_print(problems, stderr);
    problems_free(problems);
    return table;
}

enum exit_code command_lookup(struct invocation *invocation)
{
    enum parse_result parsed = invocation_parse(invocation, NULL, 2, G_MAXUINT);
    if (parsed != PARSE_GOOD)
        return parse_code(parsed);
    struct lookup lookup = {.table = open_table(invocation->operands[0])};
    if (!lookup.table)
        return CODE_CONFIG;
    bool read = true;
    for (char **key = invocation->operands + 1; *key; key++) {
        if (strcmp(*key, "-") == 0)
            read &= each_line_of_stdin(ask_for_line, &lookup);
        else
            ask(&lookup, *key, false);
    }
    table_unref(lookup.table);
    ondisk_warn(invocation);
    if (!read)
        return CODE_USAGE;
    if (lookup.failed)
        return CODE_UNAVAILABLE;
    return lookup.found > 0 ? CODE_FINE : CODE_NO;
}
