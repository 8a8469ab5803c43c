/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The sockets of c-ares 1.34 and later, which are listened on for longer than it does itself.
 *
 * A try that is over makes c-ares leave its UDP socket: the question goes out again on another one,
 * and the first is closed as soon as nothing else waits on it. And a try is over after some times
 * as long as answers took of late (see cares.h). A list that has become slow would be asked again
 * and again, and each of its answers would find the door shut. Hence a UDP socket on which answers
 * are outstanding stays open, and what comes there is read by c-ares as if it had come on the
 * socket that it uses now: truncation and cookies are its own to judge, as before. But c-ares asks
 * not where an answer comes in, and with a hundred doors instead of one a forger would have to
 * guess a hundred times less: a late answer is taken only where its question went out, by the same
 * number, name and type, and once. The kernel takes packets from the server alone that the socket
 * was connected to.
 *
 * Open: KEPT_MOST sockets, each for as long as was told to late_sockets_new, and none when no
 * question waits. Earlier versions hear late answers by themselves: nothing is done here with them.
 *
 * Threads: as the channel's.
 */
#ifndef MILTER_DNS_LATE_SOCKETS_H
#define MILTER_DNS_LATE_SOCKETS_H

#include "cares.h"

struct late_sockets;

/* KEEP_MS: how long after its last question a socket is listened on. */
struct late_sockets *late_sockets_new(unsigned keep_ms);

/* Not before the channel that uses them is destroyed. */
void late_sockets_free(struct late_sockets *sockets);

/* Gives them to a channel that has no socket yet. Returns a status of c-ares. */
int late_sockets_use(struct late_sockets *sockets, ares_channel ares);

/* Adds a struct pollfd for each that is kept to POLLED. */
void late_sockets_watch(const struct late_sockets *sockets, GArray *polled);

/* FD is readable: ARES, the channel that uses them, reads what is there. Nothing happens when FD is
 * none of those kept. */
void late_sockets_hear(struct late_sockets *sockets, ares_channel ares, int fd);

/* Closes those from which nothing can come any more. */
void late_sockets_tidy(struct late_sockets *sockets, ares_channel ares);

#endif
