/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What to add to Postfix's main.cf and master.cf, and what gatepost.conf should take over from
 * them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "postconf.h"
#include "settings/socket.h"
#include "setup.h"

struct setup {
    const struct settings *settings;
    const struct postconf *postconf; /* NULL: there is no Postfix to ask */
    const char *folder;              /* for the text */
    char *milter;                    /* gatepost's socket in Postfix's words */
    bool is_unix;
};

static const char *const parameters[] = {"compatibility_level",
                                         "config_directory",
                                         "queue_directory",
                                         "myhostname",
                                         "mydestination",
                                         "virtual_alias_domains",
                                         "virtual_mailbox_domains",
                                         "relay_domains",
                                         "parent_domain_matches_subdomains",
                                         "mynetworks",
                                         "recipient_delimiter",
                                         "smtpd_sender_login_maps",
                                         "smtpd_sasl_local_domain",
                                         "smtpd_milters",
                                         "non_smtpd_milters",
                                         "milter_default_action",
                                         "milter_protocol",
                                         "milter_macro_daemon_name",
                                         "receive_override_options",
                                         "smtpd_tls_auth_only",
                                         "smtpd_sasl_auth_enable",
                                         NULL};

static const char *get(const struct setup *setup, const char *name)
{
    return setup->postconf ? postconf_get(setup->postconf, name) : "";
}

static void warn(const char *format, ...) G_GNUC_PRINTF(1, 2);
static void warn(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    complain("warning: %s", text);
}

static GPtrArray *words_of(const char *value)
{
    GPtrArray *words = text_split_list(value, NULL);
    return words ? words : g_ptr_array_new_with_free_func(g_free);
}

static bool has_word(const char *list, const char *word)
{
    g_autoptr(GPtrArray) words = words_of(list);
    for (guint i = 0; i < words->len; i++)
        if (g_ascii_strcasecmp(words->pdata[i], word) == 0)
            return true;
    return false;
}

/* The socket */

/* A path inside the queue directory is written relative to it: so it is the same file for daemons
 * that are chrooted there and for others. */
static char *unix_milter(const struct setup *setup, const char *path)
{
    g_autofree char *queue = g_strconcat(get(setup, "queue_directory"), "/", NULL);
    if (queue[1] && g_str_has_prefix(path, queue))
        path += strlen(queue);
    return g_strconcat("unix:", path, NULL);
}

static void find_milter(struct setup *setup)
{
    struct socket_address address;
    const char *why;
    const char *text = settings_get(setup->settings, NULL, SETTING_MILTER_SOCKET)->text;
    if (!socket_parse(text, &address, &why)) /* checked when the settings were loaded */
        setup->milter = g_strdup(text);
    else if (address.kind == SOCKET_UNIX)
        setup->milter = unix_milter(setup, address.path);
    else
        setup->milter = g_strdup_printf(strchr(address.host, ':') ? "inet:[%s]:%u" : "inet:%s:%u",
                                        address.host, address.port);
    setup->is_unix = g_str_has_prefix(setup->milter, "unix:");
}

/* Services that speak SMTP with clients and show it to milters. */
static bool is_smtpd(const struct setup *setup, const struct postconf_service *service)
{
    if (strcmp(service->command, "smtpd") != 0)
        return false;
    const char *options =
        postconf_service_get(setup->postconf, service, "receive_override_options");
    const char *own = g_hash_table_lookup(service->overrides, "smtpd_milters");
    return !has_word(options, "no_milters") && !(own && !*own);
}

static void warn_of_chroot(const struct setup *setup)
{
    if (!setup->is_unix || setup->milter[strlen("unix:")] != '/')
        return;
    for (guint i = 0; i < setup->postconf->services->len; i++) {
        const struct postconf_service *service = setup->postconf->services->pdata[i];
        if (!service->chroot ||
            !(is_smtpd(setup, service) || strcmp(service->command, "cleanup") == 0))
            continue;
        warn("%s/%s runs chrooted in %s and cannot see %s: set milter_socket = "
             "unix:%s/gatepost/milter.sock in gatepost.conf (make that folder first, owned by "
             "gatepost's user), or inet:PORT@127.0.0.1",
             service->name, service->type, get(setup, "queue_directory"), setup->milter,
             get(setup, "queue_directory"));
        return;
    }
}

static void warn_of_group(const struct setup *setup)
{
    if (setup->is_unix && !*settings_get(setup->settings, NULL, SETTING_MILTER_SOCKET_GROUP)->text)
        warn("Postfix connects as its own user: let gatepost.conf say milter_socket_group = "
             "postfix (or make postfix a member of gatepost's group)");
}

/* main.cf */

