/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What gatepost.conf should take over from Postfix.
 */
#include <stdio.h>
#include <string.h>

#include "ownaddress.h"
#include "postfixfacts.h"
#include "reach.h"
#include "smallfile.h"

/* Whether gatepost can read a table of Postfix's. */
static bool can_read(const char *table)
{
    static const char *const types[] = {"texthash", "hash", "btree",  "lmdb",   "cdb",   "dbm",
                                        "cidr",     "pcre", "regexp", "inline", "static"};
    if (g_str_has_prefix(table, "proxy:"))
        table += strlen("proxy:");
    size_t length = strcspn(table, ":");
    for (size_t i = 0; i < G_N_ELEMENTS(types); i++)
        if (strlen(types[i]) == length && strncmp(types[i], table, length) == 0)
            return true;
    return false;
}

/* Adds the domains of a parameter of Postfix's, and what is below them where Postfix matches that,
 * too. */
static void add_domains(const struct postfix_setup *setup, const char *parameter, GPtrArray *list)
{
    bool below =
        postfix_has_word(postfix_get(setup, "parent_domain_matches_subdomains"), parameter);
    g_autoptr(GPtrArray) words = setup_words(postfix_get(setup, parameter));
    for (guint i = 0; i < words->len; i++) {
        const char *word = words->pdata[i];
        bool is_table = strchr(word, ':') && word[0] != '[';
        if (is_table && !can_read(word)) {
            setup_warn(setup->task,
                       "%s has the table %s, which gatepost cannot read: list its domains in "
                       "local_domains, or in a file",
                       parameter, word);
            continue;
        }
        setup_add_word(list, word);
        if (!below || is_table || strchr("./!", word[0]))
            continue;
        g_autofree char *sub = g_strconcat(".", word, NULL);
        setup_add_word(list, sub);
    }
}

static void print_setting(const struct postfix_setup *setup, enum setting id, const char *value)
{
    setup_print_setting(setup->task, "", "# ", id, value);
}

/* Mail for user@[192.0.2.1] is local where 192.0.2.1 is: inet_interfaces, proxy_interfaces. */
static void add_literal(const struct postfix_setup *setup, const struct ipaddr *address,
                        GPtrArray *list)
{
    const char *protocols = postfix_get(setup, "inet_protocols");
    const char *family = address->family == IP_V6 ? "ipv6" : "ipv4";
    if (!postfix_has_word(protocols, "all") && !postfix_has_word(protocols, family))
        return;
    g_autofree char *literal = ownaddress_literal(address);
    setup_add_word(list, literal);
}

static void add_interfaces(const struct postfix_setup *setup, bool loopback_only, GPtrArray *list)
{
    g_autoptr(GPtrArray) addresses = ownaddress_list();
    for (guint i = 0; i < addresses->len; i++)
        if (!loopback_only || ipaddr_is_loopback(addresses->pdata[i]))
            add_literal(setup, addresses->pdata[i], list);
}

static void add_literals(const struct postfix_setup *setup, const char *parameter, GPtrArray *list)
{
    g_autoptr(GPtrArray) words = setup_words(postfix_get(setup, parameter));
    for (guint i = 0; i < words->len; i++) {
        struct ipaddr address;
        g_autofree char *word = g_strdup(words->pdata[i]);
        g_strstrip(g_strdelimit(word, "[]", ' '));
        if (ipaddr_parse(word, &address))
            add_literal(setup, &address, list);
        else if (strcmp(word, "all") == 0)
            add_interfaces(setup, false, list);
        else if (strcmp(word, "loopback-only") == 0 || strcmp(word, "localhost") == 0)
            add_interfaces(setup, true, list);
    }
}

static void print_local_domains(const struct postfix_setup *setup)
{
    static const char *const sources[] = {"mydestination", "virtual_alias_domains",
                                          "virtual_mailbox_domains", "relay_domains"};
    g_autoptr(GPtrArray) domains = g_ptr_array_new_with_free_func(g_free);
    for (size_t i = 0; i < G_N_ELEMENTS(sources); i++)
        add_domains(setup, sources[i], domains);
    add_literals(setup, "inet_interfaces", domains);
    add_literals(setup, "proxy_interfaces", domains);
    g_autofree char *value = setup_join(domains);
    print_setting(setup, SETTING_LOCAL_DOMAINS, value);
}

