/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A loop over real sockets, which the test holds by their other ends: who has much to say does not
 * hold up others, and what nobody waits for any more is not done.
 */
#include "loop.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "conversation.h"

enum { TALKATIVE = 3000, LARGE = 40, PEERS = 12, PATIENCE = 60 };

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

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/loop/turns", test_turns);
    g_test_add_func("/loop/vanished", test_vanished);
    return g_test_run();
}
