/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The sockets of c-ares in our own hands: what it closes is kept while answers may come.
 */
#include "late_sockets.h"

#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/siphash.h"
#include "base/system.h"

/* Beyond so many the eldest is closed: the time-outs of many questions leave a socket each. */
enum { KEPT_MOST = 128 };

/* Whenever a socket has so many more questions, those are forgotten that are waited for no more. */
enum { ASKED_MANY = 1024 };

/* A question that went out over a socket and has no answer. */
struct asked {
    gint64 digest; /* of number, name, type and class */
    int64_t until; /* monotonic, us */
};

struct udp_socket {
    int fd;
    bool kept;         /* c-ares has closed it */
    GHashTable *asked; /* struct asked * as the key and the value */
    int64_t until;     /* when it is given up, if it is kept; monotonic, us */
};

struct late_sockets {
    GArray *udp; /* struct udp_socket; the eldest first */
    int64_t keep_us;
    int speaker, listener; /* what SPEAKER has to say is heard by LISTENER; -1: none */
};

struct late_sockets *late_sockets_new(unsigned keep_ms)
{
    struct late_sockets *sockets = g_new(struct late_sockets, 1);
    *sockets = (struct late_sockets){g_array_new(FALSE, FALSE, sizeof(struct udp_socket)),
                                     keep_ms * G_TIME_SPAN_MILLISECOND, -1, -1};
    return sockets;
}

static struct udp_socket *socket_at(const struct late_sockets *sockets, unsigned i)
{
    return &g_array_index(sockets->udp, struct udp_socket, i);
}

static void close_at(struct late_sockets *sockets, unsigned i)
{
    close(socket_at(sockets, i)->fd);
    g_hash_table_unref(socket_at(sockets, i)->asked);
    g_array_remove_index(sockets->udp, i);
}

void late_sockets_free(struct late_sockets *sockets)
{
    while (sockets->udp->len > 0)
        close_at(sockets, 0);
    g_array_unref(sockets->udp);
    g_free(sockets);
}

void late_sockets_watch(const struct late_sockets *sockets, GArray *polled)
{
    for (unsigned i = 0; i < sockets->udp->len; i++) {
        struct pollfd added = {.fd = socket_at(sockets, i)->fd, .events = POLLIN};
        if (socket_at(sockets, i)->kept)
            g_array_append_val(polled, added);
    }
}

#if ARES_VERSION >= 0x012200

static struct udp_socket *find(const struct late_sockets *sockets, int fd)
{
    for (unsigned i = sockets->udp->len; i > 0; i--)
        if (socket_at(sockets, i - 1)->fd == fd)
            return socket_at(sockets, i - 1);
    return NULL;
}

/* What makes the answer to a question known: its number, and its name, type and class, the case of
 * letters aside, as they stand in the message of both. False: it has not one question. */
static bool digest_of(const uint8_t *message, size_t size, gint64 *digest_r)
{
    enum { HEADER = 12, LABEL_MOST = 63, NAME_MOST = 255, TYPE_AND_CLASS = 4 };
    uint8_t question[2 + NAME_MOST + TYPE_AND_CLASS];
    size_t end = HEADER;
    if (size < HEADER || message[4] != 0 || message[5] != 1)
        return false;
    while (end < size && message[end] != 0 && message[end] <= LABEL_MOST)
        end += 1u + message[end];
    if (end >= size || message[end] != 0 || end + 1 - HEADER > NAME_MOST ||
        size - end < 1 + TYPE_AND_CLASS)
        return false;
    end += 1 + TYPE_AND_CLASS;
    memcpy(question, message, 2);
    for (size_t i = HEADER; i < end; i++)
        question[2 + i - HEADER] = (uint8_t)g_ascii_tolower((char)message[i]);
    uint64_t digest = siphash_digest(question, 2 + end - HEADER);
    memcpy(digest_r, &digest, sizeof digest);
    return true;
}

static gboolean is_over(void *key, void *value, void *now)
{
    (void)value;
    return ((const struct asked *)key)->until <= *(const int64_t *)now;
}

