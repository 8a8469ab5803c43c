/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The resolver's thread, and what it shares with the askers. A "sending" is one question as the
 * servers see it; any number of askers' questions hang on it. It must know nothing of DNS lists.
 */
#include "dns/resolver.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/siphash.h"
#include "cache.h"
#include "channel.h"
#include "pacing.h"
#include "servers.h"

/* After so many questions the answers that came meanwhile are taken, before they overflow the
 * socket's buffer, which holds some 270 of them where the system grants no more. */
enum { SEND_BURST = 64 };

/* How often a question is asked, beside what c-ares does by itself. */
enum { TRIES_MOST = 3 };

/* While so many tries are in the channel, those of questions that have their answer among them,
 * nothing is asked again, or nothing asked at all: each has one of 65536 numbers, and c-ares looks
 * for a free one until it finds it. */
enum { OPEN_AGAIN_MOST = 32768, OPEN_MOST = 49152 };

struct sending {
    gint references;
    struct resolver *resolver; /* not owned: whoever follows it holds the resolver otherwise */
    char *key;
    const char *name; /* within KEY */
    enum dns_type type;
    unsigned flags; /* of enum dns_ask */
    uint64_t serial;
    int64_t sent_at; /* when it was asked */
    unsigned tries;  /* how often it was given to the channel; the thread's, as the next */
    unsigned open;   /* those of them that are in it */
    int64_t put_at;  /* the last of them */
    const struct dns_answer *answer; /* NULL while pending */
    GPtrArray *questions;            /* to be woken; under the resolver's lock */
};

/* A question in the channel, with a number of its own. */
struct attempt {
    struct sending *sending; /* a reference */
    unsigned number;         /* of this try: 1, 2 */
    int64_t put_at;
};

struct dns_question {
    gint references; /* the asker's and the sending's */
    struct resolver *resolver;
    struct sending *sending;
    struct waker waker;
    bool immediate;
    bool cancelled; /* this and the next under the resolver's lock */
    bool waking;
};

struct resolver {
    gint references; /* the owner's and one of each question */
    GMutex lock;
    GCond woken; /* a wake function has returned */
    GThread *thread;
    int wake_pipe[2];
    bool wake_pending;
    bool stopping;
    GQueue asks; /* sendings for the thread to take */
    GHashTable *under_way;
    struct dns_cache *cache;
    uint64_t next_serial;
    struct resolver_counts counts;
    struct resolver_listener listener;
    int64_t silent_since; /* when the first question without an answer was sent; 0: they answer */
    int64_t told_at;      /* of this silence; 0: nothing was told */
    int64_t quiet_until;  /* nothing is told of another */
    bool local;           /* as resolver_is_local; since the start */
    /* the thread's */
    struct channel *channel;
    GQueue unsent; /* sendings, taken from ASKS */
    /* the same, that may be asked again: by tries so far, less one, the eldest first; each a
     * reference */
    GQueue sent[TRIES_MOST - 1];
    struct pacing pacing;
    unsigned open;                 /* tries in the channel */
    struct resolver_record record; /* instead of a thread; all NULL: none */
};

static void resolver_unref(struct resolver *resolver)
{
    if (!g_atomic_int_dec_and_test(&resolver->references))
        return;
    g_hash_table_unref(resolver->under_way);
    dns_cache_free(resolver->cache);
    for (unsigned i = 0; i < 2; i++)
        if (resolver->wake_pipe[i] >= 0)
            close(resolver->wake_pipe[i]);
    channel_free(resolver->channel);
    g_cond_clear(&resolver->woken);
    g_mutex_clear(&resolver->lock);
    g_free(resolver);
}

static void sending_unref(struct sending *sending)
{
    if (!g_atomic_int_dec_and_test(&sending->references))
        return;
    dns_answer_unref(g_atomic_pointer_get(&sending->answer));
    g_ptr_array_unref(sending->questions);
    g_free(sending->key);
    g_free(sending);
}

static void question_unref(struct dns_question *question)
{
    if (!g_atomic_int_dec_and_test(&question->references))
        return;
    sending_unref(question->sending);
    resolver_unref(question->resolver);
    g_free(question);
}

