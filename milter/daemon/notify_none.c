/* SPDX-License-Identifier: BSD-2-Clause
 *
 * No service manager: built without libsystemd.
 */
#include "notify.h"

void notify_ready(void)
{
}

void notify_reloading(void)
{
}

void notify_stopping(void)
{
}

void notify_alive(void)
{
}

int notify_interval(void)
{
    return -1;
}
