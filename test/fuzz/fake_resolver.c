/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The functions of dns/resolver.h, and GLib's monotonic clock, once more. The linker takes these
 * and leaves resolver.c in its library.
 */
#include "fake_resolver.h"

#include <glib.h>
#include <string.h>

#include "dns/resolver.h"

struct resolver {
    struct resolver_counts counts;
};

struct dns_question {
    char *name;
    enum dns_type type;
    struct waker waker;
    bool immediate;
    uint64_t serial;
    const struct dns_answer *answer; /* NULL: pending */
};

static struct {
    int64_t now;
    unsigned seed;
    enum fake_manner manner;
    uint64_t serial;
    GPtrArray *pending;
    unsigned questions;
} world = {.now = G_TIME_SPAN_HOUR};

gint64 g_get_monotonic_time(void)
{
    return world.now;
}

void fake_clock_advance(int64_t microseconds)
{
    world.now += microseconds;
}

void fake_resolver_begin(const char *seed, enum fake_manner manner)
{
    world.now = G_TIME_SPAN_HOUR;
    world.serial = 0;
    fake_resolver_seed(seed);
    world.manner = manner;
    if (!world.pending)
        world.pending = g_ptr_array_new();
}

void fake_resolver_seed(const char *seed)
{
    world.seed = g_str_hash(seed);
}

void fake_resolver_manner(enum fake_manner manner)
{
    world.manner = manner;
}

unsigned fake_resolver_questions(void)
{
    return world.questions;
}

static unsigned number_for(const char *name, enum dns_type type)
{
    g_autofree char *lower = g_ascii_strdown(name, -1);
    unsigned hash = (g_str_hash(lower) ^ world.seed) * 2654435761u + (unsigned)type * 40503u;
    return hash ^ hash >> 15;
}

static void give_addresses(struct dns_answer *answer, unsigned number)
{
    static const char *const texts[] = {"127.0.0.2",   "127.0.0.4",       "127.0.0.10",
                                        "127.0.1.2",   "127.0.0.1",       "127.255.255.254",
                                        "203.0.113.1", "127.255.255.255", "127.0.0.3"};
    answer->count = 1 + number % 2;
    answer->addresses = g_new0(struct ipaddr, answer->count);
    for (size_t i = 0; i < answer->count; i++)
        ipaddr_parse(answer->type == DNS_AAAA ? "2001:db8::1"
                                              : texts[(number / 2 + i) % G_N_ELEMENTS(texts)],
                     &answer->addresses[i]);
}

static void give_texts(struct dns_answer *answer, unsigned number)
{
    static const char *const texts[] = {
        "listed, see https://bl.example/?ip=203.0.113.9",
        "550 5.7.1 lines\r\n250 ok",
        "percent %s%n%",
        "\xff\xfe not text \x01",
        "",
        "\"quoted\\\" \t tab",
    };
    answer->count = 1 + number % 3;
    answer->texts = g_new0(char *, answer->count);
    for (size_t i = 0; i < answer->count; i++)
        answer->texts[i] = g_strdup(texts[(number / 3 + i) % G_N_ELEMENTS(texts)]);
}

static void give_mx(struct dns_answer *answer, unsigned number)
{
    answer->count = 1;
    answer->mx = g_new0(struct dns_mx, 1);
    answer->mx[0].host = g_strdup(number % 2 ? "" : "mx.far.test");
}

static void give_names(struct dns_answer *answer)
{
    answer->count = 1;
    answer->names = g_new0(char *, 1);
    answer->names[0] = g_strdup("host.far.test");
}

/* Lists, whose names end in "example", have few entries; other names mostly exist. */
static bool is_list(const char *name)
{
    return g_str_has_suffix(name, "example");
}

/* The names that RFC 5782 wants to be in no list. */
static bool is_probe(const char *name)
{
    return g_ascii_strncasecmp(name, "invalid.", 8) == 0 || g_str_has_prefix(name, "1.0.0.127.");
}

