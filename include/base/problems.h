/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What is wrong with something that a person wrote (settings, rules, tables): errors and warnings
 * with file, line and remedy, gathered so that all of them are told at once.
 *
 * Threads: one thread at a time.
 */
#ifndef BASE_PROBLEMS_H
#define BASE_PROBLEMS_H

#include <glib.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>

enum problem_severity { PROBLEM_WARNING, PROBLEM_ERROR };

struct problem {
    enum problem_severity severity;
    char *file;    /* what a person calls the place: a path, or a word such as "command line" */
    unsigned line; /* from 1; 0: no line to name, shown as the first; or PROBLEM_NO_LINE */
    char *text;    /* one sentence, as it is: whoever shows it escapes it, once */
};

/* The line of what a file as a whole has come to, when it is no longer there, say: "FILE: warning:
 * TEXT". */
#define PROBLEM_NO_LINE UINT_MAX

struct problems;

/* Makes an empty collection; the caller frees it with problems_free (which accepts NULL). */
struct problems *problems_new(void);
void problems_free(struct problems *problems);

/* Adds an error (what was asked for cannot be done) or a warning (it can, but hardly as meant).
 * FILE and the formatted text are copied. What was said already (a listener section reads what it
 * inherits once more) is not said again. At most PROBLEMS_MAX are kept; the rest are counted. */
#define PROBLEMS_MAX 10000
void problems_error(struct problems *problems, const char *file, unsigned line, const char *format,
                    ...) G_GNUC_PRINTF(4, 5);
void problems_warning(struct problems *problems, const char *file, unsigned line,
                      const char *format, ...) G_GNUC_PRINTF(4, 5);

/* How many errors or warnings were added, those beyond PROBLEMS_MAX included. */
unsigned problems_errors(const struct problems *problems);
unsigned problems_warnings(const struct problems *problems);

/* Those kept, in the order in which they were added; INDEX counts from 0; NULL past the end. */
const struct problem *problems_get(const struct problems *problems, unsigned index);

/* "FILE:LINE: error: TEXT" without a line end, escaped by text_escape; the caller frees it. */
char *problem_format(const struct problem *problem);

/* Prints all of them, a line each, to STREAM. */
void problems_print(const struct problems *problems, FILE *stream);

#endif
