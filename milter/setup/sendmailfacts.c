/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What gatepost must know of a Sendmail: its filters, its listeners, what its .cf is made of.
 */
#include "sendmailfacts.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

/* Without what may be written in two ways: "unix:/x", "local:/x" and "/x" are the same, and so are
 * "inet:1@h" and "inet:1@[h]", and a folder and a link to it (/var/run, /run). */
static char *plain_socket(const char *text)
{
    if (g_str_has_prefix(text, "unix:") || g_str_has_prefix(text, "local:"))
        text = strchr(text, ':') + 1;
    if (text[0] == '/') {
        g_autofree char *folder = g_path_get_dirname(text), *name = g_path_get_basename(text);
        char *real = realpath(folder, NULL);
        char *whole = g_build_filename(real ? real : folder, name, NULL);
        free(real);
        return whole;
    }
    g_auto(GStrv) parts = g_strsplit_set(text, "[]", -1);
    return g_strjoinv("", parts);
}

bool sendmail_same_socket(const char *a, const char *b)
{
    g_autofree char *plain_a = plain_socket(a), *plain_b = plain_socket(b);
    return g_ascii_strcasecmp(plain_a, plain_b) == 0;
}

const struct sendmailcf_filter *sendmail_filter(const struct sendmail_setup *setup)
{
    for (guint i = 0; i < setup->cf->filters->len; i++) {
        const struct sendmailcf_filter *filter = setup->cf->filters->pdata[i];
        if (sendmail_same_socket(filter->socket, setup->socket))
            return filter;
    }
    return sendmailcf_find(setup->cf, "gatepost");
}

const char *sendmail_port_number(const char *port)
{
    static const struct {
        const char *name, *number;
    } rows[] = {{"smtp", "25"}, {"submission", "587"}, {"smtps", "465"}, {"submissions", "465"}};
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        if (strcmp(rows[i].name, port) == 0)
            return rows[i].number;
    return port;
}

bool sendmail_listens(const struct sendmail_setup *setup, const char *name)
{
    for (guint i = 0; i < setup->cf->daemons->len; i++) {
        const struct sendmailcf_daemon *listener = setup->cf->daemons->pdata[i];
        if (name[0] == ':' ? strcmp(sendmail_port_number(listener->port), name + 1) == 0
                           : g_ascii_strcasecmp(listener->name, name) == 0)
            return true;
    }
    return false;
}

char *sendmail_source(const struct sendmail_setup *setup)
{
    if (!g_str_has_suffix(setup->path, ".cf"))
        return g_strdup("sendmail.mc");
    return g_strdup_printf("%.*s.mc", (int)strlen(setup->path) - (int)strlen(".cf"), setup->path);
}
