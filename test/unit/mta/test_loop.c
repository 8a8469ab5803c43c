/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A loop over real sockets, which the test holds by their other ends: who has much to say does not
 * hold up others, and what nobody waits for any more is not done.
 */
#include "loop.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "conversation.h"

enum { TALKATIVE = 3000, LARGE = 40, PEERS = 12, PATIENCE = 60, LARGE_BODY = 20 * 1024 * 1024 };

static const char settings[] =
    "local_domains = lab.test\nrule_files =\nmynetworks =\nmessage_restrictions =\n"
    "recipient_restrictions = check_recipient_access inline:{no@lab.test=REJECT}\n";

/* The names of those who were refused somebody, in their order. */
static struct {
    GMutex lock;
    GString *letters;
} refused;

static void on_event(void *data, const struct event *event)
{
    (void)data;
    if (!event->reply)
        return;
    g_mutex_lock(&refused.lock);
    g_string_append_c(refused.letters, *event->facts->helo);
    g_mutex_unlock(&refused.lock);
}

static bool accept_none(void *data)
{
    (void)data;
    return true;
}

struct scene {
    struct engine *engine;
    struct loop_setup setup;
    struct loop *loop;
    int listener[2]; /* a pair of pipes that nothing comes from */
};

static void begin(struct scene *scene, void (*run)(void *data))
{
    struct engine_listener listener = {.event = on_event};
    struct problems *problems = problems_new();
    struct snapshot *snapshot =
        snapshot_build(settings_parse(settings, strlen(settings), "c", problems), NULL, problems);
    problems_print(problems, stderr);
    problems_free(problems);
    g_assert_nonnull(snapshot);
    g_assert_cmpint(pipe(scene->listener), ==, 0);
    refused.letters = g_string_new(NULL);
    scene->engine = engine_new(snapshot, &listener);
    scene->setup = (struct loop_setup){.engine = scene->engine,
                                       .pool = pool_new(1, run),
                                       .listener = scene->listener[0],
                                       .accept = accept_none};
    scene->loop = loop_new(&scene->setup);
    g_assert_nonnull(scene->loop);
}

static void end(struct scene *scene)
{
    struct engine_counters counters;
    loop_stop(scene->loop);
    loop_join(scene->loop);
    pool_free(scene->setup.pool);
    loop_free(scene->loop);
    engine_get_counters(scene->engine, &counters);
    g_assert_cmpuint(counters.open, ==, 0);
    engine_free(scene->engine);
    close(scene->listener[0]);
    close(scene->listener[1]);
    g_string_free(refused.letters, TRUE);
}

/* A connection of the loop's; its other end. */
static int connect_to(struct scene *scene)
{
    int ends[2];
    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), ==, 0);
    g_assert_cmpint(fcntl(ends[0], F_SETFL, O_NONBLOCK), ==, 0);
    loop_add(scene->loop, ends[0], false);
    return ends[1];
}

/* Negotiation to MAIL of a client whose HELO begins with LETTER. */
static GByteArray *greet(char letter)
{
    GByteArray *said = g_byte_array_new();
    size_t begun = wire_begin(said, 'O');
    wire_add_number(said, 6);
    wire_add_number(said, 0x1ff);
    wire_add_number(said, 0x1fffff);
    wire_end(said, begun);
    begun = wire_begin(said, 'C');
    wire_add_string(said, "host.example");
    g_byte_array_append(said, (const guint8 *)"4\0\x19", 3);
    wire_add_string(said, "203.0.113.9");
    wire_end(said, begun);
    g_autofree char *name = g_strdup_printf("%c.example", letter);
    wire_put(said, 'H', name, strlen(name) + 1);
    wire_put(said, 'M', "<a@far.test>", 13);
    return said;
}

static void say(int fd, GByteArray *said)
{
    size_t done = 0;
    while (done < said->len) {
        ssize_t sent = send(fd, said->data + done, said->len - done, MSG_NOSIGNAL);
        g_assert_cmpint(sent, >, 0);
        done += (size_t)sent;
    }
    g_byte_array_unref(said);
}

static void until(bool (*holds)(void *data), void *data)
{
    gint64 end = g_get_monotonic_time() + PATIENCE * G_TIME_SPAN_SECOND;
    while (!holds(data)) {
        g_assert_cmpint(g_get_monotonic_time(), <, end);
        g_usleep(1000);
    }
}

static bool all_refused(void *data)
{
    (void)data;
    g_mutex_lock(&refused.lock);
    bool all = refused.letters->len == TALKATIVE + 2;
    g_mutex_unlock(&refused.lock);
    return all;
}

