/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Settings of gatepost-web.
 */
#include "settings/websettings.h"

#include <errno.h>
#include <string.h>

#include "base/ipaddr.h"
#include "base/text.h"
#include "base/wholefile.h"
#include "mail/hostname.h"

/* Of names on a network: some have an underscore. */
#define HOST_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_."

static bool is_loopback(const struct socket_address *address)
{
    struct ipaddr ip;
    if (address->kind == SOCKET_UNIX)
        return true;
    if (!ipaddr_parse(address->host, &ip))
        return g_ascii_strcasecmp(address->host, "localhost") == 0;
    return ipaddr_is_loopback(&ip);
}

/* As a browser names it: lower case, in ASCII, no dot at its end; an address without brackets.
 * NULL: no browser ever does. */
static char *host_name(const char *word)
{
    struct ipaddr address;
    size_t length = strlen(word);
    bool bracketed = length > 2 && word[0] == '[' && word[length - 1] == ']';
    g_autofree char *bare = bracketed ? g_strndup(word + 1, length - 2) : g_strdup(word);
    if (ipaddr_parse(bare, &address))
        return bracketed && address.family != IP_V6 ? NULL : g_steal_pointer(&bare);
    if (g_str_has_suffix(bare, "."))
        bare[strlen(bare) - 1] = '\0';
    g_autofree char *ascii = bracketed ? NULL : hostname_to_ascii(bare);
    bool valid = ascii && *ascii && strspn(ascii, HOST_CHARACTERS) == strlen(ascii);
    return valid ? g_ascii_strdown(ascii, -1) : NULL;
}

void web_settings_read(const struct settings *settings, struct problems *problems,
                       struct web_settings *web_r)
{
    const struct setting_value *listen = settings_get(settings, NULL, SETTING_WEB_LISTEN);
    const struct setting_value *token = settings_get(settings, NULL, SETTING_WEB_TOKEN_FILE);
    const struct setting_value *names = settings_get(settings, NULL, SETTING_WEB_NAMES);
    const char *fault = NULL;
    *web_r = (struct web_settings){.token = *token->text ? token->text : NULL};
    if (!socket_parse(listen->text, &web_r->listen, &fault)) /* the parser has told */
        web_r->listen = (struct socket_address){.kind = SOCKET_INET, .host = "127.0.0.1"};
    web_r->loopback = is_loopback(&web_r->listen);
    if (!web_r->loopback && !web_r->token)
        problems_error(problems, listen->file, listen->line,
                       "web_listen: whoever reaches %s could read the page; set web_token_file, or "
                       "listen on 127.0.0.1",
                       web_r->listen.host);
    else if (!web_r->loopback)
        problems_warning(
            problems, listen->file, listen->line,
            "web_listen: gatepost-web speaks no TLS: on the way to %s others can read "
            "along, the token too; listen on 127.0.0.1, with a proxy in front; its unit lets in "
            "this machine alone until \"systemctl edit gatepost-web\" says IPAddressAllow=",
            web_r->listen.host);
    if (web_r->token && !g_path_is_absolute(web_r->token))
        problems_error(problems, token->file, token->line,
                       "web_token_file: \"%s\" is no absolute path", web_r->token);
    g_autoptr(GStrvBuilder) ours = g_strv_builder_new();
    g_autoptr(GPtrArray) words = text_split_list(names->text, NULL);
    for (guint i = 0; words && i < words->len; i++) {
        g_autofree char *name = host_name(words->pdata[i]);
        if (name)
            g_strv_builder_add(ours, name);
        else
            problems_error(
                problems, names->file, names->line,
                "web_names: \"%s\" is no name of a host; as in mail.example.org, without "
                "a port: whatever the port is, it is answered",
                (const char *)words->pdata[i]);
    }
    web_r->names = g_strv_builder_end(ours);
}

char *web_token_read(const char *path, GError **error_r)
{
    g_autofree char *text = NULL;
    enum whole_file_result result = whole_file_first_line(path, &text);
    if (result != WHOLE_FILE_READ) {
        int code = result == WHOLE_FILE_FAULT ? (int)g_file_error_from_errno(errno)
                                              : (int)G_FILE_ERROR_FAILED;
        g_set_error(error_r, G_FILE_ERROR, code, "%s: %s", path, whole_file_why(result));
        return NULL;
    }
    size_t length = strlen(text);
    if (length >= WEB_TOKEN_MIN && length <= WEB_TOKEN_MAX && g_str_is_ascii(text))
        return g_steal_pointer(&text);
    g_set_error(error_r, G_FILE_ERROR, G_FILE_ERROR_INVAL,
                "%s: the first line must have %d to %d ASCII characters, as of: openssl rand "
                "-hex 16",
                path, WEB_TOKEN_MIN, WEB_TOKEN_MAX);
    return NULL;
}

void web_settings_clear(struct web_settings *web)
{
    g_strfreev(web->names);
    web->names = NULL;
}
