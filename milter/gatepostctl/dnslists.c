/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Asking the DNS lists in force. Each set of lists of each policy is looked up in as a session
 * would; what several policies have in common is shown once.
 */
#include "dnslists.h"

#include <string.h>

#include "checks/dns_questions.h"
#include "checks/spam.h"
#include "base/waiting.h"

/* How long to sleep between looks at a probe, which wakes nobody. */
#define PROBE_LOOK_US (5 * G_TIME_SPAN_MILLISECOND)

/* The lists of one policy, or those that its restrictions and rules name. */
struct source {
    const struct policy *policy;
    struct dnsbl_set *set;
    bool weighted;
};

struct dnslists {
    const struct snapshot *snapshot;
    const struct site *site; /* of the connections without a section of their own */
    struct resolver *resolver;
    struct dnsbl_state *state;
    struct waiting waiting;
    GArray *sources; /* of struct source */
};

/* Life */

static void add_source(struct dnslists *lists, const struct policy *policy, struct dnsbl_set *set,
                       bool weighted)
{
    struct source source = {.policy = policy, .set = set, .weighted = weighted};
    if (dnsbl_set_count(set) > 0)
        g_array_append_val(lists->sources, source);
}

struct dnslists *dnslists_new(const struct snapshot *snapshot, struct problems *problems)
{
    const struct setting_value *servers =
        settings_get(snapshot_settings(snapshot), NULL, SETTING_DNS_SERVERS);
    struct resolver *resolver =
        resolver_new(servers->text, NULL, problems, servers->file, servers->line);
    if (!resolver)
        return NULL;
    struct dnslists *lists = g_new0(struct dnslists, 1);
    lists->snapshot = snapshot;
    lists->site = &snapshot_main_policy(snapshot)->site;
    lists->resolver = resolver;
    lists->state = dnsbl_state_new(NULL, NULL);
    waiting_init(&lists->waiting);
    lists->sources = g_array_new(FALSE, FALSE, sizeof(struct source));
    const struct policy *policy;
    for (unsigned i = 0; (policy = snapshot_policy_at(snapshot, i)); i++) {
        add_source(lists, policy, policy->site.dnsbl_weighted, true);
        add_source(lists, policy, policy->site.dnsbl_zones, false);
    }
    return lists;
}

void dnslists_free(struct dnslists *lists)
{
    if (!lists)
        return;
    resolver_free(lists->resolver);
    dnsbl_state_free(lists->state);
    waiting_clear(&lists->waiting);
    g_array_unref(lists->sources);
    g_free(lists);
}

bool dnslists_any(const struct dnslists *lists)
{
    return lists->sources->len > 0;
}

static const struct source *get_source(const struct dnslists *lists, unsigned index)
{
    return &g_array_index(lists->sources, struct source, index);
}

const char *listing_state_text(enum listing_state state)
{
    static const char *const texts[] = {"listed", "not listed", "refuses to serve", "no answer",
                                        "failed its probe"};
    return texts[state];
}

/* Subjects */

static void listing_free(void *data)
{
    struct listing *listing = data;
    g_ptr_array_unref(listing->codes);
    g_free(listing->text);
    g_free(listing);
}

/* "[192.0.2.1]" and "192.0.2.1" are the same. */
static bool read_address(const char *text, struct ipaddr *address_r)
{
    size_t length = strlen(text);
    if (length < 2 || text[0] != '[' || text[length - 1] != ']')
        return ipaddr_parse(text, address_r);
    g_autofree char *inner = g_strndup(text + 1, length - 2);
    return ipaddr_parse(inner, address_r);
}

struct subject *subject_new(const char *text)
{
    struct ipaddr address;
    bool is_address = read_address(text, &address);
    bool is_email = !is_address && strchr(text, '@');
    g_autofree char *key = is_address ? g_strdup("")
                           : is_email ? dnsbl_canonical_email(text)
                                      : dnsbl_key_for_domain(text);
    if (!key)
        return NULL;
    struct subject *subject = g_new0(struct subject, 1);
    subject->text = g_strdup(text);
    subject->kind = is_address ? DNSBL_ADDRESS : is_email ? DNSBL_HASH : DNSBL_NAME;
    subject->is_private = is_address && ipaddr_is_private(&address);
    subject->listings = g_ptr_array_new_with_free_func(listing_free);
    return subject;
}

void subject_free(struct subject *subject)
{
    if (!subject)
        return;
    g_ptr_array_unref(subject->listings);
    g_free(subject->text);
    g_free(subject);
}

/* Asking */