/* ---- the thread ---- */

/* The lock is not held while the asker is told; dns_question_cancel waits for WAKING to end. */
static void wake(struct resolver *resolver, struct dns_question *question)
{
    g_mutex_lock(&resolver->lock);
    if (!question->cancelled && question->waker.wake) {
        question->waking = true;
        g_mutex_unlock(&resolver->lock);
        question->waker.wake(question->waker.data);
        g_mutex_lock(&resolver->lock);
        question->waking = false;
        g_cond_broadcast(&resolver->woken);
    }
    g_mutex_unlock(&resolver->lock);
    question_unref(question);
}

/* What a server said, be it a failure, is an answer. */
static bool is_silence(const struct dns_answer *answer)
{
    return answer->state == DNS_FAILED &&
           (answer->failure == DNS_FAIL_TIMEOUT || answer->failure == DNS_FAIL_NETWORK);
}

/* Takes note of an answer, or that there is none, with the lock held; returns what is to be told of
 * it, for g_free, or NULL. A failure that comes and goes is told of once in a while. */
static char *note_silence(struct resolver *resolver, const struct sending *sending,
                          const struct dns_answer *answer, int64_t now, bool *answers_r)
{
    bool ours = answer->failure == DNS_FAIL_STOPPED || answer->failure == DNS_FAIL_BUSY ||
                answer->failure == DNS_FAIL_NAME;
    *answers_r = !is_silence(answer);
    if (ours)
        return NULL;
    if (*answers_r) {
        int64_t since = resolver->silent_since;
        resolver->silent_since = 0;
        if (!since || !resolver->told_at)
            return NULL;
        resolver->told_at = 0;
        return g_strdup_printf("the DNS servers answer again, after %d s",
                               (int)((now - since) / G_TIME_SPAN_SECOND));
    }
    if (resolver->silent_since)
        return NULL;
    resolver->silent_since = sending->sent_at;
    if (resolver->quiet_until > now)
        return NULL;
    resolver->told_at = now;
    resolver->quiet_until = now + RESOLVER_TELL_PAUSE;
    return g_strdup_printf("no DNS server answers: %s (asked for %s)",
                           dns_failure_text(answer->failure), sending->name);
}

/* The end of a sending, whose reference is taken. */
static void settle(struct sending *sending, struct dns_answer *answer, int64_t now)
{
    struct resolver *resolver = sending->resolver;
    answer->latency_us = now - sending->sent_at;
    answer->received_at = now;
    g_mutex_lock(&resolver->lock);
    dns_cache_put(resolver->cache, sending->key, answer, now);
    g_hash_table_remove(resolver->under_way, sending->key);
    if (answer->state == DNS_FAILED)
        resolver->counts.failed++;
    g_atomic_pointer_set(&sending->answer, answer);
    g_autoptr(GPtrArray) questions = g_steal_pointer(&sending->questions);
    sending->questions = g_ptr_array_new();
    bool answers;
    g_autofree char *text = note_silence(resolver, sending, answer, now, &answers);
    g_mutex_unlock(&resolver->lock);
    if (text && resolver->listener.event)
        resolver->listener.event(resolver->listener.data, answers, text);
    for (unsigned i = 0; i < questions->len; i++)
        wake(resolver, questions->pdata[i]);
    sending_unref(sending);
}

static void take_answer(void *data, struct dns_answer *answer, bool timed)
{
    struct attempt *attempt = data;
    struct sending *sending = attempt->sending;
    struct pacing *pacing = &sending->resolver->pacing;
    int64_t now = g_get_monotonic_time();
    pacing_over(pacing);
    sending->resolver->open--;
    if (timed) /* be it too late for who asked: a try's own number tells which was answered */
        pacing_measure(pacing, now - attempt->put_at);
    if (timed && attempt->number > 1 && !g_atomic_pointer_get(&sending->answer))
        pacing_lost(pacing);
    g_free(attempt);
    sending->open--;
    /* of two tries the first answer counts, and silence when both are over */
    if (g_atomic_pointer_get(&sending->answer) || (sending->open > 0 && is_silence(answer))) {
        dns_answer_unref(answer);
        sending_unref(sending);
        return;
    }
    settle(sending, answer, now);
}

