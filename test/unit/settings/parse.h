/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the tests of this folder share.
 */
#ifndef TEST_SETTINGS_PARSE_H
#define TEST_SETTINGS_PARSE_H

#include <string.h>

#include "settings/settings.h"

/* All problems, a line each; frees PROBLEMS. The caller frees the text. */
static inline char *problems_text(struct problems *problems)
{
    GString *out = g_string_new(NULL);
    for (unsigned i = 0; problems_get(problems, i); i++) {
        g_autofree char *line = problem_format(problems_get(problems, i));
        g_string_append_printf(out, "%s\n", line);
    }
    problems_free(problems);
    return g_string_free(out, FALSE);
}

/* Parses TEXT as a file "c" and checks that exactly the lines PROBLEMS are told. */
static inline struct settings *parse_length(const char *text, size_t length, const char *want)
{
    struct problems *problems = problems_new();
    struct settings *settings = settings_parse(text, length, "c", problems);
    g_autofree char *told = problems_text(problems);
    g_assert_cmpstr(told, ==, want);
    return settings;
}

static inline struct settings *parse(const char *text, const char *want)
{
    return parse_length(text, strlen(text), want);
}

/* What settings_print writes, for the caller to free. */
static inline char *print(const struct settings *settings,
                          const struct settings_print_options *options, bool *known_r)
{
    char *text = NULL;
    size_t length = 0;
    FILE *stream = open_memstream(&text, &length);
    *known_r = settings_print(settings, options, stream);
    fclose(stream);
    return text;
}

#endif
