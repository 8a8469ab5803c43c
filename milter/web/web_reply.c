/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Who is answered, and with what.
 */
#include "web_reply.h"

#include <string.h>

#include "base/ipaddr.h"
#include "page.h"
#include "style.h"

const char *const web_headers[] = {
    "Content-Security-Policy",
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options",
    "nosniff",
    "X-Frame-Options",
    "DENY",
    "Referrer-Policy",
    "no-referrer",
    "Cache-Control",
    "no-store",
    "Cross-Origin-Resource-Policy",
    "same-origin",
    /* a connection is for one request: so its time is bounded, whoever is slow */
    "Connection",
    "close",
    NULL,
};

/* Host */

/* Whether NAME, in lower case and without a port, is one that we go by. */
static bool is_our_name(const struct web_settings *settings, const char *name)
{
    struct ipaddr address, listened; /* each may be spelled in several ways */
    const char *own = settings->listen.kind == SOCKET_UNIX ? "" : settings->listen.host;
    size_t length = strlen(name);
    if (strcmp(name, "localhost") == 0 || (*own && g_ascii_strcasecmp(name, own) == 0))
        return true;
    bool bracketed = length > 2 && name[0] == '[' && name[length - 1] == ']';
    g_autofree char *bare = bracketed ? g_strndup(name + 1, length - 2) : g_strdup(name);
    if (ipaddr_parse(bare, &address) && bracketed == (address.family == IP_V6)) {
        bool ours = ipaddr_is_loopback(&address) ||
                    (ipaddr_parse(own, &listened) && ipaddr_equal(&address, &listened));
        for (char **one = settings->names; !ours && *one; one++)
            ours = ipaddr_parse(*one, &listened) && ipaddr_equal(&address, &listened);
        return ours;
    }
    return g_strv_contains((const char *const *)settings->names, name);
}

/* Against DNS rebinding: a page of somebody else's has a browser ask under its own name. */
static bool host_is_ours(const struct web_settings *settings, const char *host)
{
    if (!host || strlen(host) > 255)
        return false;
    g_autofree char *name = g_ascii_strdown(host, -1);
    char *colon = strrchr(name, ':');
    if (colon && !strchr(colon, ']')) {
        if (strspn(colon + 1, "0123456789") != strlen(colon + 1))
            return false;
        *colon = '\0';
    }
    return is_our_name(settings, name);
}

/* Token */

enum claim { CLAIM_NONE, CLAIM_WRONG, CLAIM_RIGHT };

/* Digests are of one length, and each byte of them is looked at, whatever was sent. */
static bool is_token(const char *token, const char *sent, size_t length)
{
    guint8 ours[32], theirs[32];
    gsize size = sizeof ours;
    unsigned difference = 0;
    g_autoptr(GChecksum) a = g_checksum_new(G_CHECKSUM_SHA256);
    g_autoptr(GChecksum) b = g_checksum_new(G_CHECKSUM_SHA256);
    g_checksum_update(a, (const guchar *)token, (gssize)strlen(token));
    g_checksum_update(b, (const guchar *)sent, (gssize)length);
    g_checksum_get_digest(a, ours, &size);
    size = sizeof theirs;
    g_checksum_get_digest(b, theirs, &size);
    for (size_t i = 0; i < sizeof ours; i++)
        difference |= ours[i] ^ theirs[i];
    return difference == 0;
}

static enum claim judge(const char *token, const char *authorization)
{
    if (!authorization || !token)
        return CLAIM_NONE;
    if (g_ascii_strncasecmp(authorization, "Bearer ", strlen("Bearer ")) == 0) {
        const char *sent = authorization + strlen("Bearer ");
        return is_token(token, sent, strlen(sent)) ? CLAIM_RIGHT : CLAIM_WRONG;
    }
    if (g_ascii_strncasecmp(authorization, "Basic ", strlen("Basic ")) != 0)
        return CLAIM_WRONG;
    gsize length = 0;
    g_autofree guchar *decoded = g_base64_decode(authorization + strlen("Basic "), &length);
    const char *colon = memchr(decoded, ':', length);
    if (!colon) /* the name before it is anybody's */
        return CLAIM_WRONG;
    size_t before = (size_t)(colon + 1 - (const char *)decoded);
    return is_token(token, colon + 1, length - before) ? CLAIM_RIGHT : CLAIM_WRONG;
}

