/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the programs of the command line complain of.
 *
 * Threads: the command line's (the environment is read).
 */
#ifndef BASE_COMPLAINT_H
#define BASE_COMPLAINT_H

#include <glib.h>

/* Prints "gatepostctl: TEXT" to stderr, escaped, since it may name what strangers wrote. A word
 * "warning:" or "note:" in front of it is coloured on a terminal. */
void complain(const char *format, ...) G_GNUC_PRINTF(1, 2);

#endif
