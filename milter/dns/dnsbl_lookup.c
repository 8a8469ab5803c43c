/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Lookups: keys, the questions that they lead to, and links between entries and questions.
 */
#include "dns/dnsbl_lookup.h"

#include <string.h>

#include "base/siphash.h"
#include "dnsbl_state_private.h"

/* One name that is asked of one list. */
struct query {
    char *name;
    guint hash; /* of the name, in any case: names of many lists and addresses differ late */
    enum dnsbl_kind kind;
    const char *zone;              /* of the set */
    struct dnsbl_list *list;       /* NULL: not asked, REASON tells why */
    struct dns_question *question; /* NULL likewise */
    struct dns_question *probe;    /* what a listing waits for; NULL: nothing */
    struct dns_question *text;
    bool settled; /* the answer was judged and reported */
    bool gave_up; /* reported as timed out, while it may still come */
    enum dnsbl_reason reason;
};

/* An entry is concerned by a query. */
struct link {
    unsigned entry;
    enum dnsbl_place place;
    struct query *query;
    const char *what;
};

struct dnsbl_lookup {
    struct dnsbl_set *set;
    struct resolver *resolver;
    struct dnsbl_state *state;
    struct waker waker;
    int64_t deadline;
    unsigned keys[DNSBL_PLACES]; /* of each place */
    unsigned unasked;            /* places that have more of them than are asked */
    GPtrArray *queries;
    GArray *links;
    GPtrArray *whats; /* the keys as they were added */
};

static void query_free(void *data)
{
    struct query *query = data;
    dns_question_drop(query->question);
    dns_question_drop(query->probe);
    dns_question_drop(query->text);
    g_free(query->name);
    g_free(query);
}

struct dnsbl_lookup *dnsbl_lookup_new(struct dnsbl_set *set, struct resolver *resolver,
                                      struct dnsbl_state *state, struct waker waker)
{
    struct dnsbl_lookup *lookup = g_new0(struct dnsbl_lookup, 1);
    lookup->set = dnsbl_set_ref(set);
    lookup->resolver = resolver;
    lookup->state = state;
    lookup->waker = waker;
    lookup->queries = g_ptr_array_new_with_free_func(query_free);
    lookup->links = g_array_new(FALSE, FALSE, sizeof(struct link));
    lookup->whats = g_ptr_array_new_with_free_func(g_free);
    return lookup;
}

void dnsbl_lookup_free(struct dnsbl_lookup *lookup)
{
    if (!lookup)
        return;
    g_ptr_array_unref(lookup->queries);
    g_array_unref(lookup->links);
    g_ptr_array_unref(lookup->whats);
    dnsbl_set_unref(lookup->set);
    g_free(lookup);
}

/* ---- asking ---- */

/* What the cache holds from before the list was last well is not believed: asked anew. */
static void send_query(struct dnsbl_lookup *lookup, struct query *query)
{
    int64_t since;
    query->list = list_begin(lookup->state, lookup->resolver, query->zone, query->kind,
                             lookup->waker, &query->probe, &since, &query->reason);
    if (!query->list)
        return;
    query->question = resolver_ask(lookup->resolver, query->name, DNS_A, lookup->waker);
    const struct dns_answer *answer = dns_question_answer(query->question);
    if (!dns_question_immediate(query->question) || !answer || answer->state == DNS_FAILED ||
        answer->received_at >= since)
        return;
    dns_question_drop(query->question);
    query->question = resolver_ask_fresh(lookup->resolver, query->name, DNS_A, lookup->waker);
}

