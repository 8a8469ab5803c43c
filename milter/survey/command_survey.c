/* SPDX-License-Identifier: BSD-2-Clause
 *
 * gatepostctl survey.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "call.h"
#include "config.h"
#include "diff.h"
#include "html.h"
#include "interrupt.h"
#include "mail/hostname.h"
#include "outfile.h"
#include "report/json.h"
#include "sts_fetch.h"
#include "summary.h"
#include "survey.h"

/* After so long a loss is asked again. */
#define CONFIRM "15m"

struct options {
    gboolean json, csv, diff, trust_resolver, versions, local;
    char *html, *db, *helo, *confirm, *ca_file, *file;
    int jobs;
    int64_t confirm_us;
};

static void options_clear(struct options *options)
{
    char *texts[] = {options->html,    options->db,      options->helo,
                     options->confirm, options->ca_file, options->file};
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++)
        g_free(texts[i]);
}

static bool parse(struct call *call, struct options *options, int argc, char **argv,
                  enum call_code *code_r)
{
    const GOptionEntry entries[] = {
        {"json", 0, 0, G_OPTION_ARG_NONE, &options->json, NULL, NULL},
        {"csv", 0, 0, G_OPTION_ARG_NONE, &options->csv, NULL, NULL},
        {"html", 0, 0, G_OPTION_ARG_FILENAME, &options->html, NULL, NULL},
        {"db", 0, 0, G_OPTION_ARG_FILENAME, &options->db, NULL, NULL},
        {"diff", 0, 0, G_OPTION_ARG_NONE, &options->diff, NULL, NULL},
        {"jobs", 0, 0, G_OPTION_ARG_INT, &options->jobs, NULL, NULL},
        {"helo", 0, 0, G_OPTION_ARG_STRING, &options->helo, NULL, NULL},
        {"trust-resolver", 0, 0, G_OPTION_ARG_NONE, &options->trust_resolver, NULL, NULL},
        {"confirm", 0, 0, G_OPTION_ARG_STRING, &options->confirm, NULL, NULL},
        {"versions", 0, 0, G_OPTION_ARG_NONE, &options->versions, NULL, NULL},
        {"local", 0, 0, G_OPTION_ARG_NONE, &options->local, NULL, NULL},
        {"ca-file", 0, 0, G_OPTION_ARG_FILENAME, &options->ca_file, NULL, NULL},
        {"file", 'f', 0, G_OPTION_ARG_FILENAME, &options->file, NULL, NULL},
        {NULL, 0, 0, 0, NULL, NULL, NULL}};
    if (!call_parse(call, entries, argc, argv, code_r))
        return false;
    *code_r = CALL_USAGE;
    options->confirm_us = settings_read_time(options->confirm ? options->confirm : CONFIRM);
    if (options->json + options->csv + (options->html != NULL) > 1)
        call_usage(call, "--json, --csv and --html exclude each other");
    else if (options->diff && g_strcmp0(options->html, "-") == 0)
        call_usage(call, "--diff and --html - both print; name a file for the page");
    else if (options->csv && options->diff)
        call_usage(call, "--diff is text or --json");
    else if (options->jobs < 1 || options->jobs > SURVEY_JOBS_MAX)
        call_usage(call, "--jobs is a number from 1 to %d", SURVEY_JOBS_MAX);
    else if (options->helo && !hostname_valid(options->helo))
        call_usage(call, "--helo: \"%s\" is no name of a host", options->helo);
    else if (options->confirm_us < 0 || options->confirm_us > 366 * G_TIME_SPAN_DAY)
        call_usage(call, "--confirm is a time: 90s, 15m, 1h; 0 does not ask again");
    else
        return true;
    return false;
}

/* ---- surveying ---- */

static bool is_loss(void *data, const struct finding *finding)
{
    return diff_is_loss(data, finding);
}

/* A name that does not exist is what makes servers refuse to speak, and then nothing is learnt. */
static bool check_helo(struct call *call, const char *name, bool given)
{
    struct asker asker;
    const struct dns_answer *v4, *v6;
    asker_init(&asker, call->resolver, false);
    asker_ask_addresses(&asker, name, &v4, &v6);
    bool found = v4->state == DNS_ANSWERED || v6->state == DNS_ANSWERED;
    bool failed = v4->state == DNS_FAILED || v6->state == DNS_FAILED;
    dns_answer_unref(v4);
    dns_answer_unref(v6);
    asker_clear(&asker);
    if (found)
        return true;
    complain("%s \"%s\" %s: servers may refuse to speak to it%s", given ? "--helo" : "host name",
             name, failed ? "cannot be looked up" : "has no address in the DNS",
             given ? "" : "; name one that has with --helo");
    return failed || !given;
}

