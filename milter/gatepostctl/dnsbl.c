/* SPDX-License-Identifier: BSD-2-Clause
 *
 * gatepostctl dnsbl: asks every DNS list in force, and says what gatepost would do.
 */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "command.h"
#include "dnslists.h"
#include "report/json.h"

/* So many subjects are asked at once. */
enum { BATCH_MAX = 64 };

struct run {
    struct dnslists *lists;
    bool json;
    bool bad;    /* an argument was no address, domain, e-mail address */
    bool listed; /* or a list failed its probe */
    bool untold; /* of something that is not listed some list told nothing */
    GPtrArray *batch;
};

static const char *kind_word(enum dnsbl_kind kind)
{
    static const char *const words[] = {"address", "domain", "email"};
    return words[kind];
}

static const char *check_of(const struct subject *subject)
{
    return !subject->by ? NULL : subject->by->weighted ? "reject_dnsbl" : subject->by->used_by;
}

/* For programs */

static void put_listing(GString *out, const struct listing *listing)
{
    json_open(out, NULL, '{');
    json_string(out, "list", listing->entry->text);
    json_string(out, "zone", listing->entry->zone);
    json_string(out, "used_by", listing->used_by);
    json_string(out, "state", listing_state_text(listing->state));
    json_open(out, "codes", '[');
    for (guint i = 0; i < listing->codes->len; i++)
        json_string(out, NULL, listing->codes->pdata[i]);
    json_close(out, ']');
    json_string(out, "text", listing->text);
    json_integer(out, "weight", listing->weighted ? listing->entry->weight : 0);
    if (listing->latency_us < 0)
        json_string(out, "ms", NULL);
    else
        json_number(out, "ms", (double)listing->latency_us / 1000.0, 1);
    json_string(out, "why", listing->why);
    json_close(out, '}');
}

static void print_json(const struct subject *subject)
{
    g_autoptr(GString) out = g_string_new(NULL);
    json_open(out, NULL, '{');
    json_string(out, "query", subject->text);
    json_string(out, "kind", kind_word(subject->kind));
    json_bool(out, "private", subject->is_private);
    json_bool(out, "listed", subject->listed);
    json_integer(out, "unanswered", subject->unanswered);
    json_integer(out, "score", subject->sum);
    json_integer(out, "threshold", subject->threshold);
    json_string(out, "action", subject->refused ? "reject" : subject->by ? "permit" : "accept");
    json_string(out, "check", check_of(subject));
    json_open(out, "lists", '[');
    for (guint i = 0; i < subject->listings->len; i++)
        put_listing(out, subject->listings->pdata[i]);
    json_close(out, ']');
    json_close(out, '}');
    printf("%s\n", out->str);
}

static const char *test_entry_word(enum dnsbl_test_entry entry)
{
    static const char *const words[] = {"unknown", "listed", "missing"};
    return words[entry];
}

static const char *probe_word(const struct probed *probed)
{
    return probed->state == LISTING_NOT_LISTED ? "passed" : listing_state_text(probed->state);
}

static const char *kind_of_list(enum dnsbl_kind kind)
{
    static const char *const words[] = {"addresses", "names", "hashes"};
    return words[kind];
}

static void print_probes_json(const GPtrArray *probes)
{
    g_autoptr(GString) out = g_string_new(NULL);
    json_open(out, NULL, '{');
    json_open(out, "probes", '[');
    for (guint i = 0; i < probes->len; i++) {
        const struct probed *probed = probes->pdata[i];
        json_open(out, NULL, '{');
        json_string(out, "zone", probed->status->zone);
        json_string(out, "kind", kind_of_list(probed->status->kind));
        json_string(out, "state", probe_word(probed));
        json_string(out, "test_entry", test_entry_word(probed->status->test_entry));
        json_close(out, '}');
    }
    json_close(out, ']');
    json_close(out, '}');
    printf("%s\n", out->str);
}

/* For people */

