/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Colours.
 */
#include "base/colour.h"

#include <glib.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

static bool is_wanted(FILE *stream)
{
    const char *no = g_getenv("NO_COLOR"), *terminal = g_getenv("TERM");
    return isatty(fileno(stream)) && (!no || !*no) && g_strcmp0(terminal, "dumb") != 0;
}

const char *colour_code(FILE *stream, enum colour colour)
{
    static const char *const codes[] = {
        [COLOUR_ERROR] = "\033[1;31m",
        [COLOUR_WARNING] = "\033[1;33m",
        [COLOUR_NOTE] = "\033[1;36m",
        [COLOUR_NONE] = "\033[0m",
    };
    return is_wanted(stream) ? codes[colour] : "";
}
