/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What --help says of a command beyond its line in the list.
 *
 * Threads: pure.
 */
#ifndef COMMANDHELP_H
#define COMMANDHELP_H

/* Options with their defaults, and an example: lines of text, each with its end; "" if nothing is
 * to be said of the command NAME. Static. */
const char *command_details(const char *name);

/* What the exit codes of the command NAME mean: "0 ..., 1 ...". Static. */
const char *command_exits(const char *name);

#endif