/* Postfix adds the first line of a file that myorigin names. The caller frees it; "" if it cannot
 * be read. */
static char *origin_of(const struct postfix_setup *setup)
{
    const char *value = postfix_get(setup, "myorigin"), *why;
    if (value[0] != '/')
        return g_strdup(value);
    g_auto(GStrv) lines = smallfile_lines(value, &why);
    char *origin = g_strstrip(g_strdup(lines && lines[0] ? lines[0] : ""));
    if (!*origin)
        setup_warn(setup->task,
                   "myorigin = %s: %s: set origin to what Postfix adds to a bare "
                   "address",
                   value, lines ? "it is empty" : why);
    return origin;
}

/* Where a bare key of smtpd_sender_login_maps owns the address: mydestination, myorigin and the
 * host name; inet_interfaces and proxy_interfaces belong to it, too. */
static void print_login_domains(const struct postfix_setup *setup)
{
    g_autoptr(GPtrArray) domains = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *origin = origin_of(setup);
    add_domains(setup, "mydestination", domains);
    if (*origin)
        setup_add_word(domains, origin);
    if (*postfix_get(setup, "myhostname"))
        setup_add_word(domains, postfix_get(setup, "myhostname"));
    add_literals(setup, "inet_interfaces", domains);
    add_literals(setup, "proxy_interfaces", domains);
    g_autofree char *value = setup_join(domains);
    print_setting(setup, SETTING_LOGIN_DOMAINS, value);
    print_setting(setup, SETTING_ORIGIN, origin);
}

static void print_tables(const struct postfix_setup *setup, enum setting id, const char *parameter)
{
    g_autoptr(GPtrArray) words = setup_words(postfix_get(setup, parameter));
    g_autoptr(GString) value = g_string_new(NULL);
    for (guint i = 0; i < words->len; i++) {
        const char *table = words->pdata[i];
        if (can_read(table))
            g_string_append_printf(value, "%s%s", value->len ? " " : "", table);
        else
            setup_warn(setup->task, "%s has the table %s, which gatepost cannot read", parameter,
                       table);
    }
    if (value->len)
        print_setting(setup, id, value->str);
}

/* Postfix connects as a user of its own. */
static void print_group(const struct postfix_setup *setup)
{
    const struct settings *settings = setup->task->settings;
    const char *owner = postfix_get(setup, "mail_owner");
    if (!setup->path || settings_get(settings, NULL, SETTING_MILTER_SOCKET_GROUP)->given)
        return;
    g_autofree char *why = reach_fault(settings, setup->path, *owner ? owner : "postfix");
    if (why)
        print_setting(setup, SETTING_MILTER_SOCKET_GROUP, "postfix");
}

void postfixsite_print(const struct postfix_setup *setup)
{
    printf("\n# %s\n", setup->task->settings_file);
    print_group(setup);
    if (!setup->postconf) {
        printf("# Fill in what Postfix's mydestination, virtual_alias_domains,\n"
               "# virtual_mailbox_domains and relay_domains are.\n#local_domains =\n");
        return;
    }
    print_local_domains(setup);
    print_login_domains(setup);
    print_setting(setup, SETTING_MYNETWORKS, postfix_get(setup, "mynetworks"));
    if (*postfix_get(setup, "recipient_delimiter"))
        print_setting(setup, SETTING_RECIPIENT_DELIMITER,
                      postfix_get(setup, "recipient_delimiter"));
    print_tables(setup, SETTING_SENDER_LOGIN_MAPS, "smtpd_sender_login_maps");
    if (*postfix_get(setup, "smtpd_sasl_local_domain"))
        print_setting(setup, SETTING_SASL_LOCAL_REALMS,
                      postfix_get(setup, "smtpd_sasl_local_domain"));
    if (strcmp(postfix_get(setup, "smtpd_delay_reject"), "no") == 0)
        print_setting(setup, SETTING_DELAY_CHECKS, "no");
}
