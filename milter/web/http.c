/* SPDX-License-Identifier: BSD-2-Clause
 *
 * libmicrohttpd.
 */
#include "http.h"

#include <microhttpd.h>
#include <string.h>
#include <sys/socket.h>

enum {
    CONNECTIONS = 64,   /* a thread each: nobody waits for another's search */
    STACK = 256 * 1024, /* bytes of a thread */
    IDLE_SECONDS = 10,  /* without a byte */
    WHOLE_SECONDS = 20, /* of a connection, whoever dribbles */
    MEMORY = 16 * 1024, /* of a request's head */
};

/* A connection and when it must end. */
struct visit {
    int fd;
    gint64 end; /* monotonic */
};

struct http {
    const struct web_site *site;
    struct MHD_Daemon *daemon;
    GMutex lock;    /* of what follows */
    GArray *visits; /* of struct visit */
};

static void on_connection(void *data, struct MHD_Connection *connection, void **context,
                          enum MHD_ConnectionNotificationCode code)
{
    struct http *http = data;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    (void)context;
    if (!info)
        return;
    struct visit visit = {info->connect_fd,
                          g_get_monotonic_time() + WHOLE_SECONDS * G_USEC_PER_SEC};
    g_mutex_lock(&http->lock);
    for (guint i = http->visits->len; i-- > 0;)
        if (g_array_index(http->visits, struct visit, i).fd == visit.fd)
            g_array_remove_index_fast(http->visits, i);
    if (code == MHD_CONNECTION_NOTIFY_STARTED)
        g_array_append_val(http->visits, visit);
    g_mutex_unlock(&http->lock);
}

/* The library closes a descriptor after on_connection has heard of it: here it is still what it
 * was. */
void http_tick(struct http *http)
{
    gint64 now = g_get_monotonic_time();
    g_mutex_lock(&http->lock);
    for (guint i = 0; i < http->visits->len; i++) {
        const struct visit *visit = &g_array_index(http->visits, struct visit, i);
        if (visit->end <= now)
            (void)shutdown(visit->fd, SHUT_RDWR);
    }
    g_mutex_unlock(&http->lock);
}

/* A header that is there once; NULL: never, or several times, which may mean anything. */
struct wanted {
    const char *name, *value;
    unsigned count;
};

static enum MHD_Result look_at_header(void *data, enum MHD_ValueKind kind, const char *name,
                                      const char *value)
{
    struct wanted *wanted = data;
    (void)kind;
    if (g_ascii_strcasecmp(name, wanted->name) == 0 && wanted->count++ == 0)
        wanted->value = value;
    return MHD_YES;
}

static const char *only_header(struct MHD_Connection *connection, const char *name)
{
    struct wanted wanted = {.name = name};
    MHD_get_connection_values(connection, MHD_HEADER_KIND, look_at_header, &wanted);
    return wanted.count == 1 ? wanted.value : NULL;
}

static struct MHD_Response *response_of(struct web_reply *reply)
{
    gsize length = reply->body->len;
    char *body = g_string_free(g_steal_pointer(&reply->body), FALSE);
    struct MHD_Response *response =
        MHD_create_response_from_buffer(length, body, MHD_RESPMEM_MUST_COPY);
    g_free(body);
    if (!response)
        return NULL;
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, reply->type);
    for (size_t i = 0; web_headers[i]; i += 2)
        MHD_add_response_header(response, web_headers[i], web_headers[i + 1]);
    if (reply->location)
        MHD_add_response_header(response, MHD_HTTP_HEADER_LOCATION, reply->location);
    if (reply->asks_for_token)
        MHD_add_response_header(response, MHD_HTTP_HEADER_WWW_AUTHENTICATE,
                                "Basic realm=\"gatepost\", charset=\"UTF-8\"");
    if (reply->come_again)
        MHD_add_response_header(response, MHD_HTTP_HEADER_RETRY_AFTER, "5");
    if (reply->status == 405)
        MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
    return response;
}

/* What a request says beside its head is not read: no answer depends on it. */
static enum MHD_Result on_request(void *data, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_size, void **context)
{
    struct http *http = data;
    struct web_reply reply;
    (void)version, (void)upload, (void)upload_size, (void)context;
    const struct web_request request = {
        .method = method,
        .path = url,
        .host = only_header(connection, MHD_HTTP_HEADER_HOST),
        .authorization = only_header(connection, MHD_HTTP_HEADER_AUTHORIZATION),
        .query = MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND, "q"),
    };
    web_reply(http->site, &request, &reply);
    struct MHD_Response *response = response_of(&reply);
    if (!response)
        return MHD_NO;
    enum MHD_Result queued = MHD_queue_response(connection, reply.status, response);
    MHD_destroy_response(response);
    return queued;
}

struct http *http_start(const struct web_site *site, int fd, char **why_r)
{
    struct http *http = g_new0(struct http, 1);
    http->site = site;
    g_mutex_init(&http->lock);
    http->visits = g_array_new(FALSE, FALSE, sizeof(struct visit));
    http->daemon = MHD_start_daemon(
        MHD_USE_POLL_INTERNAL_THREAD | MHD_USE_THREAD_PER_CONNECTION | MHD_USE_ITC, 0, NULL, NULL,
        on_request, http, MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_THREAD_STACK_SIZE, (size_t)STACK,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS, MHD_OPTION_CONNECTION_TIMEOUT,
        (unsigned)IDLE_SECONDS, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)MEMORY,
        MHD_OPTION_NOTIFY_CONNECTION, on_connection, http, MHD_OPTION_END);
    if (http->daemon)
        return http;
    *why_r = g_strdup("libmicrohttpd cannot be started");
    http_stop(http);
    return NULL;
}

void http_stop(struct http *http)
{
    if (!http)
        return;
    if (http->daemon)
        MHD_stop_daemon(http->daemon);
    g_array_unref(http->visits);
    g_mutex_clear(&http->lock);
    g_free(http);
}
