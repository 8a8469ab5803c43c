/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Whether a pattern says where what it names begins and ends. Who lets somebody in by a pattern
 * that does not lets others in, too: /example\.com/ is in example.com.evil.test.
 *
 * Threads: pure functions.
 */
#ifndef LOOKUP_PATTERN_ENDS_H
#define LOOKUP_PATTERN_ENDS_H

/* The ends at which PATTERN, without its delimiters, is surely open (enum table_open_end), in one
 * of its alternatives. What says by itself that anything goes (".*", a "." behind "^"), and what
 * cannot be judged without more knowledge of patterns than this has, is not open. */
unsigned pattern_open_ends(const char *pattern);

#endif
