/* SPDX-License-Identifier: BSD-2-Clause
 *
 * reject_spam: a message is matched once and scored for each profile among its recipients; the
 * mildest outcome counts, as one user's spam is another's mail.
 */
#include "checks/spam.h"

#include <limits.h>
#include <string.h>

#include "base/text.h"
#include "checks/dns_questions.h"
#include "mail/header.h"
#include "restrictions.h"

/* How much of the rules' names a reply has room for, and a header line. */
enum { REPLY_RULES_MAX = 300, HEADER_LINE_MAX = 900 };

/* The lists that rules ask */

static struct dnsbl_lookup *rule_lists(const struct check *check)
{
    return check->dns_questions ? dns_questions_zones(check->dns_questions) : NULL;
}

/* Asks the lists that rules name, and takes in what they answer; whether some has not yet. */
static bool ask_lists(struct check *check)
{
    const struct spam_site *spam = check->site->spam;
    struct dnsbl_lookup *lookup = rule_lists(check);
    bool open = false;
    for (guint i = 0; lookup && i < spam->rule_zones->len; i++) {
        unsigned zone = g_array_index(spam->rule_zones, unsigned, i);
        unsigned places = dnsbl_set_get(check->site->dnsbl_zones, zone)->places;
        struct dnsbl_result result;
        dns_questions_ask(check->dns_questions, check->facts, DNS_LISTS_ZONES, places);
        dnsbl_lookup_result(lookup, zone, places, &result);
        open |= result.verdict == DNSBL_PENDING;
    }
    return open && !dns_questions_expired(check->dns_questions);
}

/* Whether the message has more addresses than the lists of rules were asked about. */
static bool lists_were_not_asked(const struct check *check)
{
    struct dnsbl_lookup *lookup = rule_lists(check);
    return lookup && (dnsbl_lookup_unasked(lookup) & (DNSBL_FROM | DNSBL_REPLY_TO));
}

static bool list_hits(void *data, size_t index)
{
    struct check *check = data;
    const struct spam_site *spam = check->site->spam;
    struct dnsbl_lookup *lookup = rule_lists(check);
    if (!lookup || index >= spam->rule_zones->len)
        return false;
    unsigned zone = g_array_index(spam->rule_zones, unsigned, index);
    struct dnsbl_result result;
    dnsbl_lookup_result(lookup, zone, dnsbl_set_get(check->site->dnsbl_zones, zone)->places,
                        &result);
    return result.verdict == DNSBL_LISTED;
}

/* Judging */

/* 0: passes, 1: is marked, 2: refused. */
static int severity(const struct spam_profile *profile, double score)
{
    return score >= profile->reject_score ? 2 : score >= profile->tag_score ? 1 : 0;
}

/* The profiles that recipients have, each once, in the order of the recipients. */
static GArray *profiles_in_use(const struct message_facts *message)
{
    GArray *used = g_array_new(FALSE, FALSE, sizeof(unsigned));
    for (size_t i = 0; i < message->recipient_count; i++) {
        bool known = false;
        for (guint k = 0; k < used->len; k++)
            known |= g_array_index(used, unsigned, k) == message->profiles[i];
        if (!known)
            g_array_append_val(used, message->profiles[i]);
    }
    unsigned none = 0;
    if (used->len == 0)
        g_array_append_val(used, none);
    return used;
}

static void warn_of_explosions(struct check *check, const struct ruleset_matches *matches)
{
    const char *name;
    for (size_t i = 0; (name = ruleset_matches_exploded(matches, i)); i++) {
        g_autofree char *key = g_strconcat("rule:", name, NULL);
        g_autofree char *text = g_strdup_printf("the pattern of rule %s takes too long and was cut "
                                                "off; a message whose fate depends on "
                                                "it is put off: write it without nested repetition",
                                                name);
        check->warner.warn_once(check->warner.data, key, text);
    }
}

/* The envelope sender as the MTA would hand it on, in Return-Path say: completed and rewritten, but
 * in the case and with the quotes that it came with, where it needs them. What cannot be told stays
 * as it was typed. */
static const char *envelope_sender(const struct facts *facts)
{
    const struct mail_address *typed = &facts->sender, *meant = &facts->sender_meant.address;
    if (facts->sender_meant.untold || meant->null || meant->malformed)
        return typed->text;
    bool rewritten =
        strcmp(meant->local, typed->local) != 0 || strcmp(meant->domain, typed->domain) != 0;
    bool quoted = strpbrk(meant->local, " \t\"\\(),:;<>@[]") && strchr(typed->text, '"');
    g_autofree char *plain = mail_address_key(meant);
    bool as_typed = quoted || g_ascii_strcasecmp(plain, typed->text) == 0;
    return !rewritten && as_typed ? typed->text : meant->text;
}

