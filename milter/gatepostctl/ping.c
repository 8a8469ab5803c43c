/* SPDX-License-Identifier: BSD-2-Clause
 *
 * gatepostctl ping: whether an MTA that came now would be served. It plays a session through the
 * milter socket, up to a recipient whom no list is asked about (the bare postmaster), so that
 * nothing is looked up or logged, or counted but the session.
 */
#include <errno.h>
#include <netdb.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/system.h"
#include "command.h"
#include "daemon.h"
#include "ping.h"
#include "settings/settings.h"
#include "settings/socket.h"

/* The milter protocol, version 6, as sendmail's include/libmilter/mfdef.h has it. */
enum {
    ACTIONS = 0x1ff,    /* all that a filter may want to do */
    STEPS = 0x1fffff,   /* all that it may want to be spared */
    ANSWER_MAX = 65536, /* bytes; more is no answer of a filter's */
    PROGRESS = 'p',     /* "wait" */
    NEGOTIATE = 'O',
};

/* The steps of a session: what is said, which bit spares the filter the step, which the answer. */
static const struct {
    char command;
    const char *data;
    size_t length;
    uint32_t no_step, no_reply;
} steps[] = {
#define DATA(text) text, sizeof(text)
    {'C',
     DATA("localhost\0"
          "4\0\0"
          "127.0.0.1"),
     0x1, 0x1000},
    {'H', DATA("localhost"), 0x2, 0x2000},
    {'M', DATA("<>"), 0x4, 0x4000},
    {'R', DATA("<postmaster>"), 0x8, 0x8000},
    {'A', NULL, 0, 0, UINT32_MAX},
    {'Q', NULL, 0, 0, UINT32_MAX},
#undef DATA
};

/* What is printed when the time is over. Whatever hangs then - a name, a file on a server, the
 * daemon - the alarm ends it. */
static char too_late[64];

static void give_up(int number)
{
    (void)number;
    ssize_t written = write(STDERR_FILENO, too_late, strlen(too_late));
    (void)written;
    _exit(CODE_UNAVAILABLE);
}

static void set_alarm(const char *text, int64_t us)
{
    g_snprintf(too_late, sizeof(too_late), "gatepostctl: no answer within %s\n", text);
    struct sigaction action = {.sa_handler = give_up};
    struct itimerval timer = {
        .it_value = {.tv_sec = us / G_TIME_SPAN_SECOND, .tv_usec = us % G_TIME_SPAN_SECOND}};
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGALRM);
    sigaction(SIGALRM, &action, NULL);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    setitimer(ITIMER_REAL, &timer, NULL);
}

