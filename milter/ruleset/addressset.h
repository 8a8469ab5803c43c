/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A list of addresses with "*" and "?" in them, asked whether one matches. Lists hold hundreds of
 * thousands: exact addresses and the fixed ends of patterns are looked up by hash, what remains is
 * looked for with one automaton.
 *
 * Threads: immutable after addressset_new.
 */
#ifndef RULESET_ADDRESSSET_H
#define RULESET_ADDRESSSET_H

#include <glib.h>
#include <stdbool.h>

struct addressset;

/* Compiles COUNT patterns (lower case), which must live as long as the set. */
struct addressset *addressset_new(const char *const *patterns, size_t count);
void addressset_free(struct addressset *set); /* accepts NULL */

/* The pattern that ADDRESS (lower case) matches; NULL: none. */
const char *addressset_find(const struct addressset *set, const char *address);

/* Whether TEXT matches PATTERN: "*" stands for any number of characters, "?" for one. */
bool addressset_glob(const char *pattern, const char *text);

#endif
