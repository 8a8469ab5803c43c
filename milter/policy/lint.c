/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Doubts about a policy that is valid but hardly meant: told by `gatepostctl check` and at start.
 */
#include "policy.h"

#include <string.h>

#include "base/text.h"
#include "checks/limit.h"
#include "dns/public_resolvers.h"
#include "mail/hostname.h"

struct lint {
    const struct policy *policy;
    const struct settings *settings;
    struct problems *problems;
    const struct setting_value *value; /* of the list that is looked at */
    const struct restriction_list *list;
};

static void warn(const struct lint *lint, const char *format, ...) G_GNUC_PRINTF(2, 3);
static void warn(const struct lint *lint, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    problems_warning(lint->problems, lint->value->file, lint->value->line, "%s: %s",
                     restriction_list_name(lint->list->kind), text);
}

/* The first item that decides whatever the facts are, or NULL. warn_if_reject takes no permit back.
 */
static const struct restriction_item *deciding_item(const struct restriction_list *list,
                                                    unsigned *index_r)
{
    const struct restriction_item *item;
    for (unsigned i = 0; (item = restriction_list_item(list, i)); i++) {
        *index_r = i;
        if ((item->row->traits & TRAIT_ALWAYS) &&
            !(item->warn_if_reject && (item->row->traits & TRAIT_REFUSES)))
            return item;
    }
    return NULL;
}

static void lint_unreachable(const struct lint *lint)
{
    unsigned index;
    const struct restriction_item *always = deciding_item(lint->list, &index);
    const struct restriction_item *next =
        always ? restriction_list_item(lint->list, index + 1) : NULL;
    if (next)
        warn(lint, "%s stands behind %s and is never asked", next->row->name, always->row->name);
    if (!always || index > 0)
        return;
    if (always->row->traits & TRAIT_REFUSES)
        warn(lint, "it begins with %s and so refuses all mail", always->row->name);
    else if (lint->list->kind == LIST_RELAY)
        warn(lint, "it begins with permit: everybody may relay");
}

/* Whether item INDEX is the first of its restriction. */
static bool is_first(const struct restriction_list *list, unsigned index)
{
    const struct restriction *row = restriction_list_item(list, index)->row;
    for (unsigned i = 0; i < index; i++)
        if (restriction_list_item(list, i)->row == row)
            return false;
    return true;
}

/* A relay list that permits by what any client can claim. */
static void lint_relay(const struct lint *lint)
{
    if (!restriction_list_has(lint->list, TRAIT_ENDS_RELAY)) {
        problems_error(lint->problems, lint->value->file, lint->value->line,
                       "relay_restrictions: without reject_unauth_destination, "
                       "defer_unauth_destination, reject or defer everybody may relay; add "
                       "reject_unauth_destination at its end");
        return;
    }
    unsigned index;
    const struct restriction_item *always = deciding_item(lint->list, &index);
    for (unsigned i = 0; always && (always->row->traits & TRAIT_PERMITS) && i < index; i++)
        if (restriction_list_item(lint->list, i)->row->traits & TRAIT_ENDS_RELAY)
            always = NULL;
    if (always && (always->row->traits & TRAIT_PERMITS) && index > 0)
        warn(lint, "permit stands before anything that refuses: everybody may relay");
    const struct restriction_item *item;
    for (unsigned i = 0; (item = restriction_list_item(lint->list, i)); i++)
        if ((item->row->traits & TRAIT_FORGEABLE) && is_first(lint->list, i))
            warn(lint, "%s may permit relaying by a name that any client can claim",
                 item->row->name);
}

/* Permits behind the refusal of mail to elsewhere: what they would let relay was refused before.
 * Before other refusals, a bare one as well, they have a use, and a bare permit says that the list
 * ends; what permits mail for this site alone lets nobody relay wherever it stands. */