static void add_subject(struct dnsbl_lookup *lookup, const struct subject *subject)
{
    static const enum dnsbl_place places[] = {DNSBL_HELO,     DNSBL_PTR,  DNSBL_REVERSE,
                                              DNSBL_SENDER,   DNSBL_FROM, DNSBL_REPLY_TO,
                                              DNSBL_RECIPIENT};
    struct ipaddr address;
    if (subject->kind == DNSBL_ADDRESS) {
        if (!subject->is_private && read_address(subject->text, &address))
            dnsbl_lookup_add_address(lookup, &address);
        return;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(places); i++) {
        if (subject->kind == DNSBL_NAME)
            dnsbl_lookup_add_name(lookup, places[i], subject->text);
        else if (places[i] & (DNSBL_SENDER | DNSBL_RECIPIENT | DNSBL_FROM | DNSBL_REPLY_TO))
            dnsbl_lookup_add_email(lookup, places[i], subject->text);
    }
}

static void send_questions(struct dnslists *lists, struct subject *subject)
{
    subject->lookups = g_new0(struct dnsbl_lookup *, lists->sources->len);
    for (unsigned i = 0; i < lists->sources->len; i++) {
        subject->lookups[i] = dnsbl_lookup_new(get_source(lists, i)->set, lists->resolver,
                                               lists->state, lists->waiting.waker);
        add_subject(subject->lookups[i], subject);
    }
}

/* Whether something is still open; asks for the texts of what turned out to be listed. */
static bool is_open(struct dnslists *lists, struct subject *subject, int64_t deadline)
{
    bool open = false;
    for (unsigned i = 0; i < lists->sources->len; i++) {
        struct dnsbl_lookup *lookup = subject->lookups[i];
        dnsbl_lookup_set_deadline(lookup, deadline);
        dnsbl_lookup_advance(lookup, DNSBL_ANYWHERE);
        for (unsigned k = 0; k < dnsbl_set_count(get_source(lists, i)->set); k++) {
            struct dnsbl_result result;
            g_autofree char *text = NULL;
            dnsbl_lookup_result(lookup, k, DNSBL_ANYWHERE, &result);
            open |= result.verdict == DNSBL_PENDING;
            if (result.verdict != DNSBL_LISTED)
                continue;
            dnsbl_lookup_ask_text(lookup, k, DNSBL_ANYWHERE);
            open |= dnsbl_lookup_text(lookup, k, DNSBL_ANYWHERE, &text);
        }
    }
    return open;
}

static bool is_probing(struct dnslists *lists)
{
    g_autoptr(GPtrArray) all = dnsbl_state_status(lists->state);
    for (guint i = 0; i < all->len; i++)
        if (((const struct dnsbl_list_status *)all->pdata[i])->probing)
            return true;
    return false;
}

static void wait_for_probes(struct dnslists *lists, int64_t deadline)
{
    while (is_probing(lists) && g_get_monotonic_time() < deadline)
        g_usleep(PROBE_LOOK_US);
}

/* Collecting */

/* The restriction of LIST (NULL: none) that names zone INDEX; NULL: none does. */
static const struct restriction *namer_in(const struct restriction_list *list, unsigned index)
{
    const struct restriction_item *item;
    for (unsigned i = 0; list && (item = restriction_list_item(list, i)); i++)
        if (item->row && item->row->argument == ARGUMENT_ZONE && item->argument.zone == index)
            return item->row;
    return NULL;
}

/* The restriction or rule that names list INDEX of the policy's zones: of a list, or of a class
 * that only tables reach. */
static const char *who_names(const struct policy *policy, unsigned index, bool *permits_r)
{
    const struct restriction *row = NULL;
    for (int kind = 0; kind < LIST_COUNT && !row; kind++)
        row = namer_in(policy->lists[kind], index);
    for (guint i = 0; policy->classes && i < policy->classes->all->len && !row; i++)
        row = namer_in(((struct restriction_class *)policy->classes->all->pdata[i])->list, index);
    if (row) {
        *permits_r = row->traits & TRAIT_PERMITS;
        return row->name;
    }
    const struct spam_site *spam = policy->site.spam;
    for (guint i = 0; i < spam->rule_zones->len; i++)
        if (g_array_index(spam->rule_zones, unsigned, i) == index)
            return ruleset_external_get(spam->ruleset, i)->name;
    return "";
}

static const char *user_of(const struct source *source, unsigned index, bool *permits_r)
{
    static const char *const settings[] = {"dnsbl_sites", "rhsbl_sites", "hashbl_sites"};
    const struct dnsbl_entry *entry = dnsbl_set_get(source->set, index);
    *permits_r = source->weighted && entry->weight < 0;
    return source->weighted ? settings[entry->kind] : who_names(source->policy, index, permits_r);
}

