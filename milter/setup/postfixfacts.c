/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What gatepost must know of a Postfix: its lists of milters, and what each service shows them.
 */
#include "postfixfacts.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

const char *postfix_get(const struct postfix_setup *setup, const char *name)
{
    return setup->postconf ? postconf_get(setup->postconf, name) : "";
}

bool postfix_is_yes(const char *value)
{
    return g_ascii_strcasecmp(value, "yes") == 0;
}

bool postfix_has_word(const char *list, const char *word)
{
    g_autoptr(GPtrArray) words = setup_words(list);
    for (guint i = 0; i < words->len; i++)
        if (g_ascii_strcasecmp(words->pdata[i], word) == 0)
            return true;
    return false;
}

/* "unix:x", or "{ unix:x, name=value, { name = value } }" */
void postfix_milter_init(struct postfix_milter *milter, const char *word)
{
    size_t length = strlen(word);
    milter->socket = NULL;
    milter->options = NULL;
    if (word[0] != '{' || length < 2) {
        milter->socket = g_strdup(word);
        return;
    }
    milter->options = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    g_autofree char *inside = g_strndup(word + 1, length - 2);
    g_autoptr(GPtrArray) parts = setup_words(inside);
    for (guint i = 0; i < parts->len; i++) {
        g_autofree char *part = g_strdup(parts->pdata[i]);
        g_strstrip(g_strdelimit(part, "{}", ' '));
        char *equals = strchr(part, '=');
        if (i == 0)
            milter->socket = g_strdup(part);
        else if (equals)
            g_hash_table_insert(milter->options, g_strchomp(g_strndup(part, equals - part)),
                                g_strdup(g_strchug(equals + 1)));
    }
    if (!milter->socket)
        milter->socket = g_strdup("");
}

void postfix_milter_clear(struct postfix_milter *milter)
{
    g_free(milter->socket);
    if (milter->options)
        g_hash_table_unref(milter->options);
}

/* "inet:127.0.0.1:1", "inet:[127.0.0.1]:1", "inet:localhost:1" are the same. */
static char *plain_inet(const char *socket)
{
    g_auto(GStrv) parts = g_strsplit_set(socket, "[]", -1);
    g_autofree char *plain = g_strjoinv("", parts);
    const char *local = "inet:localhost:";
    return g_ascii_strncasecmp(plain, local, strlen(local)) == 0
               ? g_strconcat("inet:127.0.0.1:", plain + strlen(local), NULL)
               : g_strdup(plain);
}

/* A path is one of the whole machine, or below the queue folder, for daemons that are chrooted
 * there. */
static bool is_path(const struct postfix_setup *setup, const char *path)
{
    g_autofree char *inside = g_build_filename(postfix_get(setup, "queue_directory"), path, NULL);
    return setup->path && (strcmp(path, setup->path) == 0 || strcmp(inside, setup->path) == 0);
}

bool postfix_is_gatepost(const struct postfix_setup *setup, const char *socket)
{
    if (g_str_has_prefix(socket, "unix:") || g_str_has_prefix(socket, "local:"))
        return is_path(setup, strchr(socket, ':') + 1);
    g_autofree char *one = plain_inet(socket), *other = plain_inet(setup->milter);
    g_autofree char *port = g_strdup_printf(":%u", setup->any_port);
    bool is_inet = g_str_has_prefix(socket, "inet:");
    return g_ascii_strcasecmp(one, other) == 0 ||
           (setup->any_port && is_inet && g_str_has_suffix(one, port));
}

unsigned postfix_place(const struct postfix_setup *setup, const char *list)
{
    g_autoptr(GPtrArray) words = setup_words(list);
    unsigned place = 0;
    for (guint i = 0; i < words->len && place == 0; i++) {
        struct postfix_milter milter;
        postfix_milter_init(&milter, words->pdata[i]);
        if (postfix_is_gatepost(setup, milter.socket))
            place = i + 1;
        postfix_milter_clear(&milter);
    }
    return place;
}

