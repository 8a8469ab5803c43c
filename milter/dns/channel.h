/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The c-ares side of the resolver: a channel, the sockets it wants watched, one round of waiting.
 * The only file that knows c-ares, beside cares.c, which knows its versions, and late_sockets.c.
 *
 * Threads: one thread at a time.
 */
#ifndef MILTER_DNS_CHANNEL_H
#define MILTER_DNS_CHANNEL_H

#include <glib.h>

#include "dns/dns_answer.h"

struct channel;

/* Called for each question once, possibly before channel_ask returned; the answer is the
 * receiver's. TIMED: it is that to a packet which was sent once, when the question was asked; not
 * so when nobody was asked, or several times, or the answer is that there is none. */
typedef void (*channel_answer_fn)(void *data, struct dns_answer *answer, bool timed);

/* SERVERS: of struct dns_server; NULL: the system's. NULL with *WHY_R (static text). */
struct channel *channel_new(const GArray *servers, unsigned timeout_ms, unsigned tries,
                            const char **why_r);

/* Questions that are open are answered DNS_FAIL_STOPPED first. */
void channel_free(struct channel *channel);

/* NAME "" is the root. FLAGS: of enum dns_ask. */
void channel_ask(struct channel *channel, const char *name, enum dns_type type, unsigned flags,
                 channel_answer_fn answer, void *data);

/* Whether there are servers, and each has a loopback address. */
bool channel_is_local(struct channel *channel);

/* Waits until a socket is ready, a try has timed out, WAKE_FD can be read or it is UNTIL (us of the
 * monotonic clock; 0: that does not come), and lets c-ares do what there is to do. */
void channel_wait(struct channel *channel, int wake_fd, int64_t until);

/* The same without waiting: takes what is there. */
void channel_poll(struct channel *channel);

#endif