/* Three are ready at once, one of them with thousands of commands. */
static void test_turns(void)
{
    static const char letters[] = {'b', 'a', 'c'};
    struct scene scene;
    int ends[3];
    begin(&scene, loop_work);
    for (int i = 0; i < 3; i++) {
        GByteArray *said = greet(letters[i]);
        for (int k = 0; k < (letters[i] == 'a' ? TALKATIVE : 1); k++)
            wire_put(said, 'R', "<no@lab.test>", 14);
        ends[i] = connect_to(&scene);
        say(ends[i], said);
    }
    g_assert_true(loop_start(scene.loop));
    char sink[4096];
    for (int i = 0; i < 3; i++)
        g_assert_cmpint(fcntl(ends[i], F_SETFL, O_NONBLOCK), ==, 0);
    gint64 latest = g_get_monotonic_time() + PATIENCE * G_TIME_SPAN_SECOND;
    while (!all_refused(NULL) && g_get_monotonic_time() < latest)
        for (int i = 0; i < 3; i++)
            while (read(ends[i], sink, sizeof sink) > 0)
                continue;
    g_assert_cmpuint(refused.letters->len, ==, TALKATIVE + 2);
    g_test_message("%.400s", refused.letters->str);
    g_assert_cmpint(strchr(refused.letters->str, 'b') - refused.letters->str, <, 3 * 64);
    g_assert_cmpint(strchr(refused.letters->str, 'c') - refused.letters->str, <, 3 * 64);
    for (int i = 0; i < 3; i++)
        close(ends[i]);
    end(&scene);
}

/* Jobs that do not end before the gate is opened. */
static struct {
    GMutex lock;
    GCond changed;
    bool open;
    unsigned begun;
} gate;

static void work_behind_gate(void *data)
{
    g_mutex_lock(&gate.lock);
    gate.begun++;
    while (!gate.open)
        g_cond_wait(&gate.changed, &gate.lock);
    g_mutex_unlock(&gate.lock);
    loop_work(data);
}

static bool all_wait(void *data)
{
    const struct scene *scene = data;
    struct mta_counts counts = {0};
    loop_add_counts(scene->loop, &counts);
    g_mutex_lock(&gate.lock);
    bool all = counts.waiting == PEERS && gate.begun == 1;
    g_mutex_unlock(&gate.lock);
    return all;
}

static bool nobody_left(void *data)
{
    return loop_connections(((const struct scene *)data)->loop) == 0;
}

/* Of the large messages whose peers have gone only the one is judged that was begun. */
static void test_vanished(void)
{
    struct scene scene;
    int ends[PEERS];
    begin(&scene, work_behind_gate);
    g_assert_true(loop_start(scene.loop));
    for (int i = 0; i < PEERS; i++) {
        g_autofree char *value = g_strnfill(CONVERSATION_LARGE / LARGE, 'x');
        GByteArray *said = greet('v');
        wire_put(said, 'R', "<bob@lab.test>", 15);
        for (int k = 0; k <= LARGE; k++) {
            size_t begun = wire_begin(said, 'L');
            wire_add_string(said, "X-Large");
            wire_add_string(said, value);
            wire_end(said, begun);
        }
        wire_put(said, 'E', NULL, 0);
        ends[i] = connect_to(&scene);
        say(ends[i], said);
    }
    until(all_wait, &scene);
    for (int i = 0; i < PEERS; i++)
        close(ends[i]);
    until(nobody_left, &scene);
    g_mutex_lock(&gate.lock);
    gate.open = true;
    g_cond_broadcast(&gate.changed);
    g_mutex_unlock(&gate.lock);
    end(&scene);
    g_assert_cmpuint(gate.begun, ==, 1);
}

static bool all_handed_over(void *data)
{
    return loop_connections(data) == 0;
}

static struct loop *next_loop(void *data)
{
    return ((struct scene *)data)->loop;
}

/* Reads a packet, for g_free; returns its length. */
static size_t next_packet(int fd, char **packet_r)
{
    unsigned char head[4];
    g_assert_cmpint(recv(fd, head, sizeof head, MSG_WAITALL), ==, sizeof head);
    size_t length = (size_t)head[1] << 16 | (size_t)head[2] << 8 | head[3];
    g_assert_true(head[0] == 0 && length > 0 && length <= 65536);
    *packet_r = g_malloc(length);
    g_assert_cmpint(recv(fd, *packet_r, length, MSG_WAITALL), ==, (ssize_t)length);
    return length;
}

static char next_letter(int fd)
{
    g_autofree char *packet = NULL;
    next_packet(fd, &packet);
    return packet[0];
}

