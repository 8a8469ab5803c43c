/* SPDX-License-Identifier: BSD-2-Clause
 *
 * c-ares sends, repeats, matches numbers and questions, and goes over to TCP; the answers' bytes
 * are read by dns_message.c.
 */
#include "channel.h"

#include <poll.h>
#include <string.h>
#include <sys/time.h>

#include "cares.h"
#include "dns/resolver.h"
#include "dns_message.h"
#include "late_sockets.h"
#include "servers.h"

/* A burst of answers to a thousand sessions must fit; the system may grant less. */
enum { SOCKET_BUFFER = 1 << 20 };

/* The size of UDP answers that is asked for with AD and CD: what passes everywhere in one piece. */
enum { UDP_SIZE = 1232 };

struct channel {
    ares_channel ares;
    GArray *sockets; /* struct pollfd; the first one is free for the caller's descriptor */
    struct late_sockets *late;
};

struct query {
    char *name;
    enum dns_type type;
    channel_answer_fn answer;
    void *data;
};

static void init_library(void)
{
    ares_library_init(ARES_LIB_INIT_ALL);
}

static void watch(void *data, ares_socket_t fd, int readable, int writable)
{
    struct channel *channel = data;
    short events = (short)((readable ? POLLIN : 0) | (writable ? POLLOUT : 0));
    for (unsigned i = 1; i < channel->sockets->len; i++) {
        struct pollfd *known = &g_array_index(channel->sockets, struct pollfd, i);
        if (known->fd != fd)
            continue;
        known->events = events;
        if (!events)
            g_array_remove_index_fast(channel->sockets, i);
        return;
    }
    struct pollfd added = {.fd = fd, .events = events};
    if (events)
        g_array_append_val(channel->sockets, added);
}

static int open_channel(struct channel *channel, unsigned timeout_ms, unsigned tries, int flags)
{
    struct ares_options options = {
        .flags = ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES | flags,
        .timeout = (int)timeout_ms,
        .tries = (int)tries,
        .sock_state_cb = watch,
        .sock_state_cb_data = channel,
        .socket_send_buffer_size = SOCKET_BUFFER,
        .socket_receive_buffer_size = SOCKET_BUFFER,
    };
    int harmonized = cares_harmonize(&options);
    int status = ares_init_options(
        &channel->ares, &options,
        harmonized | ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB |
            ARES_OPT_SOCK_SNDBUF | ARES_OPT_SOCK_RCVBUF | ARES_OPT_NOROTATE);
    return status == ARES_SUCCESS ? late_sockets_use(channel->late, channel->ares) : status;
}

/* Of several servers c-ares asks the next one when one fails (and then no longer tells how); one
 * alone would be asked the same again, hence its failure is taken as it is. */
struct channel *channel_new(const GArray *servers, unsigned timeout_ms, unsigned tries,
                            const char **why_r)
{
    static gsize library;
    if (g_once_init_enter(&library)) {
        init_library();
        g_once_init_leave(&library, 1);
    }
    struct channel *channel = g_new0(struct channel, 1);
    channel->sockets = g_array_new(FALSE, TRUE, sizeof(struct pollfd));
    g_array_set_size(channel->sockets, 1);
    channel->late = late_sockets_new(timeout_ms * ((1u << tries) - 1)); /* all tries together */
    bool loopback;
    int status = open_channel(channel, timeout_ms, tries, 0);
    if (status == ARES_SUCCESS && servers && servers->len > 0)
        status = cares_set_servers(channel->ares, servers);
    if (status == ARES_SUCCESS && cares_count_servers(channel->ares, &loopback) == 1) {
        ares_destroy(channel->ares);
        channel->ares = NULL;
        status = open_channel(channel, timeout_ms, tries, ARES_FLAG_NOCHECKRESP);
        if (status == ARES_SUCCESS && servers && servers->len > 0)
            status = cares_set_servers(channel->ares, servers);
    }
    if (status == ARES_SUCCESS)
        return channel;
    *why_r = ares_strerror(status);
    channel_free(channel);
    return NULL;
}

void channel_free(struct channel *channel)
{
    if (!channel)
        return;
    if (channel->ares)
        ares_destroy(channel->ares);
    late_sockets_free(channel->late);
    g_array_unref(channel->sockets);
    g_free(channel);
}