bool postfix_is_inner(const struct postconf_service *service)
{
    static const char *const places[] = {"127.", "localhost:", "[127.", "[::1]:", "::1:"};
    if (strcmp(service->type, "unix") == 0)
        return true;
    for (size_t i = 0; i < G_N_ELEMENTS(places); i++)
        if (g_str_has_prefix(service->name, places[i]) && strchr(service->name, ':'))
            return true;
    return false;
}

enum postfix_shown postfix_shown(const struct postfix_setup *setup,
                                 const struct postconf_service *service)
{
    if (strcmp(service->command, "smtpd") != 0)
        return POSTFIX_NO_SMTPD;
    const char *own = g_hash_table_lookup(service->overrides, "smtpd_milters");
    const char *options =
        postconf_service_get(setup->postconf, service, "receive_override_options");
    if (postfix_has_word(options, "no_milters") || (own && !*own))
        return POSTFIX_NONE;
    return own && postfix_place(setup, own) == 0 ? POSTFIX_OTHERS_ONLY : POSTFIX_SHOWN;
}

bool postfix_is_called(const struct postfix_setup *setup, const char *name)
{
    if (g_ascii_strcasecmp(postfix_get(setup, "milter_macro_daemon_name"), name) == 0)
        return true;
    for (guint i = 0; i < setup->postconf->services->len; i++) {
        const struct postconf_service *service = setup->postconf->services->pdata[i];
        const char *called = g_hash_table_lookup(service->overrides, "milter_macro_daemon_name");
        enum postfix_shown shown = postfix_shown(setup, service);
        if (called && (shown == POSTFIX_SHOWN || shown == POSTFIX_OTHERS_ONLY) &&
            g_ascii_strcasecmp(called, name) == 0)
            return true;
    }
    return false;
}

/* What postscreen hands on came to its own port, and Postfix says so. */
static bool is_port_of_postscreen(const struct postfix_setup *setup, const char *word)
{
    for (guint i = 0; i < setup->postconf->services->len; i++) {
        const struct postconf_service *service = setup->postconf->services->pdata[i];
        if (strcmp(service->type, "inet") == 0 && strcmp(service->command, "postscreen") == 0 &&
            postfix_is_listener(setup, service, word))
            return true;
    }
    return false;
}

bool postfix_is_listener(const struct postfix_setup *setup, const struct postconf_service *service,
                         const char *word)
{
    static const struct {
        const char *name, *port;
    } known[] = {
        {"smtp", ":25"}, {"submission", ":587"}, {"submissions", ":465"}, {"smtps", ":465"}};
    const char *called = postconf_service_get(setup->postconf, service, "milter_macro_daemon_name");
    const char *colon = strrchr(service->name, ':');
    const char *name = colon ? colon + 1 : service->name;
    if (word[0] != ':')
        return g_ascii_strcasecmp(word, called) == 0;
    if (strcmp(service->type, "pass") == 0)
        return is_port_of_postscreen(setup, word);
    for (size_t i = 0; i < G_N_ELEMENTS(known); i++)
        if (strcmp(name, known[i].name) == 0)
            return strcmp(word, known[i].port) == 0;
    return strcmp(word + 1, name) == 0;
}

const struct section *postfix_section(const struct postfix_setup *setup,
                                      const struct postconf_service *service)
{
    const struct settings *settings = setup->task->settings;
    const struct section *by_port = NULL;
    for (guint i = 0; i < settings_section_count(settings, SECTION_LISTENER); i++) {
        const struct section *section = settings_section(settings, SECTION_LISTENER, i);
        if (!postfix_is_listener(setup, service, section_name(section)))
            continue;
        if (section_name(section)[0] != ':')
            return section;
        by_port = section;
    }
    return by_port;
}

char *postfix_name_for(const struct postconf_service *service)
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

void postfix_print_remark(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    g_autofree char *safe = text_escape(text);
    printf("# %s\n", safe);
}