/* gatepost goes first: a signer must sign what gatepost leaves of the message. */
static void print_milters(const struct setup *setup, const char *name)
{
    g_autoptr(GPtrArray) words = words_of(get(setup, name));
    g_autoptr(GString) others = g_string_new(NULL);
    guint place = 0;
    for (guint i = 0; i < words->len; i++) {
        if (strcmp(words->pdata[i], setup->milter) == 0)
            place = i + 1;
        else
            g_string_append_printf(others, ", %s", (char *)words->pdata[i]);
    }
    if (place > 1)
        warn("%s: gatepost must stand before a DKIM signer, and so at the beginning", name);
    printf("%s = %s%s\n", name, setup->milter, others->str);
}

static void print_main(const struct setup *setup)
{
    printf("# %s/main.cf\n", setup->folder);
    printf("# gatepost stands first, before a DKIM signer, which signs what gatepost leaves.\n");
    print_milters(setup, "smtpd_milters");
    print_milters(setup, "non_smtpd_milters");
    printf("# When gatepost does not answer, senders try again later; nothing passes unseen.\n");
    printf("milter_default_action = tempfail\n");
    printf("milter_protocol = 6\n");
    printf("# No passwords in clear text.\n");
    printf("smtpd_tls_auth_only = yes\n");
}

static void warn_of_main(const struct setup *setup)
{
    const char *action = get(setup, "milter_default_action");
    if (strcmp(action, "accept") == 0)
        warn("milter_default_action = accept lets mail pass unseen whenever gatepost is down");
    int protocol = atoi(get(setup, "milter_protocol"));
    if (protocol > 0 && protocol < 6)
        warn("milter_protocol = %d is too old", protocol);
    if (strcmp(get(setup, "smtpd_tls_auth_only"), "yes") != 0)
        warn("smtpd_tls_auth_only is not yes: clients may send passwords in clear text");
}

/* master.cf */

/* A name for a service that has none: its own, without an address. */
static char *name_for(const struct postconf_service *service)
{
    static const struct {
        const char *service, *name;
    } rows[] = {{"smtp", "smtp"},      {"25", "smtp"},           {"smtpd", "smtp"},
                {"587", "submission"}, {"smtps", "submissions"}, {"465", "submissions"}};
    const char *colon = strrchr(service->name, ':');
    const char *port = colon ? colon + 1 : service->name;
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        if (strcmp(rows[i].service, port) == 0)
            return g_strdup(rows[i].name);
    return text_is_number(port) ? g_strconcat("smtp-", port, NULL) : g_strdup(port);
}

static void print_master(const struct setup *setup)
{
    printf("\n# %s/master.cf: a name for each service, by which [listener NAME] sections,\n"
           "# submission_listeners and untrusted_listeners know it\n",
           setup->folder);
    if (!setup->postconf) {
        printf("smtp       inet ... smtpd\n  -o milter_macro_daemon_name=smtp\n"
               "submission inet ... smtpd\n  -o milter_macro_daemon_name=submission\n"
               "submissions inet ... smtpd\n  -o milter_macro_daemon_name=submissions\n");
        return;
    }
    for (guint i = 0; i < setup->postconf->services->len; i++) {
        const struct postconf_service *service = setup->postconf->services->pdata[i];
        const char *own = g_hash_table_lookup(service->overrides, "milter_macro_daemon_name");
        g_autofree char *name = own ? g_strdup(own) : name_for(service);
        if (is_smtpd(setup, service))
            printf("%s%s %s ... smtpd\n  -o milter_macro_daemon_name=%s\n",
                   own ? "# has it already:\n" : "", service->name, service->type, name);
    }
}

static bool service_is_called(const struct setup *setup, const char *name)
{
    const char *all = get(setup, "milter_macro_daemon_name");
    if (g_ascii_strcasecmp(all, name) == 0)
        return true;
    for (guint i = 0; i < setup->postconf->services->len; i++) {
        const struct postconf_service *service = setup->postconf->services->pdata[i];
        const char *own = g_hash_table_lookup(service->overrides, "milter_macro_daemon_name");
        if (own && is_smtpd(setup, service) && g_ascii_strcasecmp(own, name) == 0)
            return true;
    }
    return false;
}

static void warn_of_listener(const struct setup *setup, const char *name, const char *where)
{
    if (name[0] != ':' && !service_is_called(setup, name))
        warn("%s: no service in master.cf has -o milter_macro_daemon_name=%s", where, name);
}

/* Of what the settings say themselves: the defaults name listeners that not every site has. */
static void warn_of_listeners(const struct setup *setup)
{
    static const enum setting lists[] = {SETTING_UNTRUSTED_LISTENERS, SETTING_SUBMISSION_LISTENERS};
    for (size_t i = 0; i < G_N_ELEMENTS(lists); i++) {
        const struct setting_value *value = settings_get(setup->settings, NULL, lists[i]);
        g_autoptr(GPtrArray) names = words_of(value->given ? value->text : "");
        for (guint n = 0; n < names->len; n++)
            warn_of_listener(setup, names->pdata[n], setting_row(lists[i])->name);
    }
    guint count = settings_section_count(setup->settings, SECTION_LISTENER);
    for (guint i = 0; i < count; i++) {
        const char *name = section_name(settings_section(setup->settings, SECTION_LISTENER, i));
        g_autofree char *where = g_strdup_printf("[listener %s]", name);
        warn_of_listener(setup, name, where);
    }
}

