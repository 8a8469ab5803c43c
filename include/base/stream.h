/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Outgoing TCP connections of those who may wait, but not for ever: every call ends at a deadline
 * (microseconds of the monotonic clock).
 *
 * Threads: a stream belongs to one thread at a time.
 */
#ifndef BASE_STREAM_H
#define BASE_STREAM_H

#include <stddef.h>
#include <stdint.h>

#include "base/ipaddr.h"

enum stream_result {
    STREAM_GOOD,
    STREAM_CLOSED, /* the other side ended it, or there is an error; errno says which (0: an end) */
    STREAM_TIMEOUT, /* the deadline came */
};

/* Connects to PORT of ADDRESS: a descriptor that does not block and closes on exec, which the
 * caller closes; -1 with errno, ETIMEDOUT at the deadline. */
int stream_connect(const struct ipaddr *address, unsigned port, int64_t deadline);

/* Waits until EVENTS of poll(2) can be done, or an error seen. */
enum stream_result stream_wait(int fd, short events, int64_t deadline);

/* Reads what is there, ROOM bytes at most, waiting for the first of them. */
enum stream_result stream_read(int fd, void *buffer, size_t room, size_t *got_r, int64_t deadline);

/* Writes all LENGTH bytes. */
enum stream_result stream_write(int fd, const void *data, size_t length, int64_t deadline);

#endif
