/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Linux's epoll and eventfd.
 */
#include "base/poller.h"

#include <errno.h>
#include <glib.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { EVENTS_MOST = 128 };

struct poller {
    int fd;
    int waker; /* an eventfd */
};

static struct epoll_event wanted(unsigned what, void *data)
{
    struct epoll_event event = {.events = EPOLLRDHUP, .data.ptr = data};
    if (what & POLLER_IN)
        event.events |= EPOLLIN;
    if (what & POLLER_OUT)
        event.events |= EPOLLOUT;
    return event;
}

struct poller *poller_new(void)
{
    struct poller *poller = g_new0(struct poller, 1);
    struct epoll_event event = {.events = EPOLLIN};
    poller->fd = epoll_create1(EPOLL_CLOEXEC);
    poller->waker = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (poller->fd >= 0 && poller->waker >= 0 &&
        epoll_ctl(poller->fd, EPOLL_CTL_ADD, poller->waker, &event) == 0)
        return poller;
    int reason = errno;
    poller_free(poller);
    errno = reason;
    return NULL;
}

void poller_free(struct poller *poller)
{
    if (!poller)
        return;
    if (poller->fd >= 0)
        close(poller->fd);
    if (poller->waker >= 0)
        close(poller->waker);
    g_free(poller);
}

bool poller_add(struct poller *poller, int fd, unsigned what, void *data)
{
    struct epoll_event event = wanted(what, data);
    return epoll_ctl(poller->fd, EPOLL_CTL_ADD, fd, &event) == 0;
}

bool poller_change(struct poller *poller, int fd, unsigned what, void *data)
{
    struct epoll_event event = wanted(what, data);
    return epoll_ctl(poller->fd, EPOLL_CTL_MOD, fd, &event) == 0;
}

void poller_remove(struct poller *poller, int fd)
{
    (void)epoll_ctl(poller->fd, EPOLL_CTL_DEL, fd, NULL);
}

int poller_wait(struct poller *poller, int milliseconds, struct poller_event *events_r, int most)
{
    struct epoll_event events[EVENTS_MOST];
    int found = epoll_wait(poller->fd, events, MIN(most, EVENTS_MOST), milliseconds);
    int told = 0;
    for (int i = 0; i < found; i++) {
        uint64_t wakes;
        unsigned what = 0;
        if (!events[i].data.ptr) {
            ssize_t got = read(poller->waker, &wakes, sizeof wakes);
            (void)got;
            continue;
        }
        what |= events[i].events & EPOLLIN ? POLLER_IN : 0;
        what |= events[i].events & EPOLLOUT ? POLLER_OUT : 0;
        what |= events[i].events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR) ? POLLER_HANGUP : 0;
        events_r[told++] = (struct poller_event){.data = events[i].data.ptr, .what = what};
    }
    return told;
}

void poller_wake(struct poller *poller)
{
    uint64_t one = 1;
    ssize_t written = write(poller->waker, &one, sizeof one);
    (void)written;
}