/* Takes what was asked since the last round; false when the thread is to end. */
static bool take_asks(struct resolver *resolver)
{
    char bytes[16];
    while (read(resolver->wake_pipe[0], bytes, sizeof bytes) > 0)
        continue;
    g_mutex_lock(&resolver->lock);
    for (void *sending; (sending = g_queue_pop_head(&resolver->asks));)
        g_queue_push_tail(&resolver->unsent, sending);
    resolver->wake_pending = false;
    bool go_on = !resolver->stopping;
    g_mutex_unlock(&resolver->lock);
    return go_on;
}

/* With a reference for the try. */
static void put(struct resolver *resolver, struct sending *sending, int64_t now)
{
    struct attempt *attempt = g_new(struct attempt, 1);
    *attempt = (struct attempt){sending, ++sending->tries, now};
    sending->put_at = now;
    sending->open++;
    resolver->open++;
    pacing_sent(&resolver->pacing);
    channel_ask(resolver->channel, sending->name, sending->type, sending->flags, take_answer,
                attempt);
}

/* Leaves SENDING, a reference, to ask_again. */
static void watch_for_answer(struct resolver *resolver, struct sending *sending)
{
    g_queue_push_tail(&resolver->sent[sending->tries - 1], sending);
}

/* When it is asked again. */
static int64_t due_at(const struct sending *sending)
{
    return sending->put_at + pacing_patience(&sending->resolver->pacing) * sending->tries;
}

/* Asks again what has had no answer for longer than answers take, the third time after twice as
 * long (RFC 6298 5.5), and only where something was lost. */
static void ask_again(struct resolver *resolver, unsigned tries, int64_t now)
{
    struct pacing *pacing = &resolver->pacing;
    struct sending *sending;
    while ((sending = g_queue_peek_head(&resolver->sent[tries - 1]))) {
        bool answered = g_atomic_pointer_get(&sending->answer);
        if (!answered && (due_at(sending) > now || !pacing_allows(pacing, now)))
            return;
        g_queue_pop_head(&resolver->sent[tries - 1]);
        if (answered || resolver->open >= OPEN_AGAIN_MOST ||
            !(tries == 1 ? pacing_knows(pacing) : pacing_loses(pacing))) {
            sending_unref(sending);
            continue;
        }
        g_mutex_lock(&resolver->lock);
        resolver->counts.repeated += tries == 1;
        g_mutex_unlock(&resolver->lock);
        if (tries + 1 < TRIES_MOST)
            g_atomic_int_inc(&sending->references);
        put(resolver, sending, now); /* with the reference of the queue */
        if (tries + 1 < TRIES_MOST)
            watch_for_answer(resolver, sending);
    }
}

static int64_t sooner(int64_t one, int64_t other)
{
    return one == 0 || (other != 0 && other < one) ? other : one;
}

/* Sends what may be sent by now. Returns when to go on, 0: when something else happens. */
static int64_t send_asks(struct resolver *resolver)
{
    struct pacing *pacing = &resolver->pacing;
    int64_t now = g_get_monotonic_time();
    for (unsigned tries = TRIES_MOST - 1; tries > 0; tries--)
        ask_again(resolver, tries, now);
    struct sending *sending;
    for (unsigned sent = 1; pacing_allows(pacing, now) && resolver->open < OPEN_MOST &&
                            (sending = g_queue_pop_head(&resolver->unsent));
         sent++) {
        g_atomic_int_inc(&sending->references);
        put(resolver, sending, now);
        watch_for_answer(resolver, sending);
        if (sent % SEND_BURST == 0) {
            channel_poll(resolver->channel);
            now = g_get_monotonic_time(); /* a long burst is no longer NOW */
        }
    }
    int64_t until = g_queue_is_empty(&resolver->unsent) ? 0 : pacing->renewed_at;
    for (unsigned i = 0; i < TRIES_MOST - 1; i++)
        if ((sending = g_queue_peek_head(&resolver->sent[i]))) /* what is due was not allowed */
            until = sooner(until, due_at(sending) > now ? due_at(sending) : pacing->renewed_at);
    return until;
}