/* SEEN: those of DOMAINS that FINDINGS are about. false: they are not kept. */
static bool keep(struct history *history, int64_t started, const GPtrArray *domains,
                 const GPtrArray *seen, const GPtrArray *findings)
{
    g_autofree char *why = NULL;
    bool interrupted = interrupt_came();
    if (interrupted && seen->len == 0) {
        complain("interrupted before a domain was seen whole: nothing is kept");
        return true;
    }
    if (!history_add(history, started, g_get_real_time() / G_USEC_PER_SEC, seen, findings, &why)) {
        complain("this run is not kept: %s", why);
        return false;
    }
    if (interrupted && seen->len == domains->len)
        complain("interrupted: all %u domains were seen, and are kept; what was lost may not "
                 "have been asked again",
                 seen->len);
    else if (interrupted)
        complain("interrupted: %u of %u domains were seen whole, and are kept", seen->len,
                 domains->len);
    return true;
}

/* NULL: nobody was asked. *KEPT_R: what was found is in the history. */
static GPtrArray *survey(struct call *call, const struct options *options,
                         struct tls_context *context, struct history *history,
                         const GPtrArray *domains, bool *kept_r)
{
    const char *helo = options->helo ? options->helo : g_get_host_name();
    if (!check_helo(call, helo, options->helo))
        return NULL;
    struct survey_options how = {.jobs = (unsigned)options->jobs,
                                 .helo = helo,
                                 .ca_file = options->ca_file,
                                 .versions = options->versions,
                                 .local = options->local,
                                 .validates = call->validates,
                                 .confirm = options->confirm_us,
                                 .is_loss = is_loss,
                                 .data = history,
                                 .progress = isatty(STDERR_FILENO)};
    int64_t started = g_get_real_time() / G_USEC_PER_SEC;
    g_autoptr(GPtrArray) seen = g_ptr_array_new();
    interrupt_catch();
    GPtrArray *findings = survey_run(call->resolver, context, domains, &how, seen);
    *kept_r = keep(history, started, domains, seen, findings);
    return findings;
}

/* ---- printing ---- */

static void print_table(const GPtrArray *findings, void *data)
{
    (void)data;
    g_autoptr(GString) out = g_string_new(NULL);
    summary_table(out, findings);
    fputs(out->str, stdout);
}

static void print_findings(const struct call *call, const struct options *options,
                           GPtrArray *findings)
{
    g_autoptr(GString) out = g_string_new(NULL);
    if (options->csv)
        finding_csv(out, NULL);
    for (guint i = 0; i < findings->len; i++) {
        if (options->json)
            finding_json(out, findings->pdata[i]);
        else if (options->csv)
            finding_csv(out, findings->pdata[i]);
    }
    fputs(out->str, stdout);
    if (options->json || options->csv)
        return;
    summary_each(findings, print_table, NULL);
    if (!call->validates)
        printf("DNSSEC: not known here (%s)\n", call->why_not);
}

static void print_difference(const struct difference *difference, bool json)
{
    g_autoptr(GString) out = g_string_new(NULL);
    if (json) {
        json_open(out, NULL, '{');
        json_integer(out, "schema", 1);
        json_string(out, "class", diff_class_text(difference->class));
        json_string(out, "domain", difference->domain);
        json_string(out, "mx", difference->mx);
        json_string(out, "address", difference->address);
        json_string(out, "text", difference->text);
        json_close(out, '}');
        g_string_append_c(out, '\n');
    } else {
        summary_difference(out, difference);
    }
    fputs(out->str, stdout);
}

/* The two runs that are meant: A and B; A and the last one; the last two. */
static bool choose_runs(const struct call *call, struct history *history, char *const *names,
                        int64_t *a_r, int64_t *b_r)
{
    g_autoptr(GArray) runs = history_runs(history);
    struct history_run chosen[2];
    if (runs->len < 2 && !(names[0] && names[1])) {
        complain("there is nothing to compare yet: the history has %u run%s", runs->len,
                 runs->len == 1 ? "" : "s");
        return false;
    }
    for (unsigned i = 0; i < 2; i++) {
        if (!names[0] || (i == 1 && !names[1])) {
            chosen[i] = g_array_index(runs, struct history_run, runs->len - 2 + i);
        } else if (!history_find_run(history, names[i], &chosen[i])) {
            call_usage(call, "the history has no run %s", names[i]);
            return false;
        }
    }
    *a_r = chosen[0].id;
    *b_r = chosen[1].id;
    return true;
}

