/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Counting decisions.
 */
#include "report/counts.h"

#include <string.h>

#include "checks/limit.h"
#include "checks/spam.h"
#include "policy/own_refusals.h"

enum { REFUSALS_MAX = 1000, LISTENERS_MAX = 100, LIMITS_MAX = 1000, WORDS_MAX = 16 };

static void expect(struct tally *tally, const char *const *words)
{
    for (; *words; words++)
        tally_add(tally, words, 0);
}

struct counts *counts_new(void)
{
    static const char *const actions[] = {"accept", "tag", "hold", "reject", "tempfail", NULL};
    static const char *const greylist[] = {"new", "early", "passed", "known", NULL};
    static const char *const autoreply[] = {"reject", "strip", "tag", NULL};
    struct counts *counts = g_new0(struct counts, 1);
    counts->messages = tally_new(1, WORDS_MAX);
    counts->refusals = tally_new(3, REFUSALS_MAX);
    counts->monitored = tally_new(3, REFUSALS_MAX);
    counts->connections = tally_new(1, LISTENERS_MAX);
    counts->rules = tally_new(1, COUNTS_RULES_MAX);
    counts->limits = tally_new(1, LIMITS_MAX);
    counts->greylist = tally_new(1, WORDS_MAX);
    counts->autoreply = tally_new(1, WORDS_MAX);
    expect(counts->messages, actions);
    expect(counts->greylist, greylist);
    expect(counts->autoreply, autoreply);
    return counts;
}

void counts_free(struct counts *counts)
{
    if (!counts)
        return;
    tally_free(counts->messages);
    tally_free(counts->refusals);
    tally_free(counts->monitored);
    tally_free(counts->connections);
    tally_free(counts->rules);
    tally_free(counts->limits);
    tally_free(counts->greylist);
    tally_free(counts->autoreply);
    g_free(counts);
}

/* What is to be expected */

/* CODES: 0 behind the last. */
static void expect_refusals(struct counts *counts, const struct policy *policy, enum stage stage,
                            const char *check, const unsigned *codes)
{
    for (; *codes; codes++) {
        char digits[16];
        g_snprintf(digits, sizeof digits, "%u", *codes);
        const char *labels[] = {stage_name(stage), check, digits};
        tally_add(policy->monitor ? counts->monitored : counts->refusals, labels, 0);
    }
}

/* Where the refusals of a list are given. */
static enum stage stage_of(const struct policy *policy, enum restriction_list_kind kind)
{
    if (kind == LIST_MESSAGE)
        return STAGE_MESSAGE;
    bool late = policy->delay_checks || kind == LIST_RELAY || kind == LIST_RECIPIENT;
    return late ? STAGE_RCPT : STAGE_MAIL;
}

/* What came without SMTP is refused at its end, whatever is against it; and so is who was let
 * through by a limit that others have used up meanwhile. */
static void expect_items(struct counts *counts, const struct policy *policy,
                         enum restriction_list_kind kind, const struct restriction_list *list)
{
    static const unsigned in_doubt[] = {451, 0};
    const struct restriction_item *item;
    const enum stage stages[] = {stage_of(policy, kind), STAGE_MESSAGE};
    for (unsigned i = 0; list && (item = restriction_list_item(list, i)); i++)
        for (size_t k = 0; item->row && k < G_N_ELEMENTS(stages); k++) {
            if (!item->warn_if_reject)
                expect_refusals(counts, policy, stages[k], item->row->name, item->row->codes);
            if (!(item->row->traits & TRAIT_ALWAYS))
                expect_refusals(counts, policy, stages[k], item->row->name, in_doubt);
        }
}

/* The tables of a list may name any class. */
static void expect_list(struct counts *counts, const struct policy *policy,
                        enum restriction_list_kind kind)
{
    const struct restriction_list *list = policy->lists[kind];
    expect_items(counts, policy, kind, list);
    for (guint i = 0; list && list->classes && i < list->classes->all->len; i++)
        expect_items(counts, policy, kind,
                     ((const struct restriction_class *)list->classes->all->pdata[i])->list);
}

