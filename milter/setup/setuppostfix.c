/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What to add to Postfix's main.cf and master.cf: commands of postconf(1), all else is remarks.
 */
#include "setuppostfix.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "postfixfacts.h"
#include "mtatime.h"
#include "settings/socket.h"

static const char *const parameters[] = {"compatibility_level",
                                         "config_directory",
                                         "content_filter",
                                         "inet_interfaces",
                                         "inet_protocols",
                                         "mail_owner",
                                         "milter_command_timeout",
                                         "milter_connect_timeout",
                                         "milter_content_timeout",
                                         "milter_default_action",
                                         "milter_macro_daemon_name",
                                         "milter_macro_defaults",
                                         "milter_macro_v",
                                         "milter_protocol",
                                         "multi_instance_directories",
                                         "soft_bounce",
                                         "mydestination",
                                         "myhostname",
                                         "myorigin",
                                         "mynetworks",
                                         "non_smtpd_milters",
                                         "parent_domain_matches_subdomains",
                                         "proxy_interfaces",
                                         "queue_directory",
                                         "receive_override_options",
                                         "recipient_delimiter",
                                         "relay_clientcerts",
                                         "relay_domains",
                                         "smtpd_client_restrictions",
                                         "smtpd_data_restrictions",
                                         "smtpd_delay_reject",
                                         "smtpd_end_of_data_restrictions",
                                         "smtpd_enforce_tls",
                                         "smtpd_helo_restrictions",
                                         "smtpd_milter_maps",
                                         "smtpd_milters",
                                         "smtpd_proxy_filter",
                                         "smtpd_recipient_restrictions",
                                         "smtpd_relay_restrictions",
                                         "smtpd_restriction_classes",
                                         "smtpd_sasl_auth_enable",
                                         "smtpd_sasl_local_domain",
                                         "smtpd_sender_login_maps",
                                         "smtpd_sender_restrictions",
                                         "smtpd_tls_auth_only",
                                         "smtpd_tls_security_level",
                                         "smtpd_tls_wrappermode",
                                         "virtual_alias_domains",
                                         "virtual_mailbox_domains",
                                         NULL};

/* Milters */

/* What braces say for gatepost alone is not kept: the parameters say what fits. */
char *postfix_merge(const struct postfix_setup *setup, const char *list)
{
    g_autoptr(GPtrArray) words = setup_words(list);
    GString *merged = g_string_new(setup->milter);
    for (guint i = 0; i < words->len; i++)
        if (postfix_place(setup, words->pdata[i]) == 0)
            g_string_append_printf(merged, ", %s", (const char *)words->pdata[i]);
    return g_string_free(merged, FALSE);
}

/* The socket */

static void find_milter(struct postfix_setup *setup)
{
    struct socket_address address;
    const char *why;
    const char *text = settings_get(setup->task->settings, NULL, SETTING_MILTER_SOCKET)->text;
    if (!socket_parse(text, &address, &why)) { /* checked when the settings were loaded */
        setup->milter = g_strdup(text);
    } else if (address.kind == SOCKET_UNIX) {
        /* A path inside the queue directory is written relative to it: so it is the same file for
         * daemons that are chrooted there and for others. */
        const char *path = address.path;
        g_autofree char *queue = g_strconcat(postfix_get(setup, "queue_directory"), "/", NULL);
        if (queue[1] && g_str_has_prefix(path, queue))
            path += strlen(queue);
        setup->milter = g_strconcat("unix:", path, NULL);
        setup->path = strchr(text, ':') + 1;
    } else {
        const char *host = setup_host(address.host, setup->postconf);
        setup->any_port = setup_is_any(address.host) ? address.port : 0;
        setup->milter =
            g_strdup_printf(strchr(host, ':') ? "inet:[%s]:%u" : "inet:%s:%u", host, address.port);
    }
}

/* main.cf */

/* What a terminal would take for more than text is not printed as a command. */
static void print_command(const struct postfix_setup *setup, const char *option, const char *text)
{
    g_autofree char *quoted = g_shell_quote(text);
    if (!setup_is_one_line(text)) {
        postfix_print_remark("left out, for its control characters: %s %s", option, text);
        return;
    }
    printf("%s %s %s\n", setup->command, option, quoted);
}

static void print_parameter(const struct postfix_setup *setup, const char *name, const char *value)
{
    g_autofree char *text = g_strdup_printf("%s = %s", name, value);
    print_command(setup, "-e", text);
}

static void print_milters(const struct postfix_setup *setup, const char *name)
{
    g_autofree char *merged = postfix_merge(setup, postfix_get(setup, name));
    print_parameter(setup, name, merged);
}

