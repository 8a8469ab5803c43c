/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The answering side of the control socket: one thread, one poll loop. A client that is slow,
 * silent or mad has a few seconds and a place among CONTROL_CONNECTIONS_MAX; who comes beyond
 * waits in the backlog until a place is free. Slow commands run beside it (slow_jobs.h).
 */
#include "control/control.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/system.h"
#include "base/text.h"
#include "base/unixsocket.h"
#include "slow_jobs.h"

struct client {
    int fd; /* -1: the place is free */
    gint64 end;
    GString *in;
    GString *out;         /* NULL: the request is not whole yet, or its command runs */
    struct slow_job *job; /* the command that runs; NULL: none */
    size_t sent;
};

struct control_server {
    char *path;
    bool reads;
    int fd;
    int stop[2]; /* a pipe: its end of file wakes the thread */
    int wake[2]; /* a pipe: a byte says that a slow command is done */
    struct slow_jobs *jobs;
    const struct control_command *commands;
    void *data;
    GThread *thread;
    struct client clients[CONTROL_CONNECTIONS_MAX];
};

static void client_close(struct client *client)
{
    close(client->fd);
    client->fd = -1;
    g_string_free(client->in, TRUE);
    if (client->out)
        g_string_free(client->out, TRUE);
    slow_job_drop(client->job);
    client->in = client->out = NULL;
    client->job = NULL;
}

static void client_open(struct client *client, int fd)
{
    *client = (struct client){
        .fd = fd,
        .end = g_get_monotonic_time() + CONTROL_SECONDS_MAX * G_USEC_PER_SEC,
        .in = g_string_new(NULL),
    };
}

/* Commands */

/* The descriptor of the client whose command this thread runs. */
static _Thread_local int asking = -1;

char *control_peer(void)
{
    uid_t uid;
    struct passwd entry, *found = NULL;
    char buffer[1024];
    if (!system_peer(asking, &uid))
        return g_strdup("somebody");
    if (getpwuid_r(uid, &entry, buffer, sizeof buffer, &found) != 0 || !found)
        return g_strdup_printf("uid %ld", (long)uid);
    return g_strdup_printf("%s (uid %ld)", entry.pw_name, (long)uid);
}

static const struct control_command *find_command(const struct control_server *server,
                                                  const char *name)
{
    for (const struct control_command *command = server->commands; command->name; command++)
        if (strcmp(command->name, name) == 0)
            return command;
    return NULL;
}

static void answer(struct client *client, int status, const char *text, size_t length)
{
    client->out = g_string_new(NULL);
    g_string_append_printf(client->out, "gatepost %d %zu\n", status, length);
    g_string_append_len(client->out, text, (gssize)length);
    client->end = g_get_monotonic_time() + CONTROL_SECONDS_MAX * G_USEC_PER_SEC;
}

static void complain(struct client *client, const char *text)
{
    answer(client, EX_USAGE, text, strlen(text));
}

/* A slow command has as long as it needs: it bounds itself. */
static void run_request(const struct control_server *server, struct client *client,
                        const char *line)
{
    g_autoptr(GPtrArray) words = text_split_words(line, NULL);
    const char *name = words && words->len > 0 ? words->pdata[0] : "";
    const struct control_command *command = find_command(server, name);
    if (!command) {
        g_autofree char *shown = text_escape(name);
        g_autofree char *text = g_strdup_printf("unknown command: \"%s\"\n", shown);
        complain(client, text);
        return;
    }
    g_ptr_array_add(words, NULL);
    char **rest = (char **)words->pdata + 1;
    if (command->slow) {
        static const char busy[] = "too many ask for that at once; try again in a few seconds\n";
        client->job = slow_jobs_add(server->jobs, command, g_strdupv(rest));
        client->end = G_MAXINT64;
        if (!client->job)
            answer(client, EX_TEMPFAIL, busy, strlen(busy));
        return;
    }
    g_autoptr(GString) text = g_string_new(NULL);
    asking = client->fd;
    int status = command->run(server->data, (const char *const *)rest, text);
    asking = -1;
    answer(client, status, text->str, text->len);
}

