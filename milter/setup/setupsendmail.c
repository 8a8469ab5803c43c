/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What to add to sendmail.mc. All that is no line for m4 begins with "dnl", so that the whole can
 * be appended to the file as it is.
 */
#include "setupsendmail.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "sendmailfacts.h"
#include "settings/socket.h"

#define DEFAULT_FOLDER "/etc/mail"

/* Time-outs of connecting and sending: a gatepost that hangs must not hold clients for minutes. */
enum { CONNECT_TIMEOUT = 30, SEND_TIMEOUT = 30, LEAST_REPLY = 30, LEAST_END = 300 };

/* The socket */

static char *socket_words(const struct setup_task *task)
{
    struct socket_address address;
    const char *why;
    const char *text = settings_get(task->settings, NULL, SETTING_MILTER_SOCKET)->text;
    if (!socket_parse(text, &address, &why)) /* checked when the settings were loaded */
        return g_strdup(text);
    if (address.kind == SOCKET_UNIX)
        return g_strconcat("local:", address.path, NULL);
    /* Without brackets: with them Sendmail (8.17) fails to connect, "Invalid argument". */
    return g_strdup_printf("%s:%u@%s", address.kind == SOCKET_INET6 ? "inet6" : "inet",
                           address.port, setup_host(address.host, true));
}

/* sendmail.mc */

/* What neither m4 nor Sendmail takes for anything but itself. */
static bool is_plain(const char *text)
{
    return *text && !text[strspn(text, G_CSET_a_2_z G_CSET_A_2_Z G_CSET_DIGITS "._-/:@[]+=~%")];
}

static void print_equates(const struct sendmail_setup *setup, const char *macro)
{
    unsigned reply = setup_timeout(setup->task->settings);
    printf("%s(`%s', `S=%s, F=T, T=C:%us;S:%us;R:%us;E:%us')dnl\n", macro, setup->name,
           setup->socket, CONNECT_TIMEOUT, SEND_TIMEOUT, MAX(reply, LEAST_REPLY),
           MAX(2 * reply, LEAST_END));
}

/* The other filters in their order; gatepost stands before them: a signer must sign what gatepost
 * leaves of the message. */
static char *other_filters(const struct sendmail_setup *setup)
{
    GString *others = g_string_new(NULL);
    for (guint i = 0; i < setup->cf->input->len; i++) {
        const char *name = setup->cf->input->pdata[i];
        if (g_ascii_strcasecmp(name, setup->name) == 0)
            continue;
        if (is_plain(name))
            g_string_append_printf(others, ", %s", name);
        else
            setup_warn(setup->task,
                       "%s: the filter \"%s\" is left out: its name cannot be written "
                       "in sendmail.mc",
                       setup->path, name);
    }
    return g_string_free(others, FALSE);
}

static void print_filter(const struct sendmail_setup *setup)
{
    g_autofree char *others = other_filters(setup);
    printf("dnl F=T: while gatepost does not answer, senders are told to try again later, and\n"
           "dnl nothing passes unseen. R: and E: are longer than gatepost ever holds a client,\n"
           "dnl which is %us (dnsbl_timeout) and what a machine under load takes.\n",
           setup_longest_wait(setup->task->settings));
    if (sendmail_filter(setup))
        printf("dnl The configuration has this filter: put the line in the place of its own.\n");
    if (!*others) {
        print_equates(setup, "INPUT_MAIL_FILTER");
        return;
    }
    print_equates(setup, "MAIL_FILTER");
    printf("dnl All filters, in the order in which they are asked; behind the lines that define\n"
           "dnl them. gatepost stands before a signer, which signs what gatepost leaves.\n"
           "define(`confINPUT_MAIL_FILTERS', `%s%s')dnl\n",
           setup->name, others);
}

static void print_missing_listener(void *data, const char *name, const char *where)
{
    static const struct {
        const char *name, *rest;
    } rows[] = {{"submission", "Port=587, M=E"},
                {"submissions", "Port=465, M=s"},
                {"smtps", "Port=465, M=s"}};
    const struct sendmail_setup *setup = data;
    const char *rest = "Port=PORT, Addr=ADDRESS";
    if (name[0] == ':' || sendmail_listens(setup, name))
        return;
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        if (g_ascii_strcasecmp(rows[i].name, name) == 0)
            rest = rows[i].rest;
    g_autofree char *safe = text_escape(name), *safe_where = text_escape(where);
    printf("dnl %s: name the listener that is meant\n"
           "dnl   DAEMON_OPTIONS(`Name=%s, %s')dnl\n",
           safe_where, safe, rest);
}

