/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Printing what a trial found. The fields of the JSON object are a promise to programs: all of
 * them are always there, but for "entry".
 */
#include "testoutput.h"

#include "autoreply/evidence.h"
#include "base/text.h"
#include "checks/spam.h"
#include "report/json.h"
#include "rules.h"

static void put_decision(GString *out, const struct trial_decision *decision)
{
    json_string(out, "check", decision->check);
    json_string(out, "reply", decision->reply);
}

static void put_recipients(GString *out, const struct trial_result *result)
{
    json_open(out, "recipients", '[');
    for (guint i = 0; i < result->recipients->len; i++) {
        const struct trial_recipient *recipient = result->recipients->pdata[i];
        json_open(out, NULL, '{');
        json_string(out, "rcpt", recipient->address);
        json_string(out, "verdict", action_word(recipient->decision.verdict));
        put_decision(out, &recipient->decision);
        json_close(out, '}');
    }
    json_close(out, ']');
}

enum { SHARE_DECIMALS = 4 };

static void put_rules(GString *out, const struct findings *findings)
{
    json_number(out, "score", findings->score, RULES_SCORE_DECIMALS);
    json_number(out, "required", findings->required, RULES_SCORE_DECIMALS);
    json_open(out, "rules", '[');
    for (guint i = 0; i < findings->rules->len; i++) {
        const struct spam_hit *hit = findings->rules->pdata[i];
        json_open(out, NULL, '{');
        json_string(out, "name", hit->name);
        json_number(out, "score", hit->score, RULES_SCORE_DECIMALS);
        json_close(out, '}');
    }
    json_close(out, ']');
}

static void put_languages(GString *out, const struct findings *findings)
{
    json_open(out, "charsets", '[');
    for (guint i = 0; i < findings->charsets->len; i++)
        json_string(out, NULL, findings->charsets->pdata[i]);
    json_close(out, ']');
    json_open(out, "scripts", '{');
    for (guint i = 0; i < findings->scripts->len; i++) {
        const struct script_share *share =
            &g_array_index(findings->scripts, struct script_share, i);
        json_number(out, share->name, share->share, SHARE_DECIMALS);
    }
    json_close(out, '}');
}

static void put_autoreply(GString *out, const struct autoreply_judgement *judgement)
{
    json_open(out, "autoreply", '{');
    json_bool(out, "is_autoreply", judgement->is_autoreply);
    json_bool(out, "to_bounce_sender", judgement->to_bounce_sender);
    json_bool(out, "quotes_original", judgement->quotes_original);
    json_open(out, "evidence", '[');
    for (guint i = 0; i < judgement->evidence->len; i++) {
        g_autofree char *line = autoreply_evidence_format(judgement->evidence->pdata[i]);
        json_string(out, NULL, line);
    }
    json_close(out, ']');
    json_close(out, '}');
}

static void put_dns(GString *out, const struct dns_hits *dns)
{
    json_open(out, "dnsbl", '{');
    json_integer(out, "score", dns->score);
    json_open(out, "hits", '[');
    for (guint i = 0; i < dns->hits->len; i++) {
        const struct dns_hit *hit = dns->hits->pdata[i];
        json_open(out, NULL, '{');
        json_string(out, "zone", hit->zone);
        json_string(out, "code", hit->code);
        json_integer(out, "weight", hit->weight);
        json_close(out, '}');
    }
    json_close(out, ']');
    json_close(out, '}');
}

/* The entry of a table that decided, against it or for it; NULL: none did. */
static const char *entry_of(const struct trial_result *result)
{
    return result->decision_told ? result->entry : permits_main_entry(&result->permits);
}

void test_print_json(const char *file, const struct trial_result *result, FILE *stream)
{
    g_autoptr(GString) out = g_string_new(NULL);
    json_open(out, NULL, '{');
    json_string(out, "file", file);
    json_string(out, "verdict", action_word(result->decision.verdict));
    json_string(out, "stage", stage_name(result->stage));
    put_decision(out, &result->decision);
    put_recipients(out, result);
    put_rules(out, &result->findings);
    put_languages(out, &result->findings);
    put_autoreply(out, &result->autoreply);
    put_dns(out, &result->dns);
    json_open(out, "headers", '[');
    for (guint i = 0; i < result->headers->len; i++)
        json_string(out, NULL, result->headers->pdata[i]);
    json_close(out, ']');
    json_string(out, "permit", permits_main(&result->permits));
    if (entry_of(result))
        json_string(out, "entry", entry_of(result));
    json_close(out, '}');
    fprintf(stream, "%s\n", out->str);
}

static void print_field(FILE *stream, const char *name, const char *text)
{
    g_autofree char *safe = text_escape(text);
    fprintf(stream, "  %-10s %s\n", name, safe);
}

/* "RESTRICTION: LIST, LIST", the one first that tells why it passed. */
static void print_permits(FILE *stream, const struct permits *permits)
{
    struct permits rest = *permits;
    const char *name = "permit";
    for (const char *by; (by = permits_main(&rest)); name = "") {
        g_autoptr(GString) line = g_string_new(by);
        const char *before = ": ";
        for (enum restriction_list_kind kind = 0; kind < LIST_COUNT; kind++) {
            if (g_strcmp0(rest.by[kind], by) != 0)
                continue;
            g_string_append_printf(line, "%s%s", before, permits_list_word(kind));
            before = ", ";
            rest.by[kind] = NULL;
        }
        print_field(stream, name, line->str);
    }
}