/* Links entry INDEX with the query for KEY at its list, which is sent if it is the first. */
static void ask_entry(struct dnsbl_lookup *lookup, unsigned index, enum dnsbl_place place,
                      const char *key, const char *what)
{
    const struct dnsbl_entry *entry = dnsbl_set_get(lookup->set, index);
    g_autofree char *name = g_strdup_printf("%s.%s", key, entry->zone);
    if (!dns_name_valid(name))
        return;
    guint hash = siphash_caseless(name, strlen(name));
    struct query *query = NULL;
    for (unsigned i = 0; i < lookup->queries->len && !query; i++) {
        struct query *other = lookup->queries->pdata[i];
        if (other->hash == hash && other->kind == entry->kind &&
            g_ascii_strcasecmp(other->name, name) == 0)
            query = other;
    }
    if (!query) {
        query = g_new0(struct query, 1);
        query->name = g_steal_pointer(&name);
        query->hash = hash;
        query->kind = entry->kind;
        query->zone = entry->zone;
        g_ptr_array_add(lookup->queries, query);
        send_query(lookup, query);
    }
    struct link link = {index, place, query, what};
    g_array_append_val(lookup->links, link);
}

/* Adds what a place says, WHAT, as an address, a name or an e-mail address; NULL: it is none. */
static void add_key(struct dnsbl_lookup *lookup, enum dnsbl_place place, const char *what,
                    const struct ipaddr *address, const char *name, const char *email)
{
    if (!(dnsbl_set_places(lookup->set) & place) || (lookup->unasked & place))
        return;
    for (unsigned i = 0; i < lookup->links->len; i++) {
        const struct link *link = &g_array_index(lookup->links, struct link, i);
        if (link->place == place && strcmp(link->what, what) == 0)
            return; /* it was added before */
    }
    unsigned *keys = &lookup->keys[g_bit_nth_lsf(place, -1)];
    if (*keys >= DNSBL_KEYS_MAX) {
        lookup->unasked |= place;
        return;
    }
    ++*keys;
    char *copy = g_strdup(what);
    g_ptr_array_add(lookup->whats, copy);
    for (unsigned i = 0; i < dnsbl_set_count(lookup->set); i++) {
        const struct dnsbl_entry *entry = dnsbl_set_get(lookup->set, i);
        if (!(entry->places & place))
            continue;
        g_autofree char *key = NULL;
        if (entry->kind == DNSBL_ADDRESS && address)
            key = dnsbl_key_for_address(address);
        else if (entry->kind == DNSBL_HASH && email)
            key = dnsbl_key_for_email(email, entry->hash);
        else if (entry->kind == DNSBL_NAME && name)
            key = dnsbl_key_for_domain(name);
        if (key)
            ask_entry(lookup, i, place, key, copy);
    }
}

void dnsbl_lookup_add_address(struct dnsbl_lookup *lookup, const struct ipaddr *address)
{
    char text[IPADDR_TEXT_MAX];
    add_key(lookup, DNSBL_CLIENT, ipaddr_format(address, text), address, NULL, NULL);
}

void dnsbl_lookup_add_name(struct dnsbl_lookup *lookup, enum dnsbl_place place, const char *name)
{
    add_key(lookup, place, name, NULL, name, NULL);
}

void dnsbl_lookup_add_email(struct dnsbl_lookup *lookup, enum dnsbl_place place,
                            const char *address)
{
    const char *at = strrchr(address, '@');
    if (at)
        add_key(lookup, place, address, NULL, at + 1, address);
}

/* Whether some key still leads to a query, or bears a name. */
static bool is_linked(const struct dnsbl_lookup *lookup, const void *query_or_what)
{
    for (unsigned i = 0; i < lookup->links->len; i++) {
        const struct link *link = &g_array_index(lookup->links, struct link, i);
        if (link->query == query_or_what || link->what == query_or_what)
            return true;
    }
    return false;
}

void dnsbl_lookup_forget(struct dnsbl_lookup *lookup, unsigned places)
{
    for (unsigned i = lookup->links->len; i-- > 0;)
        if (g_array_index(lookup->links, struct link, i).place & places)
            g_array_remove_index(lookup->links, i);
    for (unsigned i = lookup->queries->len; i-- > 0;)
        if (!is_linked(lookup, lookup->queries->pdata[i]))
            g_ptr_array_remove_index(lookup->queries, i);
    for (unsigned i = lookup->whats->len; i-- > 0;)
        if (!is_linked(lookup, lookup->whats->pdata[i]))
            g_ptr_array_remove_index(lookup->whats, i);
    for (unsigned i = 0; i < DNSBL_PLACES; i++)
        if (places & 1U << i)
            lookup->keys[i] = 0;
    lookup->unasked &= ~places;
}

