/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Doubts about keys of tables that are written as other tables, or other programs, have them, and
 * so are never found: "@example.com" in an access table, "192.0.2.0/24" where only cidr: has
 * networks. What another line of the table says as it should be is not told: some files serve
 * several masters.
 */
#include "policy.h"

#include <string.h>

#include "base/siphash.h"
#include "lookup/search.h"
#include "mail/address.h"

/* Of one table more than these are not told; so many of its entries are looked at. */
enum { TOLD_MAX = 5, LOOKED_AT_MAX = 20000 };

struct key_lint {
    const struct policy *policy;
    const struct setting_value *value; /* that names the table */
    struct problems *problems;
    struct table *table;
    enum key_kind kind;
    unsigned told, seen;
    GHashTable *domains; /* folded, of the addresses that the table has; NULL: not looked for yet */
};

/* Whether the table has KEY, too. */
static bool has(const struct key_lint *lint, const char *key)
{
    return *key != '\0' && table_find(lint->table, key, NULL) != LOOKUP_MISS;
}

static bool is_network(const char *key)
{
    struct ipnet net;
    return strchr(key, '/') && ipnet_parse(key, &net, NULL);
}

/* "192.0.2." */
static bool is_cut_address(const char *key)
{
    size_t length = strlen(key);
    return length > 1 && key[length - 1] == '.' && key[strspn(key, "0123456789.")] == '\0';
}

/* "Connect:" and the like, which Sendmail's access table has; an IPv6 address has no such letters.
 */