static void *run(void *data)
{
    struct resolver *resolver = data;
    struct sending *sending;
    while (take_asks(resolver)) {
        int64_t until = send_asks(resolver);
        channel_wait(resolver->channel, resolver->wake_pipe[0], until);
    }
    while ((sending = g_queue_pop_head(&resolver->unsent)))
        settle(sending, dns_answer_failed(sending->type, DNS_FAIL_STOPPED), g_get_monotonic_time());
    channel_free(resolver->channel); /* answers what is open */
    resolver->channel = NULL;
    for (unsigned i = 0; i < TRIES_MOST - 1; i++)
        while ((sending = g_queue_pop_head(&resolver->sent[i])))
            sending_unref(sending);
    return NULL;
}

/* With the lock held. */
static void rouse(struct resolver *resolver)
{
    if (resolver->wake_pending)
        return;
    resolver->wake_pending = true;
    while (write(resolver->wake_pipe[1], "", 1) < 0 && errno == EINTR)
        continue;
}

/* ---- start and stop ---- */

static bool open_pipe(int fds[2])
{
    fds[0] = fds[1] = -1;
    if (pipe(fds) != 0)
        return false;
    for (unsigned i = 0; i < 2; i++)
        if (fcntl(fds[i], F_SETFD, FD_CLOEXEC) < 0 || fcntl(fds[i], F_SETFL, O_NONBLOCK) < 0)
            return false;
    return true;
}

/* The thread takes no signal: they are for the thread that the daemon chose. */
static int start_thread(struct resolver *resolver)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    resolver->thread = g_thread_try_new("dns", run, resolver, NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return resolver->thread ? 0 : EAGAIN;
}

static size_t or_default(size_t value, size_t otherwise)
{
    return value ? value : otherwise;
}

static struct resolver *create(const struct resolver_options *options)
{
    struct resolver *resolver = g_new0(struct resolver, 1);
    g_atomic_int_set(&resolver->references, 1);
    g_mutex_init(&resolver->lock);
    g_cond_init(&resolver->woken);
    g_queue_init(&resolver->asks);
    g_queue_init(&resolver->unsent);
    for (unsigned i = 0; i < TRIES_MOST - 1; i++)
        g_queue_init(&resolver->sent[i]);
    resolver->wake_pipe[0] = resolver->wake_pipe[1] = -1;
    resolver->under_way = g_hash_table_new(siphash_string, g_str_equal);
    resolver->cache = dns_cache_new(or_default(options->cache_entries, RESOLVER_CACHE_ENTRIES),
                                    or_default(options->cache_bytes, RESOLVER_CACHE_BYTES));
    return resolver;
}

static const char *start(struct resolver *resolver, const GArray *servers,
                         const struct resolver_options *options)
{
    const char *why = NULL;
    resolver->channel =
        channel_new(servers, (unsigned)or_default(options->timeout_ms, RESOLVER_TIMEOUT_MS),
                    (unsigned)or_default(options->tries, RESOLVER_TRIES), &why);
    if (!resolver->channel)
        return why;
    resolver->local = channel_is_local(resolver->channel);
    if (!open_pipe(resolver->wake_pipe))
        return g_strerror(errno);
    int error = start_thread(resolver);
    return error ? g_strerror(error) : NULL;
}

struct resolver *resolver_new(const char *servers, const struct resolver_options *options,
                              struct problems *problems, const char *file, unsigned line)
{
    static const struct resolver_options defaults;
    g_autoptr(GArray) list = dns_servers_parse(servers ? servers : "", problems, file, line);
    if (!list)
        return NULL;
    options = options ? options : &defaults;
    struct resolver *resolver = create(options);
    const char *why = start(resolver, list, options);
    if (!why)
        return resolver;
    problems_error(problems, file, line, "the resolver cannot be started: %s", why);
    resolver_unref(resolver);
    return NULL;
}

