/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Colours for people: on a terminal alone, and not where NO_COLOR is set (no-color.org) or TERM is
 * "dumb".
 *
 * Threads: the command line's (the environment is read).
 */
#ifndef BASE_COLOUR_H
#define BASE_COLOUR_H

#include <stdio.h>

enum colour { COLOUR_ERROR, COLOUR_WARNING, COLOUR_NOTE, COLOUR_NONE };

/* What begins COLOUR on STREAM, COLOUR_NONE: what ends it; "" where there are to be none. Static.
 */
const char *colour_code(FILE *stream, enum colour colour);

#endif