static char *time_text(const struct listing *listing)
{
    if (listing->latency_us < 0)
        return g_strdup("-");
    double ms = (double)listing->latency_us / 1000.0;
    return g_strdup_printf("%.*f ms", ms < 1.0 ? 2 : 1, ms);
}

static char *weight_text(const struct listing *listing)
{
    return listing->weighted ? g_strdup_printf("%+d", listing->entry->weight) : g_strdup("-");
}

/* The codes, then what the list or we have to say. */
static char *remark(const struct listing *listing)
{
    GString *out = g_string_new(NULL);
    for (guint i = 0; i < listing->codes->len; i++)
        g_string_append_printf(out, "%s%s", i ? " " : "", (char *)listing->codes->pdata[i]);
    const char *words = listing->text ? listing->text : listing->why;
    if (words) {
        g_autofree char *safe = text_escape(words);
        g_string_append_printf(out, "%s%s", out->len ? "  " : "", safe);
    }
    return g_string_free(out, FALSE);
}

static int width_of_lists(const struct subject *subject)
{
    size_t width = strlen("LIST");
    for (guint i = 0; i < subject->listings->len; i++)
        width = MAX(width, strlen(((struct listing *)subject->listings->pdata[i])->entry->text));
    return (int)MIN(width, 50);
}

static int width_of_users(const struct subject *subject)
{
    size_t width = strlen("FOR");
    for (guint i = 0; i < subject->listings->len; i++)
        width = MAX(width, strlen(((struct listing *)subject->listings->pdata[i])->used_by));
    return (int)MIN(width, 30);
}

static void print_table(const struct subject *subject)
{
    int wide = width_of_lists(subject), user = width_of_users(subject);
    printf("  %-*s  %-*s  %-16s %6s %10s  %s\n", wide, "LIST", user, "FOR", "SAYS", "WEIGHT",
           "TIME", "CODES, TEXT");
    for (guint i = 0; i < subject->listings->len; i++) {
        const struct listing *listing = subject->listings->pdata[i];
        g_autofree char *time = time_text(listing), *weight = weight_text(listing);
        g_autofree char *words = remark(listing);
        g_autofree char *line = g_strdup_printf(
            "  %-*s  %-*s  %-16s %6s %10s  %s", wide, listing->entry->text, user, listing->used_by,
            listing_state_text(listing->state), weight, time, words);
        printf("%s\n", g_strchomp(line));
    }
}

static void print_conclusion(const struct subject *subject)
{
    printf("  sum %" G_GINT64_FORMAT ", refused from %" G_GINT64_FORMAT ": ", subject->sum,
           subject->threshold);
    const char *check = check_of(subject);
    if (!check && subject->unanswered > 0)
        printf("gatepost would not refuse it, since a list that tells nothing lists nobody\n");
    else if (!check)
        printf("gatepost would not refuse it\n");
    else
        printf("%s would %s it (%s)\n", check, subject->refused ? "refuse" : "permit",
               subject->by->entry->zone);
}

static void print_text(const struct subject *subject)
{
    g_autofree char *name = text_escape(subject->text);
    if (subject->is_private) {
        printf("%s: a private or loopback address; no list is asked about it\n", name);
        return;
    }
    if (subject->listings->len == 0) {
        printf("%s: no list in force is asked about %s\n", name,
               subject->kind == DNSBL_ADDRESS ? "addresses"
               : subject->kind == DNSBL_NAME  ? "domains"
                                              : "e-mail addresses");
        return;
    }
    if (subject->listed || subject->unanswered == 0)
        printf("%s: %s\n", name, subject->listed ? "listed" : "not listed");
    else if (subject->unanswered == subject->listings->len)
        printf("%s: no answer\n", name);
    else
        printf("%s: no answer from %u of %u lists, not listed by the others\n", name,
               subject->unanswered, subject->listings->len);
    print_table(subject);
    print_conclusion(subject);
}

