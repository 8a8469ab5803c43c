/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Notices to the service manager.
 */
#include "notify.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/system.h"
#include "base/text.h"

static int notify_fd = -1;
static struct sockaddr_un manager = {.sun_family = AF_UNIX};
static socklen_t manager_length;

void notify_open(void)
{
    const char *path = g_getenv("NOTIFY_SOCKET");
    if (!path || (*path != '/' && *path != '@') || strlen(path) >= sizeof(manager.sun_path))
        return;
    size_t length = strlen(path);
    memcpy(manager.sun_path, path, length);
    if (*path == '@')
        manager.sun_path[0] = '\0'; /* Linux' abstract names */
    manager_length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
    notify_fd = system_socket(AF_UNIX, SOCK_DGRAM, false);
    /* A manager that does not read, as when it is being executed anew, stops no reload. */
    const struct timeval patience = {.tv_sec = 1};
    (void)setsockopt(notify_fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
}

static void notify(const char *text)
{
    if (notify_fd < 0)
        return;
    ssize_t sent = sendto(notify_fd, text, strlen(text), MSG_NOSIGNAL,
                          (const struct sockaddr *)&manager, manager_length);
    (void)sent;
}

void notify_ready(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *status = g_strdup_vprintf(format, args);
    va_end(args);
    g_autofree char *line = text_escape(status); /* each line is an assignment of its own */
    g_autofree char *text = g_strconcat("READY=1\nSTATUS=", line, NULL);
    notify(text);
}

void notify_reloading(void)
{
    g_autofree char *text =
        g_strdup_printf("RELOADING=1\nMONOTONIC_USEC=%" G_GINT64_FORMAT, g_get_monotonic_time());
    notify(text);
}

void notify_stopping(void)
{
    notify("STOPPING=1\nSTATUS=Stopping when the messages under way are through");
}

void notify_alive(void)
{
    notify("WATCHDOG=1");
}

int notify_interval(void)
{
    const char *period = g_getenv("WATCHDOG_USEC"), *process = g_getenv("WATCHDOG_PID");
    guint64 microseconds, pid;
    if (notify_fd < 0 || !period ||
        !g_ascii_string_to_unsigned(period, 10, 1, G_MAXUINT64, &microseconds, NULL))
        return -1;
    if (process && (!g_ascii_string_to_unsigned(process, 10, 1, G_MAXINT64, &pid, NULL) ||
                    pid != (guint64)getpid()))
        return -1;
    return (int)CLAMP(microseconds / 2000, 1, (guint64)G_MAXINT);
}
