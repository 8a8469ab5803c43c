/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the versions of c-ares, from 1.18 (Debian 12) on, do differently. From 1.28 on questions and
 * answers are structures, and what takes bytes is deprecated; from 1.31 on c-ares keeps answers by
 * itself, which hides that a list has recovered: that is turned off, for dns/cache.c keeps them.
 * From 1.32 on it goes by how long answers took of late, not by the time-out that it is told, and
 * asks again on another socket (late_sockets.h hears the answers that come on the first). A
 * packet that is no message makes these drop all that is under way at its server, which then has no
 * answer; resolvers send none, whatever a list sends to them.
 *
 * Threads: as the channel's.
 */
#ifndef MILTER_DNS_CARES_H
#define MILTER_DNS_CARES_H

#include <sys/select.h> /* ares.h wants fd_set */

#include <ares.h>
#include <glib.h>
#include <stdbool.h>

/* STATUS is of c-ares. SENT: how often the question was sent, under one number; 0: not at all.
 * MESSAGE: the answer, SIZE bytes, valid during the call; NULL: there is none. */
typedef void (*cares_answer_fn)(void *data, int status, size_t sent, const unsigned char *message,
                                size_t size);

/* Sets what this version would do otherwise than others; returns the mask of what was set. */
int cares_harmonize(struct ares_options *options);

/* SERVERS: of struct dns_server. Returns a status of c-ares. */
int cares_set_servers(ares_channel ares, const GArray *servers);

/* How many servers are asked, and whether all have a loopback address; 0 when it cannot be told. */
unsigned cares_count_servers(ares_channel ares, bool *loopback_r);

/* Asks for TYPE of NAME ("" is the root); AD and CD: bits of the question (RFC 4035 3.1.6, RFC 6840
 * 5.7), with which UDP answers of UDP_SIZE bytes are taken (0: 512, without EDNS). ANSWER is called
 * once, possibly before this returned; a status other than ARES_SUCCESS may come with a message or
 * without. */
void cares_ask(ares_channel ares, const char *name, int type, bool ad, bool cd, unsigned udp_size,
               cares_answer_fn answer, void *data);

#endif
