/* SPDX-License-Identifier: BSD-2-Clause
 *
 * greylist. What is there is looked up first, and suspicion comes second: who has an open mark is
 * judged by it alone, so that nobody who comes back with better looks, or worse, is kept waiting
 * for ever. While the store is away everybody passes.
 */
#include "checks/greylist.h"

#include <string.h>

#include "checks/dns_questions.h"
#include "checks/limit.h"
#include "checks/spam.h"
#include "mail/hostname.h"
#include "restrictions.h"

enum { REMEMBERED_MAX = 100 }; /* recipients of a message that are remembered */

/* The questions of one recipient. */
enum question { ASK_MARK, ASK_KNOWN, ASK_WRITTEN_TO, ASK_NETWORK, ASK_NAME, QUESTIONS };

struct errand {
    char *keys[QUESTIONS];
    struct store_ticket *tickets[QUESTIONS];
    struct store_ticket *opening; /* of the mark; NULL: not asked */
    char *why;                    /* the signs; NULL: not looked at */
};

static void errand_free(void *data)
{
    struct errand *errand = data;
    for (size_t i = 0; i < QUESTIONS; i++) {
        store_ticket_drop(errand->tickets[i]);
        g_free(errand->keys[i]);
    }
    store_ticket_drop(errand->opening);
    g_free(errand->why);
    g_free(errand);
}

/* Whom nothing is asked: those who are at home here, and whom it would harm. */
bool greylist_spares(const struct site *site, const struct facts *facts)
{
    static const char *const names[] = {"postmaster", "abuse"};
    const GPtrArray *profiles = site->spam ? site->spam->profiles : NULL;
    if (!facts->has_recipient || facts->without_smtp || facts->untrusted ||
        facts->sender_meant.address.null || site_authenticated(site, facts) ||
        site_relay_certificate(site, facts, NULL) != LOOKUP_MISS ||
        site_in_mynetworks(site, facts, NULL) != LOOKUP_MISS)
        return true;
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        if (g_ascii_strcasecmp(facts->recipient_meant.address.local, names[i]) == 0)
            return true;
    return profiles && facts->profile < profiles->len &&
           ((const struct spam_profile *)profiles->pdata[facts->profile])->spares_greylist;
}

static const char *verified_name(const struct facts *facts)
{
    return facts->name_status == NAME_OK && strcmp(facts->client_name, "unknown") != 0
               ? facts->client_name
               : NULL;
}

static struct errand *begin(struct check *check)
{
    const struct facts *facts = check->facts;
    const char *delimiter = check->site->recipient_delimiter;
    struct errand *errand = g_new0(struct errand, 1);
    g_autofree char *group = greylist_group(verified_name(facts), &facts->address);
    g_autofree char *network = greylist_network(&facts->address);
    g_autofree char *sender = greylist_fold_sender(&facts->sender_meant.address, delimiter);
    g_autofree char *written = greylist_fold_address(&facts->sender_meant.address, delimiter);
    g_autofree char *recipient = greylist_fold_address(&facts->recipient_meant.address, delimiter);
    errand->keys[ASK_MARK] = g_strconcat(GREYLIST_MARK, group, "|", sender, "|", recipient, NULL);
    errand->keys[ASK_KNOWN] =
        g_strconcat(GREYLIST_KNOWN, group, "|", facts->sender_meant.address.domain, NULL);
    errand->keys[ASK_WRITTEN_TO] = g_strconcat(GREYLIST_CORRESPONDENT, written, NULL);
    errand->keys[ASK_NETWORK] = g_strconcat(GREYLIST_HAND, network, NULL);
    if (strcmp(group, network) != 0)
        errand->keys[ASK_NAME] = g_strconcat(GREYLIST_HAND, group, NULL);
    for (size_t i = 0; i < QUESTIONS; i++) {
        if (!errand->keys[i])
            continue;
        if (strlen(errand->keys[i]) > STORE_KEY_MAX)
            errand->keys[i][STORE_KEY_MAX] = '\0';
        const struct store_request request = {.action = STORE_SEE, .key = errand->keys[i]};
        errand->tickets[i] = store_ask(check->store, &request, check->waker);
    }
    return errand;
}

