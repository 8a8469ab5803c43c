/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What would go wrong with the Sendmail that is there: an inspection a row.
 */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "reach.h"
#include "sendmailfacts.h"

/* The filter */

static void look_for_filter(struct sendmail_setup *setup)
{
    const struct sendmailcf_filter *filter = sendmail_filter(setup);
    if (!filter) {
        if (setup->task->check)
            setup_warn(setup->task, "%s has no filter gatepost: mail passes unseen", setup->path);
        return;
    }
    if (!sendmailcf_lists(setup->cf->input, filter->name))
        setup_warn(setup->task,
                   "%s: InputMailFilters leaves %s out: mail passes unseen, unless a listener has "
                   "InputMailFilters of its own",
                   setup->path, filter->name);
    if (!sendmail_same_socket(filter->socket, setup->socket))
        setup_warn(setup->task, "%s: the filter %s is asked at %s; gatepost listens at %s",
                   setup->path, filter->name, filter->socket, setup->socket);
}

static void look_at_brackets(struct sendmail_setup *setup)
{
    const struct sendmailcf_filter *filter = sendmail_filter(setup);
    if (filter && strstr(filter->socket, "@["))
        setup_warn(setup->task,
                   "%s: S=%s of the filter %s: Sendmail does not connect to an address in brackets",
                   setup->path, filter->socket, filter->name);
}

/* Of several flags Sendmail takes T before 4 before R. */
static void look_at_flags(struct sendmail_setup *setup)
{
    const struct sendmailcf_filter *filter = sendmail_filter(setup);
    if (!filter || strpbrk(filter->flags, "T4"))
        return;
    if (strchr(filter->flags, 'R'))
        setup_warn(setup->task,
                   "%s: F=R of the filter %s refuses mail for good while gatepost is down: use F=T",
                   setup->path, filter->name);
    else
        setup_warn(setup->task,
                   "%s: without F=T of the filter %s mail passes unseen while gatepost is down",
                   setup->path, filter->name);
}

static void look_at_timeouts(struct sendmail_setup *setup)
{
    static const struct {
        enum sendmailcf_timeout timeout;
        char letter;
    } rows[] = {{SENDMAILCF_REPLY, 'R'}, {SENDMAILCF_END, 'E'}};
    const struct sendmailcf_filter *filter = sendmail_filter(setup);
    unsigned least = setup_least_timeout(setup->task->settings);
    if (!filter)
        return;
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        if (filter->timeout[rows[i].timeout] < least)
            setup_warn(setup->task,
                       "%s: the filter %s has the time-out %c:%us; gatepost may need %us "
                       "(dnsbl_timeout and %us)",
                       setup->path, filter->name, rows[i].letter, filter->timeout[rows[i].timeout],
                       least, SETUP_TIMEOUT_LEAST);
    if (!filter->given)
        setup_note(setup->task,
                   "%s: the filter %s has no T=: while gatepost hangs, each client is held for 5 "
                   "minutes",
                   setup->path, filter->name);
}

static void look_at_order(struct sendmail_setup *setup)
{
    const GPtrArray *input = setup->cf->input;
    if (input->len > 0 && sendmailcf_lists(input, setup->name) &&
        g_ascii_strcasecmp(input->pdata[0], setup->name) != 0)
        setup_warn(setup->task,
                   "%s: gatepost must stand before a DKIM signer, and so at the beginning of "
                   "InputMailFilters",
                   setup->path);
}

/* Listeners */

static bool is_loopback(const char *address)
{
    struct ipaddr ip;
    return g_ascii_strcasecmp(address, "localhost") == 0 ||
           (ipaddr_parse(address, &ip) && ipaddr_is_loopback(&ip));
}

