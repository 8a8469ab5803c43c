/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What gatepost.conf should take over from Postfix.
 */
#include <stdio.h>
#include <string.h>

#include "compare.h"
#include "ownaddress.h"
#include "postfixfacts.h"
#include "reach.h"
#include "smallfile.h"

/* Whether Postfix refuses at the command itself (smtpd_delay_reject). */
static bool hurries(const char *delay_reject)
{
    return g_ascii_strcasecmp(delay_reject, "no") == 0;
}

bool postfix_can_read(const char *table)
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

/* Prints a line for gatepost.conf, or holds it against what that says. */
static void propose(const struct postfix_setup *setup, enum setting id, const char *value)
{
    if (setup->task->check)
        compare_setting(setup->task, NULL, "Postfix", id, value);
    else
        setup_print_setting(setup->task, "", "# ", id, value);
}

/* Tells of tables that gatepost cannot read, a text "PARAMETER has the table TABLE" each. Whoever
 * has written something of his own into ID may have what they hold there: nobody can tell. */
static void tell_unreadable(const struct postfix_setup *setup, enum setting id, const char *value,
                            const GPtrArray *unreadable)
{
    bool is_covered = setup->task->check && compare_has_own(setup->task, id, value);
    const char *name = setting_row(id)->name;
    for (guint i = 0; i < unreadable->len; i++) {
        const char *text = unreadable->pdata[i];
        if (is_covered)
            setup_note(setup->task, "%s, which gatepost cannot read: not compared with %s", text,
                       name);
        else
            setup_warn(setup->task,
                       "%s, which gatepost cannot read: list what it has in %s, or in a file that "
                       "is named there",
                       text, name);
    }
}

/* Adds the domains of a parameter of Postfix's, and what is below them where Postfix matches that,
 * too. */
static void add_domains(const struct postfix_setup *setup, const char *parameter, GPtrArray *list,
                        GPtrArray *unreadable)
{
    bool below =
        postfix_has_word(postfix_get(setup, "parent_domain_matches_subdomains"), parameter);
    g_autoptr(GPtrArray) words = setup_words(postfix_get(setup, parameter));
    for (guint i = 0; i < words->len; i++) {
        const char *word = words->pdata[i];
        bool is_table = strchr(word, ':') && word[0] != '[';
        if (is_table && !postfix_can_read(word)) {
            g_autofree char *text = g_strdup_printf("%s has the table %s", parameter, word);
            setup_add_word(unreadable, text);
            continue;
        }
        setup_add_word(list, word);
        if (!below || is_table || strchr("./!", word[0]))
            continue;
        g_autofree char *sub = g_strconcat(".", word, NULL);
        setup_add_word(list, sub);
    }
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

static void propose_local_domains(const struct postfix_setup *setup)
{
    static const char *const sources[] = {"mydestination", "virtual_alias_domains",
                                          "virtual_mailbox_domains", "relay_domains"};
    g_autoptr(GPtrArray) domains = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GPtrArray) unreadable = g_ptr_array_new_with_free_func(g_free);
    for (size_t i = 0; i < G_N_ELEMENTS(sources); i++)
        add_domains(setup, sources[i], domains, unreadable);
    add_literals(setup, "inet_interfaces", domains);
    add_literals(setup, "proxy_interfaces", domains);
    g_autofree char *value = setup_join(domains);
    propose(setup, SETTING_LOCAL_DOMAINS, value);
    tell_unreadable(setup, SETTING_LOCAL_DOMAINS, value, unreadable);
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
static void propose_login_domains(const struct postfix_setup *setup)
{
    g_autoptr(GPtrArray) domains = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GPtrArray) told = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *origin = origin_of(setup);
    add_domains(setup, "mydestination", domains, told);
    if (*origin)
        setup_add_word(domains, origin);
    if (*postfix_get(setup, "myhostname"))
        setup_add_word(domains, postfix_get(setup, "myhostname"));
    add_literals(setup, "inet_interfaces", domains);
    add_literals(setup, "proxy_interfaces", domains);
    g_autofree char *value = setup_join(domains);
    propose(setup, SETTING_LOGIN_DOMAINS, value);
    propose(setup, SETTING_ORIGIN, origin);
}

static void propose_tables(const struct postfix_setup *setup, enum setting id,
                           const char *parameter)
{
    g_autoptr(GPtrArray) words = setup_words(postfix_get(setup, parameter));
    g_autoptr(GPtrArray) tables = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GPtrArray) unreadable = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < words->len; i++) {
        const char *table = words->pdata[i];
        if (postfix_can_read(table))
            g_ptr_array_add(tables, g_strdup(table));
        else
            g_ptr_array_add(unreadable, g_strdup_printf("%s has the table %s", parameter, table));
    }
    g_autofree char *value = setup_join(tables);
    if (*value)
        propose(setup, id, value);
    tell_unreadable(setup, id, value, unreadable);
}

