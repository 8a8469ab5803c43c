/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The work of one thread.
 */
#include "base/effort.h"

#include <time.h>

static gint64 time_worked(void)
{
    struct timespec now = {0};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (gint64)now.tv_sec * G_USEC_PER_SEC + now.tv_nsec / 1000;
}

struct effort effort_begin(void)
{
    return (struct effort){.begun = g_get_monotonic_time()};
}

bool effort_is_spent(struct effort *effort, gint64 microseconds)
{
    if (g_get_monotonic_time() - effort->begun < microseconds)
        return false;
    gint64 now = time_worked();
    if (effort->end == 0)
        effort->end = now + microseconds;
    return now >= effort->end;
}