struct resolver *resolver_new_recorded(const struct resolver_record *record)
{
    static const struct resolver_options options = {.cache_entries = 1, .cache_bytes = 1};
    struct resolver *resolver = create(&options);
    resolver->record = *record;
    return resolver;
}

void resolver_free(struct resolver *resolver)
{
    if (!resolver)
        return;
    if (!resolver->thread) {
        resolver_unref(resolver);
        return;
    }
    g_mutex_lock(&resolver->lock);
    resolver->stopping = true;
    rouse(resolver);
    g_mutex_unlock(&resolver->lock);
    g_thread_join(resolver->thread);
    resolver_unref(resolver);
}

void resolver_set_listener(struct resolver *resolver, const struct resolver_listener *listener)
{
    resolver->listener = *listener;
}

bool resolver_is_local(const struct resolver *resolver)
{
    return resolver->local;
}

void resolver_counts(struct resolver *resolver, struct resolver_counts *counts_r)
{
    g_mutex_lock(&resolver->lock);
    *counts_r = resolver->counts;
    counts_r->silent = resolver->silent_since ? g_get_monotonic_time() - resolver->silent_since : 0;
    counts_r->under_way = g_hash_table_size(resolver->under_way);
    counts_r->cache_entries = dns_cache_entries(resolver->cache);
    counts_r->cache_bytes = dns_cache_bytes(resolver->cache);
    g_mutex_unlock(&resolver->lock);
}

/* ---- asking ---- */

/* An answer without AD never serves who asked for it, nor one that was not checked who did not. */
static char *make_key(const char *name, enum dns_type type, unsigned flags)
{
    size_t length = strlen(name);
    if (length > 0 && name[length - 1] == '.')
        length--;
    g_autofree char *lower = g_ascii_strdown(name, (gssize)length);
    return g_strdup_printf("%03u%u%s", (unsigned)type, flags, lower);
}

static struct sending *sending_new(struct resolver *resolver, const char *name, enum dns_type type,
                                   unsigned flags)
{
    struct sending *sending = g_new0(struct sending, 1);
    g_atomic_int_set(&sending->references, 1);
    sending->resolver = resolver;
    sending->key = make_key(name, type, flags);
    sending->name = sending->key + 4;
    sending->type = type;
    sending->flags = flags;
    sending->sent_at = g_get_monotonic_time();
    sending->questions = g_ptr_array_new();
    return sending;
}

/* Hangs a new question on the sending, whose reference it takes. With the lock held. */
static struct dns_question *attach(struct resolver *resolver, struct sending *sending,
                                   struct waker waker)
{
    struct dns_question *question = g_new0(struct dns_question, 1);
    g_atomic_int_set(&question->references, 1);
    g_atomic_int_inc(&resolver->references);
    question->resolver = resolver;
    question->sending = sending;
    question->waker = waker;
    question->immediate = g_atomic_pointer_get(&sending->answer) != NULL;
    if (!question->immediate && !resolver->record.answer) {
        g_atomic_int_inc(&question->references);
        g_ptr_array_add(sending->questions, question);
    }
    return question;
}

/* The sending that was under way already, or FRESH under way from now on. With the lock held. */
static struct sending *join_or_send(struct resolver *resolver, struct sending *fresh)
{
    struct sending *under_way = g_hash_table_lookup(resolver->under_way, fresh->key);
    if (under_way) {
        resolver->counts.shared++;
        g_atomic_int_inc(&under_way->references);
        sending_unref(fresh);
        return under_way;
    }
    if (resolver->stopping || g_hash_table_size(resolver->under_way) >= RESOLVER_UNDER_WAY_MAX) {
        g_atomic_pointer_set(
            &fresh->answer,
            dns_answer_failed(fresh->type, resolver->stopping ? DNS_FAIL_STOPPED : DNS_FAIL_BUSY));
        return fresh;
    }
    resolver->counts.sent++;
    g_atomic_int_inc(&fresh->references); /* the thread's */
    g_hash_table_insert(resolver->under_way, fresh->key, fresh);
    g_queue_push_tail(&resolver->asks, fresh);
    rouse(resolver);
    return fresh;
}