static enum check_result pass(struct check *check, const char *word, const char *why)
{
    if (word) {
        check_effects_detail(check->effects, "greylist", word);
        check_effects_detail(check->effects, "why", why);
    }
    check_errand_clear(check->errand);
    return CHECK_DUNNO;
}

static enum check_result come_again(struct check *check, const char *word, const char *why,
                                    int64_t wait)
{
    g_autofree char *later = limit_duration_text(wait);
    check_effects_detail(check->effects, "greylist", word);
    check_effects_detail(check->effects, "why", why);
    check_errand_clear(check->errand);
    return check_refuse(check, 451, "4.7.0", "Greylisted; try again in %s", later);
}

static void touch(struct store *store, const char *key, int64_t gap, int64_t keep)
{
    const struct store_request request = {
        .action = STORE_TOUCH, .key = key, .gap = gap, .keep = keep};
    store_ticket_drop(store_ask(store, &request, (struct waker){0}));
}

static void count(struct store *store, const char *key)
{
    const struct store_request request = {.action = STORE_COUNT,
                                          .key = key,
                                          .window = {.length = GREYLIST_COUNT_MS},
                                          .n = 1,
                                          .max = UINT64_MAX};
    store_ticket_drop(store_ask(store, &request, (struct waker){0}));
}

/* What speaks against the client, words joined by commas; "" nothing. false: a list is awaited. */
static bool look_for_signs(struct check *check, char **why_r)
{
    const struct facts *facts = check->facts;
    const char *name = verified_name(facts);
    g_autoptr(GString) signs = g_string_new(NULL);
    struct dnsbl_lookup *lists =
        check->dns_questions ? dns_questions_weighted(check->dns_questions) : NULL;
    if (lists) {
        unsigned places = DNSBL_ENVELOPE & ~(unsigned)DNSBL_RECIPIENT;
        int64_t threshold = site_dnsbl_threshold(check->site, facts);
        struct dnsbl_sum sum;
        dns_questions_ask(check->dns_questions, facts, DNS_LISTS_WEIGHTED, places);
        dnsbl_lookup_sum(lists, places, &sum);
        if (sum.pending && !dns_questions_expired(check->dns_questions))
            return false;
        if (sum.sum > 0 && sum.sum < threshold)
            g_string_append(signs, ",dnsbl");
    }
    if (!name)
        g_string_append(signs, ",no-name");
    else if (greylist_name_holds_address(name, &facts->address))
        g_string_append(signs, ",address-in-name");
    if (!facts->helo || !strchr(facts->helo, '.') || !hostname_valid(facts->helo) ||
        hostname_ends_in_number(facts->helo))
        g_string_append(signs, ",helo");
    if (check->site->greylist_when == GREYLIST_ALWAYS && signs->len == 0)
        g_string_append(signs, ",always");
    *why_r = g_strdup(signs->len > 0 ? signs->str + 1 : "");
    return true;
}

/* Whether a mark says that the client is known; *WHY_R is how. */
static bool is_known(const struct errand *errand, const char **why_r)
{
    static const struct {
        enum question question;
        uint64_t hits;
        const char *why;
    } rows[] = {{ASK_NETWORK, 1, "by-hand"},
                {ASK_NAME, 1, "by-hand"},
                {ASK_KNOWN, 2, "came-back-before"},
                {ASK_WRITTEN_TO, 1, "written-to"}};
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        const struct store_ticket *ticket = errand->tickets[rows[i].question];
        if (!ticket || store_ticket_answer(ticket)->hits < rows[i].hits)
            continue;
        *why_r = rows[i].why;
        return true;
    }
    return false;
}

