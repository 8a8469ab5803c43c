/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Lines of the read socket's answers: fields with a tab between them.
 *
 * Threads: pure but for OUT.
 */
#ifndef DAEMON_ANSWER_LINE_H
#define DAEMON_ANSWER_LINE_H

#include <glib.h>

/* A line of FIELDS, NULL behind the last; what would break it is escaped as text_escape does. */
void answer_line_put(GString *out, const char *const *fields);

/* The same of the arguments. */
#define PUT_ANSWER(out, ...) answer_line_put(out, (const char *const[]){__VA_ARGS__, NULL})

#endif
