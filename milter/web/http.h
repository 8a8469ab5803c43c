/* SPDX-License-Identifier: BSD-2-Clause
 *
 * HTTP, by libmicrohttpd, which is known nowhere else: requests in, replies out. Connections are
 * bounded in number and each in its time.
 *
 * Threads: http_tick from one thread; replies are made in threads of the library's.
 */
#ifndef WEB_HTTP_H
#define WEB_HTTP_H

#include "web_reply.h"

struct http;

/* Serves SITE, which must outlive it, on the listening socket FD, which it closes. NULL with *WHY_R
 * (owned by the caller). */
struct http *http_start(const struct web_site *site, int fd, char **why_r);

/* Ends connections whose time is over; to be called once a second. */
void http_tick(struct http *http);

void http_stop(struct http *http); /* accepts NULL */

#endif