static enum call_code print_diff(const struct call *call, const struct options *options,
                                 struct history *history, char *const *names)
{
    int64_t a, b;
    enum call_code code = CALL_FINE;
    if (!choose_runs(call, history, names, &a, &b))
        return names[0] ? CALL_USAGE : CALL_FINE;
    g_autoptr(GPtrArray) differences = diff_runs(history, a, b);
    for (guint i = 0; i < differences->len; i++) {
        const struct difference *difference = differences->pdata[i];
        print_difference(difference, options->json);
        if (difference->class == DIFF_ALARM)
            code = CALL_NO;
    }
    if (differences->len == 0 && !options->json)
        printf("nothing changed between run %" G_GINT64_FORMAT " and run %" G_GINT64_FORMAT "\n", a,
               b);
    return code;
}

static enum call_code write_page(struct history *history, struct outfile **page)
{
    g_autoptr(GString) out = g_string_new(NULL);
    g_autofree char *why = NULL;
    if (!html_page(out, history)) {
        complain("the history has no run to show");
        return CALL_USAGE;
    }
    if (outfile_commit(g_steal_pointer(page), out->str, out->len, &why))
        return CALL_FINE;
    complain("%s", why);
    return CALL_UNAVAILABLE;
}

/* ---- the command ---- */

static char *history_place(const struct call *call, const struct options *options)
{
    if (options->db)
        return g_strdup(options->db);
    if (call->was_root)
        return g_strdup(GATEPOST_STATEDIR "/survey.db");
    return g_build_filename(g_get_user_data_dir(), "gatepost", "survey.db", NULL);
}

/* As the user of the settings from here on. */
static enum call_code run(struct call *call, const struct options *options,
                          struct tls_context *context, const GPtrArray *domains, char *const *runs,
                          struct outfile **page)
{
    g_autofree char *why = NULL, *place = history_place(call, options);
    struct history *history = history_open(place, &why);
    enum call_code code = CALL_FINE;
    if (!history) {
        complain("%s (--db names another file)", why);
        return CALL_UNAVAILABLE;
    }
    if (domains->len > 0) {
        sts_fetch_start();
        bool kept = true;
        g_autoptr(GPtrArray) findings =
            call_connect(call, options->trust_resolver)
                ? survey(call, options, context, history, domains, &kept)
                : NULL;
        if (findings && findings->len == 0) {
            history_close(history); /* interrupted before there was anything to tell */
            return CALL_FINE;
        }
        if (!findings)
            code = call->resolver ? CALL_USAGE : CALL_CONFIG;
        else if (!options->diff && !options->html)
            print_findings(call, options, findings);
        /* what the history has, a comparison or the page, would be of a run before */
        if (!kept)
            code = CALL_UNAVAILABLE;
    }
    if (code == CALL_FINE && options->diff)
        code = print_diff(call, options, history, runs);
    if (*page && (code == CALL_FINE || code == CALL_NO)) {
        enum call_code written = write_page(history, page);
        code = written == CALL_FINE ? code : written;
    }
    history_close(history);
    return code;
}

/* Behind --diff come the names of runs, or domains to survey first. */
static bool are_runs(const struct options *options, char *const *operands)
{
    if (!options->diff || options->file || g_strv_length((char **)operands) > 2)
        return false;
    for (size_t i = 0; operands[i]; i++)
        if (!history_names_run(operands[i]))
            return false;
    return true;
}

static enum call_code begin(struct call *call, const struct options *options)
{
    static char *const nothing[] = {NULL};
    g_autoptr(GPtrArray) domains = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *why = NULL;
    bool runs = are_runs(options, call->operands);
    if (!call_add_domains(runs ? nothing : call->operands, options->file, domains))
        return CALL_USAGE;
    if (domains->len == 0 && !options->diff && !options->html)
        return call_usage(call, "a domain is missing");
    if (!call_load(call))
        return CALL_CONFIG;
    /* What root may read and write is opened, or given to a writer, while it is root. */
    struct tls_context *context = tls_context_new(options->ca_file, &why);
    struct outfile *page = NULL;
    if (context && options->html)
        page = outfile_begin(options->html, call_will_drop(call), &why);
    enum call_code code = CALL_USAGE;
    if (why)
        complain("%s", why);
    else if (!call_drop(call))
        code = CALL_CONFIG;
    else
        code = run(call, options, context, domains, runs ? call->operands : nothing, &page);
    outfile_drop(page);
    tls_context_free(context);
    return code;
}

enum call_code call_survey(struct call *call, int argc, char **argv)
{
    struct options options = {.jobs = SURVEY_JOBS};
    enum call_code code;
    if (parse(call, &options, argc, argv, &code))
        code = begin(call, &options);
    options_clear(&options);
    return code;
}
