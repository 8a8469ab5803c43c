/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Sets of bytes, and which of them the classes and escapes of a pattern mean. Where that hangs on
 * more than the pattern says, a set holds more bytes than are meant, never fewer.
 *
 * Threads: all functions are pure.
 */
#ifndef RULESET_BYTES_H
#define RULESET_BYTES_H

#include <glib.h>
#include <stdbool.h>

/* A set is an array of 32 bytes, a bit for each. */
void bytes_add(guint8 *set, unsigned first, unsigned last);
void bytes_add_other_case(guint8 *set); /* as the flag i pairs letters */
bool bytes_has(const guint8 *set, unsigned c);
unsigned bytes_count(const guint8 *set);

/* The first byte of SET from FROM on; 256: there is none. */
unsigned bytes_next(const guint8 *set, unsigned from);

/* How unlikely a byte of SET is in a header, in bits. */
double bytes_rarity(const guint8 *set);

/* Adds to SET what the escape means whose backslash stands before *P, which is moved behind it.
 * false: it is none that stands for one byte. */
bool bytes_escape(const char **p, guint8 *set);

/* Adds to SET what the class means whose bracket stands before *P, which is moved behind it. false:
 * it does not end. */
bool bytes_class(const char **p, guint8 *set);

/* The length of the name of a POSIX class, "[:alpha:]" or "[:^alpha:]", at P within brackets; 0:
 * what stands there is no name, and its signs are themselves. */
size_t bytes_class_name(const char *p);

#endif
