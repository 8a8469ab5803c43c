/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Doubts about what tables hold: patterns that let in more than they name, profiles of addresses
 * that nobody has here.
 */
#include "policy.h"

#include <string.h>

#include "lookup/search.h"
#include "mail/address.h"

/* Of one table more than these are not told: the first say how. */
enum { TOLD_MAX = 5 };

/* Of so many names of local_domains each is compared with a ".domain"; more may well have one. */
enum { NAMES_MAX = 1000 };

/* A table that lets somebody in, while it is gone through. */
struct table_lint {
    const struct setting_value *value; /* that names it */
    struct problems *problems;
    const char *what; /* whose table it is: a restriction, a parameter */
    bool has_actions; /* its values are those of access tables */
    enum table_open_end end;
    unsigned told;
};

static bool visit_open(void *data, const char *file, unsigned line, const char *key,
                       const char *value)
{
    struct table_lint *lint = data;
    if (lint->has_actions && !access_value_permits(value))
        return true;
    if (lint->end == TABLE_OPEN_RIGHT)
        problems_warning(lint->problems, line ? file : lint->value->file,
                         line ? line : lint->value->line,
                         "%s: nothing ends the pattern \"%s\", so that it lets in whatever begins "
                         "so and goes on otherwise, as example.com.evil.example does; put \"$\" "
                         "at its end (a network is better written in a cidr: table)",
                         lint->what, key);
    else
        problems_warning(lint->problems, line ? file : lint->value->file,
                         line ? line : lint->value->line,
                         "%s: nothing begins the pattern \"%s\", so that it lets in whatever ends "
                         "so, as evilexample.com does; put \"^\", \"@\" or \"(^|\\.)\" at its "
                         "beginning",
                         lint->what, key);
    return ++lint->told < TOLD_MAX;
}

static void lint_table(struct table_lint *lint, struct table *table, unsigned left)
{
    lint->told = 0;
    lint->end = TABLE_OPEN_RIGHT;
    table_foreach_open(table, TABLE_OPEN_RIGHT, visit_open, lint);
    lint->end = TABLE_OPEN_LEFT;
    table_foreach_open(table, left, visit_open, lint);
}

/* What a field of the message holds is text in which somebody looks for words; and whoever writes
 * to a recipient gains nothing by another address, but where he may relay to it. */
static void lint_items(const struct restriction_list *list, const struct setting_value *value,
                       struct problems *problems)
{
    const struct restriction_item *item;
    for (unsigned i = 0; list && (item = restriction_list_item(list, i)); i++) {
        const struct table_list *tables = item->argument.tables;
        struct table_lint lint = {value, problems, item->row ? item->row->name : "", true, 0, 0};
        bool is_harmless = !item->row || item->row->argument != ARGUMENT_TABLE ||
                           item->warn_if_reject ||
                           (list->kind != LIST_RELAY && (item->row->needs & NEED_RECIPIENT));
        for (unsigned n = 0; tables && !is_harmless && n < table_list_count(tables); n++)
            lint_table(&lint, table_list_get(tables, n), TABLE_OPEN_LEFT);
    }
}

static void lint_tables_of(const struct table_list *tables, const struct setting_value *value,
                           const char *name, struct problems *problems)
{
    struct table_lint lint = {value, problems, name, false, 0, 0};
    for (unsigned i = 0; tables && i < table_list_count(tables); i++)
        lint_table(&lint, table_list_get(tables, i), TABLE_OPEN_LEFT | TABLE_OPEN_LOCAL);
}

static void lint_matched(void *data, struct table *table)
{
    lint_table(data, table, TABLE_OPEN_LEFT);
}

static void lint_matches(struct match_list *list, const struct setting_value *value,
                         const char *name, struct problems *problems)
{
    struct table_lint lint = {value, problems, name, false, 0, 0};
    if (list)
        match_list_each_table(list, lint_matched, &lint);
}

struct profile_lint {
    const struct policy *policy;
    const struct setting_value *value;
    struct problems *problems;
    unsigned told;
};

static bool visit_local(void *data, const char *name)
{
    return !g_str_has_suffix(name, data);
}

/* Whether no local domain lies below PARENT, which begins with a dot, as far as that is known. */
static bool is_foreign_below(struct match_list *local_domains, const char *parent)
{
    g_autofree char *folded = mail_domain_fold(parent + 1);
    g_autofree char *dotted = g_strconcat(".", folded, NULL);
    g_autofree char *below = g_strconcat("any", dotted, NULL);
    return match_list_find_domain(local_domains, below) == LOOKUP_MISS &&
           match_list_each_name(local_domains, NAMES_MAX, visit_local, dotted);
}

/* Keys are user@domain, domain and .domain. */
static bool visit_profile(void *data, const char *file, unsigned line, const char *key,
                          const char *value)
{
    struct profile_lint *lint = data;
    const char *at = strrchr(key, '@'), *domain = at ? at + 1 : key;
    struct match_list *local_domains = lint->policy->site.local_domains;
    (void)value;
    if (!strchr(domain, '.') ||
        (*domain == '.' ? !is_foreign_below(local_domains, domain)
                        : match_list_find_domain(local_domains, domain) != LOOKUP_MISS))
        return true;
    problems_warning(lint->problems, line ? file : lint->value->file,
                     line ? line : lint->value->line,
                     "recipient_profiles: %s is at no domain of local_domains: it counts for mail "
                     "to elsewhere alone; mend the address, or add its domain there",
                     key);
    return ++lint->told < TOLD_MAX;
}

static void lint_profiles(const struct policy *policy, const struct setting_value *value,
                          struct problems *problems)
{
    const struct table_list *tables = policy->site.recipient_profiles;
    for (unsigned i = 0; tables && policy->site.local_domains && i < table_list_count(tables);
         i++) {
        struct table *table = table_list_get(tables, i);
        struct profile_lint lint = {policy, value, problems, 0};
        if (!table_is_pattern(table) && !g_str_has_prefix(table_name(table), "static:"))
            table_foreach_entry(table, visit_profile, &lint);
    }
}

void policy_lint_tables(const struct policy *policy, const struct settings *settings,
                        struct problems *problems)
{
    const struct section *section = policy->section;
    const struct site *site = &policy->site;
    for (int kind = 0; kind < LIST_COUNT; kind++)
        lint_items(policy->lists[kind],
                   settings_get(settings, section,
                                restriction_list_setting((enum restriction_list_kind)kind)),
                   problems);
    for (guint i = 0; policy->classes && i < policy->classes->all->len; i++) {
        const struct restriction_class *class = policy->classes->all->pdata[i];
        lint_items(class->list, class->value, problems);
    }
    lint_tables_of(site->sender_login_maps,
                   settings_get(settings, section, SETTING_SENDER_LOGIN_MAPS), "sender_login_maps",
                   problems);
    lint_tables_of(site->relay_clientcerts,
                   settings_get(settings, section, SETTING_RELAY_CLIENTCERTS), "relay_clientcerts",
                   problems);
    lint_matches(site->local_domains, settings_get(settings, section, SETTING_LOCAL_DOMAINS),
                 "local_domains", problems);
    lint_matches(site->mynetworks, settings_get(settings, section, SETTING_MYNETWORKS),
                 "mynetworks", problems);
    lint_profiles(policy, settings_get(settings, section, SETTING_RECIPIENT_PROFILES), problems);
}
