/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The loop. Other threads tell it of a peer by one bit and a list that takes no lock: a peer is put
 * on it when its first bit is set, and taken off with all of them. Whoever has something to do that
 * takes long stands in a line, and has one turn when the loop comes round.
 */
#include "loop.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/poller.h"
#include "base/system.h"
#include "conversation.h"

enum {
    SCRATCH = 64 * 1024,  /* bytes read at a time */
    OUT_MOST = 64 * 1024, /* bytes of answers that are gathered before they are sent */
    EVENTS = 64,
    TURN = 64,          /* packets taken from a peer before others have their turn */
    PIECE = 16,         /* what a piece of an answer, 64 kB, counts for among them */
    BEAT = 1000,        /* the loop comes round so often, ms */
    ACCEPT_PAUSE = 100, /* after a lack of descriptors, ms */
};

#define PACKET_TIME   (60 * G_TIME_SPAN_SECOND)  /* for a packet that was begun */
#define SEND_TIME     (300 * G_TIME_SPAN_SECOND) /* for an MTA that does not take its answers */
#define PROGRESS_TIME (2500 * G_TIME_SPAN_MILLISECOND) /* some wait no longer than 3 s */
#define WAIT_LEAST    (10 * G_TIME_SPAN_MILLISECOND)   /* between two looks at one that waits */
#define SLOW          (2 * G_TIME_SPAN_SECOND)      /* a loop that has not come round for so long */
#define PRESSED       (2 * G_TIME_SPAN_MILLISECOND) /* one that found no time to sleep for so long */
#define SLEEP_LEAST   20                            /* us; less is no sleep */

enum news {
    NEWS_ADDED = 1,  /* it is the loop's */
    NEWS_WOKEN = 2,  /* its session wants to be resumed */
    NEWS_WORKED = 4, /* its job is done */
};

/* A connection of the MTA. */
struct peer {
    struct loop *loop;
    int fd;    /* -1: closed; the rest goes when nobody holds it any more */
    bool inet; /* over TCP */
    guint news;
    struct peer *next_news;
    GList link;
    struct conversation *conversation;
    enum conversation_state state;
    struct pool_job job;
    guint heard;  /* news that have been taken and wait for its turn */
    bool in_line; /* it could go on, but others have their turn first */
    GList line_link;
    bool polled;
    bool counted; /* as a message under way */
    struct wire_input input;
    GByteArray *unread; /* came with what is being waited for; NULL: nothing */
    GByteArray *unsent; /* NULL: nothing */
    unsigned watched;
    GSequenceIter *timer; /* NULL: none */
    gint64 due;           /* what the timer says; us of the monotonic clock, as all of these */
    gint64 packet_end;    /* of the packet that has begun; 0: none has */
    gint64 send_end;      /* while something is unsent */
    gint64 progress_at;   /* while it rests */
    gint64 wait_end;      /* while it waits */
};

struct loop {
    const struct loop_setup *setup;
    struct poller *poller;
    GThread *thread;
    gpointer news; /* the list */
    GQueue peers;
    GQueue line;       /* peers */
    GSequence *timers; /* peers by due */
    GByteArray *out;
    gint64 listen_again;  /* 0: it listens */
    struct loop *to_wake; /* loops that have peers from this one, and are to be woken for them */
    struct loop *next_to_wake; /* behind this one among another's; that one's, as is whether */
    bool to_be_woken;          /* it is among them: no other thread looks at either */
    gint stop;
    gint moved; /* the listener is another socket */
    _Atomic unsigned connections, messages, waiting, progress;
    _Atomic int64_t beat;
    _Atomic int64_t slept; /* until then */
    _Atomic bool sleeps;
    unsigned char scratch[SCRATCH];
};

/* The loop whose thread this is; NULL: none's. */
static _Thread_local const struct loop *here;

/* News */

/* Whether nothing was on the list, so that its loop is to be woken. */
static bool put_on_list(struct peer *peer, guint what)
{
    struct loop *loop = peer->loop;
    if (g_atomic_int_or(&peer->news, what) != 0)
        return false; /* it is on the list */
    gpointer head;
    do {
        head = g_atomic_pointer_get(&loop->news);
        peer->next_news = head;
    } while (!g_atomic_pointer_compare_and_exchange(&loop->news, head, peer));
    return !head;
}

