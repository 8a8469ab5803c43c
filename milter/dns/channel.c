/* SPDX-License-Identifier: BSD-2-Clause
 *
 * c-ares sends, repeats, matches numbers and questions, and goes over to TCP; the answers' bytes
 * are read by message.c.
 */
#include "channel.h"

#include <sys/select.h> /* ares.h wants fd_set */

#include <ares.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/time.h>

#include "base/system.h"
#include "dns/resolver.h"
#include "dns_message.h"
#include "servers.h"

/* A burst of answers to a thousand sessions must fit; the system may grant less. */
enum { SOCKET_BUFFER = 1 << 20, CLASS_IN = 1 };

/* Bits of a question's fourth byte (RFC 4035 3.1.6, RFC 6840 5.7), and the size of UDP answers that
 * is asked for with them: what passes everywhere in one piece. */
enum { HEADER_AD = 0x20, HEADER_CD = 0x10, UDP_SIZE = 1232 };

struct channel {
    ares_channel ares;
    GArray *sockets; /* struct pollfd; the first one is free for the caller's descriptor */
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

static int set_servers(ares_channel ares, const GArray *servers)
{
    struct ares_addr_port_node nodes[RESOLVER_SERVERS_MAX] = {0};
    for (unsigned i = 0; i < servers->len; i++) {
        const struct dns_server *server = &g_array_index(servers, struct dns_server, i);
        bool v4 = server->address.family == IP_V4;
        nodes[i].next = i + 1 < servers->len ? &nodes[i + 1] : NULL;
        nodes[i].family = v4 ? AF_INET : AF_INET6;
        memcpy(&nodes[i].addr, server->address.bytes, v4 ? 4 : 16);
        nodes[i].udp_port = nodes[i].tcp_port = (int)server->port;
    }
    return ares_set_servers_ports(ares, nodes);
}

static unsigned count_servers(ares_channel ares)
{
    struct ares_addr_port_node *nodes = NULL;
    unsigned count = 0;
    if (ares_get_servers_ports(ares, &nodes) != ARES_SUCCESS)
        return 0;
    for (struct ares_addr_port_node *node = nodes; node; node = node->next)
        count++;
    ares_free_data(nodes);
    return count;
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
    return ares_init_options(&channel->ares, &options,
                             ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES |
                                 ARES_OPT_SOCK_STATE_CB | ARES_OPT_SOCK_SNDBUF |
                                 ARES_OPT_SOCK_RCVBUF | ARES_OPT_NOROTATE);
}

/* Of several servers c-ares asks the next one when one fails (and then no longer tells how); one
 * alone would be asked the same again, hence its failure is taken as it is. */
struct channel *channel_new(const GArray *servers, unsigned timeout_ms, unsigned tries,
                            const char **why_r)
{
    static pthread_once_t library = PTHREAD_ONCE_INIT;
    pthread_once(&library, init_library);
    struct channel *channel = g_new0(struct channel, 1);
    channel->sockets = g_array_new(FALSE, TRUE, sizeof(struct pollfd));
    g_array_set_size(channel->sockets, 1);
    int status = open_channel(channel, timeout_ms, tries, 0);
    if (status == ARES_SUCCESS && servers && servers->len > 0)
        status = set_servers(channel->ares, servers);
    if (status == ARES_SUCCESS && count_servers(channel->ares) == 1) {
        ares_destroy(channel->ares);
        channel->ares = NULL;
        status = open_channel(channel, timeout_ms, tries, ARES_FLAG_NOCHECKRESP);
        if (status == ARES_SUCCESS && servers && servers->len > 0)
            status = set_servers(channel->ares, servers);
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
                                    const unsigned char *message, int size)
{
    bool whole = status == ARES_SUCCESS || status == ARES_ENODATA || status == ARES_ENOTFOUND;
    if (whole && message && size > 0)
        return dns_message_read(message, (size_t)size, query->name, query->type);
    struct dns_answer *answer = dns_answer_failed(query->type, failure_of(status));
    if (status == ARES_ENOTFOUND) { /* c-ares answers for .onion itself (RFC 7686) */
        answer->state = DNS_NO_NAME;
        answer->failure = DNS_FAIL_NONE;
    }
    return answer;
}

static void on_answer(void *data, int status, int timeouts, unsigned char *message, int size)
{
    (void)timeouts;
    struct query *query = data;
    query->answer(query->data, answer_of(query, status, message, size));
    g_free(query->name);
    g_free(query);
}

/* c-ares 1.18 has no word for AD and CD: the question is made by it, marked here, and sent. It
 * finds the question of an answer by number, name and type, so that two of one number do no harm.
 */
static void ask_flagged(struct channel *channel, struct query *query, unsigned flags)
{
    unsigned char *question = NULL;
    uint16_t number;
    int size = 0;
    system_random(&number, sizeof number);
    size_t length = strlen(query->name);
    if (length >= 5 && strcmp(query->name + length - 5, "onion") == 0 &&
        (length == 5 || query->name[length - 6] == '.')) {
        on_answer(query, ARES_ENOTFOUND, 0, NULL, 0); /* RFC 7686 2, as ares_query has it */
        return;
    }
    int status = ares_create_query(query->name, CLASS_IN, (int)query->type, number, 1, &question,
                                   &size, UDP_SIZE);
    if (status != ARES_SUCCESS) {
        on_answer(query, status, 0, NULL, 0);
        return;
    }
    question[3] |= (unsigned char)((flags & DNS_ASK_AD ? HEADER_AD : 0) |
                                   (flags & DNS_ASK_CD ? HEADER_CD : 0));
    ares_send(channel->ares, question, size, on_answer, query);
    ares_free_string(question);
}

void channel_ask(struct channel *channel, const char *name, enum dns_type type, unsigned flags,
                 channel_answer_fn answer, void *data)
{
    struct query *query = g_new0(struct query, 1);
    *query = (struct query){g_strdup(name), type, answer, data};
    if (flags)
        ask_flagged(channel, query, flags);
    else
        ares_query(channel->ares, query->name, CLASS_IN, (int)type, on_answer, query);
}

bool channel_is_local(struct channel *channel)
{
    struct ares_addr_port_node *nodes = NULL;
    if (ares_get_servers_ports(channel->ares, &nodes) != ARES_SUCCESS)
        return false;
    bool local = nodes;
    for (const struct ares_addr_port_node *node = nodes; node; node = node->next) {
        struct ipaddr address = {.family = node->family == AF_INET ? IP_V4 : IP_V6};
        memcpy(address.bytes, &node->addr, node->family == AF_INET ? 4 : 16);
        local = local && ipaddr_is_loopback(&address);
    }
    ares_free_data(nodes);
    return local;
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
    unsigned count = channel->sockets->len;
    g_autofree struct pollfd *ready =
        g_memdup2(channel->sockets->data, count * sizeof(struct pollfd));
    if (poll(ready, count, timeout_ms) <= 0)
        count = 0;
    for (unsigned i = 1; i < count; i++) {
        short events = ready[i].revents;
        if (events)
            ares_process_fd(channel->ares,
                            events & (POLLIN | POLLERR | POLLHUP) ? ready[i].fd : ARES_SOCKET_BAD,
                            events & POLLOUT ? ready[i].fd : ARES_SOCKET_BAD);
    }
    ares_process_fd(channel->ares, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
}

void channel_wait(struct channel *channel, int wake_fd)
{
    serve(channel, wake_fd, patience(channel));
}

void channel_poll(struct channel *channel)
{
    serve(channel, -1, 0);
}