static void lint_late_permits(const struct lint *lint)
{
    const struct restriction_item *item, *refuses = NULL, *late = NULL;
    for (unsigned i = 0; (item = restriction_list_item(lint->list, i)); i++) {
        unsigned traits = item->row->traits;
        bool ends = (traits & TRAIT_ENDS_RELAY) && !(traits & TRAIT_ALWAYS);
        if (ends && !refuses && !item->warn_if_reject)
            refuses = item;
        else if (refuses && (!(traits & TRAIT_PERMITS) || (traits & TRAIT_REFUSES)))
            return;
        else if (refuses && !(traits & TRAIT_ALWAYS) &&
                 !(item->row->asks & (ASKS_ZONE | ASKS_DESTINATION)))
            late = late ? late : item;
    }
    if (late)
        warn(lint, "%s stands behind %s, which has refused whom it would let relay; put it before",
             late->row->name, refuses->row->name);
}

/* The guard looks at mail of those whom these two let pass. */
static void lint_guard(const struct lint *lint)
{
    const struct restriction_item *item;
    bool networks = false, logins = false;
    for (unsigned i = 0; (item = restriction_list_item(lint->list, i)); i++) {
        networks |=
            (item->row->passes & 1u << LIMIT_MYNETWORKS) && !(item->row->traits & TRAIT_ALWAYS);
        logins |= item->row->traits & TRAIT_PERMITS_LOGINS;
        if ((item->row->asks & ASKS_GUARD) && networks && logins)
            warn(lint,
                 "%s stands behind permit_mynetworks and permit_sasl_authenticated, which let "
                 "those pass whose auto-replies it looks at; put it before",
                 item->row->name);
    }
}

/* Why an item never matches; NULL: it may. The caller frees it. */
static char *never_matches(const struct lint *lint, const struct restriction_item *item)
{
    enum setting setting;
    const char *without = item->row->useless_without;
    if (without && setting_find(without, SECTION_MAIN, &setting) &&
        *settings_get(lint->settings, lint->policy->section, setting)->text == '\0')
        return g_strdup_printf("%s is empty", without);
    if (lint->policy->delay_checks)
        return NULL;
    unsigned known = lint->list->kind == LIST_CLIENT   ? NEED_NOTHING
                     : lint->list->kind == LIST_HELO   ? (unsigned)NEED_HELO
                     : lint->list->kind == LIST_SENDER ? (unsigned)(NEED_HELO | NEED_SENDER)
                                                       : ~0u;
    return item->row->needs & ~known
               ? g_strdup(
                     "with delay_checks = no it is evaluated before the MTA tells what it needs")
               : NULL;
}

/* Defaults name restrictions whose settings many sites leave empty: no reason to nag. */
static void lint_never(const struct lint *lint)
{
    const struct restriction_item *item;
    for (unsigned i = 0; lint->value->given && (item = restriction_list_item(lint->list, i)); i++) {
        g_autofree char *why = never_matches(lint, item);
        if (why)
            warn(lint, "%s can never match: %s", item->row->name, why);
    }
}

/* Whether everybody who reaches the list has logged in: it is that of a submission listener. */
static bool is_submission(const struct policy *policy)
{
    const char *name = policy->section ? section_name(policy->section) : NULL;
    const GPtrArray *names = policy->site.submission_listeners;
    for (guint i = 0; name && i < names->len; i++)
        if (g_ascii_strcasecmp(names->pdata[i], name) == 0)
            return true;
    return false;
}

static void lint_strangers(const struct lint *lint)
{
    const struct restriction_item *item;
    for (unsigned i = 0; (item = restriction_list_item(lint->list, i)); i++)
        if ((item->row->traits & TRAIT_NOT_FOR_STRANGERS) && !item->warn_if_reject &&
            !is_submission(lint->policy))
            warn(lint,
                 "%s is asked of strangers too, whose lists and newsletters are refused; put it "
                 "into the section of a submission listener, or into a class that "
                 "check_sasl_access names",
                 item->row->name);
}

/* Somebody else's list decides who passes. */
static void lint_praise(const struct lint *lint)
{
    const struct restriction_item *item;
    for (unsigned i = 0; (item = restriction_list_item(lint->list, i)); i++)
        if (item->row->argument == ARGUMENT_ZONE && (item->row->traits & TRAIT_PERMITS))
            warn(lint,
                 "%s %s ends the list for every client that this DNS list praises, whatever "
                 "stands behind it; a negative weight in dnsbl_sites is milder",
                 item->row->name, item->argument.word);
}