static enum listing_state state_of(enum dnsbl_reason reason)
{
    static const enum listing_state states[] = {
        [DNSBL_FINE] = LISTING_NOT_LISTED,   [DNSBL_TIMED_OUT] = LISTING_NO_ANSWER,
        [DNSBL_ERROR] = LISTING_NO_ANSWER,   [DNSBL_REFUSES] = LISTING_REFUSES,
        [DNSBL_REWRITTEN] = LISTING_REFUSES, [DNSBL_LISTS_PROBE] = LISTING_FAILED_PROBE,
        [DNSBL_SILENT] = LISTING_NO_ANSWER,  [DNSBL_NO_TEST_ENTRY] = LISTING_NOT_LISTED,
    };
    return states[reason];
}

/* A list that was set aside meanwhile says nothing that counts. */
static enum dnsbl_reason reason_of(struct dnslists *lists, const struct dnsbl_result *result)
{
    struct dnsbl_list_status *status =
        dnsbl_state_list(lists->state, result->entry->zone, result->entry->kind);
    bool aside = status && status->health == DNSBL_ASIDE;
    enum dnsbl_reason reason = aside                              ? status->reason
                               : result->verdict == DNSBL_UNKNOWN ? result->reason
                                                                  : DNSBL_FINE;
    dnsbl_list_status_free(status);
    return reason;
}

static void take_answer(struct listing *listing, const struct dns_answer *answer)
{
    char text[IPADDR_TEXT_MAX];
    listing->latency_us = answer ? answer->latency_us : -1;
    if (!answer || answer->type != DNS_A)
        return;
    for (size_t i = 0; i < answer->count; i++)
        g_ptr_array_add(listing->codes, g_strdup(ipaddr_format(&answer->addresses[i], text)));
}

static struct listing *collect(struct dnslists *lists, const struct source *source,
                               struct dnsbl_lookup *lookup, unsigned index)
{
    struct dnsbl_result result;
    dnsbl_lookup_advance(lookup, DNSBL_ANYWHERE);
    dnsbl_lookup_result(lookup, index, DNSBL_ANYWHERE, &result);
    if (result.verdict == DNSBL_NOT_ASKED)
        return NULL;
    struct listing *listing = g_new0(struct listing, 1);
    enum dnsbl_reason reason = reason_of(lists, &result);
    listing->entry = result.entry;
    listing->weighted = source->weighted;
    listing->used_by = user_of(source, index, &listing->permits);
    listing->codes = g_ptr_array_new_with_free_func(g_free);
    bool decides = !source->weighted && source->policy == snapshot_main_policy(lists->snapshot);
    listing->zone_index = decides ? (int)index : -1;
    take_answer(listing, result.answer);
    bool listed = result.verdict == DNSBL_LISTED && reason == DNSBL_FINE;
    listing->state = listed ? LISTING_LISTED : state_of(reason);
    if (listed)
        dnsbl_lookup_text(lookup, index, DNSBL_ANYWHERE, &listing->text);
    else if (reason == DNSBL_ERROR && result.answer && result.answer->state == DNS_FAILED)
        listing->why = dns_failure_text(result.answer->failure);
    else if (reason != DNSBL_FINE)
        listing->why = dnsbl_reason_text(reason, result.entry->kind);
    return listing;
}

static bool is_known(const struct subject *subject, const struct listing *listing)
{
    for (guint i = 0; i < subject->listings->len; i++) {
        const struct listing *other = subject->listings->pdata[i];
        if (other->weighted == listing->weighted && other->entry->kind == listing->entry->kind &&
            strcmp(other->entry->text, listing->entry->text) == 0 &&
            strcmp(other->used_by, listing->used_by) == 0)
            return true;
    }
    return false;
}

/* Judging: as the lists of the settings without a listener section would, in their order. */

static const struct listing *find_listed(const struct subject *subject, int zone)
{
    for (guint i = 0; i < subject->listings->len; i++) {
        const struct listing *listing = subject->listings->pdata[i];
        if (listing->state == LISTING_LISTED && listing->zone_index == zone)
            return listing;
    }
    return NULL;
}

/* The listing that a restriction goes by, or NULL. */
static const struct listing *asked_by(const struct restriction_item *item,
                                      const struct subject *subject, const struct listing *top)
{
    if (item->row->argument == ARGUMENT_ZONE)
        return find_listed(subject, (int)item->argument.zone);
    bool weighs = item->row->asks & ASKS_LISTS;
    return weighs && subject->sum >= subject->threshold ? top : NULL;
}

