/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A filter that does nothing, on one thread and without any library: what is left when the engine
 * costs nothing. `noop-epoll STEPS ACTIONS PATH` agrees on the steps and actions (in hexadecimal)
 * that it is told, takes packets apart and answers "continue" where an answer is due.
 */
#include <errno.h>
#include <glib.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sysexits.h>
#include <unistd.h>

enum { ROOM = 72 * 1024, EVENTS = 64 };

static uint32_t steps, actions;
static const struct {
    char letter;
    uint32_t silence;
} answered[] = {{'C', 0x1000},  {'H', 0x2000}, {'M', 0x4000},  {'R', 0x8000},  {'T', 0x10000},
                {'U', 0x20000}, {'L', 0x80},   {'N', 0x40000}, {'B', 0x80000}, {'E', 0}};

struct peer {
    int fd;
    size_t kept; /* bytes of a packet that is not whole */
    unsigned char *bytes;
};

static unsigned char scratch[2 * ROOM], out[ROOM];

static size_t answer(char letter, size_t at)
{
    static const unsigned char go_on[] = {0, 0, 0, 1, 'c'};
    if (letter == 'O') {
        const uint32_t words[] = {g_htonl(13), g_htonl(6), g_htonl(actions), g_htonl(steps)};
        memcpy(out + at, words, 4);
        out[at + 4] = 'O';
        memcpy(out + at + 5, words + 1, 12);
        return at + 17;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(answered); i++)
        if (answered[i].letter == letter && !(steps & answered[i].silence)) {
            memcpy(out + at, go_on, sizeof go_on);
            return at + sizeof go_on;
        }
    return at;
}

/* false: it is to be closed. */
static bool serve(struct peer *peer)
{
    memcpy(scratch, peer->bytes ? peer->bytes : scratch, peer->kept);
    ssize_t got = read(peer->fd, scratch + peer->kept, ROOM);
    if (got <= 0)
        return got < 0 && errno == EAGAIN;
    size_t there = peer->kept + (size_t)got, at = 0, said = 0;
    while (there - at >= 5) {
        uint32_t length;
        memcpy(&length, scratch + at, 4);
        length = g_ntohl(length);
        if (length == 0 || length > 65536 || scratch[at + 4] == 'Q')
            return false;
        if (there - at < 4 + (size_t)length)
            break;
        said = answer((char)scratch[at + 4], said);
        at += 4 + (size_t)length;
    }
    g_clear_pointer(&peer->bytes, g_free);
    peer->kept = there - at;
    if (peer->kept)
        peer->bytes = g_memdup2(scratch + at, peer->kept);
    return said == 0 || send(peer->fd, out, said, MSG_NOSIGNAL) == (ssize_t)said;
}

int main(int argc, char **argv)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct epoll_event events[EVENTS], listening = {.events = EPOLLIN};
    if (argc != 4) {
        fputs("usage: noop-epoll STEPS ACTIONS PATH\n", stderr);
        return EX_USAGE;
    }
    steps = (uint32_t)strtoul(argv[1], NULL, 16);
    actions = (uint32_t)strtoul(argv[2], NULL, 16);
    g_strlcpy(address.sun_path, argv[3], sizeof address.sun_path);
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0), poller = epoll_create1(0);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) != 0 ||
        listen(listener, 1024) != 0 || chmod(argv[3], 0666) != 0 ||
        epoll_ctl(poller, EPOLL_CTL_ADD, listener, &listening) != 0)
        return EX_UNAVAILABLE;
    for (;;) {
        int count = epoll_wait(poller, events, EVENTS, -1);
        for (int i = 0; i < count; i++) {
            struct peer *peer = events[i].data.ptr;
            if (!peer) {
                int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
                struct epoll_event event = {.events = EPOLLIN};
                event.data.ptr = peer = g_new0(struct peer, 1);
                peer->fd = fd;
                if (fd < 0 || epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event) != 0)
                    g_free(peer);
            } else if (!serve(peer)) {
                close(peer->fd);
                g_free(peer->bytes);
                g_free(peer);
            }
        }
    }
}
