/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Printing what a trial found. The fields of the JSON object are a promise to programs: all of
 * them are always there.
 */
#include "testoutput.h"

#include "base/text.h"
#include "report/json.h"

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
        json_string(out, "verdict", trial_verdict_word(recipient->decision.verdict));
        put_decision(out, &recipient->decision);
        json_close(out, '}');
    }
    json_close(out, ']');
}

static void put_empty(GString *out, const char *key, const char *brackets)
{
    json_open(out, key, brackets[0]);
    json_close(out, brackets[1]);
}

/* What the message itself told: nothing looks at it yet. */
static void put_content(GString *out)
{
    json_integer(out, "score", 0);
    json_integer(out, "required", 0);
    put_empty(out, "rules", "[]");
    put_empty(out, "charsets", "[]");
    put_empty(out, "scripts", "{}");
    json_open(out, "autoreply", '{');
    json_bool(out, "is_autoreply", false);
    json_bool(out, "to_bounce_sender", false);
    json_bool(out, "quotes_original", false);
    put_empty(out, "evidence", "[]");
    json_close(out, '}');
    json_open(out, "dnsbl", '{');
    json_integer(out, "score", 0);
    put_empty(out, "hits", "[]");
    json_close(out, '}');
}

void test_print_json(const char *file, const struct trial_result *result, FILE *stream)
{
    g_autoptr(GString) out = g_string_new(NULL);
    json_open(out, NULL, '{');
    json_string(out, "file", file);
    json_string(out, "verdict", trial_verdict_word(result->decision.verdict));
    json_string(out, "stage", stage_name(result->stage));
    put_decision(out, &result->decision);
    put_recipients(out, result);
    put_content(out);
    json_open(out, "headers", '[');
    for (guint i = 0; i < result->headers->len; i++)
        json_string(out, NULL, result->headers->pdata[i]);
    json_close(out, ']');
    json_close(out, '}');
    fprintf(stream, "%s\n", out->str);
}

static void print_field(FILE *stream, const char *name, const char *text)
{
    g_autofree char *safe = text_escape(text);
    fprintf(stream, "  %-10s %s\n", name, safe);
}

static void print_decision(FILE *stream, const struct trial_result *result)
{
    const struct trial_decision *decision = &result->decision;
    if (decision->reply)
        print_field(stream, result->monitor ? "would say" : "reply", decision->reply);
    if (decision->check)
        print_field(stream, "decided by", decision->check);
}

static void print_recipients(FILE *stream, const struct trial_result *result)
{
    for (guint i = 0; i < result->recipients->len; i++) {
        const struct trial_recipient *recipient = result->recipients->pdata[i];
        const struct trial_decision *decision = &recipient->decision;
        g_autofree char *line = g_strdup_printf(
            "<%s> %s%s%s", recipient->address, trial_verdict_word(decision->verdict),
            decision->reply ? ": " : "", decision->reply ? decision->reply : "");
        print_field(stream, i == 0 ? "to" : "", line);
    }
}

static void print_list(FILE *stream, const char *name, const GPtrArray *lines)
{
    for (guint i = 0; i < lines->len; i++)
        print_field(stream, i == 0 ? name : "", lines->pdata[i]);
}

void test_print_text(const char *file, const struct trial_result *result, FILE *stream)
{
    g_autofree char *name = text_escape(file ? file : "envelope");
    fprintf(stream, "%s: %s at %s%s\n", name, trial_verdict_word(result->decision.verdict),
            stage_name(result->stage), result->monitor ? " (mode = monitor)" : "");
    print_decision(stream, result);
    print_list(stream, "log", result->notes);
    print_field(stream, "client", result->client);
    if (result->listener)
        print_field(stream, "listener", result->listener);
    print_field(stream, "helo", result->helo);
    g_autofree char *sender = g_strdup_printf("<%s>", result->sender);
    print_field(stream, "from", sender);
    print_recipients(stream, result);
    print_list(stream, "adds", result->headers);
}
