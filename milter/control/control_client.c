/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The asking side of the control socket.
 */
#include "control/control.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/unixsocket.h"

/* Room for "gatepost STATUS LENGTH\n". */
enum { HEAD_MAX = 64 };

static bool send_all(int fd, const char *data, size_t length)
{
    while (length > 0) {
        ssize_t sent = send(fd, data, length, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent <= 0)
            return false;
        data += sent;
        length -= (size_t)sent;
    }
    return true;
}

/* Waits until there is something to read; false when END has passed. */
static bool wait_readable(int fd, gint64 end)
{
    for (;;) {
        gint64 left = (end - g_get_monotonic_time() + 999) / 1000;
        struct pollfd one = {.fd = fd, .events = POLLIN};
        if (left <= 0)
            return false;
        int ready = poll(&one, 1, (int)MIN(left, G_MAXINT));
        if (ready > 0)
            return true;
        if (ready < 0 && errno != EINTR)
            return false;
    }
}

/* NULL, or what went wrong. */
static const char *read_all(int fd, gint64 end, GString *answer)
{
    char buffer[8192];
    while (answer->len <= CONTROL_ANSWER_MAX) {
        if (!wait_readable(fd, end))
            return "no answer in time";
        ssize_t got = recv(fd, buffer, sizeof(buffer), 0);
        if (got == 0)
            return NULL;
        if (got < 0 && errno != EINTR)
            return strerror(errno);
        if (got > 0)
            g_string_append_len(answer, buffer, got);
    }
    return "the answer is too long";
}

static bool take_apart(const GString *answer, int *status_r, GString *out)
{
    int status, head = 0;
    unsigned length;
    char line[HEAD_MAX];
    g_strlcpy(line, answer->str, sizeof(line));
    char *end = strchr(line, '\n');
    if (!end)
        return false;
    *end = '\0';
    if (sscanf(line, "gatepost %3d %9u%n", &status, &length, &head) != 2 || line[head] != '\0' ||
        status < 0 || status > 255 || answer->len - (size_t)(end - line) - 1 != length)
        return false;
    *status_r = status;
    g_string_append_len(out, answer->str + (end - line) + 1, (gssize)length);
    return true;
}

bool control_call(const char *path, const char *request, unsigned seconds, int *status_r,
                  GString *out, char **why_r)
{
    gint64 end = g_get_monotonic_time() + (gint64)seconds * G_USEC_PER_SEC;
    g_autoptr(GString) answer = g_string_new(NULL);
    g_autofree char *line = g_strconcat(request, "\n", NULL);
    *status_r = CONTROL_NO_ANSWER;
    int fd = unixsocket_connect(path, seconds);
    if (fd < 0) {
        bool nobody = errno == ENOENT || errno == ECONNREFUSED;
        if (nobody)
            *status_r = CONTROL_NOBODY;
        *why_r = nobody ? g_strdup_printf("no daemon runs: nobody listens on %s", path)
                        : g_strdup_printf("%s: %s", path, strerror(errno));
        return false;
    }
    /* The server may answer before it read all; then reading tells. */
    (void)send_all(fd, line, strlen(line));
    const char *failure = read_all(fd, end, answer);
    close(fd);
    if (!failure && !take_apart(answer, status_r, out))
        failure = "that is no answer of gatepost's";
    if (failure)
        *why_r = g_strdup_printf("%s: %s", path, failure);
    return !failure;
}