static const struct dns_answer *invent(const char *name, enum dns_type type)
{
    unsigned number = number_for(name, type), kind = number % 16;
    if (!dns_name_valid(name))
        return dns_answer_failed(type, DNS_FAIL_NAME);
    if (kind == 0)
        return dns_answer_failed(type, number & 16 ? DNS_FAIL_SERVFAIL : DNS_FAIL_TIMEOUT);
    struct dns_answer *answer = g_new0(struct dns_answer, 1);
    *answer = (struct dns_answer){
        .type = type, .state = DNS_NO_NAME, .ttl = 60, .received_at = world.now, .references = 1};
    if (kind < 5 || (kind < 12 && is_list(name)) || (kind < 15 && is_probe(name)))
        return answer;
    answer->state = kind == 5 ? DNS_NO_DATA : DNS_ANSWERED;
    if (kind == 5)
        return answer;
    if (type == DNS_A || type == DNS_AAAA)
        give_addresses(answer, number >> 4);
    else if (type == DNS_TXT)
        give_texts(answer, number >> 4);
    else if (type == DNS_MX)
        give_mx(answer, number >> 4);
    else
        give_names(answer);
    return answer;
}

struct resolver *resolver_new(const char *servers, const struct resolver_options *options,
                              struct problems *problems, const char *file, unsigned line)
{
    (void)servers, (void)options, (void)problems, (void)file, (void)line;
    return g_new0(struct resolver, 1);
}

void resolver_free(struct resolver *resolver)
{
    g_free(resolver);
}

void resolver_set_listener(struct resolver *resolver, const struct resolver_listener *listener)
{
    (void)resolver, (void)listener;
}

void resolver_counts(struct resolver *resolver, struct resolver_counts *counts_r)
{
    *counts_r = resolver->counts;
}

static struct dns_question *question_new(const char *name, enum dns_type type, struct waker waker)
{
    struct dns_question *question = g_new0(struct dns_question, 1);
    question->name = g_strdup(name);
    question->type = type;
    question->waker = waker;
    question->serial = ++world.serial;
    world.questions++;
    return question;
}

struct dns_question *resolver_ask(struct resolver *resolver, const char *name, enum dns_type type,
                                  struct waker waker)
{
    struct dns_question *question = question_new(name, type, waker);
    resolver->counts.asked++;
    question->immediate = world.manner == FAKE_AT_ONCE || !dns_name_valid(name);
    if (question->immediate)
        question->answer = invent(name, type);
    else
        g_ptr_array_add(world.pending, question);
    return question;
}

struct dns_question *resolver_ask_fresh(struct resolver *resolver, const char *name,
                                        enum dns_type type, struct waker waker)
{
    return resolver_ask(resolver, name, type, waker);
}

struct dns_question *dns_question_share(struct dns_question *question, struct waker waker)
{
    struct dns_question *other = question_new(question->name, question->type, waker);
    other->serial = question->serial;
    other->immediate = question->answer != NULL;
    if (other->immediate)
        other->answer = dns_answer_ref(question->answer);
    else
        g_ptr_array_add(world.pending, other);
    return other;
}

/* Answers first, then wakes: who is woken may give any question back. */
void fake_resolver_answer(void)
{
    if (world.manner == FAKE_NEVER)
        return;
    g_autoptr(GArray) wakers = g_array_new(FALSE, FALSE, sizeof(struct waker));
    for (guint i = 0; i < world.pending->len; i++) {
        struct dns_question *question = world.pending->pdata[i];
        question->answer = invent(question->name, question->type);
        if (question->waker.wake)
            g_array_append_val(wakers, question->waker);
    }
    g_ptr_array_set_size(world.pending, 0);
    for (guint i = 0; i < wakers->len; i++) {
        const struct waker *waker = &g_array_index(wakers, struct waker, i);
        waker->wake(waker->data);
    }
}

enum dns_state dns_question_state(const struct dns_question *question)
{
    return question->answer ? question->answer->state : DNS_PENDING;
}

const struct dns_answer *dns_question_answer(const struct dns_question *question)
{
    return question->answer;
}

bool dns_question_immediate(const struct dns_question *question)
{
    return question->immediate;
}

uint64_t dns_question_serial(const struct dns_question *question)
{
    return question->serial;
}

void dns_question_cancel(struct dns_question *question)
{
    question->waker = (struct waker){0};
}

void dns_question_drop(struct dns_question *question)
{
    if (!question)
        return;
    g_ptr_array_remove(world.pending, question);
    dns_answer_unref(question->answer);
    world.questions--;
    g_free(question->name);
    g_free(question);
}