static void print_lines(struct sendmail_setup *setup)
{
    g_autofree char *mc = sendmail_source(setup);
    g_autofree char *safe = text_escape(mc);
    printf("dnl Append these lines to %s, make the .cf file of it (on Debian: make -C\n"
           "dnl /etc/mail) and restart Sendmail.\n",
           safe);
    print_filter(setup);
    printf("dnl gatepost asks for the macros that it needs, {verify} among them, itself: no\n"
           "dnl confMILTER_MACROS_ line is needed (Sendmail 8.14 or newer).\n");
    const char *options = sendmailcf_option(setup->cf, "AuthOptions");
    if (!sendmail_wants_tls(setup) && !options[strspn(options, G_CSET_a_2_z G_CSET_A_2_Z " ,")])
        printf(
            "dnl Proposed: no passwords in clear text. Sendmail then offers them over TLS alone.\n"
            "dnl define(`confAUTH_OPTIONS', `%s%sp')dnl\n",
            options, *options ? " " : "");
    printf("dnl Sections [listener NAME], submission_listeners and untrusted_listeners know a\n"
           "dnl listener by its Name= or its port. These are there:\n");
    for (guint i = 0; i < setup->cf->daemons->len; i++) {
        const struct sendmailcf_daemon *listener = setup->cf->daemons->pdata[i];
        g_autofree char *name = text_escape(listener->name);
        g_autofree char *port = text_escape(sendmail_port_number(listener->port));
        printf("dnl   %s :%s\n", name, port);
    }
    setup_each_listener(setup->task->settings, print_missing_listener, setup);
    printf(
        "dnl submit.mc needs nothing: what programs of this machine send goes to sendmail's\n"
        "dnl daemon by SMTP, where gatepost sees it. Delivery reports that Sendmail makes never\n"
        "dnl reach a filter.\n");
}

static void print_removal(const struct sendmail_setup *setup)
{
    g_autofree char *mc = sendmail_source(setup);
    g_autofree char *safe = text_escape(mc);
    printf("dnl Take the line of the filter %s out of %s, and its name out of\n"
           "dnl confINPUT_MAIL_FILTERS, make the .cf file of it (on Debian: make -C /etc/mail)\n"
           "dnl and restart Sendmail.\n",
           setup->name, safe);
}

/* The command */

static char *cf_path(const struct setup_task *task)
{
    if (task->file)
        return g_strdup(task->file);
    return g_build_filename(task->folder ? task->folder : DEFAULT_FOLDER, "sendmail.cf", NULL);
}

/* Runs over the configuration CF; NULL: there is none. */
static void set_up(struct setup_task *task, const char *path, struct sendmailcf *cf)
{
    const char *why;
    struct sendmailcf *fallback = cf ? NULL : sendmailcf_default();
    g_autofree char *folder = g_path_get_dirname(path);
    g_autofree char *submit_path = g_build_filename(folder, "submit.cf", NULL);
    struct sendmailcf *submit = sendmailcf_read(submit_path, &why);
    struct sendmail_setup setup = {.task = task,
                                   .cf = cf ? cf : fallback,
                                   .submit = submit,
                                   .path = path,
                                   .submit_path = submit_path,
                                   .found = cf,
                                   .socket = socket_words(task)};
    const struct sendmailcf_filter *filter = sendmail_filter(&setup);
    setup.name = g_strdup(filter && is_plain(filter->name) ? filter->name : "gatepost");
    if (!is_plain(setup.socket))
        setup_warn(task,
                   "milter_socket = %s cannot be written in sendmail.mc: choose a path of "
                   "letters and digits",
                   setup.socket);
    if (task->remove) {
        if (sendmail_filter(&setup))
            print_removal(&setup);
    } else if (!task->check) {
        print_lines(&setup);
        sendmailsite(&setup);
        fflush(stdout);
    }
    if (!task->remove)
        sendmaillook(&setup);
    if (task->check)
        sendmailsite(&setup);
    g_free(setup.name);
    g_free(setup.socket);
    sendmailcf_free(submit);
    sendmailcf_free(fallback);
}

enum setup_result setup_sendmail(struct setup_task *task)
{
    const char *why = NULL;
    g_autofree char *path = cf_path(task);
    struct sendmailcf *cf = sendmailcf_read(path, &why);
    if (!cf && (task->file || task->folder)) {
        task->complain("%s: %s", path, why);
        return SETUP_UNREADABLE;
    }
    if (!cf && !task->remove)
        setup_note(task,
                   "%s: %s: nothing could be looked at; the lines are those for Sendmail as "
                   "it is installed",
                   path, why);
    if (cf || !(task->check || task->remove))
        set_up(task, path, cf);
    enum setup_result code = cf || !task->check ? SETUP_DONE : SETUP_NO_MTA;
    sendmailcf_free(cf);
    return code;
}