/* The loop's own thread hears of it before it sleeps. */
static void tell(struct peer *peer, guint what)
{
    struct loop *loop = peer->loop;
    if (put_on_list(peer, what) && loop != here)
        poller_wake(loop->poller);
}

static void wake(void *data)
{
    tell(data, NEWS_WOKEN);
}

void loop_work(void *data)
{
    struct peer *peer = data;
    conversation_work(peer->conversation);
    tell(peer, NEWS_WORKED);
}

/* Peers */

static void forget_timer(struct peer *peer)
{
    g_clear_pointer(&peer->timer, g_sequence_remove);
    peer->due = 0;
}

static void count_message(struct peer *peer, bool is)
{
    if (is != peer->counted)
        peer->loop->messages += is ? 1u : -1u;
    peer->counted = is;
}

/* A message is under way until the answer to its end has left. */
static void settle_count(struct peer *peer)
{
    if (!peer->unsent && !conversation_in_message(peer->conversation))
        count_message(peer, false);
}

static bool rests(const struct peer *peer)
{
    return peer->state == CONVERSATION_WAITS || peer->state == CONVERSATION_WORKS;
}

static void enter(struct peer *peer, enum conversation_state state)
{
    bool rested = rests(peer);
    peer->state = state;
    if (conversation_in_message(peer->conversation))
        count_message(peer, true);
    if (!rested && !rests(peer))
        return;
    gint64 now = g_get_monotonic_time();
    if (state == CONVERSATION_WAITS)
        peer->wait_end = MAX(conversation_deadline(peer->conversation), now + WAIT_LEAST);
    if (rested != rests(peer)) {
        peer->loop->waiting += rested ? -1u : 1u;
        peer->progress_at = now + PROGRESS_TIME;
    }
}

/* Frees what is left of a closed peer, unless a job or the list of news holds it. */
static void release(struct peer *peer)
{
    if (peer->state == CONVERSATION_WORKS)
        return;
    g_clear_pointer(&peer->conversation, conversation_free);
    /* Nobody sets a bit any more. */
    if (g_atomic_int_get(&peer->news) == 0)
        g_free(peer);
}

static void stand_in_line(struct peer *peer, bool stands)
{
    if (stands && !peer->in_line)
        g_queue_push_tail_link(&peer->loop->line, &peer->line_link);
    else if (!stands && peer->in_line)
        g_queue_unlink(&peer->loop->line, &peer->line_link);
    peer->in_line = stands;
}

static void hang_up(struct peer *peer)
{
    struct loop *loop = peer->loop;
    if (peer->polled)
        poller_remove(loop->poller, peer->fd);
    close(peer->fd);
    peer->fd = -1;
    forget_timer(peer);
    stand_in_line(peer, false);
    count_message(peer, false);
    g_queue_unlink(&loop->peers, &peer->link);
    wire_input_clear(&peer->input);
    g_clear_pointer(&peer->unread, g_byte_array_unref);
    g_clear_pointer(&peer->unsent, g_byte_array_unref);
    loop->waiting -= rests(peer);
    loop->connections--;
    if (peer->state == CONVERSATION_WORKS &&
        (peer->heard & NEWS_WORKED || pool_remove(loop->setup->pool, &peer->job)))
        peer->state = CONVERSATION_OVER;
    release(peer);
}

static void complain(struct peer *peer, const char *fault)
{
    engine_warn_once(peer->loop->setup->engine, fault,
                     "the MTA %s: the connection is closed (this is said once)", fault);
}

/* Sends what OUT holds, or as much as the socket takes; OUT is empty then. false: it is broken. */
static bool send_out(struct peer *peer)
{
    GByteArray *out = peer->loop->out;
    size_t done = 0;
    while (done < out->len && !peer->unsent) {
        ssize_t sent = send(peer->fd, out->data + done, out->len - done, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0 && errno != EAGAIN && errno != EWOULDBLOCK)
            return false;
        if (sent < 0)
            break;
        done += (size_t)sent;
    }
    if (done < out->len) {
        if (!peer->unsent) {
            peer->unsent = g_byte_array_new();
            peer->send_end = g_get_monotonic_time() + SEND_TIME;
        }
        g_byte_array_append(peer->unsent, out->data + done, (guint)(out->len - done));
    }
    g_byte_array_set_size(out, 0);
    return true;
}

