/* SPDX-License-Identifier: BSD-2-Clause
 *
 * How one who waits is told that it is worth looking again. All that answers later (the resolver,
 * a store, a pool of workers) takes a waker with each question.
 *
 * Threads: called by any thread, of which everything else that it answers waits for the return: a
 * waker sets a flag and signals, no more. It may be called more often than there is news.
 */
#ifndef BASE_WAKER_H
#define BASE_WAKER_H

struct waker {
    void (*wake)(void *data); /* NULL: nobody is woken, the state is looked up */
    void *data;
};

#endif
