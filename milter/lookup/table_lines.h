/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Logical lines of a table, as postmap(1) defines them: a line that begins with white space
 * continues the one before; empty lines and lines whose first character that is no white space is
 * "#" are no lines at all and interrupt nothing.
 */
#ifndef LOOKUP_TABLE_LINES_H
#define LOOKUP_TABLE_LINES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/problems.h"

struct table_lines {
    char *text; /* TEXT[LENGTH] must be writable: lines are joined and ended where they stand */
    size_t length;
    size_t position;
    unsigned line; /* physical lines read so far */
    const char *file;
    struct problems *problems;
};

/* ASCII white space, whatever the locale. */
bool lines_is_space(char c);

/* Cuts white space off the end of TEXT, in place. Returns where its first other character is. */
char *lines_trim(char *text);

/* Where the key at KEY ends: at white space or STOP ('\0': none) outside double quotes; a backslash
 * protects what follows it. NULL if a quote is not closed. */
char *lines_key_end(char *key, char stop);

/* The next logical line, ended by NUL, and the number of its first physical line; NULL at the end.
 * A continuation of nothing is skipped with a warning; NUL bytes are warned of, and what follows
 * them is lost. */
char *lines_next(struct table_lines *lines, unsigned *line_r);

#endif