/* The same with what was left unsent. */
static bool send_rest(struct peer *peer)
{
    ssize_t sent = send(peer->fd, peer->unsent->data, peer->unsent->len, MSG_NOSIGNAL);
    if (sent < 0)
        return errno == EINTR || errno == EAGAIN || errno == EWOULDBLOCK;
    peer->send_end = g_get_monotonic_time() + SEND_TIME;
    g_byte_array_remove_range(peer->unsent, 0, (guint)sent);
    if (peer->unsent->len == 0)
        g_clear_pointer(&peer->unsent, g_byte_array_unref);
    return true;
}

static gint by_due(gconstpointer a, gconstpointer b, gpointer data)
{
    const struct peer *one = a, *other = b;
    (void)data;
    return one->due < other->due ? -1 : one->due > other->due;
}

static gint64 sooner(gint64 a, gint64 b)
{
    return a == 0 || (b != 0 && b < a) ? b : a;
}

static void set_timer(struct peer *peer)
{
    gint64 due = peer->unsent ? peer->send_end : 0;
    if (peer->state == CONVERSATION_WAITS)
        due = sooner(due, peer->wait_end);
    if (rests(peer) && conversation_may_progress(peer->conversation))
        due = sooner(due, peer->progress_at);
    if (peer->state == CONVERSATION_LISTENS)
        due = sooner(due, peer->packet_end);
    if (due == peer->due)
        return;
    forget_timer(peer);
    peer->due = due;
    if (due)
        peer->timer = g_sequence_insert_sorted(peer->loop->timers, peer, by_due, NULL);
}

/* What the peer does next is looked for; one that waits is not read. It is hung up if it cannot be
 * looked for. */
static void look_out(struct peer *peer)
{
    unsigned what = peer->unsent ? POLLER_OUT : 0;
    if (peer->state == CONVERSATION_LISTENS && !peer->unsent)
        what = POLLER_IN;
    if (!peer->polled) {
        peer->polled = poller_add(peer->loop->poller, peer->fd, what, peer);
        if (!peer->polled) {
            hang_up(peer);
            return;
        }
        peer->watched = what;
    }
    if (what != peer->watched && poller_change(peer->loop->poller, peer->fd, what, peer))
        peer->watched = what;
    set_timer(peer);
}

/* Whoever has made its offer is another loop's. All who are there have their answers before one is
 * handed over, since the other loop may take the processor. */
static bool is_others(const struct peer *peer)
{
    return peer->loop->setup->next && conversation_session(peer->conversation);
}

/* Nobody wakes a session before its client is known. The other loop is woken when all have been
 * handed over: it would take the processor for each. */
static void hand_over(struct peer *peer)
{
    struct loop *loop = peer->loop;
    if (peer->polled)
        poller_remove(loop->poller, peer->fd);
    peer->polled = false;
    forget_timer(peer);
    g_queue_unlink(&loop->peers, &peer->link);
    peer->loop = loop->setup->next(loop->setup->data);
    peer->loop->connections++;
    loop->connections--;
    struct loop *other = peer->loop;
    if (put_on_list(peer, NEWS_ADDED) && !other->to_be_woken) {
        other->to_be_woken = true;
        other->next_to_wake = loop->to_wake;
        loop->to_wake = other;
    }
}

static void wake_others(struct loop *loop)
{
    for (struct loop *other; (other = loop->to_wake); poller_wake(other->poller)) {
        loop->to_wake = other->next_to_wake;
        other->next_to_wake = NULL;
        other->to_be_woken = false;
    }
}

/* Lets the conversation go on as far as its turn goes, with LENGTH bytes that came in; the rest of
 * them is kept. Where it is handed over, it says one thing in it. Each part of the answers is sent
 * before more are made. */