static void look_at_daemons(struct sendmail_setup *setup)
{
    for (guint i = 0; i < setup->cf->daemons->len; i++) {
        const struct sendmailcf_daemon *listener = setup->cf->daemons->pdata[i];
        if (!listener->input || sendmailcf_lists(listener->input, setup->name))
            continue;
        if (listener->input->len == 0 && is_loopback(listener->address))
            setup_note(setup->task,
                       "%s: the listener %s shows gatepost nothing: right if mail comes back "
                       "there from a content filter",
                       setup->path, listener->name);
        else
            setup_warn(setup->task,
                       "%s: InputMailFilters of the listener %s leaves gatepost out: mail passes "
                       "unseen there",
                       setup->path, listener->name);
    }
}

static void look_for_listener(void *data, const char *name, const char *where)
{
    struct sendmail_setup *setup = data;
    if (!sendmail_listens(setup, name))
        setup_warn(setup->task, "%s: no listener has %s%s", where,
                   name[0] == ':' ? "port " : "Name=", name[0] == ':' ? name + 1 : name);
}

static void look_for_listeners(struct sendmail_setup *setup)
{
    setup_each_listener(setup->task->settings, look_for_listener, setup);
}

/* The socket */

static bool blames(const struct sendmail_setup *setup, const char *word)
{
    const char *list = sendmailcf_option(setup->cf, "DontBlameSendmail");
    g_auto(GStrv) words = g_strsplit_set(list, ", \t", -1);
    for (char **one = words; *one; one++)
        if (g_ascii_strcasecmp(*one, word) == 0)
            return false;
    return true;
}

/* Sendmail does not even start with a socket in a folder that others may write to. */
static void look_at_folders(struct sendmail_setup *setup)
{
    if (!g_str_has_prefix(setup->socket, "local:"))
        return;
    mode_t bits = S_IWOTH | (blames(setup, "GroupWritableDirPathSafe") ? S_IWGRP : 0);
    g_autofree char *folder = reach_writable_folder(strchr(setup->socket, ':') + 1, bits);
    if (folder)
        setup_warn(setup->task,
                   "Sendmail calls %s unsafe and does not start, because others than its owner may "
                   "write to %s",
                   setup->socket, folder);
}

/* Sendmail connects as root, unless it is told who to be: USER or USER:GROUP. Then that group, or
 * the user's first, is the only one it keeps. */
static void look_at_user(struct sendmail_setup *setup)
{
    const char *option = sendmailcf_option(setup->cf, "RunAsUser");
    g_autofree char *user = g_strndup(option, strcspn(option, ":."));
    const char *group = user[strlen(user)] == option[strlen(user)] ? "" : option + strlen(user) + 1;
    if (!*user || g_ascii_isdigit(*user) || !g_str_has_prefix(setup->socket, "local:"))
        return;
    g_autofree char *why =
        reach_fault(setup->task->settings, strchr(setup->socket, ':') + 1, user, group);
    if (why)
        setup_warn(setup->task, "%s: RunAsUser: %s", setup->path, why);
}

/* Others */

bool sendmail_wants_tls(const struct sendmail_setup *setup)
{
    const char *options = sendmailcf_option(setup->cf, "AuthOptions");
    g_auto(GStrv) mechanisms =
        g_strsplit_set(sendmailcf_option(setup->cf, "AuthMechanisms"), " ,\t", -1);
    bool clear = false;
    for (char **one = mechanisms; *one; one++)
        clear = clear || g_ascii_strcasecmp(*one, "PLAIN") == 0 ||
                g_ascii_strcasecmp(*one, "LOGIN") == 0;
    return !clear || strchr(options, 'p') ||
           settings_integer(setup->task->settings, NULL, SETTING_AUTH_MIN_SSF) == 0;
}

/* gatepost refuses what was sent after such a login: see auth_min_ssf. Where nothing is said of it,
 * what is printed proposes it. */
static void look_at_passwords(struct sendmail_setup *setup)
{
    const char *options = sendmailcf_option(setup->cf, "AuthOptions");
    if (!sendmail_wants_tls(setup) && *options)
        setup_warn(setup->task,
                   "%s: AuthOptions=%s lacks p: clients may send passwords in clear text, and "
                   "gatepost then refuses their mail",
                   setup->path, options);
}

