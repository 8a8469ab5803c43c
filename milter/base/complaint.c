/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Complaints.
 */
#include "base/complaint.h"

#include <stdio.h>
#include <string.h>

#include "base/colour.h"
#include "base/text.h"

void complain(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    g_autofree char *escaped = text_escape(text);
    static const struct {
        const char *word;
        enum colour colour;
    } kinds[] = {{"warning:", COLOUR_WARNING}, {"note:", COLOUR_NOTE}};
    const char *rest = escaped;
    fputs("gatepostctl: ", stderr);
    for (size_t i = 0; i < G_N_ELEMENTS(kinds) && rest == escaped; i++) {
        if (!g_str_has_prefix(escaped, kinds[i].word))
            continue;
        fprintf(stderr, "%s%s%s", colour_code(stderr, kinds[i].colour), kinds[i].word,
                colour_code(stderr, COLOUR_NONE));
        rest += strlen(kinds[i].word);
    }
    fprintf(stderr, "%s\n", rest);
}