static void converse(struct peer *peer, const unsigned char *bytes, size_t length)
{
    struct loop *loop = peer->loop;
    bool sound = true;
    int most = loop->setup->next ? 1 : TURN;
    for (int done = 0; sound && !peer->unsent && done < most; done++) {
        struct wire_packet packet;
        enum wire_result result = WIRE_MORE;
        if (peer->state == CONVERSATION_SPEAKS) {
            enter(peer, conversation_speak(peer->conversation, loop->out));
            done += PIECE;
        } else if (peer->state != CONVERSATION_LISTENS ||
                   (result = wire_take(&peer->input, &bytes, &length, &packet)) == WIRE_MORE) {
            break;
        } else if (result == WIRE_PACKET) {
            peer->packet_end = 0;
            enum conversation_state state =
                conversation_take(peer->conversation, &packet, loop->out);
            if (state != peer->state || !peer->counted) /* most are fields of a header */
                enter(peer, state);
        } else {
            complain(peer, "sends a packet of a length that no packet has");
            enter(peer, CONVERSATION_OVER);
        }
        if (loop->out->len >= OUT_MOST || peer->state == CONVERSATION_SPEAKS)
            sound = send_out(peer);
    }
    sound = sound && send_out(peer);
    loop->progress++;
    if (!sound || peer->state == CONVERSATION_OVER) {
        const char *fault = conversation_fault(peer->conversation);
        if (fault)
            complain(peer, fault);
        g_byte_array_set_size(loop->out, 0);
        enter(peer, CONVERSATION_OVER); /* nobody has begun a job that it may want */
        hang_up(peer);
        return;
    }
    if (length > 0) {
        peer->unread = g_byte_array_sized_new((guint)length);
        g_byte_array_append(peer->unread, bytes, (guint)length);
    }
    peer->input.most = conversation_packet_most(peer->conversation);
    if (!wire_begun(&peer->input) || peer->state != CONVERSATION_LISTENS)
        peer->packet_end = 0;
    else if (peer->packet_end == 0)
        peer->packet_end = g_get_monotonic_time() + PACKET_TIME;
    settle_count(peer);
    if (is_others(peer)) {
        stand_in_line(peer, true);
        return;
    }
    if (peer->state == CONVERSATION_WORKS)
        pool_add(loop->setup->pool, &peer->job, peer);
    stand_in_line(peer, !peer->unsent && (peer->state == CONVERSATION_SPEAKS ||
                                          (peer->state == CONVERSATION_LISTENS && peer->unread)));
    look_out(peer);
}

static void go_on(struct peer *peer)
{
    g_autoptr(GByteArray) unread = g_steal_pointer(&peer->unread);
    converse(peer, unread ? unread->data : NULL, unread ? unread->len : 0);
}

static void resume(struct peer *peer)
{
    peer->heard &= ~(guint)NEWS_WOKEN;
    enter(peer, conversation_resume(peer->conversation, peer->loop->out));
    go_on(peer);
}

static void have_turn(struct peer *peer)
{
    stand_in_line(peer, false);
    if (is_others(peer)) {
        hand_over(peer);
        return;
    }
    if (peer->heard & NEWS_WORKED) {
        peer->heard &= ~(guint)NEWS_WORKED;
        enter(peer, conversation_worked(peer->conversation, peer->loop->out));
    }
    if (peer->state == CONVERSATION_WAITS && peer->heard & NEWS_WOKEN)
        resume(peer);
    else
        go_on(peer);
}

/* Into the packet that has begun as far as it goes, and beside it. */
static void read_more(struct peer *peer)
{
    struct loop *loop = peer->loop;
    struct iovec places[2] = {{0}, {.iov_base = loop->scratch, .iov_len = SCRATCH}};
    places[0].iov_base = wire_room(&peer->input, &places[0].iov_len);
    int first = places[0].iov_len > 0 ? 0 : 1;
    ssize_t got = first == 0 ? readv(peer->fd, places, 2) : read(peer->fd, loop->scratch, SCRATCH);
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) {
        look_out(peer);
        return;
    }
    if (got <= 0) {
        hang_up(peer);
        return;
    }
    if (peer->inet && !conversation_of_postfix(peer->conversation))
        system_acknowledge(peer->fd);
    size_t direct = MIN((size_t)got, first == 0 ? places[0].iov_len : 0);
    wire_filled(&peer->input, direct);
    converse(peer, loop->scratch, (size_t)got - direct);
}

/* What a loop hears */