static void lint_listener(const struct policy *policy, const struct settings *settings,
                          struct problems *problems)
{
    const struct section *section = policy->section;
    const char *name = section ? section_name(section) : NULL;
    const GPtrArray *untrusted = policy->site.untrusted_listeners;
    for (guint i = 0; name && i < untrusted->len; i++) {
        if (g_ascii_strcasecmp(untrusted->pdata[i], name) != 0)
            continue;
        const struct setting_value *networks = settings_get(settings, section, SETTING_MYNETWORKS);
        const struct setting_value *main_networks =
            settings_get(settings, NULL, SETTING_MYNETWORKS);
        if (networks != main_networks)
            problems_warning(problems, networks->file, networks->line,
                             "mynetworks can never match here: %s is one of "
                             "untrusted_listeners",
                             name);
    }
}

struct network_lint {
    const struct setting_value *value;
    struct problems *problems;
};

/* Nobody's own network is larger than /8, but for the private one of IPv6 (RFC 4193). */
static void lint_network(void *data, const char *file, unsigned line, const struct ipnet *net)
{
    enum { LARGEST = 8 };
    const struct network_lint *lint = data;
    char text[IPADDR_TEXT_MAX];
    bool six = net->address.family == IP_V6;
    if (net->prefix >= LARGEST || (six && net->prefix == 7 && net->address.bytes[0] == 0xfc))
        return;
    ipaddr_format(&net->address, text);
    problems_warning(lint->problems, file ? file : lint->value->file,
                     file ? line : lint->value->line,
                     "mynetworks: %s%s%s/%u is larger than /8: whoever is in it may relay",
                     six ? "[" : "", text, six ? "]" : "", net->prefix);
}

static void lint_networks(const struct policy *policy, const struct settings *settings,
                          struct problems *problems)
{
    const struct setting_value *value = settings_get(settings, policy->section, SETTING_MYNETWORKS);
    struct network_lint lint = {value, problems};
    if (policy->site.mynetworks &&
        !(policy->section && value == settings_get(settings, NULL, SETTING_MYNETWORKS)))
        match_list_each_network(policy->site.mynetworks, lint_network, &lint);
}

static void lint_local_domains(const struct policy *policy, const struct settings *settings,
                               struct problems *problems)
{
    const struct restriction_list *relay = policy->lists[LIST_RELAY];
    const struct setting_value *value = settings_get(settings, NULL, SETTING_LOCAL_DOMAINS);
    bool matters = false;
    const struct restriction_item *item;
    for (unsigned i = 0; relay && (item = restriction_list_item(relay, i)); i++)
        matters |= (item->row->asks & ASKS_DESTINATION) && (item->row->traits & TRAIT_REFUSES);
    if (policy->section || value->given || !matters)
        return;
    problems_warning(
        problems, value->file, value->line,
        "local_domains is not set: mail from outside %s answered %s; list the "
        "domains that this site receives mail for (gatepostctl setup postfix, or sendmail, shows "
        "them), or set it empty if there are none",
        policy->monitor ? "would be (mode = monitor)" : "is", REPLY_TEMPORARY_FAILURE);
}

/* MTAs compare the two spellings of an international domain as they are written (RFC 5890: U-label
 * and A-label), and mail comes for either. */
static void lint_spellings(const struct policy *policy, const struct settings *settings,
                           struct problems *problems)
{
    const struct setting_value *value =
        settings_get(settings, policy->section, SETTING_LOCAL_DOMAINS);
    if (policy->section && value == settings_get(settings, NULL, SETTING_LOCAL_DOMAINS))
        return;
    g_autoptr(GPtrArray) words = text_split_list(value->text, NULL);
    for (guint i = 0; words && policy->site.local_domains && i < words->len; i++) {
        const char *word = words->pdata[i];
        bool is_name = !g_str_is_ascii(word) && !strpbrk(word, "/:!");
        g_autofree char *ascii = is_name ? hostname_to_ascii(word) : NULL;
        if (ascii && match_list_find_domain(policy->site.local_domains, ascii) == LOOKUP_MISS)
            problems_warning(problems, value->file, value->line,
                             "local_domains: mail for %s may come as %s, too, and is refused "
                             "then; add that",
                             word, ascii);
    }
}