/* Whether the subject is refused by one of LIST; a permit ends it. */
static bool refuses(const struct restriction_list *list, struct subject *subject,
                    const struct listing *top)
{
    const struct restriction_item *item;
    for (unsigned i = 0; (item = restriction_list_item(list, i)); i++) {
        const struct listing *listing = asked_by(item, subject, top);
        bool permits = item->row->traits & TRAIT_PERMITS;
        if (!listing || (item->warn_if_reject && !permits))
            continue;
        if (!permits || !subject->by)
            subject->by = listing;
        return !permits;
    }
    return false;
}

static void judge(const struct dnslists *lists, struct subject *subject)
{
    const struct listing *top = NULL;
    subject->threshold = lists->site->dnsbl_threshold;
    for (guint i = 0; i < subject->listings->len; i++) {
        const struct listing *listing = subject->listings->pdata[i];
        subject->unanswered +=
            listing->state != LISTING_LISTED && listing->state != LISTING_NOT_LISTED;
        if (listing->state != LISTING_LISTED)
            continue;
        subject->listed |= !listing->permits;
        if (!listing->weighted)
            continue;
        subject->sum += listing->entry->weight;
        if (!top || listing->entry->weight > top->entry->weight)
            top = listing;
    }
    const struct policy *policy = snapshot_main_policy(lists->snapshot);
    for (int kind = 0; kind < LIST_COUNT && !subject->refused; kind++)
        subject->refused = refuses(policy->lists[kind], subject, top);
}

static void finish(struct dnslists *lists, struct subject *subject)
{
    const struct policy *main_policy = snapshot_main_policy(lists->snapshot);
    for (unsigned i = 0; i < lists->sources->len; i++) {
        const struct source *source = get_source(lists, i);
        for (unsigned k = 0; k < dnsbl_set_count(source->set); k++) {
            struct listing *listing = collect(lists, source, subject->lookups[i], k);
            bool again = listing && source->policy != main_policy && is_known(subject, listing);
            if (listing && !again)
                g_ptr_array_add(subject->listings, listing);
            else if (listing)
                listing_free(listing);
        }
    }
    judge(lists, subject);
    for (unsigned i = 0; i < lists->sources->len; i++)
        dnsbl_lookup_free(subject->lookups[i]);
    g_clear_pointer(&subject->lookups, g_free);
}

void dnslists_ask(struct dnslists *lists, struct subject *const *subjects, unsigned count)
{
    int64_t deadline = g_get_monotonic_time() + lists->site->dns_budget;
    for (unsigned i = 0; i < count; i++)
        send_questions(lists, subjects[i]);
    bool open = true, in_time = true;
    while (open && in_time) {
        open = false;
        for (unsigned i = 0; i < count; i++)
            open |= is_open(lists, subjects[i], deadline);
        in_time = !open || waiting_sleep(&lists->waiting, deadline);
    }
    wait_for_probes(lists, deadline);
    for (unsigned i = 0; i < count; i++)
        finish(lists, subjects[i]);
}

/* Probing */

static void probed_free(void *data)
{
    struct probed *probed = data;
    dnsbl_list_status_free(probed->status);
    g_free(probed);
}

static struct probed *probed_new(struct dnsbl_list_status *status)
{
    struct probed *probed = g_new0(struct probed, 1);
    probed->status = status;
    bool silent = status->probing || status->probed_ago < 0;
    probed->state = status->health == DNSBL_ASIDE ? state_of(status->reason)
                    : silent                      ? LISTING_NO_ANSWER
                                                  : LISTING_NOT_LISTED;
    return probed;
}

GPtrArray *dnslists_probe(struct dnslists *lists)
{
    int64_t deadline = g_get_monotonic_time() + lists->site->dns_budget;
    for (unsigned i = 0; i < lists->sources->len; i++) {
        struct dnsbl_set *set = get_source(lists, i)->set;
        for (unsigned k = 0; k < dnsbl_set_count(set); k++)
            dnsbl_state_probe(lists->state, lists->resolver, dnsbl_set_get(set, k)->zone,
                              dnsbl_set_get(set, k)->kind);
    }
    wait_for_probes(lists, deadline);
    GPtrArray *all = dnsbl_state_status(lists->state);
    GPtrArray *probes = g_ptr_array_new_with_free_func(probed_free);
    g_ptr_array_set_free_func(all, NULL); /* each goes to its probe */
    for (guint i = 0; i < all->len; i++)
        g_ptr_array_add(probes, probed_new(all->pdata[i]));
    g_ptr_array_unref(all);
    return probes;
}
