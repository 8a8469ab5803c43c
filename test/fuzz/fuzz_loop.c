/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A connection of a loop, over a real socket: packets in pieces of every size, the last of them
 * perhaps not whole. The input is a letter that chooses the site, one that chooses how large the
 * pieces are, and lines (packet_script.h). milter_oracle.c looks on, and session_oracle.c judges
 * recipients that were accepted by what was said before.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fake_resolver.h"
#include "loop.h"
#include "milter_oracle.h"
#include "packet_judge.h"
#include "packet_script.h"
#include "session_sites.h"
#include "wire.h"

enum { LINES_MAX = 100, PATIENCE = 8000 };

struct caller {
    int fd;
    size_t piece; /* bytes written at a time */
    struct milter_oracle oracle;
    struct packet_judge judge;
    struct wire_input input;
    bool gone; /* the filter has hung up */
};

static bool accept_none(void *data)
{
    (void)data;
    return true;
}

static void take(struct caller *caller, const unsigned char *bytes, size_t length)
{
    struct wire_packet packet;
    while (wire_take(&caller->input, &bytes, &length, &packet) == WIRE_PACKET) {
        g_autoptr(GByteArray) whole = g_byte_array_new();
        wire_put(whole, packet.letter, packet.data, packet.length);
        milter_oracle_heard(&caller->oracle, whole->data, whole->len);
        caller->judge.steps = caller->oracle.steps;
        if (strchr("cyts", packet.letter))
            packet_judge_answer(&caller->judge, packet.letter);
    }
    g_assert(length == 0);
}

/* Hears what is said until nothing is due any more, or the filter has gone. */
static void hear(struct caller *caller)
{
    unsigned char bytes[4096];
    while (!caller->gone && caller->oracle.asked) {
        struct pollfd wait = {.fd = caller->fd, .events = POLLIN};
        int ready = poll(&wait, 1, PATIENCE);
        if (ready < 0 && errno == EINTR) /* libFuzzer's alarm */
            continue;
        g_assert(ready == 1);
        ssize_t got = read(caller->fd, bytes, sizeof bytes);
        caller->gone = got <= 0;
        if (got > 0)
            take(caller, bytes, (size_t)got);
    }
}

static void say(struct caller *caller, const GByteArray *said)
{
    for (size_t done = 0; done < said->len && !caller->gone;) {
        size_t length = MIN(caller->piece, said->len - done);
        ssize_t sent = send(caller->fd, said->data + done, length, MSG_NOSIGNAL);
        caller->gone = sent < 0;
        done += sent > 0 ? (size_t)sent : 0;
    }
}

static void play_line(struct caller *caller, char letter, const char *rest)
{
    size_t length;
    g_autofree unsigned char *data = packet_script_data(rest, &length);
    g_autoptr(GByteArray) said = g_byte_array_new();
    wire_put(said, letter, data, length);
    milter_oracle_said(&caller->oracle, letter, data, length);
    packet_judge_said(&caller->judge, letter, data, length);
    caller->oracle.postfix = caller->judge.oracle.postfix;
    say(caller, said);
    hear(caller);
    if (caller->judge.letter && !caller->oracle.asked)
        packet_judge_answer(&caller->judge, '\0'); /* its answer was negotiated away */
}

/* After QUIT nothing may come that was not heard before. */
static void leave(struct caller *caller)
{
    unsigned char bytes[4096];
    g_autoptr(GByteArray) said = g_byte_array_new();
    wire_put(said, 'Q', NULL, 0);
    say(caller, said);
    for (ssize_t got; (got = read(caller->fd, bytes, sizeof bytes)) > 0;)
        take(caller, bytes, (size_t)got);
    close(caller->fd);
    wire_input_clear(&caller->input);
    packet_judge_clear(&caller->judge);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int ends[2], quiet[2];
    if (size < 2)
        return 0;
    unsigned number = (data[0] - 'a') % 26u % FUZZ_SITES;
    g_autofree char *script = g_strndup((const char *)data + 2, size - 2);
    g_auto(GStrv) lines = g_strsplit(script, "\n", LINES_MAX);
    struct caller caller = {.piece = 1 + data[1] * 7u, .input = {.most = 1 << 20}};
    struct engine_listener listener = {.event = NULL};
    struct engine_counters counters;
    fake_resolver_begin("", FAKE_AT_ONCE);
    caller.judge.oracle.site = fuzz_site(number);
    struct engine *engine = engine_new(snapshot_ref(fuzz_site_policy(number)), &listener);
    g_assert(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0 && pipe(quiet) == 0);
    g_assert(fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0);
    caller.fd = ends[1];
    struct loop_setup setup = {.engine = engine,
                               .pool = pool_new(1, loop_work),
                               .listener = quiet[0],
                               .accept = accept_none};
    struct loop *loop = loop_new(&setup);
    g_assert(setup.pool && loop && loop_start(loop));
    loop_add(loop, ends[0], false);
    for (char **line = lines; *line && !caller.gone; line++)
        if (**line)
            play_line(&caller, **line, *line + 1);
    leave(&caller);
    loop_stop(loop);
    loop_join(loop);
    pool_free(setup.pool);
    loop_free(loop);
    engine_get_counters(engine, &counters);
    g_assert(counters.open == 0);
    engine_free(engine);
    g_assert(fake_resolver_questions() == 0);
    close(quiet[0]);
    close(quiet[1]);
    return 0;
}