/* Values of which each sign counts for itself, or that are a name where a number was meant. */
static void lint_words(const struct policy *policy, const struct settings *settings,
                       struct problems *problems)
{
    const struct setting_value *delimiter =
        settings_get(settings, policy->section, SETTING_RECIPIENT_DELIMITER);
    for (const char *p = delimiter->text; *p; p++) {
        if (!g_ascii_isalnum(*p))
            continue;
        problems_warning(problems, delimiter->file, delimiter->line,
                         "recipient_delimiter: each character counts for itself, and \"%c\" "
                         "stands in most addresses, which are cut there; expected a sign, as + or "
                         "-",
                         *p);
        break;
    }
    const char *name = policy->section ? section_name(policy->section) : "";
    if (*name && strspn(name, "0123456789") == strlen(name))
        problems_warning(problems, section_file(policy->section), section_line(policy->section),
                         "[listener %s] is one that the MTA calls by that name; for the port write "
                         "[listener :%s]",
                         name, name);
}

static void lint_keyed_list(const struct policy *policy, const struct settings *settings,
                            const char *zone, struct problems *problems)
{
    const struct setting_value *value =
        settings_get(settings, policy->section, SETTING_DNSBL_REPLY_MAP);
    bool failed = false;
    const char *owner = public_resolver_keyed(zone);
    g_autofree char *shown = owner ? site_shown_list(&policy->site, zone, &failed) : NULL;
    if (owner && !shown && !failed)
        problems_warning(problems, value->file, value->line,
                         "a list of %s has your key in its name, which replies show to every "
                         "client that is refused; give it another name in dnsbl_reply_map",
                         owner);
}

static void lint_keyed_items(const struct policy *policy, const struct settings *settings,
                             const struct restriction_list *list, struct problems *problems)
{
    const struct restriction_item *item;
    for (unsigned i = 0; list && (item = restriction_list_item(list, i)); i++)
        if (item->row && item->row->argument == ARGUMENT_ZONE &&
            (item->row->traits & TRAIT_REFUSES))
            lint_keyed_list(policy, settings,
                            dnsbl_set_get(policy->site.dnsbl_zones, item->argument.zone)->zone,
                            problems);
}

/* Replies name the list, and a key is a secret; not those that praise, nor those of rules. */
static void lint_keyed_lists(const struct policy *policy, const struct settings *settings,
                             struct problems *problems)
{
    const struct dnsbl_set *weighted = policy->site.dnsbl_weighted;
    for (unsigned i = 0; i < dnsbl_set_count(weighted); i++)
        if (dnsbl_set_get(weighted, i)->weight > 0)
            lint_keyed_list(policy, settings, dnsbl_set_get(weighted, i)->zone, problems);
    for (int kind = 0; kind < LIST_COUNT; kind++)
        lint_keyed_items(policy, settings, policy->lists[kind], problems);
    for (guint i = 0; policy->classes && i < policy->classes->all->len; i++)
        lint_keyed_items(policy, settings,
                         ((const struct restriction_class *)policy->classes->all->pdata[i])->list,
                         problems);
}