static void on_event(struct peer *peer, unsigned what)
{
    if (peer->in_line) {
        return; /* what it has said already comes first */
    } else if (rests(peer)) {
        if (what & POLLER_HANGUP || (peer->unsent && !send_rest(peer)))
            hang_up(peer);
        else
            look_out(peer);
    } else if (peer->unsent) {
        if ((what & POLLER_HANGUP && !(what & POLLER_OUT)) || !send_rest(peer))
            hang_up(peer);
        else if (!peer->unsent)
            go_on(peer);
        else
            set_timer(peer);
    } else {
        read_more(peer);
    }
}

static void on_timer(struct peer *peer)
{
    gint64 now = g_get_monotonic_time();
    forget_timer(peer);
    if (peer->unsent && now >= peer->send_end) {
        complain(peer, "does not read its answers");
        hang_up(peer);
    } else if (peer->state == CONVERSATION_LISTENS && peer->packet_end && now >= peer->packet_end) {
        complain(peer, "begins a packet and does not end it");
        hang_up(peer);
    } else if (peer->state == CONVERSATION_WAITS && now >= peer->wait_end) {
        resume(peer);
    } else {
        if (rests(peer) && now >= peer->progress_at) {
            peer->progress_at = now + PROGRESS_TIME;
            if (!peer->unsent && conversation_may_progress(peer->conversation))
                conversation_progress(peer->loop->out);
            if (!send_out(peer)) {
                g_byte_array_set_size(peer->loop->out, 0);
                hang_up(peer);
                return;
            }
        }
        look_out(peer);
    }
}

/* Most have made their offer by the time that they are taken. */
static void begin(struct peer *peer)
{
    struct loop *loop = peer->loop;
    const struct waker waker = {.wake = wake, .data = peer};
    bool handed_over = peer->conversation;
    if (!handed_over) {
        peer->conversation = conversation_new(loop->setup->engine, &waker);
        peer->input.most = conversation_packet_most(peer->conversation);
    }
    g_queue_push_tail_link(&loop->peers, &peer->link);
    if (g_atomic_int_get(&loop->stop))
        hang_up(peer);
    else if (handed_over)
        go_on(peer);
    else
        read_more(peer);
}

static void on_news(struct peer *peer)
{
    guint what = g_atomic_int_and(&peer->news, 0);
    if (what & NEWS_ADDED) {
        begin(peer);
        return;
    }
    if (peer->fd < 0) {
        if (what & NEWS_WORKED)
            peer->state = CONVERSATION_OVER;
        release(peer);
        return;
    }
    peer->heard |= what;
    if (what & NEWS_WORKED || peer->state == CONVERSATION_WAITS)
        stand_in_line(peer, true);
}

/* The list has the newest on top. */
static void hear_news(struct loop *loop)
{
    struct peer *peer, *eldest = NULL;
    do
        peer = g_atomic_pointer_get(&loop->news);
    while (peer && !g_atomic_pointer_compare_and_exchange(&loop->news, peer, NULL));
    while (peer) {
        struct peer *next = peer->next_news;
        peer->next_news = eldest;
        eldest = peer;
        peer = next;
    }
    while (eldest) {
        struct peer *next = eldest->next_news;
        on_news(eldest);
        eldest = next;
    }
}

/* Without descriptors it would hear of the same connection again and again. */
static void on_listener(struct loop *loop)
{
    if (loop->setup->accept(loop->setup->data))
        return;
    poller_remove(loop->poller, loop->setup->listener);
    loop->listen_again = g_get_monotonic_time() + ACCEPT_PAUSE * G_TIME_SPAN_MILLISECOND;
}

static struct peer *first_due(struct loop *loop)
{
    GSequenceIter *first = g_sequence_get_begin_iter(loop->timers);
    return g_sequence_iter_is_end(first) ? NULL : g_sequence_get(first);
}

/* Until something is due, ms. */
static int longest_sleep(struct loop *loop)
{
    const struct peer *first = first_due(loop);
    gint64 due = sooner(first ? first->due : 0, loop->listen_again);
    if (!g_queue_is_empty(&loop->line) || g_atomic_pointer_get(&loop->news))
        return 0;
    if (due == 0)
        return BEAT;
    gint64 left = (due - g_get_monotonic_time() + 999) / 1000;
    return (int)CLAMP(left, 0, BEAT);
}

