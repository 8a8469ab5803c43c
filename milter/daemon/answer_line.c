/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Lines of answers.
 */
#include "answer_line.h"

#include "base/text.h"

void answer_line_put(GString *out, const char *const *fields)
{
    for (size_t i = 0; fields[i]; i++) {
        g_autofree char *escaped = text_escape(fields[i]);
        g_string_append_printf(out, "%s%s", i ? "\t" : "", escaped);
    }
    g_string_append_c(out, '\n');
}
