/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Times as people write them, for all commands that look back: one grammar.
 *
 *     2h, 90s, 30m, 7d, 2w            so long ago ("ago" may follow: "2h ago")
 *     now, today, yesterday, monday   the day; a weekday is the last one that has begun
 *     2026-11-26, Nov 26              a day; without a year the last one that has begun
 *     14:00, 14:00:30                 today
 *     yesterday 14:00, 2026-11-26 14:00, 2026-11-26T14:00, Nov 26 14:00:30
 *     2026-11-26T14:00:00Z, ...+02:00 RFC 3339; @1764165600 is seconds since 1970
 *
 * Without an offset a time is one of this machine's time zone.
 *
 * Threads: pure.
 */
#ifndef BASE_WHEN_H
#define BASE_WHEN_H

#include <stdbool.h>
#include <stdint.h>

/* Whether a time that names no moment but a day (or a minute) stands for its beginning, as --since
 * wants it, or for its last microsecond, as --until does. */
enum when_edge { WHEN_SINCE, WHEN_UNTIL };

/* For messages: what may be written. */
#define WHEN_FORMS "a time is \"2h\" (ago), \"yesterday\", \"2026-11-26\", \"2026-11-26 14:00\""

/* Reads TEXT as it is meant at NOW; both and *WHEN_R are microseconds since 1970. false if it is no
 * time. */
bool when_parse(const char *text, int64_t now, enum when_edge edge, int64_t *when_r);

/* SECONDS since 1970 as a time of this machine's zone, in a FORMAT of g_date_time_format; "?" for
 * one that no calendar has. The caller frees it. */
char *when_text(int64_t seconds, const char *format);

#endif