static void turn(struct loop *loop)
{
    struct poller_event events[EVENTS];
    gint64 begun = g_get_monotonic_time();
    int longest = longest_sleep(loop);
    loop->sleeps = longest > 0; /* else it only looks what there is more */
    int count = poller_wait(loop->poller, longest, events, EVENTS);
    gint64 now = g_get_monotonic_time();
    loop->sleeps = false;
    loop->beat = now;
    if (longest > 0 && now - begun >= SLEEP_LEAST)
        loop->slept = now;
    for (int i = 0; i < count; i++) {
        if (events[i].data == loop)
            on_listener(loop);
        else
            on_event(events[i].data, events[i].what);
    }
    hear_news(loop);
    for (guint left = loop->line.length; left > 0 && loop->line.head; left--)
        have_turn(loop->line.head->data);
    wake_others(loop);
    struct peer *peer;
    while ((peer = first_due(loop)) && peer->due <= now)
        on_timer(peer);
    bool has_moved = g_atomic_int_compare_and_exchange(&loop->moved, 1, 0);
    if (has_moved || (loop->listen_again && now >= loop->listen_again)) {
        loop->listen_again = 0;
        if (!poller_add(loop->poller, loop->setup->listener, POLLER_IN, loop) && errno != EEXIST)
            loop->listen_again = now + ACCEPT_PAUSE * G_TIME_SPAN_MILLISECOND;
    }
}

static void *run(void *data)
{
    struct loop *loop = data;
    here = loop;
    while (!g_atomic_int_get(&loop->stop))
        turn(loop);
    /* The pool is there still: what it has not begun is taken back. */
    while (loop->peers.head)
        hang_up(loop->peers.head->data);
    return NULL;
}

/* The loop as others see it */

struct loop *loop_new(const struct loop_setup *setup)
{
    struct loop *loop = g_new0(struct loop, 1);
    loop->setup = setup;
    loop->beat = g_get_monotonic_time();
    g_queue_init(&loop->peers);
    g_queue_init(&loop->line);
    loop->timers = g_sequence_new(NULL);
    loop->out = g_byte_array_new();
    loop->poller = poller_new();
    if (loop->poller &&
        (setup->listener < 0 || poller_add(loop->poller, setup->listener, POLLER_IN, loop)))
        return loop;
    int reason = errno;
    loop_free(loop);
    errno = reason;
    return NULL;
}

void loop_listen_again(struct loop *loop)
{
    g_atomic_int_set(&loop->moved, 1);
    poller_wake(loop->poller);
}

bool loop_start(struct loop *loop)
{
    loop->thread = loop->setup->next ? g_thread_try_new("greeter", run, loop, NULL)
                                     : g_thread_try_new("loop", run, loop, NULL);
    errno = EAGAIN;
    return loop->thread != NULL;
}

void loop_stop(struct loop *loop)
{
    g_atomic_int_set(&loop->stop, 1);
    poller_wake(loop->poller);
}

void loop_join(struct loop *loop)
{
    if (loop->thread)
        g_thread_join(loop->thread);
}

void loop_free(struct loop *loop)
{
    if (!loop)
        return;
    while (loop->peers.head)
        hang_up(loop->peers.head->data);
    hear_news(loop);
    poller_free(loop->poller);
    g_sequence_free(loop->timers);
    g_byte_array_unref(loop->out);
    g_free(loop);
}

void loop_add(struct loop *loop, int fd, bool inet)
{
    struct peer *peer = g_new0(struct peer, 1);
    peer->loop = loop;
    peer->fd = fd;
    peer->inet = inet;
    peer->link.data = peer->line_link.data = peer;
    loop->connections++;
    tell(peer, NEWS_ADDED);
}

unsigned loop_connections(const struct loop *loop)
{
    return loop->connections;
}

bool loop_has_time(const struct loop *loop)
{
    return loop->sleeps || g_get_monotonic_time() - loop->slept < PRESSED;
}

void loop_add_counts(const struct loop *loop, struct mta_counts *counts)
{
    int64_t late = g_get_monotonic_time() - loop->beat;
    counts->connections += loop->connections;
    counts->messages += loop->messages;
    counts->waiting += loop->waiting;
    counts->progress += loop->progress;
    counts->stuck = MAX(counts->stuck, late > SLOW ? late : 0);
}