unsigned dnsbl_lookup_unasked(const struct dnsbl_lookup *lookup)
{
    return lookup->unasked;
}

/* ---- taking in answers ---- */

/* The first address of the answer that is a listing for the entry; NULL if there is none. */
static const struct ipaddr *match(const struct dnsbl_entry *entry, const struct dns_answer *answer)
{
    for (size_t i = 0; i < answer->count; i++) {
        const struct ipaddr *code = &answer->addresses[i];
        const uint8_t *b = code->bytes;
        bool reserved = b[1] == 0 && b[2] == 0 && b[3] == 1;
        if (entry->filtered ? dnsbl_filter_match(&entry->filter, code)
                            : dnsbl_judge_code(code) == DNSBL_FINE && !reserved)
            return code;
    }
    return NULL;
}

static bool same_list(const struct dnsbl_entry *entry, const struct query *query)
{
    return entry->kind == query->kind && g_ascii_strcasecmp(entry->zone, query->zone) == 0;
}

/* Whether a filter of any entry for this list names the code. */
static bool named(const struct dnsbl_lookup *lookup, const struct query *query,
                  const struct ipaddr *code)
{
    for (unsigned i = 0; i < dnsbl_set_count(lookup->set); i++) {
        const struct dnsbl_entry *entry = dnsbl_set_get(lookup->set, i);
        if (entry->filtered && same_list(entry, query) && dnsbl_filter_match(&entry->filter, code))
            return true;
    }
    return false;
}

/* What an answer says of the list that gave it; *LISTED_R: whether it lists the key for any entry.
 * A code that tells of trouble is none, unless a filter names it. */
static enum dnsbl_reason judge(const struct dnsbl_lookup *lookup, const struct query *query,
                               const struct dns_answer *answer, bool *listed_r)
{
    *listed_r = false;
    if (answer->state == DNS_FAILED)
        return answer->failure == DNS_FAIL_TIMEOUT ? DNSBL_TIMED_OUT : DNSBL_ERROR;
    if (answer->state != DNS_ANSWERED)
        return DNSBL_FINE;
    for (size_t i = 0; i < answer->count; i++) {
        enum dnsbl_reason reason = dnsbl_judge_code(&answer->addresses[i]);
        if (reason != DNSBL_FINE && !named(lookup, query, &answer->addresses[i]))
            return reason;
    }
    for (unsigned i = 0; i < dnsbl_set_count(lookup->set) && !*listed_r; i++) {
        const struct dnsbl_entry *entry = dnsbl_set_get(lookup->set, i);
        *listed_r = same_list(entry, query) && match(entry, answer);
    }
    /* what was asked for may have been behind what was cut off */
    return answer->cut && !*listed_r ? DNSBL_ERROR : DNSBL_FINE;
}

static bool past(const struct dnsbl_lookup *lookup)
{
    return lookup->deadline != 0 && g_get_monotonic_time() >= lookup->deadline;
}

static bool awaited(const struct dns_question *question)
{
    return question && dns_question_state(question) == DNS_PENDING;
}

/* Tells the list how it did with a query. */
static void report(const struct query *query, enum dnsbl_reason reason, bool listed,
                   const struct dns_answer *answer)
{
    const struct list_report told = {
        .reason = reason,
        .listed = listed,
        .cached = dns_question_immediate(query->question),
        .latency_us = answer ? answer->latency_us : 0,
        .serial = dns_question_serial(query->question),
    };
    list_report(query->list, &told);
}

