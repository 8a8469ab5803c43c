/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Files of log lines, as they are and as logrotate(8) leaves them: packed by gzip, or by a program
 * that unpacks its own (xz, zstd, bzip2) where it is installed.
 *
 * Threads: the command line's.
 */
#ifndef GATEPOSTCTL_LOGFILE_H
#define GATEPOSTCTL_LOGFILE_H

#include <stdbool.h>

/* Calls TAKE for each line of the file PATH, without its end. What is longer than
 * HISTORY_LOG_LINE_MAX is no line of ours and is passed over, its rest too. *CUT_R: a file that
 * gzip packed ends too early; all that is before was taken. NULL, or why it could not be read to
 * its end, with its name, for g_free. */
char *log_file_read(const char *path, void (*take)(void *data, char *line), void *data,
                    bool *cut_r);

#endif