/* Who is new is answered while the loop that serves does nothing at all, and is served by it with
 * all that was said meanwhile. */
static void test_handed_over(void)
{
    struct scene scene;
    int ends[PEERS];
    begin(&scene, loop_work);
    struct loop_setup greeting = scene.setup;
    greeting.next = next_loop;
    greeting.data = &scene;
    struct loop *greeter = loop_new(&greeting);
    g_assert_true(greeter && loop_start(greeter));
    for (int i = 0; i < PEERS; i++) {
        int pair[2];
        g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), ==, 0);
        g_assert_cmpint(fcntl(pair[0], F_SETFL, O_NONBLOCK), ==, 0);
        GByteArray *said = greet((char)('a' + i));
        wire_put(said, 'R', "<no@lab.test>", 14);
        if (i % 2 == 0) { /* all of it is there before the greeter reads */
            say(pair[1], said);
            said = NULL;
        }
        loop_add(greeter, pair[0], false);
        if (said)
            say(pair[1], said);
        ends[i] = pair[1];
        g_assert_cmpint(next_letter(ends[i]), ==, 'O');
    }
    g_assert_cmpuint(refused.letters->len, ==, 0);
    until(all_handed_over, greeter);
    g_assert_cmpuint(loop_connections(scene.loop), ==, PEERS);
    g_assert_true(loop_start(scene.loop));
    for (int i = 0; i < PEERS; i++) {
        g_assert_cmpint(next_letter(ends[i]), ==, 'y');
        close(ends[i]);
    }
    until(nobody_left, &scene);
    g_assert_cmpuint(refused.letters->len, ==, PEERS);
    loop_stop(greeter);
    loop_join(greeter);
    loop_free(greeter);
    end(&scene);
}

/* No session keeps so much of a body: what it says is given another one here (see meson.build). */
static GString *other_body;
static int slow_end;

const struct session_answer *__real_session_get_answer(const struct session *session);
const struct session_answer *__wrap_session_get_answer(const struct session *session);

const struct session_answer *__wrap_session_get_answer(const struct session *session)
{
    static struct session_answer answer;
    answer = *__real_session_get_answer(session);
    if (other_body)
        answer.body = other_body;
    return &answer;
}

static size_t allocated(void)
{
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

static bool one_is_full(void *data)
{
    int queued = 0, before = *(int *)data;
    g_assert_cmpint(ioctl(slow_end, FIONREAD, &queued), ==, 0);
    *(int *)data = queued;
    return queued > 0 && queued == before;
}

/* A body of 20 MB leaves as slowly as it is read, a piece at a time, and others are served. */
static void test_large_answer(void)
{
    struct scene scene;
    begin(&scene, loop_work);
    other_body = g_string_new(NULL);
    for (unsigned i = 0; other_body->len < LARGE_BODY; i++)
        g_string_append_printf(other_body, "line %u of a body\r\n", i);
    g_assert_true(loop_start(scene.loop));
    slow_end = connect_to(&scene);
    GByteArray *said = greet('s');
    wire_put(said, 'R', "<bob@lab.test>", 15);
    wire_put(said, 'E', NULL, 0);
    say(slow_end, said);
    g_assert_cmpint(next_letter(slow_end), ==, 'O');
    g_assert_cmpint(next_letter(slow_end), ==, 'c');
    size_t before = allocated(), got = 0;
    int full = -1;
    until(one_is_full, &full);
    g_assert_cmpuint(allocated(), <, before + LARGE_BODY / 10);
    for (;;) {
        char *piece;
        size_t length = next_packet(slow_end, &piece);
        if (piece[0] != 'b') {
            g_assert_cmpint(piece[0], ==, 'c');
            g_free(piece);
            break;
        }
        if (got % (LARGE_BODY / 8) < length) {
            int other = connect_to(&scene);
            said = greet('o');
            wire_put(said, 'R', "<no@lab.test>", 14);
            say(other, said);
            g_assert_cmpint(next_letter(other), ==, 'O');
            g_assert_cmpint(next_letter(other), ==, 'y');
            close(other);
        }
        g_assert_cmpmem(other_body->str + got, length - 1, piece + 1, length - 1);
        got += length - 1;
        g_free(piece);
    }
    g_assert_cmpuint(got, ==, other_body->len);
    close(slow_end);
    until(nobody_left, &scene);
    end(&scene);
    g_string_free(g_steal_pointer(&other_body), TRUE);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/loop/turns", test_turns);
    g_test_add_func("/loop/vanished", test_vanished);
    g_test_add_func("/loop/handed_over", test_handed_over);
    g_test_add_func("/loop/large_answer", test_large_answer);
    return g_test_run();
}
