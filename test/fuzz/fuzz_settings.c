/* SPDX-License-Identifier: BSD-2-Clause
 *
 * gatepost.conf from a stranger: everything can be asked of what was read, and what is printed says
 * the same when it is read again.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "settings/settings.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ask(const struct settings *settings, const struct section *section)
{
    for (unsigned i = 0; i < SETTING_COUNT; i++) {
        const struct setting_value *value = settings_get(settings, section, (enum setting)i);
        if (!g_utf8_validate(value->text, -1, NULL) || strlen(value->text) > SETTINGS_VALUE_MAX)
            abort();
        settings_integer(settings, section, (enum setting)i);
        settings_keyed(settings, section, (enum setting)i, 0);
    }
}

static char *print(const struct settings *settings)
{
    struct settings_print_options options = {.only_given = true};
    char *text = NULL;
    size_t length;
    FILE *stream = open_memstream(&text, &length);
    settings_print(settings, &options, stream);
    fclose(stream);
    return text;
}

/* Reads TEXT, asks everything and returns it printed; the number of errors in *ERRORS_R. */
static char *round_trip(const char *text, size_t length, unsigned *errors_r)
{
    struct problems *problems = problems_new();
    struct settings *settings = settings_parse(text, length, "fuzz", problems);
    *errors_r = problems_errors(problems);
    ask(settings, NULL);
    for (unsigned kind = 0; kind < SECTION_KIND_COUNT; kind++)
        for (guint i = 0; i < settings_section_count(settings, (enum section_kind)kind); i++)
            ask(settings, settings_section(settings, (enum section_kind)kind, i));
    char *printed = print(settings);
    settings_free(settings);
    problems_free(problems);
    return printed;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    unsigned errors, again;
    char *first = round_trip((const char *)data, size, &errors);
    char *second = round_trip(first, strlen(first), &again);
    if (errors == 0 && (again > 0 || strcmp(first, second) != 0))
        abort();
    free(first);
    free(second);
    return 0;
}
