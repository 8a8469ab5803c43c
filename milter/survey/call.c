/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The beginning and the end of a command.
 */
#include "call.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/options.h"
#include "daemon/privileges.h"
#include "mail/hostname.h"

/* Most domains of a call. */
enum { DOMAINS_MAX = 1000000 };

static void print_usage(const struct call *call, FILE *stream)
{
    fprintf(stream, "usage: gatepostctl [-c FILE] %s %s\n", call->command, call->arguments);
}

enum call_code call_usage(const struct call *call, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    print_usage(call, stderr);
    complain("%s", text);
    return CALL_USAGE;
}

bool call_parse(struct call *call, const GOptionEntry *entries, int argc, char **argv,
                enum call_code *code_r)
{
    struct common_options common = {.config = call->config};
    g_autofree char *why = NULL;
    bool good = options_parse(entries, argc, argv, &common, &why);
    call->config = common.config;
    call->operands = common.operands;
    *code_r = CALL_FINE;
    if (!good) {
        *code_r = call_usage(call, "%s", why);
    } else if (common.help) {
        print_usage(call, stdout);
        printf("%s\n"
               "Exit: 0 fine, 1 the answer is no, 64 usage, 69 not reachable, 78 the settings are "
               "wrong\n",
               call->help);
    }
    return good && !common.help;
}

bool call_load(struct call *call)
{
    struct problems *problems = problems_new();
    call->settings = settings_load(call->config, problems);
    bool good = call->settings && problems_errors(problems) == 0;
    problems_print(problems, stderr);
    problems_free(problems);
    return good;
}

bool call_will_drop(const struct call *call)
{
    return geteuid() == 0 &&
           strcmp(settings_get(call->settings, NULL, SETTING_USER)->text, "root") != 0;
}

bool call_drop(struct call *call)
{
    struct problems *problems = problems_new();
    struct identity identity;
    char *why = NULL;
    call->was_root = geteuid() == 0;
    bool good = identity_find(call->settings, problems, &identity);
    if (good && !privileges_drop(&identity, &why)) {
        complain("%s", why);
        good = false;
    }
    problems_print(problems, stderr);
    identity_clear(&identity);
    problems_free(problems);
    g_free(why);
    return good;
}

bool call_connect(struct call *call, bool trust_resolver)
{
    const struct setting_value *servers = settings_get(call->settings, NULL, SETTING_DNS_SERVERS);
    struct problems *problems = problems_new();
    const char *why = NULL;
    /* Nobody waits at the door: a slow server may take its time. */
    const struct resolver_options patient = {.timeout_ms = 2500, .tries = 3};
    call->resolver = resolver_new(servers->text, &patient, problems, servers->file, servers->line);
    problems_print(problems, stderr);
    problems_free(problems);
    if (!call->resolver)
        return false;
    call->validates = asker_probe(call->resolver, trust_resolver, &why);
    call->why_not = call->validates ? NULL : g_strdup(why);
    return true;
}

/* A domain as it is asked, or NULL. */
static char *domain_form(const char *word)
{
    g_autofree char *ascii = hostname_to_ascii(word);
    if (!ascii)
        return NULL;
    size_t length = strlen(ascii);
    if (length > 1 && ascii[length - 1] == '.')
        ascii[length - 1] = '\0';
    if (!hostname_valid(ascii) || hostname_ends_in_number(ascii) || !dns_name_valid(ascii))
        return NULL;
    return g_ascii_strdown(ascii, -1);
}

static bool add_domain(const char *word, const char *place, unsigned line, GHashTable *known,
                       GPtrArray *domains)
{
    char *domain = domain_form(word);
    if (!domain || domains->len >= DOMAINS_MAX) {
        g_autofree char *where = line ? g_strdup_printf("%s:%u: ", place, line) : g_strdup("");
        if (domain)
            complain("%sthere are more than %d domains", where, DOMAINS_MAX);
        else
            complain("%s\"%s\" is no domain", where, word);
        g_free(domain);
        return false;
    }
    if (g_hash_table_add(known, domain))
        g_ptr_array_add(domains, domain);
    return true;
}

static bool add_file(const char *file, GHashTable *known, GPtrArray *domains)
{
    FILE *stream = strcmp(file, "-") == 0 ? stdin : fopen(file, "r");
    char *line = NULL;
    size_t room = 0;
    bool good = stream;
    for (unsigned number = 1; stream && getline(&line, &room, stream) >= 0; number++) {
        line[strcspn(line, "#")] = '\0';
        char *word = g_strstrip(line);
        if (*word)
            good = add_domain(word, file, number, known, domains) && good;
    }
    if (!stream || ferror(stream)) {
        complain("%s: %s", file, g_strerror(errno));
        good = false;
    }
    free(line);
    if (stream && stream != stdin)
        fclose(stream);
    return good;
}

bool call_add_domains(char *const *words, const char *file, GPtrArray *domains)
{
    g_autoptr(GHashTable) known = g_hash_table_new(g_str_hash, g_str_equal);
    bool good = true;
    for (size_t i = 0; words[i]; i++)
        good = add_domain(words[i], NULL, 0, known, domains) && good;
    return (!file || add_file(file, known, domains)) && good;
}

void call_end(struct call *call)
{
    resolver_free(call->resolver);
    settings_free(call->settings);
    g_strfreev(call->operands);
    g_free(call->config);
    g_free(call->why_not);
}
