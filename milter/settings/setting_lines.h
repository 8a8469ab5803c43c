/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The logical lines of gatepost.conf: comments and blank lines left out, lines that begin with
 * white space joined to the one before by a space, as Postfix's readlline does it.
 */
#ifndef SETTINGS_SETTING_LINES_H
#define SETTINGS_SETTING_LINES_H

#include <glib.h>
#include <stdbool.h>

#include "base/problems.h"

struct setting_lines {
    const char *rest; /* what is not read yet */
    const char *end;
    const char *file;
    struct problems *problems;
    unsigned number;      /* of the physical line read last */
    unsigned brace_depth; /* within the logical line */
    bool is_broken;       /* the line before was bad: what continues it is passed over */
};

/* Begins to read TEXT, which must outlive LINES; no clean-up is needed. */
void settings_lines_init(struct setting_lines *lines, const char *text, size_t length,
                         const char *file, struct problems *problems);

/* Reads a logical line without white space around it into OUT and the number of its first physical
 * line into *NUMBER_R; false at the end. A line with a NUL, another control character than TAB or
 * bytes that are not UTF-8 is an error and left out. CR LF ends a line as LF does. */
bool settings_lines_next(struct setting_lines *lines, GString *out, unsigned *number_r);

#endif