/* gatepost.conf */

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

static void add_word(GPtrArray *list, const char *word)
{
    if (!g_ptr_array_find_with_equal_func(list, word, g_str_equal, NULL))
        g_ptr_array_add(list, g_strdup(word));
}

/* Adds the domains of a parameter of Postfix's, and what is below them where Postfix matches that,
 * too. */
static void add_domains(const struct setup *setup, const char *parameter, GPtrArray *list)
{
    bool below = has_word(get(setup, "parent_domain_matches_subdomains"), parameter);
    g_autoptr(GPtrArray) words = words_of(get(setup, parameter));
    for (guint i = 0; i < words->len; i++) {
        const char *word = words->pdata[i];
        bool is_table = strchr(word, ':') && word[0] != '[';
        if (is_table && !can_read(word)) {
            warn("%s has the table %s, which gatepost cannot read: list its domains in "
                 "local_domains, or in a file",
                 parameter, word);
            continue;
        }
        add_word(list, word);
        if (!below || is_table || strchr("./!", word[0]))
            continue;
        g_autofree char *sub = g_strconcat(".", word, NULL);
        add_word(list, sub);
    }
}

/* "NAME = VALUE", unless gatepost.conf says something else of its own, which is then told. */
static void print_setting(const struct setup *setup, enum setting id, const char *value)
{
    const struct setting_value *own = settings_get(setup->settings, NULL, id);
    const char *name = setting_row(id)->name;
    if (own->given && strcmp(own->text, value) != 0)
        printf("# %s:%u has: %s = %s\n", own->file, own->line, name, own->text);
    printf("%s =%s%s\n", name, *value ? " " : "", value);
}

static void print_local_domains(const struct setup *setup)
{
    static const char *const sources[] = {"mydestination", "virtual_alias_domains",
                                          "virtual_mailbox_domains", "relay_domains"};
    g_autoptr(GPtrArray) domains = g_ptr_array_new_with_free_func(g_free);
    for (size_t i = 0; i < G_N_ELEMENTS(sources); i++)
        add_domains(setup, sources[i], domains);
    g_ptr_array_add(domains, NULL);
    g_autofree char *value = g_strjoinv(" ", (char **)domains->pdata);
    print_setting(setup, SETTING_LOCAL_DOMAINS, value);
}

static void print_tables(const struct setup *setup, enum setting id, const char *parameter)
{
    g_autoptr(GPtrArray) words = words_of(get(setup, parameter));
    g_autoptr(GString) value = g_string_new(NULL);
    for (guint i = 0; i < words->len; i++) {
        const char *table = words->pdata[i];
        if (can_read(table))
            g_string_append_printf(value, "%s%s", value->len ? " " : "", table);
        else
            warn("%s has the table %s, which gatepost cannot read", parameter, table);
    }
    if (value->len)
        print_setting(setup, id, value->str);
}

static void print_gatepost(const struct setup *setup)
{
    printf("\n# gatepost.conf\n");
    if (!setup->postconf) {
        printf("# Fill in what Postfix's mydestination, virtual_alias_domains,\n"
               "# virtual_mailbox_domains and relay_domains are.\n#local_domains =\n");
        return;
    }
    print_local_domains(setup);
    print_setting(setup, SETTING_MYNETWORKS, get(setup, "mynetworks"));
    if (*get(setup, "recipient_delimiter"))
        print_setting(setup, SETTING_RECIPIENT_DELIMITER, get(setup, "recipient_delimiter"));
    print_tables(setup, SETTING_SENDER_LOGIN_MAPS, "smtpd_sender_login_maps");
    if (*get(setup, "smtpd_sasl_local_domain"))
        print_setting(setup, SETTING_SASL_LOCAL_REALMS, get(setup, "smtpd_sasl_local_domain"));
}

enum exit_code setup_postfix(struct setup_task *task)
{
    const struct settings *settings = task->settings;
    const char *folder = task->folder;
    g_autofree char *why = NULL;
    struct postconf *postconf = postconf_read(folder, parameters, &why);
    struct setup setup = {.settings = settings, .postconf = postconf};
    if (!postconf && folder) {
        complain("%s: %s", folder, why);
        return CODE_CONFIG;
    }
    setup.folder = postconf ? postconf_get(postconf, "config_directory") : "/etc/postfix";
    find_milter(&setup);
    print_main(&setup);
    print_master(&setup);
    print_gatepost(&setup);
    fflush(stdout);
    warn_of_group(&setup);
    if (postconf) {
        warn_of_chroot(&setup);
        warn_of_main(&setup);
        warn_of_listeners(&setup);
    } else {
        warn("%s", why);
    }
    g_free(setup.milter);
    postconf_free(postconf);
    return CODE_FINE;
}
