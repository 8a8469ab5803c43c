/* SPDX-License-Identifier: BSD-2-Clause
 *
 * gatepostctl onion-map: for each domain its line, or a comment that says why it has none. A record
 * that anybody on the way may have written must not lead mail away from where MTA-STS or DANE would
 * have protected it.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/wholefile.h"
#include "call.h"
#include "lookup/matchlist.h"
#include "mx.h"
#include "onion.h"
#include "outfile.h"
#include "sts_fetch.h"

struct options {
    char *out, *service, *ca_file, *file;
    gboolean insecure, trust_resolver, local;
};

struct map {
    const struct options *options;
    struct asker asker;
    struct match_list *own; /* local_domains; NULL: not set */
    char *old;              /* what the file holds; "" for none */
    GString *text;
};

static void options_clear(struct options *options)
{
    g_free(options->out);
    g_free(options->service);
    g_free(options->ca_file);
    g_free(options->file);
}

/* ---- one domain ---- */

static void remark(struct map *map, const char *domain, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

static void remark(struct map *map, const char *domain, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    g_string_append_printf(map->text, "# %s: %s\n", domain, text);
}

/* NULL, or what protects mail to the domain on the way that it takes now. What cannot be found out
 * counts as protection: a record that nobody signed does not lead away from it. */
static char *protection_of(struct map *map, const char *domain)
{
    struct sts_result sts;
    char *found = NULL;
    sts_fetch(&map->asker, domain, map->options->ca_file, map->options->local, &sts);
    bool enforced = sts.policy && sts.policy->mode == STS_MODE_ENFORCE;
    bool excluded = strcmp(sts.state, "none") == 0 || (sts.policy && !enforced) ||
                    strcmp(sts.state, "bad-record") == 0;
    if (enforced)
        found = g_strdup("MTA-STS in mode enforce");
    else if (!excluded)
        found = g_strdup_printf("MTA-STS, whose policy cannot be known now (%s)", sts.state);
    sts_result_clear(&sts);
    struct mx_domain *mx = mx_look_up(&map->asker, domain);
    if (!found && strcmp(mx->state, "servfail") == 0)
        found = g_strdup("MX records that cannot be looked up now, and perhaps DANE");
    for (guint i = 0; !found && i < mx->hosts->len; i++) {
        const struct mx_host *host = mx->hosts->pdata[i];
        const char *dane = host->dane ? host->dane : "";
        if (strcmp(dane, "usable") == 0)
            found = g_strdup_printf("DANE at %s", host->name);
        else if (strcmp(dane, "bogus") == 0 || strcmp(dane, "lookup-failed") == 0)
            found = g_strdup_printf("perhaps DANE at %s (%s)", host->name, dane);
    }
    mx_domain_free(mx);
    return found;
}

/* There are records at the domain's own name. */
static void take_records(struct map *map, const char *domain, const struct dns_answer *answer)
{
    struct onion_choice choice;
    onion_choose(answer, map->options->service, &choice);
    g_autofree char *protection =
        choice.next_hop && !answer->authenticated ? protection_of(map, domain) : NULL;
    if (!choice.next_hop)
        remark(map, domain, "no record that can be used");
    else if (protection)
        remark(map, domain, "refused: the SRV record is not signed, and the domain has %s",
               protection);
    else if (!answer->authenticated && !map->options->insecure)
        g_string_append_printf(map->text, "# unsigned: %s %s\n", domain, choice.next_hop);
    else
        g_string_append_printf(map->text, "%s %s\n", domain, choice.next_hop);
    g_string_append(map->text, choice.remarks->str);
    onion_choice_clear(&choice);
}

static void look_up(struct map *map, const char *domain)
{
    bool onion = strcmp(domain, "onion") == 0 || g_str_has_suffix(domain, ".onion");
    enum lookup_status own = map->own ? match_list_find_domain(map->own, domain) : LOOKUP_MISS;
    if (onion || own != LOOKUP_MISS) {
        remark(map, domain,
               onion               ? "never looked up (RFC 7686)"
               : own == LOOKUP_HIT ? "one of local_domains"
                                   : "perhaps one of local_domains");
        return;
    }
    g_autofree char *name = g_strconcat("_onion-mx._tcp.", domain, NULL);
    const struct dns_answer *answer = asker_ask(&map->asker, name, DNS_SRV);
    if (answer->state == DNS_FAILED) {
        /* what cannot be looked up now may well be as it was */
        g_autofree char *line = onion_old_line(map->old, domain);
        remark(map, domain, "%s%s", dns_failure_text(answer->failure),
               line ? ": the old line is kept" : "");
        if (line)
            g_string_append(map->text, line);
    } else if (answer->alias_count > 0) {
        remark(map, domain, "its SRV record is an alias, which is not the domain's own word");
    } else if (answer->state == DNS_ANSWERED) {
        take_records(map, domain, answer);
    }
    dns_answer_unref(answer);
}

/* ---- the command ---- */

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static enum call_code deliver(const struct map *map, struct outfile **file)
{
    g_autofree char *why = NULL;
    if (!*file) {
        fputs(map->text->str, stdout);
        return CALL_FINE;
    }
    if (outfile_commit(g_steal_pointer(file), map->text->str, map->text->len, &why))
        return CALL_FINE;
    complain("%s", why);
    return CALL_UNAVAILABLE;
}

static enum call_code run(struct call *call, struct map *map, GPtrArray *domains,
                          struct outfile **file)
{
    if (!call_drop(call))
        return CALL_CONFIG;
    sts_fetch_start();
    if (!call_connect(call, map->options->trust_resolver))
        return CALL_CONFIG;
    /* Nothing would be covered, and a map that was good would be emptied. */
    if (!call->validates) {
        complain("%s; %s is left as it is", call->why_not,
                 map->options->out ? map->options->out : "the map");
        return CALL_UNAVAILABLE;
    }
    asker_init(&map->asker, call->resolver, true);
    g_ptr_array_sort(domains, by_name);
    g_string_append(map->text, "# Made by gatepostctl onion-map: what is changed here is lost.\n");
    for (guint i = 0; i < domains->len; i++)
        look_up(map, domains->pdata[i]);
    asker_clear(&map->asker);
    return deliver(map, file);
}

/* local_domains of main; false after complaints. */
static bool read_own(const struct call *call, struct match_list **own_r)
{
    const struct setting_value *value = settings_get(call->settings, NULL, SETTING_LOCAL_DOMAINS);
    if (!value->given)
        return true;
    struct problems *problems = problems_new();
    g_autofree char *folder = g_path_get_dirname(call->config);
    struct table_context context = {
        .base_dir = folder, .problems = problems, .file = value->file, .line = value->line};
    *own_r = match_list_open(value->text, MATCH_DOMAINS, &context);
    problems_print(problems, stderr);
    problems_free(problems);
    return *own_r;
}

/* A file that is not there is empty; one that cannot be read is not to be replaced. */
static bool read_old(const char *path, char **old_r)
{
    struct whole_file file;
    if (!path)
        return true;
    enum whole_file_result result = whole_file_read_settled(path, OUTFILE_MAX, &file);
    if (result == WHOLE_FILE_READ)
        *old_r = file.text;
    else if (result != WHOLE_FILE_FAULT || errno != ENOENT)
        complain("%s: %s", path, whole_file_why(result));
    else
        return true;
    return *old_r;
}

static enum call_code begin(struct call *call, const struct options *options)
{
    g_autoptr(GPtrArray) domains = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *why = NULL;
    struct map map = {.options = options, .text = g_string_new(NULL)};
    struct outfile *file = NULL;
    bool is_printed = !options->out || strcmp(options->out, "-") == 0;
    enum call_code code = CALL_USAGE;
    if (!call_add_domains(call->operands, options->file, domains)) {
        code = CALL_USAGE;
    } else if (domains->len == 0) {
        code = call_usage(call, "a domain is missing");
    } else if (!onion_service_valid(options->service)) {
        code = call_usage(call, "--service is the name of a service in master.cf");
    } else if (!call_load(call) || !read_own(call, &map.own)) {
        code = CALL_CONFIG;
    } else if (read_old(is_printed ? NULL : options->out, &map.old)) {
        if (!map.old)
            map.old = g_strdup("");
        if (!is_printed)
            file = outfile_begin(options->out, call_will_drop(call), &why);
        if (why)
            complain("%s", why);
        else
            code = run(call, &map, domains, &file);
    }
    outfile_drop(file);
    match_list_unref(map.own);
    g_free(map.old);
    g_string_free(map.text, TRUE);
    return code;
}

enum call_code call_onion_map(struct call *call, int argc, char **argv)
{
    struct options options = {0};
    const GOptionEntry entries[] = {
        {"output", 'o', 0, G_OPTION_ARG_FILENAME, &options.out, NULL, NULL},
        {"service", 0, 0, G_OPTION_ARG_STRING, &options.service, NULL, NULL},
        {"insecure", 0, 0, G_OPTION_ARG_NONE, &options.insecure, NULL, NULL},
        {"trust-resolver", 0, 0, G_OPTION_ARG_NONE, &options.trust_resolver, NULL, NULL},
        {"local", 0, 0, G_OPTION_ARG_NONE, &options.local, NULL, NULL},
        {"ca-file", 0, 0, G_OPTION_ARG_FILENAME, &options.ca_file, NULL, NULL},
        {"file", 'f', 0, G_OPTION_ARG_FILENAME, &options.file, NULL, NULL},
        {NULL, 0, 0, 0, NULL, NULL, NULL}};
    enum call_code code;
    bool parsed = call_parse(call, entries, argc, argv, &code);
    if (!options.service)
        options.service = g_strdup("smtptor");
    if (parsed)
        code = begin(call, &options);
    options_clear(&options);
    return code;
}