static enum check_result judge_mark(struct check *check, const struct errand *errand,
                                    const struct store_answer *mark)
{
    const struct site *site = check->site;
    int64_t delay = site->greylist_delay;
    if (mark->own)
        return pass(check, NULL, NULL);
    switch (mark->mark) {
    case STORE_MARK_NEW:
        count(check->store, GREYLIST_OPENED_COUNT);
        return come_again(check, "new", errand->why ? errand->why : "again", delay);
    case STORE_MARK_EARLY:
        return come_again(check, "early", "waiting", MAX(delay - mark->age, 1000));
    default:
        count(check->store, GREYLIST_PASSED_COUNT);
        touch(check->store, errand->keys[ASK_KNOWN], GREYLIST_GAP_MS, GREYLIST_KNOWN_MS);
        return pass(check, "passed", "came-back");
    }
}

enum check_result run_greylist(struct check *check)
{
    const struct site *site = check->site;
    struct errand *errand = check->errand->data;
    const char *why;
    bool late = wait_budget_expired(check->budget, WAIT_STORE);
    if (!errand) {
        if (!check->store || greylist_spares(site, check->facts))
            return CHECK_DUNNO;
        check->errand->data = errand = begin(check);
        check->errand->free = errand_free;
    }
    for (size_t i = 0; i < QUESTIONS; i++) {
        const struct store_answer *answer =
            errand->tickets[i] ? store_ticket_answer(errand->tickets[i]) : NULL;
        if (errand->tickets[i] && !answer)
            return late ? pass(check, NULL, NULL) : check_wait(check, WAIT_STORE);
        if (answer && answer->own)
            return pass(check, NULL, NULL);
    }
    const struct store_answer *mark = store_ticket_answer(errand->tickets[ASK_MARK]);
    if (is_known(errand, &why)) {
        touch(check->store, errand->keys[ASK_KNOWN], GREYLIST_GAP_MS, GREYLIST_KNOWN_MS);
        return pass(check, "known", why);
    }
    bool was_known = mark->mark == STORE_MARK_PASSED;
    if (mark->mark == STORE_MARK_NONE && !errand->why) {
        if (!look_for_signs(check, &errand->why))
            return check_wait(check, WAIT_DNS);
    }
    if (errand->why && errand->why[0] == '\0')
        return pass(check, NULL, NULL);
    if (!errand->opening) {
        const struct store_request request = {.action = STORE_GREY,
                                              .key = errand->keys[ASK_MARK],
                                              .delay = site->greylist_delay,
                                              .open = site->greylist_window,
                                              .keep = site->greylist_keep};
        errand->opening = store_ask(check->store, &request, check->waker);
    }
    const struct store_answer *answer = store_ticket_answer(errand->opening);
    if (!answer)
        return late ? pass(check, NULL, NULL) : check_wait(check, WAIT_STORE);
    if (was_known && !answer->own) {
        touch(check->store, errand->keys[ASK_KNOWN], GREYLIST_GAP_MS, GREYLIST_KNOWN_MS);
        return pass(check, "known", "passed-before");
    }
    return judge_mark(check, errand, answer);
}

void greylist_remember(const struct site *site, const struct facts *facts, struct store *store,
                       const GPtrArray *recipients)
{
    if (!store || !site_authenticated(site, facts))
        return;
    for (guint i = 0; i < recipients->len && i < REMEMBERED_MAX; i++) {
        struct mail_address address;
        mail_address_parse(recipients->pdata[i], &address);
        g_autofree char *folded = greylist_fold_address(&address, site->recipient_delimiter);
        g_autofree char *key = g_strconcat(GREYLIST_CORRESPONDENT, folded, NULL);
        if (strlen(key) <= STORE_KEY_MAX)
            touch(store, key, 0, GREYLIST_KNOWN_MS);
        mail_address_clear(&address);
    }
}
