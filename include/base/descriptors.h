/* SPDX-License-Identifier: BSD-2-Clause
 *
 * File descriptors that a program is started with.
 *
 * Threads: for the beginning of main.
 */
#ifndef BASE_DESCRIPTORS_H
#define BASE_DESCRIPTORS_H

#include <stdbool.h>

/* Whoever starts a program may have closed standard input, output or error; then the next file that
 * it opens takes the place, and what is printed goes into a socket or a database. Takes such places
 * beforehand, so that using them is the error that it was. false, with errno: it cannot be done. */
bool descriptors_take_standard(void);

#endif