/* Runs the request when its line is whole. */
static void look_at_request(const struct control_server *server, struct client *client)
{
    char *end = memchr(client->in->str, '\n', client->in->len);
    if (!end) {
        if (client->in->len >= CONTROL_REQUEST_MAX)
            complain(client, "the request is too long\n");
        return;
    }
    if (memchr(client->in->str, '\0', (size_t)(end - client->in->str)) ||
        !g_utf8_validate(client->in->str, end - client->in->str, NULL)) {
        complain(client, "the request is no text\n");
        return;
    }
    g_autofree char *line = g_strndup(client->in->str, (gsize)(end - client->in->str));
    run_request(server, client, g_strchomp(line));
}

/* Clients */

static void read_from(const struct control_server *server, struct client *client)
{
    char buffer[CONTROL_REQUEST_MAX];
    ssize_t got = recv(client->fd, buffer, sizeof(buffer), 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got <= 0) {
        client_close(client);
        return;
    }
    g_string_append_len(client->in, buffer, got);
    look_at_request(server, client);
}

static void write_to(struct client *client)
{
    size_t length = client->out->len - client->sent;
    ssize_t sent = send(client->fd, client->out->str + client->sent, length, MSG_NOSIGNAL);
    if (sent < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (sent > 0)
        client->sent += (size_t)sent;
    if (sent <= 0 || client->sent == client->out->len)
        client_close(client);
}

static void serve_client(const struct control_server *server, struct client *client, short events)
{
    if (g_get_monotonic_time() >= client->end)
        client_close(client);
    else if (events && client->job) /* only that nobody is there any more */
        client_close(client);
    else if (events && client->out)
        write_to(client);
    else if (events)
        read_from(server, client);
}

static void accept_client(struct control_server *server)
{
    int fd = system_accept(server->fd);
    if (fd < 0) {
        /* Who waits stays to be seen: no spinning while there are no descriptors. */
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
            g_usleep(G_USEC_PER_SEC / 20);
        return;
    }
    for (size_t i = 0; i < CONTROL_CONNECTIONS_MAX; i++) {
        if (server->clients[i].fd < 0) {
            client_open(&server->clients[i], fd);
            return;
        }
    }
    close(fd);
}

/* What slow commands have written by now is answered. */
static void take_jobs(struct control_server *server)
{
    for (size_t i = 0; i < CONTROL_CONNECTIONS_MAX; i++) {
        struct client *client = &server->clients[i];
        int status = 0;
        const GString *text = client->job ? slow_job_text(client->job, &status) : NULL;
        if (!text)
            continue;
        answer(client, status, text->str, text->len);
        slow_job_drop(client->job);
        client->job = NULL;
    }
}

/* The loop */

enum { PLACE_STOP, PLACE_WAKE, PLACE_LISTEN, PLACE_CLIENTS };

/* Fills PLACES; returns for how many milliseconds to wait, -1: for ever. */
static int prepare(const struct control_server *server, struct pollfd *places)
{
    gint64 end = G_MAXINT64;
    size_t busy = 0;
    places[PLACE_STOP] = (struct pollfd){.fd = server->stop[0], .events = POLLIN};
    places[PLACE_WAKE] = (struct pollfd){.fd = server->wake[0], .events = POLLIN};
    for (size_t i = 0; i < CONTROL_CONNECTIONS_MAX; i++) {
        const struct client *client = &server->clients[i];
        short events = client->job ? 0 : client->out ? POLLOUT : POLLIN;
        places[PLACE_CLIENTS + i] = (struct pollfd){.fd = client->fd, .events = events};
        if (client->fd < 0)
            continue;
        end = MIN(end, client->end);
        busy++;
    }
    places[PLACE_LISTEN] =
        (struct pollfd){.fd = busy < CONTROL_CONNECTIONS_MAX ? server->fd : -1, .events = POLLIN};
    return busy ? (int)CLAMP((end - g_get_monotonic_time()) / 1000 + 1, 0, 60000) : -1;
}

static void *serve(void *data)
{
    struct control_server *server = data;
    struct pollfd places[PLACE_CLIENTS + CONTROL_CONNECTIONS_MAX];
    for (;;) {
        int ready = poll(places, G_N_ELEMENTS(places), prepare(server, places));
        if (ready < 0) {
            g_usleep(G_USEC_PER_SEC / 100);
            continue;
        }
        if (places[PLACE_STOP].revents)
            break;
        char bytes[CONTROL_SLOW_MAX];
        if (places[PLACE_WAKE].revents && read(server->wake[0], bytes, sizeof bytes) > 0)
            take_jobs(server);
        for (size_t i = 0; i < CONTROL_CONNECTIONS_MAX; i++)
            if (server->clients[i].fd >= 0)
                serve_client(server, &server->clients[i], places[PLACE_CLIENTS + i].revents);
        if (places[PLACE_LISTEN].revents)
            accept_client(server);
    }
    return NULL;
}

/* Life */

static int bind_socket(const char *path, char **why_r)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    g_strlcpy(address.sun_path, path, sizeof(address.sun_path));
    int fd = system_socket(AF_UNIX, SOCK_STREAM, true);
    /* Nobody may connect before owner and mode are as they shall be. */
    mode_t before = umask(0177);
    bool bound = fd >= 0 && bind(fd, (const struct sockaddr *)&address, sizeof(address)) == 0 &&
                 listen(fd, CONTROL_CONNECTIONS_MAX) == 0;
    int reason = errno;
    umask(before);
    if (bound)
        return fd;
    *why_r = g_strdup_printf("cannot listen on %s: %s", path, strerror(reason));
    if (fd >= 0)
        close(fd);
    return -1;
}

