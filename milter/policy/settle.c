/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Taking a session's step to its end.
 */
#include "policy/settle.h"

/* A session that waits without a deadline is asked again after this at the latest, us. */
#define LONGEST_SLEEP (10 * G_TIME_SPAN_SECOND)

void session_settle(struct session *session, enum session_step step, struct waiting *waiting)
{
    while (step == SESSION_WAIT) {
        int64_t latest = g_get_monotonic_time() + LONGEST_SLEEP;
        int64_t deadline = session_deadline(session);
        waiting_sleep(waiting, deadline ? MIN(deadline, latest) : latest);
        step = session_resume(session);
    }
}