/* Nobody could log in. */
static void lint_logins(const struct policy *policy, const struct settings *settings,
                        struct problems *problems)
{
    enum { STRONGEST_CIPHER = 256 };
    static const char *const known[] = {"plain",          "login",
                                        "cram-md5",       "digest-md5",
                                        "ntlm",           "gssapi",
                                        "external",       "anonymous",
                                        "xoauth2",        "oauthbearer",
                                        "scram-sha-1",    "scram-sha-1-plus",
                                        "scram-sha-224",  "scram-sha-224-plus",
                                        "scram-sha-256",  "scram-sha-256-plus",
                                        "scram-sha-384",  "scram-sha-384-plus",
                                        "scram-sha-512",  "scram-sha-512-plus",
                                        "scram-sha3-512", "scram-sha3-512-plus"};
    const struct setting_value *bits =
        settings_get(settings, policy->section, SETTING_AUTH_MIN_SSF);
    const struct setting_value *names =
        settings_get(settings, policy->section, SETTING_AUTH_MECHANISMS);
    if (policy->site.auth_min_ssf > STRONGEST_CIPHER)
        problems_warning(problems, bits->file, bits->line,
                         "auth_min_ssf: no cipher has more than %d bits, so nobody can log in",
                         STRONGEST_CIPHER);
    g_autoptr(GPtrArray) words = text_split_list(names->text, NULL);
    for (guint i = 0; words && i < words->len; i++) {
        const char *word = words->pdata[i];
        g_autofree char *name = g_ascii_strdown(word + (*word == '!'), -1);
        const char *nearest = text_nearest(name, known, G_N_ELEMENTS(known));
        bool is_known = false;
        for (size_t n = 0; n < G_N_ELEMENTS(known); n++)
            is_known |= strcmp(known[n], name) == 0;
        if (nearest && !is_known)
            problems_warning(problems, names->file, names->line,
                             "auth_mechanisms: nobody knows a mechanism \"%s\"; did you mean %s?",
                             name, nearest);
    }
}

/* Who came in time would always come too early. */
static void lint_greylist(const struct policy *policy, const struct settings *settings,
                          struct problems *problems)
{
    const struct setting_value *delay =
        settings_get(settings, policy->section, SETTING_GREYLIST_DELAY);
    const struct setting_value *window =
        settings_get(settings, policy->section, SETTING_GREYLIST_WINDOW);
    const struct setting_value *said = window->given ? window : delay;
    if (policy->greylists && policy->site.greylist_window <= policy->site.greylist_delay)
        problems_warning(
            problems, said->file, said->line,
            "greylist_window %s ends before greylist_delay %s does: nobody is ever let "
            "pass",
            window->text, delay->text);
}

static void lint_resolvers(const struct policy *policy, const struct settings *settings,
                           struct problems *problems)
{
    const struct setting_value *value = settings_get(settings, NULL, SETTING_DNS_SERVERS);
    unsigned asks = 0;
    for (int kind = 0; kind < LIST_COUNT; kind++)
        if (policy->lists[kind])
            asks |= restriction_list_asks(policy->lists[kind], true);
    bool matters = (asks & ASKS_ZONE) ||
                   ((asks & ASKS_LISTS) && dnsbl_set_count(policy->site.dnsbl_weighted) > 0);
    g_autoptr(GPtrArray) words = matters ? text_split_list(value->text, NULL) : NULL;
    for (guint i = 0; words && !policy->section && i < words->len; i++) {
        const char *open_to_all = public_resolver(words->pdata[i]);
        if (open_to_all)
            problems_warning(problems, value->file, value->line,
                             "dns_servers: %s serves everybody, and DNS lists answer such servers "
                             "wrongly or not at all; ask a resolver of your own",
                             open_to_all);
    }
}

void policy_lint(const struct policy *policy, const struct settings *settings,
                 struct problems *problems)
{
    lint_local_domains(policy, settings, problems);
    lint_listener(policy, settings, problems);
    lint_networks(policy, settings, problems);
    lint_spellings(policy, settings, problems);
    lint_words(policy, settings, problems);
    lint_logins(policy, settings, problems);
    lint_greylist(policy, settings, problems);
    lint_keyed_lists(policy, settings, problems);
    lint_resolvers(policy, settings, problems);
    for (int kind = 0; kind < LIST_COUNT; kind++) {
        struct lint lint = {
            .policy = policy,
            .settings = settings,
            .problems = problems,
            .value = settings_get(settings, policy->section,
                                  restriction_list_setting((enum restriction_list_kind)kind)),
            .list = policy->lists[kind]};
        bool inherited =
            policy->section &&
            lint.value == settings_get(settings, NULL,
                                       restriction_list_setting((enum restriction_list_kind)kind));
        if (inherited || !lint.list)
            continue;
        lint_unreachable(&lint);
        lint_never(&lint);
        lint_praise(&lint);
        lint_strangers(&lint);
        lint_guard(&lint);
        if (kind == LIST_RELAY) {
            lint_relay(&lint);
            lint_late_permits(&lint);
        }
    }
}