static void print_probes_text(const GPtrArray *probes)
{
    for (guint i = 0; i < probes->len; i++) {
        const struct probed *probed = probes->pdata[i];
        const struct dnsbl_list_status *status = probed->status;
        bool missing = status->test_entry == DNSBL_TEST_MISSING;
        bool aside = status->health == DNSBL_ASIDE;
        printf("%s (%s): %s%s%s%s\n", status->zone, kind_of_list(status->kind), probe_word(probed),
               aside ? ": " : "", aside ? dnsbl_reason_text(status->reason, status->kind) : "",
               missing ? "; its test entry is missing" : "");
    }
}

/* Running it */

static void run_batch(struct run *run)
{
    dnslists_ask(run->lists, (struct subject *const *)(void *)run->batch->pdata, run->batch->len);
    for (guint i = 0; i < run->batch->len; i++) {
        const struct subject *subject = run->batch->pdata[i];
        run->listed |= subject->listed;
        run->untold |= !subject->listed && subject->unanswered > 0;
        if (run->json)
            print_json(subject);
        else
            print_text(subject);
    }
    g_ptr_array_set_size(run->batch, 0);
}

static void add_subject(struct run *run, const char *text)
{
    struct subject *subject = subject_new(text);
    if (!subject) {
        complain("\"%s\" is neither an address nor a domain nor an e-mail address", text);
        run->bad = true;
        return;
    }
    g_ptr_array_add(run->batch, subject);
    if (run->batch->len >= BATCH_MAX)
        run_batch(run);
}

/* One word a line; empty lines and comments are passed over. */
static void add_line(void *data, char *line)
{
    g_strstrip(line);
    if (*line != '\0' && *line != '#')
        add_subject(data, line);
}

static void run_probes(struct run *run)
{
    g_autoptr(GPtrArray) probes = dnslists_probe(run->lists);
    for (guint i = 0; i < probes->len; i++)
        run->listed |= ((const struct probed *)probes->pdata[i])->state != LISTING_NOT_LISTED;
    if (run->json)
        print_probes_json(probes);
    else
        print_probes_text(probes);
}

static void free_subject(void *data)
{
    subject_free(data);
}

static enum exit_code run_all(struct run *run, char **operands, bool probe)
{
    if (!dnslists_any(run->lists))
        complain("the settings name no DNS list");
    if (probe)
        run_probes(run);
    run->batch = g_ptr_array_new_with_free_func(free_subject);
    for (; *operands; operands++) {
        if (strcmp(*operands, "-") == 0)
            run->bad |= !each_line_of_stdin(add_line, run);
        else
            add_subject(run, *operands);
    }
    run_batch(run);
    g_ptr_array_unref(run->batch);
    if (run->bad)
        return CODE_USAGE;
    return run->listed ? CODE_NO : run->untold ? CODE_UNAVAILABLE : CODE_FINE;
}

static enum exit_code run_with(const struct invocation *invocation, bool json, bool probe)
{
    struct problems *problems = problems_new();
    struct snapshot *snapshot = snapshot_load(invocation->config, NULL, problems);
    struct run run = {.json = json};
    run.lists = snapshot ? dnslists_new(snapshot, problems) : NULL;
    problems_print(problems, stderr);
    problems_free(problems);
    enum exit_code code = CODE_CONFIG;
    if (run.lists)
        code = run_all(&run, invocation->operands, probe);
    else if (snapshot)
        code = CODE_UNAVAILABLE;
    dnslists_free(run.lists);
    snapshot_unref(snapshot);
    return code;
}

enum exit_code command_dnsbl(struct invocation *invocation)
{
    gboolean json = FALSE, probe = FALSE;
    const GOptionEntry entries[] = {{"json", 0, 0, G_OPTION_ARG_NONE, &json, NULL, NULL},
                                    {"probe", 0, 0, G_OPTION_ARG_NONE, &probe, NULL, NULL},
                                    {NULL, 0, 0, 0, NULL, NULL, NULL}};
    enum parse_result parsed = invocation_parse(invocation, entries, 0, G_MAXUINT);
    if (parsed != PARSE_GOOD)
        return parse_code(parsed);
    if (!probe && !*invocation->operands)
        return usage_error(invocation, "an argument is missing");
    return run_with(invocation, json, probe);
}