/* What was recorded is there at once, or never: nobody is woken. */
static struct dns_question *ask_record(struct resolver *resolver, struct sending *sending,
                                       bool fresh)
{
    const struct resolver_record *record = &resolver->record;
    struct dns_question *question = g_new0(struct dns_question, 1);
    struct dns_answer *answer =
        *sending->name ? record->answer(record->data, sending->name, sending->type, fresh)
                       : dns_answer_failed(sending->type, DNS_FAIL_NAME);
    if (answer)
        answer->received_at = sending->sent_at;
    g_atomic_pointer_set(&sending->answer, answer);
    g_atomic_int_set(&question->references, 1);
    g_atomic_int_inc(&resolver->references);
    question->resolver = resolver;
    question->sending = sending;
    question->immediate = answer != NULL;
    return question;
}

static struct dns_question *ask(struct resolver *resolver, const char *name, enum dns_type type,
                                unsigned flags, struct waker waker, bool cache)
{
    bool valid = dns_name_valid(name) || strcmp(name, ".") == 0;
    struct sending *sending = sending_new(resolver, valid ? name : "", type, flags);
    if (resolver->record.answer)
        return ask_record(resolver, sending, !cache);
    if (!valid)
        g_atomic_pointer_set(&sending->answer, dns_answer_failed(type, DNS_FAIL_NAME));
    g_mutex_lock(&resolver->lock);
    resolver->counts.asked++;
    sending->serial = ++resolver->next_serial;
    if (valid && cache) {
        g_atomic_pointer_set(&sending->answer,
                             dns_cache_find(resolver->cache, sending->key, sending->sent_at));
        if (g_atomic_pointer_get(&sending->answer))
            resolver->counts.cached++;
    }
    if (!g_atomic_pointer_get(&sending->answer))
        sending = join_or_send(resolver, sending);
    struct dns_question *question = attach(resolver, sending, waker);
    g_mutex_unlock(&resolver->lock);
    return question;
}

struct dns_question *resolver_ask(struct resolver *resolver, const char *name, enum dns_type type,
                                  struct waker waker)
{
    return ask(resolver, name, type, 0, waker, true);
}

struct dns_question *resolver_ask_flags(struct resolver *resolver, const char *name,
                                        enum dns_type type, unsigned flags, struct waker waker)
{
    return ask(resolver, name, type, flags & (DNS_ASK_AD | DNS_ASK_CD), waker, true);
}

struct dns_question *resolver_ask_fresh(struct resolver *resolver, const char *name,
                                        enum dns_type type, struct waker waker)
{
    return ask(resolver, name, type, 0, waker, false);
}

struct dns_question *dns_question_share(struct dns_question *question, struct waker waker)
{
    struct resolver *resolver = question->resolver;
    g_mutex_lock(&resolver->lock);
    g_atomic_int_inc(&question->sending->references);
    struct dns_question *other = attach(resolver, question->sending, waker);
    g_mutex_unlock(&resolver->lock);
    return other;
}

/* ---- collecting ---- */

const struct dns_answer *dns_question_answer(const struct dns_question *question)
{
    return g_atomic_pointer_get(&question->sending->answer);
}

enum dns_state dns_question_state(const struct dns_question *question)
{
    const struct dns_answer *answer = dns_question_answer(question);
    return answer ? answer->state : DNS_PENDING;
}

bool dns_question_immediate(const struct dns_question *question)
{
    return question->immediate;
}

uint64_t dns_question_serial(const struct dns_question *question)
{
    return question->sending->serial;
}

void dns_question_cancel(struct dns_question *question)
{
    struct resolver *resolver = question->resolver;
    g_mutex_lock(&resolver->lock);
    question->cancelled = true;
    /* the wake function itself may cancel: it cannot be waited for */
    while (question->waking && g_thread_self() != resolver->thread)
        g_cond_wait(&resolver->woken, &resolver->lock);
    g_mutex_unlock(&resolver->lock);
}

void dns_question_drop(struct dns_question *question)
{
    if (!question)
        return;
    dns_question_cancel(question);
    question_unref(question);
}
