/* SPDX-License-Identifier: BSD-2-Clause
 *
 * gatepost-web: any request, any answer of the daemon's. The input is lines: the site (letters: "t"
 * there is a token, "w" it is open to the world, "d" the daemon is away, "b" busy, "n" it is asked
 * what it does not know), method, path, Host,
 * Authorization and query, each empty for none; what is left is what the daemon answers.
 *
 * Whoever has not the token learns nothing personal, whatever he asks; what is sent as HTML holds
 * no markup but our own.
 */
#include <glib.h>
#include <stdint.h>
#include <string.h>

#include "web_reply.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define TOKEN "abcdefghijklmnop"

struct daemon_said {
    const char *text;
    enum web_asked asked;
    bool asked_personal;
};

static void check(bool holds, const char *what)
{
    if (!holds)
        g_error("%s", what);
}

static enum web_asked ask(void *data, const char *request, GString *out, char **why_r)
{
    struct daemon_said *said = data;
    check(!strpbrk(request, "\r\n") && g_utf8_validate(request, -1, NULL), "one line of text");
    if (!g_str_equal(request, "overview") && !g_str_equal(request, "metrics") &&
        !g_str_equal(request, "about"))
        said->asked_personal = true;
    if (said->asked != WEB_ANSWERED)
        *why_r = g_strdup(said->text);
    else
        g_string_append(out, said->text);
    return said->asked;
}

/* Each "<" begins a tag that we write, and no attribute has come in. */
static void check_html(const char *html)
{
    static const char *const tags[] = {
        "!DOCTYPE", "html",  "head",    "meta",  "link",  "title",   "body",   "header", "h1",
        "h2",       "h3",    "a",       "p",     "form",  "input",   "button", "main",   "footer",
        "section",  "ul",    "li",      "b",     "span",  "div",     "svg",    "text",   "line",
        "rect",     "table", "caption", "thead", "tbody", "tr",      "th",     "td",     "details",
        "summary",  "dl",    "dt",      "dd",    "br",    "article", "wbr"};
    check(g_utf8_validate(html, -1, NULL), "a page is UTF-8");
    for (const char *p = strchr(html, '<'); p; p = strchr(p + 1, '<')) {
        const char *name = p[1] == '/' ? p + 2 : p + 1;
        size_t length = strspn(name, "!DOCTYPEabcdefghijklmnopqrstuvwxyz0123456789");
        bool ours = false;
        for (size_t i = 0; i < G_N_ELEMENTS(tags); i++)
            ours |= strlen(tags[i]) == length && strncmp(tags[i], name, length) == 0;
        check(ours, "a tag that is none of ours");
        const char *end = strchr(p, '>');
        check(end != NULL, "a tag without an end");
        for (const char *on = strstr(p, " on"); on && on < end; on = strstr(on + 1, " on"))
            check(strchr(on, '=') == NULL || strchr(on, '=') > end || strchr(p, '"') < on,
                  "an attribute that is none of ours");
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char *names[] = {(char *)"gate.example.org", NULL};
    g_autofree char *text = g_strndup((const char *)data, size);
    g_auto(GStrv) lines = g_strsplit(text, "\n", 7);
    if (g_strv_length(lines) < 7)
        return 0;
    struct daemon_said said = {.text = lines[6],
                               .asked = strchr(lines[0], 'd')   ? WEB_AWAY
                                        : strchr(lines[0], 'b') ? WEB_BUSY
                                        : strchr(lines[0], 'n') ? WEB_NO_SUCH
                                                                : WEB_ANSWERED};
    struct web_settings settings = {.listen = {.kind = SOCKET_INET, .host = "127.0.0.1"},
                                    .loopback = !strchr(lines[0], 'w'),
                                    .names = names};
    const struct web_site site = {.settings = &settings,
                                  .token =
                                      strchr(lines[0], 't') || !settings.loopback ? TOKEN : NULL,
                                  .ask = ask,
                                  .data = &said};
    const struct web_request request = {.method = lines[1],
                                        .path = lines[2],
                                        .host = *lines[3] ? lines[3] : NULL,
                                        .authorization = *lines[4] ? lines[4] : NULL,
                                        .query = *lines[5] ? lines[5] : NULL};
    struct web_reply reply;
    web_reply(&site, &request, &reply);
    check(reply.status >= 200 && reply.status < 600 && reply.type, "a status and a type");
    bool knows = request.authorization && site.token &&
                 (strstr(request.authorization, TOKEN) ||
                  g_ascii_strncasecmp(request.authorization, "Basic ", 6) == 0);
    check(!said.asked_personal || knows, "what is personal, without the token");
    if (strchr(lines[0], 'w') && !knows)
        check(reply.status >= 400, "an answer to the world without the token");
    if (g_str_has_prefix(reply.type, "text/html"))
        check_html(reply.body->str);
    g_string_free(reply.body, TRUE);
    return 0;
}