/* Before 8.14 a filter could not ask for macros. */
static void look_at_version(struct sendmail_setup *setup)
{
    const char *version = g_hash_table_lookup(setup->cf->macros, "Z");
    unsigned major = 0, minor = 0;
    if (!version || sscanf(version, "%3u.%3u", &major, &minor) != 2)
        return;
    if (major < 8 || (major == 8 && minor < 14))
        setup_warn(setup->task,
                   "%s was made for Sendmail %u.%u; before 8.14 gatepost cannot ask for {verify} "
                   "and {client_addr}",
                   setup->path, major, minor);
}

/* What programs submit must not be asked to authenticate. */
static void look_at_submit_port(struct sendmail_setup *setup)
{
    const char *port =
        sendmail_port_number(setup->submit->relay_port ? setup->submit->relay_port : "smtp");
    g_autofree char *by_port = g_strconcat(":", port, NULL);
    const char *text =
        settings_get(setup->task->settings, NULL, SETTING_SUBMISSION_LISTENERS)->text;
    g_autoptr(GPtrArray) listeners = setup_words(text);
    for (guint i = 0; i < setup->cf->daemons->len; i++) {
        const struct sendmailcf_daemon *listener = setup->cf->daemons->pdata[i];
        if (strcmp(sendmail_port_number(listener->port), port) == 0 &&
            (sendmailcf_lists(listeners, by_port) || sendmailcf_lists(listeners, listener->name))) {
            setup_warn(setup->task,
                       "%s sends what programs submit to port %s, where gatepost serves nobody "
                       "without authentication (submission_listeners): let FEATURE(`msp') use "
                       "port 25",
                       setup->submit_path, port);
            return;
        }
    }
}

static void look_at_submit(struct sendmail_setup *setup)
{
    if (!setup->submit) {
        setup_warn(setup->task,
                   "there is no %s: what programs submit with the sendmail command is queued "
                   "without any filter",
                   setup->submit_path);
        return;
    }
    const char *host = g_hash_table_lookup(setup->submit->macros, "MTAHost");
    g_autofree char *plain = g_strdup(host ? host : "");
    g_strdelimit(plain, "[]", ' ');
    if (*g_strstrip(plain) && !is_loopback(plain))
        setup_note(setup->task, "%s sends what programs submit to %s, not to the Sendmail of %s",
                   setup->submit_path, plain, setup->path);
    else
        look_at_submit_port(setup);
}

static void look_at_age(struct sendmail_setup *setup)
{
    struct stat mc, cf;
    g_autofree char *source = sendmail_source(setup);
    if (stat(source, &mc) == 0 && stat(setup->path, &cf) == 0 && mc.st_mtime > cf.st_mtime)
        setup_note(setup->task,
                   "%s was changed after %s was made of it: what is in force may differ", source,
                   setup->path);
}

static void look_at_domains(struct sendmail_setup *setup)
{
    setup_look_at_domains(setup->task);
}

void sendmaillook(struct sendmail_setup *setup)
{
    static const struct {
        const char *what;
        bool always; /* without a .cf, too */
        void (*look)(struct sendmail_setup *setup);
    } rows[] = {
        {"gatepost is a filter", false, look_for_filter},
        {"its address", false, look_at_brackets},
        {"what happens without gatepost", false, look_at_flags},
        {"time-outs", false, look_at_timeouts},
        {"order of filters", false, look_at_order},
        {"listeners with filters of their own", false, look_at_daemons},
        {"names of listeners", false, look_for_listeners},
        {"folders of the socket", true, look_at_folders},
        {"user", false, look_at_user},
        {"domains", false, look_at_domains},
        {"passwords", false, look_at_passwords},
        {"version", false, look_at_version},
        {"submission by programs", false, look_at_submit},
        {"age of the .cf", false, look_at_age},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        if (setup->found || rows[i].always)
            rows[i].look(setup);
}