struct control_server *control_server_new(const struct control_place *place,
                                          const struct control_command *commands, void *data,
                                          char **why_r)
{
    *why_r = NULL;
    if (!unixsocket_make_room(place->path, why_r))
        return NULL;
    int fd = bind_socket(place->path, why_r);
    if (fd < 0)
        return NULL;
    struct control_server *server = g_new0(struct control_server, 1);
    server->path = g_strdup(place->path);
    server->reads = place->reads;
    server->fd = fd;
    server->commands = commands;
    server->data = data;
    server->stop[0] = server->stop[1] = server->wake[0] = server->wake[1] = -1;
    for (size_t i = 0; i < CONTROL_CONNECTIONS_MAX; i++)
        server->clients[i].fd = -1;
    if (unixsocket_set_access(place->path, place->owner, place->group, place->mode, why_r) &&
        pipe(server->stop) == 0 && pipe(server->wake) == 0) {
        server->jobs = slow_jobs_new(data, server->wake[1]);
        return server;
    }
    if (!*why_r)
        *why_r = g_strdup_printf("%s: %s", place->path, strerror(errno));
    control_server_free(server);
    return NULL;
}

void control_server_start(struct control_server *server)
{
    for (int i = 0; i < 2; i++) {
        fcntl(server->stop[i], F_SETFD, FD_CLOEXEC);
        fcntl(server->wake[i], F_SETFD, FD_CLOEXEC);
    }
    server->thread = server->reads ? g_thread_new("read", serve, server)
                                   : g_thread_new("control", serve, server);
}

void control_server_free(struct control_server *server)
{
    if (!server)
        return;
    if (server->stop[1] >= 0)
        close(server->stop[1]);
    if (server->thread)
        g_thread_join(server->thread);
    slow_jobs_free(server->jobs);
    const int pipes[] = {server->stop[0], server->wake[0], server->wake[1]};
    for (size_t i = 0; i < G_N_ELEMENTS(pipes); i++)
        if (pipes[i] >= 0)
            close(pipes[i]);
    for (size_t i = 0; i < CONTROL_CONNECTIONS_MAX; i++)
        if (server->clients[i].fd >= 0)
            client_close(&server->clients[i]);
    (void)unlink(server->path);
    close(server->fd);
    g_free(server->path);
    g_free(server);
}