static struct spam_verdict *judge(struct check *check)
{
    const struct spam_site *spam = check->site->spam;
    const struct message_facts *message = check->facts->message;
    g_autoptr(GArray) used = profiles_in_use(message);
    g_autofree const struct ruleset_profile **rules =
        g_new0(const struct ruleset_profile *, used->len);
    for (guint i = 0; i < used->len; i++) {
        const struct spam_profile *profile =
            spam->profiles->pdata[g_array_index(used, unsigned, i)];
        rules[i] = profile->rules;
    }
    struct ruleset_message facts = {
        .headers = message->headers,
        .envelope_sender = envelope_sender(check->facts),
        .body = message->body,
        .body_length = message->body_length,
        .smtputf8 = check->facts->smtputf8,
        .external = list_hits,
        .external_data = check,
    };
    struct ruleset_matches *matches = ruleset_match(spam->ruleset, &facts, rules, used->len);
    struct spam_verdict *best = NULL;
    int mildest = INT_MAX, least = INT_MAX, most = INT_MAX;
    for (guint i = 0; i < used->len; i++) {
        const struct spam_profile *profile =
            spam->profiles->pdata[g_array_index(used, unsigned, i)];
        struct ruleset_result result;
        ruleset_score(spam->ruleset, matches, rules[i], &result);
        least = MIN(least, severity(profile, result.least));
        most = MIN(most, severity(profile, result.most));
        if (severity(profile, result.score) < mildest) {
            mildest = severity(profile, result.score);
            spam_verdict_free(best);
            best = spam_verdict_new(profile, &result);
        }
        ruleset_result_clear(&result);
    }
    best->untold = least != most;
    warn_of_explosions(check, matches);
    ruleset_matches_free(matches);
    return best;
}

/* Acting */

/* Fields that only this site's own filter may set. */
static const char *const own_fields[] = {"X-Spam-Flag", "X-Spam-Score", "X-Spam-Status",
                                         "X-Spam-Level"};

static unsigned count_fields(const struct facts *facts, const char *name)
{
    unsigned count = 0;
    const struct header *header = header_list_first(facts->message->headers, name);
    for (; header; header = header->next_same)
        count++;
    return count;
}

/* The last one goes first: an MTA counts anew. */
static void remove_marks(const struct facts *facts, struct check_effects *effects)
{
    for (size_t i = 0; !effects->marks_removed && i < G_N_ELEMENTS(own_fields); i++)
        for (unsigned count = count_fields(facts, own_fields[i]); count > 0; count--)
            check_effects_change(effects, own_fields[i], count, NULL);
    effects->marks_removed = true;
}

void spam_remove_forged(const struct site *site, const struct facts *facts,
                        struct check_effects *effects)
{
    if (!site_trusts_marks(site, facts))
        remove_marks(facts, effects);
}

/* "X-Spam-Status: Yes, score=7.0 required=5.0 tests=A,B", folded where it grows too long. */
static char *status_field(const struct spam_verdict *verdict)
{
    GString *out = g_string_new(NULL);
    g_string_append_printf(out,
                           "X-Spam-Status: Yes, score=%.1f required=%.1f tests=", verdict->score,
                           verdict->required);
    gsize line = out->len;
    for (guint i = 0; i < verdict->hits->len; i++) {
        const struct spam_hit *hit = verdict->hits->pdata[i];
        line += strlen(hit->name) + 1;
        g_string_append_printf(out, "%s%s%s", i ? "," : "", line > HEADER_LINE_MAX ? "\n\t" : "",
                               hit->name);
        if (line > HEADER_LINE_MAX)
            line = strlen(hit->name) + 1;
    }
    if (verdict->hits->len == 0)
        g_string_append(out, "none");
    return g_string_free(out, FALSE);
}

static enum check_result refuse_spam(struct check *check, const struct spam_verdict *verdict)
{
    g_autofree char *rules = spam_verdict_rules(verdict, ", ");
    if (strlen(rules) > REPLY_RULES_MAX)
        strcpy(rules + REPLY_RULES_MAX - strlen("..."), "...");
    return check_refuse(check, 550, "5.7.1", "Message refused: spam score %.1f (%s)",
                        verdict->score, rules);
}

/* Judges the message, once. What is refused after all shows no fields; below warn_if_reject it
 * does. Whoever sent it: a message that was judged here has no other filter's marks. */
static const struct spam_verdict *judged(struct check *check)
{
    struct check_effects *effects = check->effects;
    if (effects->spam)
        return effects->spam;
    const struct spam_verdict *verdict = effects->spam = judge(check);
    remove_marks(check->facts, effects);
    if (verdict->tagged) {
        check_effects_prepend(effects, g_strdup("X-Spam-Flag: YES"));
        check_effects_prepend(effects, g_strdup_printf("X-Spam-Score: %.1f", verdict->score));
        check_effects_prepend(effects, status_field(verdict));
    }
    return verdict;
}

enum check_result run_reject_spam(struct check *check)
{
    const struct spam_site *spam = check->site->spam;
    if (!spam || !check->facts->message || ruleset_is_empty(spam->ruleset))
        return CHECK_DUNNO;
    if (ask_lists(check))
        return check_wait(check, WAIT_DNS);
    if (lists_were_not_asked(check))
        return check_too_many_addresses(check);
    const struct spam_verdict *verdict = judged(check);
    if (verdict->untold) {
        static const char text[] =
            "the rules take too long on a header of %zu fields and %zu bytes, and were cut off";
        const struct header_list *headers = check->facts->message->headers;
        size_t fields = header_list_count(headers), bytes = header_list_bytes(headers);
        /* Who tries his rules out by warn_if_reject has no mail put off by them either. */
        return check->warn_only ? check_refuse(check, 451, "4.3.0", text, fields, bytes)
                                : check_cannot_tell(check, text, fields, bytes);
    }
    return verdict->refused ? refuse_spam(check, verdict) : CHECK_DUNNO;
}