static void note_asked(struct udp_socket *udp, const void *message, size_t size, int64_t keep_us)
{
    gint64 digest;
    int64_t now = g_get_monotonic_time();
    udp->until = now + keep_us;
    if (!digest_of(message, size, &digest))
        return;
    if (g_hash_table_size(udp->asked) % ASKED_MANY == ASKED_MANY - 1)
        g_hash_table_foreach_remove(udp->asked, is_over, &now);
    struct asked *asked = g_new(struct asked, 1);
    *asked = (struct asked){digest, udp->until};
    g_hash_table_add(udp->asked, asked);
}

/* Whether what came in over UDP answers a question that went out over it, for the first time. */
static bool take_asked(struct udp_socket *udp, const void *message, ssize_t size)
{
    gint64 digest;
    return size > 0 && digest_of(message, (size_t)size, &digest) &&
           g_hash_table_remove(udp->asked, &digest);
}

/* ---- what c-ares calls; as its own functions, but for what is said ---- */

static ares_socket_t open_socket(int family, int type, int protocol, void *data)
{
    struct late_sockets *sockets = data;
    struct udp_socket added = {.fd = system_socket(family, type, true)};
    int on = 1;
    (void)protocol; /* the type's own */
    if (added.fd >= 0 && type == SOCK_DGRAM) {
        added.asked = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
        g_array_append_val(sockets->udp, added);
    } else if (added.fd >= 0)
        setsockopt(added.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return added.fd;
}

/* A socket on which answers are outstanding stays open. */
static int close_socket(ares_socket_t fd, void *data)
{
    struct late_sockets *sockets = data;
    struct udp_socket *udp = find(sockets, fd);
    if (!udp)
        return close(fd);
    udp->kept = true;
    unsigned kept = 0, eldest = 0;
    for (unsigned i = sockets->udp->len; i > 0; i--) {
        const struct udp_socket *other = socket_at(sockets, i - 1);
        eldest = other->kept && other->fd != sockets->speaker ? i - 1 : eldest;
        kept += other->kept;
    }
    if (g_hash_table_size(udp->asked) == 0)
        close_at(sockets, (unsigned)(udp - socket_at(sockets, 0)));
    else if (kept > KEPT_MOST)
        close_at(sockets, eldest);
    return 0;
}

/* TCP "fast open" is done without. */
static int set_option(ares_socket_t fd, ares_socket_opt_t option, const void *value,
                      ares_socklen_t size, void *data)
{
    (void)data;
    switch (option) {
    case ARES_SOCKET_OPT_SENDBUF_SIZE:
        return setsockopt(fd, SOL_SOCKET, SO_SNDBUF, value, size);
    case ARES_SOCKET_OPT_RECVBUF_SIZE:
        return setsockopt(fd, SOL_SOCKET, SO_RCVBUF, value, size);
    default:
        errno = ENOSYS;
        return -1;
    }
}

static int connect_socket(ares_socket_t fd, const struct sockaddr *address, ares_socklen_t size,
                          unsigned flags, void *data)
{
    (void)flags, (void)data;
    return connect(fd, address, size);
}

/* The listener takes first what the speaker has to say, with its own server as the sender: c-ares
 * compares no more than that with what it knows. */
static ares_ssize_t receive(ares_socket_t fd, void *buffer, size_t size, int flags,
                            struct sockaddr *address, ares_socklen_t *address_size, void *data)
{
    struct late_sockets *sockets = data;
    struct udp_socket *late = fd == sockets->listener ? find(sockets, sockets->speaker) : NULL;
    while (late && g_hash_table_size(late->asked) > 0) {
        ssize_t length = recv(late->fd, buffer, size, flags);
        if (length < 0 && errno != EAGAIN)
            g_hash_table_remove_all(late->asked); /* no server there any more */
        if (length < 0)
            break;
        if (take_asked(late, buffer, length))
            return getpeername(fd, address, address_size) == 0 ? length : -1;
    }
    ssize_t length = recvfrom(fd, buffer, size, flags, address, address_size);
    struct udp_socket *udp = length > 0 ? find(sockets, fd) : NULL;
    if (udp)
        take_asked(udp, buffer, length);
    return length;
}

static ares_ssize_t send_bytes(ares_socket_t fd, const void *bytes, size_t size, int flags,
                               const struct sockaddr *address, ares_socklen_t address_size,
                               void *data)
{
    struct late_sockets *sockets = data;
    ssize_t sent = sendto(fd, bytes, size, flags, address, address_size);
    struct udp_socket *udp = sent > 0 ? find(sockets, fd) : NULL;
    if (udp)
        note_asked(udp, bytes, size, sockets->keep_us);
    return sent;
}

static int own_name(ares_socket_t fd, struct sockaddr *address, ares_socklen_t *size, void *data)
{
    (void)data;
    return getsockname(fd, address, size);
}

/* For servers with a link-local address. */
static unsigned interface_of(const char *name, void *data)
{
    (void)data;
    return if_nametoindex(name);
}

static const char *interface_name(unsigned index, char *name, size_t size, void *data)
{
    (void)data;
    return size >= IF_NAMESIZE ? if_indextoname(index, name) : NULL;
}

int late_sockets_use(struct late_sockets *sockets, ares_channel ares)
{
    static const struct ares_socket_functions_ex functions = {
        .version = 1,
        .flags = ARES_SOCKFUNC_FLAG_NONBLOCKING,
        .asocket = open_socket,
        .aclose = close_socket,
        .asetsockopt = set_option,
        .aconnect = connect_socket,
        .arecvfrom = receive,
        .asendto = send_bytes,
        .agetsockname = own_name,
        .aif_nametoindex = interface_of,
        .aif_indextoname = interface_name,
    };
    return (int)ares_set_socket_functions_ex(ares, &functions, sockets);
}

/* ---- what the channel calls ---- */

static bool same_server(int fd, int other)
{
    struct sockaddr_storage one = {0}, two = {0};
    socklen_t one_size = sizeof one, two_size = sizeof two;
    return getpeername(fd, (struct sockaddr *)&one, &one_size) == 0 &&
           getpeername(other, (struct sockaddr *)&two, &two_size) == 0 && one_size == two_size &&
           memcmp(&one, &two, one_size) == 0;
}

/* Of several servers the one that answers may not be the one that is asked now: it is heard all the
 * same, although c-ares then thinks well of the other. */
static int find_listener(const struct late_sockets *sockets, int speaker)
{
    int listener = -1;
    for (unsigned i = sockets->udp->len; i > 0; i--) {
        const struct udp_socket *udp = socket_at(sockets, i - 1);
        if (udp->kept)
            continue;
        if (same_server(udp->fd, speaker))
            return udp->fd;
        listener = listener < 0 ? udp->fd : listener;
    }
    return listener;
}

void late_sockets_hear(struct late_sockets *sockets, ares_channel ares, int fd)
{
    struct udp_socket *late = find(sockets, fd);
    if (!late || !late->kept)
        return;
    sockets->speaker = fd;
    sockets->listener = find_listener(sockets, fd);
    if (sockets->listener < 0)
        g_hash_table_remove_all(late->asked); /* nobody waits but over TCP */
    else
        ares_process_fd(ares, sockets->listener, ARES_SOCKET_BAD);
    sockets->speaker = sockets->listener = -1;
}

void late_sockets_tidy(struct late_sockets *sockets, ares_channel ares)
{
    int64_t now = g_get_monotonic_time();
    bool idle = ares_queue_active_queries(ares) == 0;
    for (unsigned i = sockets->udp->len; i > 0; i--) {
        const struct udp_socket *udp = socket_at(sockets, i - 1);
        if (udp->kept && (idle || g_hash_table_size(udp->asked) == 0 || udp->until <= now))
            close_at(sockets, i - 1);
    }
}

#else

int late_sockets_use(struct late_sockets *sockets, ares_channel ares)
{
    (void)sockets, (void)ares;
    return ARES_SUCCESS;
}

void late_sockets_hear(struct late_sockets *sockets, ares_channel ares, int fd)
{
    (void)sockets, (void)ares, (void)fd;
}

void late_sockets_tidy(struct late_sockets *sockets, ares_channel ares)
{
    (void)sockets, (void)ares;
}

#endif