static void print_recipients(FILE *stream, const struct trial_result *result)
{
    for (guint i = 0; i < result->recipients->len; i++) {
        const struct trial_recipient *recipient = result->recipients->pdata[i];
        const struct trial_decision *decision = &recipient->decision;
        g_autofree char *line =
            g_strdup_printf("<%s> %s%s%s", recipient->address, action_word(decision->verdict),
                            decision->reply ? ": " : "", decision->reply ? decision->reply : "");
        print_field(stream, i == 0 ? "to" : "", line);
    }
}

static void print_list(FILE *stream, const char *name, const GPtrArray *lines)
{
    for (guint i = 0; i < lines->len; i++)
        print_field(stream, i == 0 ? name : "", lines->pdata[i]);
}

static void print_score(FILE *stream, const struct findings *findings)
{
    g_autofree char *score = rules_score_text(findings->score);
    g_autofree char *required = rules_score_text(findings->required);
    g_autofree char *line = g_strdup_printf("%s; tagged from %s on%s%s", score, required,
                                            findings->profile ? ", profile " : "",
                                            findings->profile ? findings->profile : "");
    print_field(stream, "score", line);
    for (guint i = 0; i < findings->rules->len; i++) {
        const struct spam_hit *hit = findings->rules->pdata[i];
        g_autofree char *points = rules_score_text(hit->score);
        g_autofree char *rule = g_strdup_printf("%8s %s%s%s", points, hit->name,
                                                *hit->description ? ": " : "", hit->description);
        print_field(stream, i == 0 ? "rules" : "", rule);
        g_autofree char *text = g_strdup_printf("         matched \"%s\"", hit->text);
        if (*hit->text)
            print_field(stream, "", text);
    }
}

static void print_languages(FILE *stream, const struct findings *findings)
{
    g_autoptr(GString) scripts = g_string_new(NULL);
    for (guint i = 0; i < findings->scripts->len; i++) {
        const struct script_share *share =
            &g_array_index(findings->scripts, struct script_share, i);
        g_string_append_printf(scripts, "%s%s %.0f%%", i ? ", " : "", share->name,
                               share->share * 100);
    }
    for (guint i = 0; i < findings->charsets->len; i++)
        print_field(stream, i == 0 ? "charsets" : "", findings->charsets->pdata[i]);
    if (scripts->len > 0)
        print_field(stream, "scripts", scripts->str);
}

static void print_dns(FILE *stream, const struct dns_hits *dns)
{
    for (guint i = 0; i < dns->hits->len; i++) {
        const struct dns_hit *hit = dns->hits->pdata[i];
        g_autofree char *weight = hit->weight ? g_strdup_printf(", weight %d", hit->weight) : NULL;
        g_autofree char *line = g_strdup_printf("%s lists %s: %s%s", hit->zone, hit->what,
                                                hit->code, weight ? weight : "");
        print_field(stream, i == 0 ? "dns lists" : "", line);
    }
    g_autofree char *sum = g_strdup_printf("sum %" G_GINT64_FORMAT, dns->score);
    if (dns->hits->len > 0)
        print_field(stream, "", sum);
}

static void print_autoreply(FILE *stream, const struct autoreply_judgement *judgement)
{
    const struct {
        const char *text;
        bool answer;
    } questions[] = {
        {"an auto-reply", judgement->is_autoreply},
        {"to a bounce sender", judgement->to_bounce_sender},
        {"quotes the original", judgement->quotes_original},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(questions); i++) {
        g_autofree char *line =
            g_strdup_printf("%s: %s", questions[i].text, questions[i].answer ? "yes" : "no");
        print_field(stream, i == 0 ? "guard" : "", line);
    }
    for (guint i = 0; i < judgement->evidence->len; i++) {
        g_autofree char *line = autoreply_evidence_format(judgement->evidence->pdata[i]);
        fprintf(stream, "  %-10s   %s\n", "", line);
    }
}

void test_print_text(const char *file, const struct trial_result *result, FILE *stream)
{
    g_autofree char *name = text_escape(file ? file : "envelope");
    fprintf(stream, "%s: %s at %s%s\n", name, action_word(result->decision.verdict),
            stage_name(result->stage), result->monitor ? " (mode = monitor)" : "");
    const struct trial_decision *decision = &result->decision;
    if (decision->reply)
        print_field(stream, result->monitor ? "would say" : "reply", decision->reply);
    if (decision->check)
        print_field(stream, "decided by", decision->check);
    print_permits(stream, &result->permits);
    if (entry_of(result))
        print_field(stream, "entry", entry_of(result));
    print_list(stream, "log", result->notes);
    print_field(stream, "client", result->client);
    if (result->listener)
        print_field(stream, "listener", result->listener);
    print_field(stream, "helo", result->helo);
    g_autofree char *sender = g_strdup_printf("<%s>", result->sender);
    print_field(stream, "from", sender);
    print_recipients(stream, result);
    if (file)
        print_score(stream, &result->findings);
    if (file)
        print_autoreply(stream, &result->autoreply);
    print_languages(stream, &result->findings);
    print_dns(stream, &result->dns);
    print_list(stream, "adds", result->headers);
}
