/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A handler that notes the signal, and a pipe that becomes readable for good.
 */
#include "interrupt.h"

#include <errno.h>
#include <glib-unix.h>
#include <glib.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "base/stream.h"

static volatile gint came; /* atomic: the signal's number */
static int wakers[2] = {-1, -1};

static void note(int number)
{
    int error = errno;
    g_atomic_int_set(&came, number);
    while (write(wakers[1], "", 1) < 0 && errno == EINTR)
        continue; /* full: then it is readable */
    errno = error;
}

void interrupt_catch(void)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
    if (wakers[0] >= 0 || !g_unix_open_pipe(wakers, FD_CLOEXEC, NULL))
        return;
    g_unix_set_fd_nonblocking(wakers[1], TRUE, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(signals); i++) {
        struct sigaction before, ours = {.sa_handler = note};
        ours.sa_flags = (int)(SA_RESTART | SA_RESETHAND);
        sigemptyset(&ours.sa_mask);
        if (sigaction(signals[i], NULL, &before) == 0 && before.sa_handler != SIG_IGN)
            sigaction(signals[i], &ours, NULL);
    }
}

bool interrupt_came(void)
{
    return g_atomic_int_get(&came) != 0;
}

bool interrupt_sleep(int64_t us)
{
    if (wakers[0] < 0)
        g_usleep((gulong)us);
    else if (!interrupt_came())
        stream_wait(wakers[0], POLLIN, g_get_monotonic_time() + us);
    return !interrupt_came();
}

void interrupt_pass_on(void)
{
    int number = g_atomic_int_get(&came);
    if (number == 0)
        return;
    signal(number, SIG_DFL);
    raise(number);
}