/* Answers */

static void say(struct web_reply *reply, unsigned status, const char *text)
{
    reply->status = status;
    reply->type = "text/plain; charset=utf-8";
    g_string_assign(reply->body, text);
}

static void ask_for_token(struct web_reply *reply)
{
    say(reply, 401, "This needs the token (web_token_file): as a bearer, or as a password.\n");
    reply->asks_for_token = true;
}

static void give_metrics(const struct web_site *site, const struct web_request *request,
                         bool knows_token, struct web_reply *reply)
{
    g_autofree char *why = NULL;
    (void)request, (void)knows_token;
    reply->type = "text/plain; version=0.0.4; charset=utf-8";
    if (site->ask(site->data, "metrics", reply->body, &why) == WEB_ANSWERED)
        return;
    g_autofree char *text = g_strdup_printf("gatepost does not answer: %s\n", why);
    say(reply, 503, text);
}

static void give_style(const struct web_site *site, const struct web_request *request,
                       bool knows_token, struct web_reply *reply)
{
    (void)site, (void)request, (void)knows_token;
    reply->type = "text/css; charset=utf-8";
    g_string_assign(reply->body, web_style);
}

static void give_icon(const struct web_site *site, const struct web_request *request,
                      bool knows_token, struct web_reply *reply)
{
    (void)site, (void)request, (void)knows_token;
    reply->type = "image/svg+xml";
    g_string_assign(reply->body, web_icon);
}

static void give_page(const struct web_site *site, const struct web_request *request,
                      bool knows_token, struct web_reply *reply)
{
    (void)request;
    if (!page_overview(site, knows_token, reply->body))
        reply->status = 503;
}

static void give_search(const struct web_site *site, const struct web_request *request,
                        bool knows_token, struct web_reply *reply)
{
    (void)knows_token;
    static const unsigned statuses[] = {
        [WEB_ANSWERED] = 200, [WEB_AWAY] = 503, [WEB_BUSY] = 503, [WEB_NO_SUCH] = 400};
    enum web_asked asked = page_search(site, request->query ? request->query : "", reply->body);
    reply->status = statuses[asked];
    reply->come_again = asked == WEB_BUSY;
}

/* Browsers send what they were asked for once with all that stands beside it. */
static void let_in(const struct web_site *site, const struct web_request *request, bool knows_token,
                   struct web_reply *reply)
{
    (void)site, (void)request, (void)knows_token;
    say(reply, 303, "");
    reply->location = "/";
}

static const struct resource {
    const char *path;
    bool personal; /* for who knows the token alone */
    void (*give)(const struct web_site *site, const struct web_request *request, bool knows_token,
                 struct web_reply *reply);
} resources[] = {
    {"/", false, give_page},           {"/metrics", false, give_metrics},
    {"/style.css", false, give_style}, {"/icon.svg", false, give_icon},
    {"/search", true, give_search},    {"/login", true, let_in},
};

static const struct resource *find_resource(const char *path)
{
    for (size_t i = 0; i < G_N_ELEMENTS(resources); i++)
        if (strcmp(resources[i].path, path) == 0)
            return &resources[i];
    return NULL;
}

void web_reply(const struct web_site *site, const struct web_request *request,
               struct web_reply *reply_r)
{
    const struct resource *resource = find_resource(request->path);
    enum claim claim = judge(site->token, request->authorization);
    *reply_r = (struct web_reply){
        .status = 200, .type = "text/html; charset=utf-8", .body = g_string_new(NULL)};
    if (!host_is_ours(site->settings, request->host))
        say(reply_r, 400, "No host of that name is here (web_names).\n");
    else if (strcmp(request->method, "GET") != 0 && strcmp(request->method, "HEAD") != 0)
        say(reply_r, 405, "GET and HEAD alone are answered.\n");
    else if (claim == CLAIM_WRONG || (!site->settings->loopback && claim != CLAIM_RIGHT))
        ask_for_token(reply_r);
    else if (!resource)
        say(reply_r, 404, "There is nothing of that name.\n");
    else if (resource->personal && !site->token)
        say(reply_r, 403, "Decisions are shown to nobody while web_token_file is not set.\n");
    else if (resource->personal && claim != CLAIM_RIGHT)
        ask_for_token(reply_r);
    else
        resource->give(site, request, claim == CLAIM_RIGHT, reply_r);
}
