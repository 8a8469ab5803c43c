/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Times as the MTAs write them.
 *
 * Threads: pure.
 */
#ifndef MTATIME_H
#define MTATIME_H

/* Seconds of "1m30s"; a number without a unit is seconds. What cannot be read counts as 0, more
 * than a year as a year. */
unsigned mtatime_seconds(const char *text);

#endif
