/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Signals, made into bytes of a pipe.
 */
#include "signals.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

static int ends[2] = {-1, -1};

static const struct {
    int signal;
    enum happening happening;
} rows[] = {
    {SIGUSR1, HAPPENING_RELOAD},
    {SIGHUP, HAPPENING_RELOAD},
    {SIGTERM, HAPPENING_STOP},
    {SIGINT, HAPPENING_STOP},
};

void signals_tell(enum happening happening)
{
    char byte = (char)happening;
    /* A full pipe holds enough of them. */
    ssize_t written = write(ends[1], &byte, 1);
    (void)written;
}

static void handle(int signal)
{
    int before = errno;
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        if (rows[i].signal == signal)
            signals_tell(rows[i].happening);
    errno = before;
}

static void fill(sigset_t *set)
{
    sigemptyset(set);
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        sigaddset(set, rows[i].signal);
}

bool signals_init(void)
{
    struct sigaction action = {.sa_handler = handle, .sa_flags = SA_RESTART};
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    if (pipe(ends) != 0)
        return false;
    for (int i = 0; i < 2; i++)
        if (fcntl(ends[i], F_SETFL, O_NONBLOCK) != 0 || fcntl(ends[i], F_SETFD, FD_CLOEXEC) != 0)
            return false;
    fill(&action.sa_mask);
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        if (sigaction(rows[i].signal, &action, NULL) != 0)
            return false;
    /* A log or a state that may not grow is a failed write, no reason to die. */
    return sigaction(SIGPIPE, &ignore, NULL) == 0 && sigaction(SIGXFSZ, &ignore, NULL) == 0;
}

void signals_block(void)
{
    sigset_t set;
    fill(&set);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
}

void signals_unblock(void)
{
    sigset_t set;
    fill(&set);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

enum happening signals_wait(int milliseconds)
{
    char byte;
    struct pollfd one = {.fd = ends[0], .events = POLLIN};
    if (poll(&one, 1, milliseconds) <= 0 || read(ends[0], &byte, 1) != 1)
        return HAPPENING_NONE;
    return (enum happening)byte;
}

/* Not the C library's: see signals.h. */
int sigwait(const sigset_t *restrict set, int *restrict signal_r)
{
    (void)set, (void)signal_r;
    for (;;)
        pause();
}