static void print_timeouts(const struct postfix_setup *setup)
{
    static const struct {
        const char *name;
        unsigned least; /* Postfix's default */
    } rows[] = {{"milter_connect_timeout", 30},
                {"milter_command_timeout", 30},
                {"milter_content_timeout", 300}};
    unsigned fits = setup_timeout(setup->task->settings);
    unsigned least = setup_least_timeout(setup->task->settings);
    printf(
        "# Time-outs are longer than gatepost ever holds a client, which is %us (dnsbl_timeout)\n"
        "# and what a machine under load takes.\n",
        setup_longest_wait(setup->task->settings));
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        const char *now = postfix_get(setup, rows[i].name);
        g_autofree char *value = g_strdup_printf("%us", MAX(fits, rows[i].least));
        bool good = *now && mtatime_seconds(now) >= least;
        if (good)
            postfix_print_remark("%s = %s is long enough.", rows[i].name, now);
        else
            print_parameter(setup, rows[i].name, value);
    }
}

/* Whether gatepost refuses what was sent after a login in clear text, to some listener at least. */
static bool minds_clear_text(const struct settings *settings)
{
    for (guint i = 0; i < settings_section_count(settings, SECTION_LISTENER); i++)
        if (settings_integer(settings, settings_section(settings, SECTION_LISTENER, i),
                             SETTING_AUTH_MIN_SSF) > 0)
            return true;
    return settings_integer(settings, NULL, SETTING_AUTH_MIN_SSF) > 0;
}

static void print_main(const struct postfix_setup *setup)
{
    bool shuts = strcmp(postfix_get(setup, "milter_default_action"), "shutdown") == 0;
    postfix_print_remark("%s/main.cf", setup->folder);
    if (setup->any_port)
        postfix_print_remark(
            "gatepost listens on every address: a Postfix elsewhere asks inet:%s:%u, or by "
            "another name of this machine.",
            g_get_host_name(), setup->any_port);
    printf("# gatepost stands first, before a DKIM signer, which signs what gatepost leaves.\n");
    print_milters(setup, "smtpd_milters");
    print_milters(setup, "non_smtpd_milters");
    printf("# When gatepost does not answer, senders try again later; nothing passes unseen.\n");
    print_parameter(setup, "milter_default_action", shuts ? "shutdown" : "tempfail");
    print_parameter(setup, "milter_protocol", "6");
    print_timeouts(setup);
    if (!minds_clear_text(setup->task->settings))
        return;
    printf("# No passwords in clear text.\n");
    print_parameter(setup, "smtpd_tls_auth_only", "yes");
}

/* master.cf */

static void print_override(const struct postfix_setup *setup,
                           const struct postconf_service *service, const char *name,
                           const char *value)
{
    g_autofree char *text =
        g_strdup_printf("%s/%s/%s=%s", service->name, service->type, name, value);
    print_command(setup, "-P", text);
}

static void print_service(const struct postfix_setup *setup, const struct postconf_service *service)
{
    enum postfix_shown shown = postfix_shown(setup, service);
    const char *own = g_hash_table_lookup(service->overrides, "milter_macro_daemon_name");
    if (shown == POSTFIX_NONE && postfix_is_inner(service))
        postfix_print_remark(
            "%s/%s shows milters nothing: right where mail comes back from a content "
            "filter.",
            service->name, service->type);
    if (shown == POSTFIX_OTHERS_ONLY) {
        g_autofree char *merged =
            postfix_merge(setup, g_hash_table_lookup(service->overrides, "smtpd_milters"));
        print_override(setup, service, "smtpd_milters", merged);
    }
    if (shown != POSTFIX_OTHERS_ONLY && shown != POSTFIX_SHOWN)
        return;
    g_autofree char *name = own ? g_strdup(own) : postfix_name_for(service);
    if (own) {
        postfix_print_remark("%s/%s has its name: %s", service->name, service->type, own);
        return;
    }
    postfix_print_remark("%s %s ... smtpd -o milter_macro_daemon_name=%s", service->name,
                         service->type, name);
    print_override(setup, service, "milter_macro_daemon_name", name);
}

static void print_missing_listener(void *data, const char *name, const char *where)
{
    const struct postfix_setup *setup = data;
    if (name[0] != ':' && !postfix_is_called(setup, name))
        postfix_print_remark(
            "%s: name the service that is meant: -o milter_macro_daemon_name=%s, by "
            "%s -P SERVICE/TYPE/milter_macro_daemon_name=%s",
            where, name, setup->command, name);
}

