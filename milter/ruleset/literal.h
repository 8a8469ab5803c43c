/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What must occur in a text for a pattern to match it: so that patterns need not be tried where
 * it does not.
 *
 * Threads: all functions are pure.
 */
#ifndef RULESET_LITERAL_H
#define RULESET_LITERAL_H

#include <glib.h>

/* Most literals of which one must occur; a pattern with more alternatives is always tried. */
#define LITERAL_ALTERNATIVES_MAX 48

/* Longest literal that is kept; a part of what must occur must occur, too. */
#define LITERAL_LENGTH_MAX 24

/* Reads a pattern (without delimiters, without the flag x) and returns GStrings of which at least
 * one occurs in each text that it matches, but for the case of letters; NULL if nothing is known.
 * What is not understood is never guessed. */
GPtrArray *literal_extract(const char *pattern);

#endif