static bool has_tag(const char *key)
{
    size_t length = strspn(key, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_");
    return length > 1 && key[length] == ':' &&
           strcspn(key, "ghijklmnopqrstuvwxyzGHIJKLMNOPQRSTUVWXYZ_") < length;
}

/* Of what is asked with the parts of a client, a host name or an address. */
static char *access_fault(const struct key_lint *lint, const char *key)
{
    if (has_tag(key))
        return g_strdup("\"WORD:\" in front of it is Sendmail's; each restriction has a table of "
                        "its own, without such words");
    if (is_network(key))
        return g_strdup(
            "a network stands in a cidr: table; here 192.0.2 means all of 192.0.2.0/24");
    if (is_cut_address(key))
        return g_strdup("the beginning of an address is written without a dot at its end");
    if (*key == '@' && !has(lint, key + 1))
        return g_strdup_printf("for all addresses of a domain write %s", key + 1);
    return NULL;
}

static bool visit_address(void *data, const char *file, unsigned line, const char *key,
                          const char *value)
{
    struct key_lint *lint = data;
    const char *at = strrchr(key, '@');
    (void)file, (void)line, (void)value;
    if (at)
        g_hash_table_add(lint->domains, mail_domain_fold(at + 1));
    return g_hash_table_size(lint->domains) < LOOKED_AT_MAX;
}

/* Whether the table has an address of DOMAIN, or all of them, too: then it is Postfix's virtual(5),
 * which says so that it has the domain at all. */
static bool has_addresses(struct key_lint *lint, const char *domain)
{
    if (!lint->domains) {
        lint->domains = g_hash_table_new_full(siphash_string, g_str_equal, g_free, NULL);
        table_foreach_entry(lint->table, visit_address, lint);
    }
    g_autofree char *folded = mail_domain_fold(domain);
    return g_hash_table_contains(lint->domains, folded);
}

static char *owner_fault(struct key_lint *lint, const char *key)
{
    struct match_list *local = lint->policy->site.local_domains;
    if (strchr(key, '@') || !strchr(key, '.') || !local ||
        match_list_find_domain(local, key) != LOOKUP_HIT || has_addresses(lint, key))
        return NULL;
    return g_strdup_printf("for all addresses of a domain write @%s", key);
}

/* Whether the table has what stands before AT, too. */
static bool has_login(const struct key_lint *lint, const char *key, const char *at)
{
    g_autofree char *login = g_strndup(key, (gsize)(at - key));
    return has(lint, login);
}

static char *login_fault(const struct key_lint *lint, const char *key)
{
    const char *at = strrchr(key, '@');
    const GPtrArray *realms = lint->policy->site.sasl_local_realms;
    for (guint i = 0; at && i < realms->len; i++)
        if (g_ascii_strcasecmp(realms->pdata[i], at + 1) == 0 && !has_login(lint, key, at))
            return g_strdup_printf("%s is one of sasl_local_realms, which are cut off: write %.*s",
                                   at + 1, (int)(at - key), key);
    return NULL;
}

/* "12:34:...", at least of MD5. */
static bool is_fingerprint(const char *key)
{
    enum { BYTES_MIN = 16 };
    size_t length = strlen(key);
    for (size_t i = 0; i < length; i++)
        if (i % 3 == 2 ? key[i] != ':' : !g_ascii_isxdigit(key[i]))
            return false;
    return length % 3 == 2 && length / 3 + 1 >= BYTES_MIN;
}

/* Why KEY is never found; NULL: it may be. The caller frees it. */
static char *fault_of(struct key_lint *lint, const char *key)
{
    bool of_domains =
        lint->kind == KEYS_ACCESS || lint->kind == KEYS_OWNERS || lint->kind == KEYS_PROFILES;
    if (of_domains && strchr(key, '*'))
        return g_strdup("\"*\" stands for itself here; a pcre: table has patterns");
    if (of_domains && *key == '<' && strcmp(key, "<>") != 0)
        return g_strdup("addresses are written without \"<\" and \">\"");
    if (lint->kind == KEYS_PROFILES && *key == '@' && !has(lint, key + 1))
        return g_strdup_printf("for all addresses of a domain write %s", key + 1);
    if ((lint->kind == KEYS_ACCESS || lint->kind == KEYS_OWNERS) && *key == '.' &&
        !has(lint, key + 1))
        return g_strdup_printf(lint->kind == KEYS_ACCESS
                                   ? "write %s, which counts for the names below it, too"
                                   : "an address is owned, or @%s, all of a domain",
                               key + 1);
    switch (lint->kind) {
    case KEYS_ACCESS:
        return access_fault(lint, key);
    case KEYS_OWNERS:
        return owner_fault(lint, key);
    case KEYS_LOGINS:
        return login_fault(lint, key);
    case KEYS_CERTIFICATES:
        return is_fingerprint(key) ? g_strdup("it looks like a fingerprint, which no milter is "
                                              "told; write the subject")
                                   : NULL;
    case KEYS_PROFILES:
        break;
    }
    return NULL;
}

static bool visit_key(void *data, const char *file, unsigned line, const char *key,
                      const char *value)
{
    struct key_lint *lint = data;
    g_autofree char *fault = fault_of(lint, key);
    (void)value;
    if (fault) {
        problems_warning(lint->problems, line ? file : lint->value->file,
                         line ? line : lint->value->line, "key \"%s\" can never match: %s", key,
                         fault);
        lint->told++;
    }
    return lint->told < TOLD_MAX && ++lint->seen < LOOKED_AT_MAX;
}

static void lint_tables(struct key_lint *lint, const struct table_list *tables)
{
    for (unsigned i = 0; tables && i < table_list_count(tables); i++) {
        lint->table = table_list_get(tables, i);
        lint->told = lint->seen = 0;
        if (!table_is_pattern(lint->table) && !g_str_has_prefix(table_name(lint->table), "static:"))
            table_foreach_entry(lint->table, visit_key, lint);
        g_clear_pointer(&lint->domains, g_hash_table_unref);
    }
}

static void lint_items(struct key_lint *lint, const struct restriction_list *list)
{
    const struct restriction_item *item;
    for (unsigned i = 0; list && (item = restriction_list_item(list, i)); i++)
        if (item->row && item->row->argument == ARGUMENT_TABLE) {
            lint->kind = item->row->keys;
            lint_tables(lint, item->argument.tables);
        }
}

void policy_lint_keys(const struct policy *policy, const struct settings *settings,
                      struct problems *problems)
{
    const struct site *site = &policy->site;
    struct key_lint lint = {.policy = policy, .problems = problems};
    for (int kind = 0; kind < LIST_COUNT; kind++) {
        lint.value = settings_get(settings, policy->section,
                                  restriction_list_setting((enum restriction_list_kind)kind));
        lint_items(&lint, policy->lists[kind]);
    }
    for (guint i = 0; policy->classes && i < policy->classes->all->len; i++) {
        const struct restriction_class *class = policy->classes->all->pdata[i];
        lint.value = class->value;
        lint_items(&lint, class->list);
    }
    const struct {
        enum setting setting;
        const struct table_list *tables;
        enum key_kind kind;
    } others[] = {{SETTING_SENDER_LOGIN_MAPS, site->sender_login_maps, KEYS_OWNERS},
                  {SETTING_RECIPIENT_PROFILES, site->recipient_profiles, KEYS_PROFILES},
                  {SETTING_RELAY_CLIENTCERTS, site->relay_clientcerts, KEYS_CERTIFICATES}};
    for (size_t i = 0; i < G_N_ELEMENTS(others); i++) {
        lint.value = settings_get(settings, policy->section, others[i].setting);
        lint.kind = others[i].kind;
        lint_tables(&lint, others[i].tables);
    }
}