void dnsbl_lookup_advance(struct dnsbl_lookup *lookup, unsigned places)
{
    for (unsigned i = 0; i < lookup->links->len; i++) {
        const struct link *link = &g_array_index(lookup->links, struct link, i);
        struct query *query = link->query;
        if (!(link->place & places) || query->settled || !query->list)
            continue;
        const struct dns_answer *answer = dns_question_answer(query->question);
        if (!answer) {
            if (!query->gave_up && past(lookup)) {
                query->gave_up = true;
                report(query, DNSBL_TIMED_OUT, false, NULL);
            }
            continue;
        }
        bool listed;
        query->reason = judge(lookup, query, answer, &listed);
        /* A listing waits for the probe that shows whether the list lists everything. */
        if (listed && awaited(query->probe))
            continue;
        /* Our own failures say nothing of the list; that it is silent was told at the deadline. */
        bool failed = answer->state == DNS_FAILED;
        bool own =
            failed && (answer->failure == DNS_FAIL_BUSY || answer->failure == DNS_FAIL_STOPPED ||
                       answer->failure == DNS_FAIL_NAME);
        if (!own && !(failed && query->gave_up))
            report(query, query->reason, listed, answer);
        if (listed)
            query->reason = list_verdict(query->list);
        query->settled = true;
        dns_question_drop(g_steal_pointer(&query->probe));
    }
}

void dnsbl_lookup_set_deadline(struct dnsbl_lookup *lookup, int64_t deadline)
{
    lookup->deadline = deadline;
}

/* ---- results ---- */

/* Which of two verdicts on different keys counts for the entry. */
static unsigned rank(enum dnsbl_verdict verdict)
{
    static const unsigned ranks[] = {
        [DNSBL_NOT_ASKED] = 0, [DNSBL_NOT_LISTED] = 1, [DNSBL_UNKNOWN] = 2,
        [DNSBL_PENDING] = 3,   [DNSBL_LISTED] = 4,
    };
    return ranks[verdict];
}

/* What entry INDEX says, and the query that it says so by; NULL: none. */
static struct query *decide(const struct dnsbl_lookup *lookup, unsigned index, unsigned places,
                            struct dnsbl_result *result_r)
{
    struct query *decisive = NULL;
    *result_r = (struct dnsbl_result){.entry = dnsbl_set_get(lookup->set, index)};
    for (unsigned i = 0; i < lookup->links->len; i++) {
        const struct link *link = &g_array_index(lookup->links, struct link, i);
        struct query *query = link->query;
        if (link->entry != index || !(link->place & places))
            continue;
        struct dnsbl_result result = {
            .entry = result_r->entry,
            .reason = query->reason,
            .place = link->place,
            .what = link->what,
            .answer = query->question ? dns_question_answer(query->question) : NULL,
            .cached = query->question && dns_question_immediate(query->question),
        };
        const struct ipaddr *code = result.answer ? match(result.entry, result.answer) : NULL;
        if (query->list && !query->settled) {
            result.reason = DNSBL_TIMED_OUT;
            result.verdict = past(lookup) ? DNSBL_UNKNOWN : DNSBL_PENDING;
        } else if (query->reason != DNSBL_FINE) {
            result.verdict = DNSBL_UNKNOWN;
        } else if (!code && result.answer && result.answer->cut) { /* another entry found its own */
            result.verdict = DNSBL_UNKNOWN;
            result.reason = DNSBL_ERROR;
        } else {
            result.verdict = code ? DNSBL_LISTED : DNSBL_NOT_LISTED;
            if (code)
                result.code = *code;
        }
        if (rank(result.verdict) > rank(result_r->verdict)) {
            *result_r = result;
            decisive = query;
        }
    }
    return decisive;
}

void dnsbl_lookup_result(const struct dnsbl_lookup *lookup, unsigned index, unsigned places,
                         struct dnsbl_result *result_r)
{
    decide(lookup, index, places, result_r);
}

bool dnsbl_lookup_pending(const struct dnsbl_lookup *lookup, unsigned places)
{
    struct dnsbl_sum sum;
    dnsbl_lookup_sum(lookup, places, &sum);
    return sum.pending;
}

