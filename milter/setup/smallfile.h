/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Files of an MTA's that are looked at: whatever is at the path, reading ends, and soon.
 *
 * Threads: pure.
 */
#ifndef SMALLFILE_H
#define SMALLFILE_H

#include <glib.h>
#include <stdbool.h>

#define SMALLFILE_MAX       (4 * 1024 * 1024) /* bytes; more is an error */
#define SMALLFILE_LINES_MAX 100000            /* lines; what stands behind them is not seen */

/* The lines of the file PATH without their ends, NULL behind the last: freed with g_strfreev. A NUL
 * counts as a space. NULL with *WHY_R (static) if it is not there, no plain file or too large. */
char **smallfile_lines(const char *path, const char **why_r);

#endif
