/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What GLib says before it ends the process, since there is no memory or a thread cannot be begun:
 * as a line of our log, which takes neither memory nor a lock of GLib's. GLib's own way of saying
 * it takes both, and stands still where memory fails within g_once_init_enter.
 */
#ifndef REPORT_LAST_WORD_H
#define REPORT_LAST_WORD_H

#include "report/log.h"

/* Has it go where OPTIONS say from now on: to standard error, or to syslog, where the journal reads
 * as well. Threads: the caller's lock of the options. */
void last_word_configure(const struct log_options *options);

#endif