void dnsbl_lookup_sum(const struct dnsbl_lookup *lookup, unsigned places, struct dnsbl_sum *sum_r)
{
    int most = 0, open_most = 0, open = -1;
    *sum_r = (struct dnsbl_sum){.top = -1};
    for (unsigned i = 0; i < dnsbl_set_count(lookup->set); i++) {
        struct dnsbl_result result;
        decide(lookup, i, places, &result);
        int weight = result.entry->weight;
        if (result.verdict == DNSBL_LISTED) {
            sum_r->sum += weight;
            sum_r->lowest += weight;
            sum_r->highest += weight;
            if (sum_r->top < 0 || weight > most) {
                sum_r->top = (int)i;
                most = weight;
            }
        } else if (result.verdict == DNSBL_PENDING) {
            sum_r->pending = true;
            *(weight < 0 ? &sum_r->lowest : &sum_r->highest) += weight;
            if (open < 0 || weight > open_most) {
                open = (int)i;
                open_most = weight;
            }
        }
    }
    sum_r->top_open = open >= 0 && (sum_r->top < 0 || open_most > most ||
                                    (open_most == most && open < sum_r->top));
}

/* ---- the history ---- */

/* What the entries add that count by this query. */
static int64_t weight_of(const struct dnsbl_lookup *lookup, const struct query *query)
{
    int64_t weight = 0;
    for (unsigned i = 0; i < dnsbl_set_count(lookup->set); i++) {
        struct dnsbl_result result;
        const struct query *decisive = decide(lookup, i, DNSBL_ANYWHERE, &result);
        if (decisive == query && result.verdict == DNSBL_LISTED)
            weight += result.entry->weight;
    }
    return weight;
}

bool dnsbl_lookup_asked(const struct dnsbl_lookup *lookup, unsigned index,
                        struct dnsbl_asked *asked_r)
{
    if (index >= lookup->queries->len)
        return false;
    const struct query *query = lookup->queries->pdata[index];
    *asked_r = (struct dnsbl_asked){
        .query = query->name, .zone = query->zone, .kind = query->kind, .reason = query->reason};
    for (unsigned i = 0; i < lookup->links->len && !asked_r->what; i++) {
        const struct link *link = &g_array_index(lookup->links, struct link, i);
        if (link->query != query)
            continue;
        asked_r->place = link->place;
        asked_r->what = link->what;
    }
    if (!query->list)
        return true;
    if (query->settled)
        asked_r->answer = dns_question_answer(query->question);
    if (!query->settled && query->gave_up)
        asked_r->reason = DNSBL_TIMED_OUT;
    if (!query->settled)
        asked_r->verdict = query->gave_up ? DNSBL_UNKNOWN : DNSBL_PENDING;
    else if (query->reason != DNSBL_FINE)
        asked_r->verdict = DNSBL_UNKNOWN;
    else
        asked_r->verdict = asked_r->answer->count > 0 ? DNSBL_LISTED : DNSBL_NOT_LISTED;
    if (asked_r->verdict == DNSBL_LISTED)
        asked_r->weight = weight_of(lookup, query);
    return true;
}

/* ---- texts ---- */

void dnsbl_lookup_ask_text(struct dnsbl_lookup *lookup, unsigned index, unsigned places)
{
    struct dnsbl_result result;
    struct query *query = decide(lookup, index, places, &result);
    if (result.verdict == DNSBL_LISTED && !query->text)
        query->text = resolver_ask(lookup->resolver, query->name, DNS_TXT, lookup->waker);
}

bool dnsbl_lookup_text(const struct dnsbl_lookup *lookup, unsigned index, unsigned places,
                       char **text_r)
{
    struct dnsbl_result result;
    const struct query *query = decide(lookup, index, places, &result);
    const struct dns_question *question = query ? query->text : NULL;
    *text_r = NULL;
    if (awaited(question))
        return !past(lookup);
    if (!question || dns_question_state(question) != DNS_ANSWERED)
        return false;
    const struct dns_answer *answer = dns_question_answer(question);
    GString *text = g_string_new(NULL);
    for (size_t i = 0; i < answer->count && text->len < DNSBL_TEXT_MAX; i++)
        g_string_append_printf(text, "%s%s", i > 0 ? " / " : "", answer->texts[i]);
    g_string_truncate(text, MIN(text->len, DNSBL_TEXT_MAX));
    *text_r = g_string_free(text, FALSE);
    return false;
}