static void expect_policy(struct counts *counts, const struct policy *policy)
{
    const struct own_refusal *own;
    for (unsigned i = 0; (own = own_refusal_at(i)); i++)
        if (!own->may_be || own->may_be(policy)) {
            expect_refusals(counts, policy, own->stage, own->check, own->codes);
            expect_refusals(counts, policy, STAGE_MESSAGE, own->check, own->codes);
        }
    for (int kind = 0; kind < LIST_COUNT; kind++)
        expect_list(counts, policy, kind);
    const struct limit_site *limits = policy->site.limits;
    for (guint i = 0; i < limits->limits->len; i++) {
        const struct limit *limit = limits->limits->pdata[i];
        tally_add(counts->limits, (const char *const *)&limit->name, 0);
    }
    const struct ruleset *ruleset = policy->site.spam ? policy->site.spam->ruleset : NULL;
    const struct ruleset_rule *rule;
    for (size_t i = 0; ruleset && (rule = ruleset_rule_get(ruleset, i)); i++)
        if (rule->score != 0)
            tally_add(counts->rules, &rule->name, 0);
    if (policy->section) {
        const char *name = section_name(policy->section);
        tally_add(counts->connections, &name, 0);
    }
}

void counts_expect(struct counts *counts, const struct snapshot *snapshot)
{
    const struct policy *policy;
    for (unsigned i = 0; (policy = snapshot_policy_at(snapshot, i)); i++)
        expect_policy(counts, policy);
}

/* Counting */

void counts_event(void *data, const struct event *event)
{
    struct counts *counts = data;
    if (action_is_note(event->action))
        return;
    histogram_add(&counts->decisions[event->stage], (int64_t)(event->milliseconds * 1000));
    for (int source = 0; event->waited && source < WAIT_SOURCES; source++)
        if (event->waited[source] > 0)
            histogram_add(&counts->waits[source], event->waited[source]);
    if (event->action == ACTION_REJECT || event->action == ACTION_TEMPFAIL) {
        char code[4] = "";
        g_strlcpy(code, event->reply ? event->reply : "", sizeof code);
        const char *labels[] = {stage_name(event->stage), event->check ? event->check : "none",
                                code};
        tally_add(event->monitor ? counts->monitored : counts->refusals, labels, 1);
    }
    bool passes = event->action == ACTION_ACCEPT || event->monitor;
    for (guint i = 0; event->details && i < event->details->len; i++) {
        const struct check_detail *detail = event->details->pdata[i];
        const char *value = detail->value;
        if (strcmp(detail->key, "greylist") == 0)
            tally_add(counts->greylist, &value, 1);
        else if (strcmp(detail->key, "autoreply") == 0 && !event->monitor &&
                 !(passes && strcmp(value, "reject") == 0))
            tally_add(counts->autoreply, &value, 1);
        else if (strcmp(detail->key, "limit") == 0 && !passes &&
                 g_strcmp0(event->check, "check_limit") == 0)
            tally_add(counts->limits, &value, 1);
    }
    if (event->stage != STAGE_MESSAGE)
        return;
    /* what mode = monitor would have done is not done: it passes, without a mark */
    bool tagged = event->action == ACTION_ACCEPT && event->spam && event->spam->tagged;
    const char *word = event->monitor ? "accept" : tagged ? "tag" : action_word(event->action);
    tally_add(counts->messages, &word, 1);
    for (guint i = 0; event->spam && i < event->spam->hits->len; i++) {
        const struct spam_hit *hit = event->spam->hits->pdata[i];
        tally_add(counts->rules, (const char *const *)&hit->name, 1);
    }
}

void counts_connection(void *data, const struct policy *policy, const struct facts *facts)
{
    struct counts *counts = data;
    const struct macro_facts *macros = &facts->macros;
    char port[16];
    g_snprintf(port, sizeof port, ":%s", macros->daemon_port ? macros->daemon_port : "");
    const char *name = policy->section       ? section_name(policy->section)
                       : facts->without_smtp ? "local"
                       : macros->daemon_name ? macros->daemon_name
                                             : port;
    tally_add(counts->connections, &name, 1);
}