static enum dns_failure failure_of(int status)
{
    switch (status) {
    case ARES_ETIMEOUT:
        return DNS_FAIL_TIMEOUT;
    case ARES_ESERVFAIL:
        return DNS_FAIL_SERVFAIL;
    case ARES_EREFUSED:
        return DNS_FAIL_REFUSED;
    case ARES_EFORMERR:
        return DNS_FAIL_FORMERR;
    case ARES_ENOTIMP:
        return DNS_FAIL_NOTIMP;
    case ARES_EBADNAME:
        return DNS_FAIL_NAME;
    case ARES_EDESTRUCTION:
    case ARES_ECANCELLED:
        return DNS_FAIL_STOPPED;
    case ARES_EBADRESP:
        return DNS_FAIL_GARBAGE;
    default:
        return DNS_FAIL_NETWORK;
    }
}

static struct dns_answer *answer_of(const struct query *query, int status,
                                    const unsigned char *message, size_t size)
{
    bool whole = status == ARES_SUCCESS || status == ARES_ENODATA || status == ARES_ENOTFOUND;
    if (whole && message && size > 0)
        return dns_message_read(message, size, query->name, query->type);
    struct dns_answer *answer = dns_answer_failed(query->type, failure_of(status));
    if (status == ARES_ENOTFOUND) { /* what is not asked at all: .onion */
        answer->state = DNS_NO_NAME;
        answer->failure = DNS_FAIL_NONE;
    }
    return answer;
}

static void on_answer(void *data, int status, size_t sent, const unsigned char *message,
                      size_t size)
{
    struct query *query = data;
    query->answer(query->data, answer_of(query, status, message, size), sent == 1 && message);
    g_free(query->name);
    g_free(query);
}

void channel_ask(struct channel *channel, const char *name, enum dns_type type, unsigned flags,
                 channel_answer_fn answer, void *data)
{
    struct query *query = g_new0(struct query, 1);
    *query = (struct query){g_strdup(name), type, answer, data};
    cares_ask(channel->ares, query->name, (int)type, flags & DNS_ASK_AD, flags & DNS_ASK_CD,
              flags ? UDP_SIZE : 0, on_answer, query);
}

bool channel_is_local(struct channel *channel)
{
    bool loopback;
    return cares_count_servers(channel->ares, &loopback) > 0 && loopback;
}

static int patience(struct channel *channel)
{
    struct timeval room, *left = ares_timeout(channel->ares, NULL, &room);
    if (!left)
        return -1;
    /* rounded up, else the last millisecond is spent turning round */
    return (int)(left->tv_sec * 1000 + left->tv_usec / 1000 + 1);
}

static void serve(struct channel *channel, int wake_fd, int timeout_ms)
{
    /* poll() leaves out a negative descriptor */
    g_array_index(channel->sockets, struct pollfd, 0) =
        (struct pollfd){.fd = wake_fd, .events = POLLIN};
    /* a copy: c-ares opens and closes sockets while it works on them */
    unsigned own = channel->sockets->len;
    g_autoptr(GArray) ready = g_array_copy(channel->sockets);
    late_sockets_watch(channel->late, ready);
    if (poll((struct pollfd *)(void *)ready->data, ready->len, timeout_ms) <= 0)
        g_array_set_size(ready, 0);
    /* the late ones first: c-ares looks for what has timed out each time */
    for (unsigned i = own; i < ready->len; i++)
        if (g_array_index(ready, struct pollfd, i).revents)
            late_sockets_hear(channel->late, channel->ares,
                              g_array_index(ready, struct pollfd, i).fd);
    for (unsigned i = 1; i < MIN(own, ready->len); i++) {
        int fd = g_array_index(ready, struct pollfd, i).fd;
        short events = g_array_index(ready, struct pollfd, i).revents;
        if (events)
            ares_process_fd(channel->ares,
                            events & (POLLIN | POLLERR | POLLHUP) ? fd : ARES_SOCKET_BAD,
                            events & POLLOUT ? fd : ARES_SOCKET_BAD);
    }
    ares_process_fd(channel->ares, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    late_sockets_tidy(channel->late, channel->ares);
}

void channel_wait(struct channel *channel, int wake_fd, int64_t until)
{
    int timeout_ms = patience(channel);
    if (until) {
        int64_t left = MAX(until - g_get_monotonic_time(), 0);
        int left_ms = (int)MIN((left + 999) / 1000, (int64_t)G_MAXINT);
        timeout_ms = timeout_ms < 0 ? left_ms : MIN(timeout_ms, left_ms);
    }
    serve(channel, wake_fd, timeout_ms);
}

void channel_poll(struct channel *channel)
{
    serve(channel, -1, 0);
}