static int connect_to(const struct sockaddr *address, socklen_t length)
{
    int fd = system_socket(address->sa_family, SOCK_STREAM, false);
    if (fd < 0 || connect(fd, address, length) == 0)
        return fd;
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

/* A connection to the socket WHERE; -1 with *WHY_R, static. */
static int reach(const struct socket_address *where, const char **why_r)
{
    int fd = -1;
    if (where->kind == SOCKET_UNIX) {
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        g_strlcpy(address.sun_path, where->path, sizeof(address.sun_path));
        fd = connect_to((const struct sockaddr *)&address, sizeof(address));
    } else {
        struct addrinfo *found, hints = {
                                    .ai_family = where->kind == SOCKET_INET6 ? AF_INET6 : AF_INET,
                                    .ai_socktype = SOCK_STREAM,
                                    .ai_flags = AI_NUMERICSERV,
                                };
        g_autofree char *port = g_strdup_printf("%u", where->port);
        int code = getaddrinfo(where->host, port, &hints, &found);
        if (code != 0) {
            *why_r = gai_strerror(code);
            return -1;
        }
        fd = connect_to(found->ai_addr, found->ai_addrlen);
        int error = errno;
        freeaddrinfo(found);
        errno = error;
    }
    *why_r = errno == ENOENT || errno == ECONNREFUSED ? "no daemon runs there" : g_strerror(errno);
    return fd;
}

static bool say(int fd, char command, const char *data, size_t length)
{
    g_autoptr(GByteArray) packet = g_byte_array_new();
    guint32 size = GUINT32_TO_BE((guint32)length + 1);
    g_byte_array_append(packet, (const guint8 *)&size, sizeof(size));
    g_byte_array_append(packet, (const guint8 *)&command, 1);
    if (length > 0)
        g_byte_array_append(packet, (const guint8 *)data, (guint)length);
    return send(fd, packet->data, packet->len, MSG_NOSIGNAL) == (ssize_t)packet->len;
}

/* The next answer but "wait": its command, with DATA the LENGTH bytes behind it (as many as there
 * are, the rest zero). '\0': the peer is gone, or speaks something else. */
static char hear(int fd, void *data, size_t length)
{
    guint32 size;
    g_autofree char *packet = NULL;
    do {
        g_clear_pointer(&packet, g_free);
        if (recv(fd, &size, sizeof(size), MSG_WAITALL) != sizeof(size))
            return '\0';
        size = GUINT32_FROM_BE(size);
        if (size == 0 || size > ANSWER_MAX)
            return '\0';
        packet = g_malloc(size);
        if (recv(fd, packet, size, MSG_WAITALL) != (ssize_t)size)
            return '\0';
    } while (packet[0] == PROGRESS);
    memset(data, 0, length);
    memcpy(data, packet + 1, MIN(length, size - 1));
    return packet[0];
}

/* Plays the session; false: it is not answered as a filter answers. */
static bool play(int fd)
{
    const guint32 offer[3] = {GUINT32_TO_BE(6), GUINT32_TO_BE(ACTIONS), GUINT32_TO_BE(STEPS)};
    guint32 answer[3];
    if (!say(fd, NEGOTIATE, (const char *)offer, sizeof(offer)) ||
        hear(fd, answer, sizeof(answer)) != NEGOTIATE)
        return false;
    guint32 spared = GUINT32_FROM_BE(answer[2]);
    for (size_t i = 0; i < G_N_ELEMENTS(steps); i++) {
        if (spared & steps[i].no_step)
            continue;
        if (!say(fd, steps[i].command, steps[i].data, steps[i].length))
            return false;
        bool is_answered = steps[i].no_reply != UINT32_MAX && !(spared & steps[i].no_reply);
        char reply = is_answered ? hear(fd, answer, sizeof(answer)) : 'c';
        if (!reply || !strchr("acrdty", reply))
            return false;
        if (reply != 'c' && steps[i].command != 'R') /* it has made up its mind: it is well */
            return say(fd, 'Q', NULL, 0);
    }
    return true;
}

/* Plays the session with who listens at NAME. NULL, or why not; the caller frees it. */
static char *ask(const char *name)
{
    struct socket_address where;
    const char *why = NULL;
    int fd = socket_parse(name, &where, &why) ? reach(&where, &why) : -1;
    if (fd < 0)
        return g_strdup(why);
    bool well = play(fd);
    close(fd);
    return well ? NULL : g_strdup("it does not answer as a filter does");
}

char *ping_daemon(const struct invocation *invocation, const char *timeout)
{
    g_autofree char *name = daemon_place(invocation, SETTING_MILTER_SOCKET);
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        /* What the alarm has to say is said here, by whom called. */
        close(STDERR_FILENO);
        set_alarm(timeout, settings_read_time(timeout));
        _exit(ask(name) ? CODE_NO : CODE_FINE);
    }
    int status;
    if (child < 0 || waitpid(child, &status, 0) != child)
        return g_strdup_printf("%s: it cannot be asked: %s", name, g_strerror(errno));
    if (WIFEXITED(status) && WEXITSTATUS(status) == CODE_FINE)
        return NULL;
    bool told = WIFEXITED(status) && WEXITSTATUS(status) == CODE_NO;
    return g_strdup_printf(told ? "%s: no daemon answers there" : "%s: no daemon answers in time",
                           name);
}

enum exit_code command_ping(struct invocation *invocation)
{
    g_autofree char *timeout = NULL;
    const GOptionEntry entries[] = {{"timeout", 0, 0, G_OPTION_ARG_STRING, &timeout, NULL, NULL},
                                    {NULL, 0, 0, 0, NULL, NULL, NULL}};
    enum parse_result parsed = invocation_parse(invocation, entries, 0, 0);
    if (parsed != PARSE_GOOD)
        return parse_code(parsed);
    const char *text = timeout ? timeout : "2s";
    int64_t us = settings_read_time(text);
    if (us <= 0 || us > G_TIME_SPAN_DAY)
        return usage_error(invocation,
                           "\"%s\" is not a time: a whole number and ms, s, m or h (2s)", text);
    gint64 start = g_get_monotonic_time();
    set_alarm(text, us);
    g_autofree char *name = daemon_place(invocation, SETTING_MILTER_SOCKET);
    g_autofree char *why = ask(name);
    if (why)
        complain("%s: %s", name, why);
    else if (isatty(STDOUT_FILENO))
        printf("%s answers in %d ms\n", name, (int)((g_get_monotonic_time() - start) / 1000));
    return why ? CODE_UNAVAILABLE : CODE_FINE;
}
