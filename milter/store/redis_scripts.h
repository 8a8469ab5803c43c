/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a server carries out in one step, in Lua: one key a call, the server's own clock.
 *
 * Threads: constant.
 */
#ifndef STORE_REDIS_SCRIPTS_H
#define STORE_REDIS_SCRIPTS_H

/* ARGV: operation, length of the window in ms (0: of the calendar), date, n, max (-1: no limit),
 * network ("": none), slot, until, client, held (1: yes), end of the window (ms since 1970, 0:
 * not told). Gives: admitted, used, slot, wait,
 * allowed, until, refused, held, refused_at, client. The same arithmetic as counter.c. */
extern const char redis_counter_script[];

/* ARGV: operation, delay, open, keep, gap, all ms. Gives: enum store_mark, first, last, hits, age.
 */
extern const char redis_mark_script[];

#endif
