/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What is to be said of a Redis or Valkey server before a daemon uses it: asked once, by a program
 * that may wait for it.
 */
#include <hiredis/hiredis.h>
#include <signal.h>
#include <string.h>
#include <sys/time.h>

#include "redis_info.h"
#include "redis_tls.h"
#include "store/store.h"

/* For each answer; a host that is away costs this once. */
static const struct timeval patience = {.tv_sec = 2};

/* NULL: no connection; with *WHY_R, since the server is not to be trusted. */
static redisContext *open_host(const struct store_redis_options *options, guint index,
                               struct redis_tls **tls_r, char **why_r)
{
    if (options->path)
        return redisConnectUnixWithTimeout(options->path, patience);
    const char *host = options->hosts->pdata[index];
    const char *colon = strrchr(host, ':');
    g_autofree char *name = host[0] == '[' ? g_strndup(host + 1, (gsize)(colon - host) - 2)
                                           : g_strndup(host, (gsize)(colon - host));
    redisContext *connection =
        redisConnectWithTimeout(name, (int)g_ascii_strtoull(colon + 1, NULL, 10), patience);
    if (!options->tls || !connection || connection->err ||
        redisSetTimeout(connection, patience) != REDIS_OK)
        return connection;
    *tls_r = redis_tls_begin(connection, name, options, why_r);
    if (*tls_r)
        return connection;
    redisFree(connection);
    return NULL;
}

/* The server's INFO, or NULL: with *WHY_R, what the server itself said against it; without, no
 * answer came. Both to be freed. */
static char *ask_info(redisContext *connection, const struct store_redis_options *options,
                      char **why_r)
{
    redisReply *reply = NULL;
    char *info = NULL;
    if (options->password && options->user)
        reply = redisCommand(connection, "AUTH %s %s", options->user, options->password);
    else if (options->password)
        reply = redisCommand(connection, "AUTH %s", options->password);
    if (!reply || reply->type != REDIS_REPLY_ERROR) {
        if (reply)
            freeReplyObject(reply);
        reply = connection->err ? NULL : redisCommand(connection, "INFO");
    }
    if (reply && reply->type == REDIS_REPLY_ERROR)
        *why_r = g_strdup(reply->str);
    else if (reply && reply->str)
        info = g_strdup(reply->str);
    if (reply)
        freeReplyObject(reply);
    return info;
}

static char *inquire(const struct store_redis_options *options)
{
    guint count = options->path ? 1 : options->hosts->len;
    char *said = NULL;
    for (guint i = 0; i < count; i++) {
        const char *place = options->path ? options->path : options->hosts->pdata[i];
        g_autofree char *info = NULL, *why = NULL;
        struct redis_tls *tls = NULL;
        redisContext *connection = open_host(options, i, &tls, &why);
        if (connection && !connection->err && redisSetTimeout(connection, patience) == REDIS_OK)
            info = ask_info(connection, options, &why);
        if (connection)
            redisFree(connection);
        redis_tls_free(tls);
        if (info)
            why = redis_info_fault(info);
        if (info && !why) { /* the one that a daemon would use */
            g_free(said);
            g_autofree char *warning = redis_info_warning(info);
            return warning ? g_strdup_printf("%s: %s", place, warning) : NULL;
        }
        if (why && !said)
            said = g_strdup_printf("%s: %s", place, why);
    }
    return said;
}

/* hiredis writes to sockets as to files: a server that hangs up would end the program by SIGPIPE,
 * which is kept for what a pipe of standard output wants of it. */
char *store_redis_inquire(const struct store_redis_options *options)
{
    sigset_t pipe, before, pending;
    const struct timespec now = {0};
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    sigpending(&pending);
    pthread_sigmask(SIG_BLOCK, &pipe, &before);
    char *said = inquire(options);
    if (!sigismember(&pending, SIGPIPE))
        while (sigtimedwait(&pipe, NULL, &now) > 0)
            ;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return said;
}