/* What a service may say of its own, most often that for submission. */
static const struct {
    const char *parameter;
    enum setting id;
} of_services[] = {{"smtpd_sender_login_maps", SETTING_SENDER_LOGIN_MAPS},
                   {"smtpd_sasl_local_domain", SETTING_SASL_LOCAL_REALMS},
                   {"smtpd_delay_reject", SETTING_DELAY_CHECKS}};

/* What a service has for the setting ID, in gatepost.conf's words: "" for nothing to take over. The
 * caller frees it. */
static char *value_of_service(enum setting id, const char *own)
{
    if (id == SETTING_DELAY_CHECKS)
        return g_strdup(hurries(own) ? "no" : "yes");
    if (id != SETTING_SENDER_LOGIN_MAPS)
        return g_strdup(own);
    g_autoptr(GPtrArray) words = setup_words(own);
    g_autoptr(GPtrArray) tables = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < words->len; i++)
        if (postfix_can_read(words->pdata[i]))
            setup_add_word(tables, words->pdata[i]);
    return setup_join(tables);
}

static void propose_service(const struct postfix_setup *setup,
                            const struct postconf_service *service, GPtrArray *told)
{
    const char *called = g_hash_table_lookup(service->overrides, "milter_macro_daemon_name");
    g_autofree char *name = called ? g_strdup(called) : postfix_name_for(service);
    g_autofree char *where = g_strdup_printf("%s/%s", service->name, service->type);
    bool begun = false, is_told = g_ptr_array_find_with_equal_func(told, name, g_str_equal, NULL);
    if (postfix_shown(setup, service) != POSTFIX_SHOWN)
        return;
    for (size_t i = 0; i < G_N_ELEMENTS(of_services); i++) {
        const char *own = g_hash_table_lookup(service->overrides, of_services[i].parameter);
        g_autofree char *value = own ? value_of_service(of_services[i].id, own) : g_strdup("");
        bool is_main = strcmp(own ? own : "", postfix_get(setup, of_services[i].parameter)) == 0;
        if (*value && setup->task->check)
            compare_setting(setup->task, postfix_section(setup, service), where, of_services[i].id,
                            value);
        if (!*value || setup->task->check || is_main || !setup_is_one_line(name) ||
            !setup_is_one_line(value))
            continue;
        if (is_told) {
            postfix_print_remark("%s: [listener %s] is above; give this service a name of its own "
                                 "(milter_macro_daemon_name) if its %s are others",
                                 where, name, setting_row(of_services[i].id)->name);
            continue;
        }
        if (!begun) {
            postfix_print_remark("for %s", where);
            printf("[listener %s]\n", name);
        }
        begun = true;
        printf("%s = %s\n", setting_row(of_services[i].id)->name, value);
    }
    if (begun)
        setup_add_word(told, name);
}

void postfixservices(const struct postfix_setup *setup)
{
    g_autoptr(GPtrArray) told = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < setup->postconf->services->len; i++)
        propose_service(setup, setup->postconf->services->pdata[i], told);
}

/* Postfix connects as a user of its own. */
static void print_group(const struct postfix_setup *setup)
{
    const struct settings *settings = setup->task->settings;
    const char *owner = postfix_get(setup, "mail_owner");
    if (!setup->path || settings_get(settings, NULL, SETTING_MILTER_SOCKET_GROUP)->given)
        return;
    g_autofree char *why = reach_fault(settings, setup->path, *owner ? owner : "postfix", NULL);
    if (why)
        propose(setup, SETTING_MILTER_SOCKET_GROUP, "postfix");
}

void postfixsite(const struct postfix_setup *setup)
{
    bool check = setup->task->check;
    const char *delimiter = postfix_get(setup, "recipient_delimiter");
    const char *realm = postfix_get(setup, "smtpd_sasl_local_domain");
    bool hurry = hurries(postfix_get(setup, "smtpd_delay_reject"));
    if (!check) {
        printf("\n# %s\n", setup->task->settings_file);
        print_group(setup);
    }
    if (!setup->postconf) {
        printf("# Fill in what Postfix's mydestination, virtual_alias_domains,\n"
               "# virtual_mailbox_domains and relay_domains are.\n#local_domains =\n");
        return;
    }
    propose_local_domains(setup);
    propose_login_domains(setup);
    propose(setup, SETTING_MYNETWORKS, postfix_get(setup, "mynetworks"));
    if (check || *delimiter)
        propose(setup, SETTING_RECIPIENT_DELIMITER, delimiter);
    propose_tables(setup, SETTING_SENDER_LOGIN_MAPS, "smtpd_sender_login_maps");
    if (*realm)
        propose(setup, SETTING_SASL_LOCAL_REALMS, realm);
    if (check || hurry)
        propose(setup, SETTING_DELAY_CHECKS, hurry ? "no" : "yes");
}
