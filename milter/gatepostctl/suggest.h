/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A limit that would have disturbed nobody but outliers, out of the history or gatepost's own log
 * lines.
 *
 * Threads: the command line's.
 */
#ifndef GATEPOSTCTL_SUGGEST_H
#define GATEPOSTCTL_SUGGEST_H

#include <glib.h>
#include <stdio.h>

struct suggestion;

/* Of what was sent at SINCE (us since 1970) or later; INT64_MIN: whenever. */
struct suggestion *suggestion_new(int64_t since);
void suggestion_free(struct suggestion *suggestion);

/* Reads the lines of the file PATH, text or JSON, packed or not (logfile.h), with or without what
 * syslog puts in front. NULL, or why it could not be read to its end, with its name (to be freed).
 * What is no line of a message that passed, with a login, is left out. */
char *suggestion_read(struct suggestion *suggestion, const char *path);

/* The same of the history PATH. */
char *suggestion_read_history(struct suggestion *suggestion, const char *path);

/* Prints percentiles of the recipients of one login in a day, and what `max` they suggest. */
void suggestion_print(const struct suggestion *suggestion, FILE *stream);

#endif