static void print_master(struct postfix_setup *setup)
{
    static const char *const names[] = {"smtp", "submission", "submissions"};
    printf("\n");
    postfix_print_remark(
        "%s/master.cf: a name for each service, by which [listener NAME] sections,", setup->folder);
    printf("# submission_listeners and untrusted_listeners know it\n");
    for (guint i = 0; setup->postconf && i < setup->postconf->services->len; i++)
        print_service(setup, setup->postconf->services->pdata[i]);
    if (setup->postconf) {
        setup_each_listener(setup->task->settings, print_missing_listener, setup);
        return;
    }
    printf("# (those that there are)\n");
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        printf("%s -P %s/inet/milter_macro_daemon_name=%s\n", setup->command, names[i], names[i]);
}

/* Taking gatepost out */

/* Whether a word of a list of milters is gatepost's socket, or one that it had before. */
static bool is_ours(const struct postfix_setup *setup, const char *word)
{
    return postfix_place(setup, word) > 0 || strstr(word, "gatepost");
}

/* Adds "NAME = REST" to ARGUMENTS if gatepost is in LIST. */
static void add_without(const struct postfix_setup *setup, const char *name, const char *list,
                        GString *arguments)
{
    g_autoptr(GPtrArray) words = setup_words(list);
    g_autoptr(GString) rest = g_string_new(NULL);
    bool found = false;
    for (guint i = 0; i < words->len; i++) {
        bool ours = is_ours(setup, words->pdata[i]);
        found = found || ours;
        if (!ours)
            g_string_append_printf(rest, "%s%s", rest->len ? ", " : "", (char *)words->pdata[i]);
    }
    g_autofree char *text = g_strdup_printf("%s = %s", name, rest->str);
    g_autofree char *quoted = g_shell_quote(g_strchomp(text));
    if (found && setup_is_one_line(text))
        g_string_append_printf(arguments, " %s", quoted);
}

static void print_removal(const struct postfix_setup *setup)
{
    static const char *const lists[] = {"smtpd_milters", "non_smtpd_milters"};
    g_autoptr(GString) main = g_string_new(NULL), master = g_string_new(NULL);
    for (size_t n = 0; n < G_N_ELEMENTS(lists); n++) {
        add_without(setup, lists[n], postfix_get(setup, lists[n]), main);
        for (guint i = 0; i < setup->postconf->services->len; i++) {
            const struct postconf_service *service = setup->postconf->services->pdata[i];
            const char *own = g_hash_table_lookup(service->overrides, lists[n]);
            g_autofree char *name =
                g_strdup_printf("%s/%s/%s", service->name, service->type, lists[n]);
            if (own)
                add_without(setup, name, own, master);
        }
    }
    if (main->len)
        printf("%s -e%s\n", setup->command, main->str);
    if (master->len)
        printf("%s -P%s\n", setup->command, master->str);
    if (main->len || master->len)
        printf("postfix%s reload\n", setup->command + strlen("postconf"));
}

/* The command */

static void set_up(struct setup_task *task, const struct postconf *postconf)
{
    g_autofree char *quoted = task->folder ? g_shell_quote(task->folder) : NULL;
    g_autofree char *command =
        quoted ? g_strdup_printf("postconf -c %s", quoted) : g_strdup("postconf");
    struct postfix_setup setup = {.task = task,
                                  .postconf = postconf,
                                  .command = command,
                                  .folder = postconf ? postconf_get(postconf, "config_directory")
                                                     : "/etc/postfix"};
    find_milter(&setup);
    if (task->remove) {
        if (postconf)
            print_removal(&setup);
        g_free(setup.milter);
        return;
    }
    if (!task->check) {
        print_main(&setup);
        print_master(&setup);
        postfixsite(&setup);
        if (postconf) {
            postfixlists_print(&setup);
            postfixservices(&setup);
        }
        fflush(stdout);
    }
    postfixlook(&setup);
    if (task->check) {
        postfixsite(&setup);
        postfixservices(&setup);
    }
    g_free(setup.milter);
}

enum setup_result setup_postfix(struct setup_task *task)
{
    g_autofree char *why = NULL;
    struct postconf *postconf = postconf_read(task->folder, parameters, &why);
    if (!postconf && task->folder) {
        task->complain("%s: %s", task->folder, why);
        return SETUP_UNREADABLE;
    }
    if (!postconf && !task->remove)
        setup_note(task,
                   "%s: nothing could be looked at; the lines are those for Postfix as it is "
                   "installed",
                   why);
    if (postconf || !task->check)
        set_up(task, postconf);
    enum setup_result code = postconf || !task->check ? SETUP_DONE : SETUP_NO_MTA;
    postconf_free(postconf);
    return code;
}
