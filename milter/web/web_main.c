/* SPDX-License-Identifier: BSD-2-Clause
 *
 * gatepost-web: metrics for machines and a page for people. It reads its settings and its token,
 * binds, becomes a user that may do nothing, and asks the daemon's read socket.
 */
#include <errno.h>
#include <netdb.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/descriptors.h"
#include "base/system.h"
#include "base/unixsocket.h"
#include "config.h"
#include "daemon/background.h"
#include "daemon/privileges.h"
#include "daemon_asker.h"
#include "http.h"

#define USAGE                                                                                      \
    "usage: gatepost-web [-c FILE] [-f]\n       gatepost-web -V|--version\n       gatepost-web "   \
    "-h|--help\n\n"                                                                                \
    "  -c FILE   the settings (default: " GATEPOST_SYSCONFDIR "/gatepost.conf)\n"                  \
    "  -f        stay in the foreground\n"                                                         \
    "\n"                                                                                           \
    "Exit: 0 it was told to stop, 64 usage, 69 it cannot serve, 78 the settings are wrong\n"

#define WEB_USER "gatepost-web"

enum { BACKLOG = 64 };

/* Set by signals. */
static volatile sig_atomic_t told_to_stop;

static void on_signal(int number)
{
    (void)number;
    told_to_stop = 1;
}

/* The token */

/* Its first line; NULL with *WHY_R (owned by the caller). */
static char *read_token(const char *path, char **why_r)
{
    g_autoptr(GError) error = NULL;
    struct stat status;
    char *token = web_token_read(path, &error);
    if (!token)
        *why_r = g_strdup_printf("web_token_file: %s", error->message);
    else if (stat(path, &status) == 0 && status.st_mode & S_IROTH)
        fprintf(stderr,
                "gatepost-web: warning: web_token_file: everybody on this machine can read "
                "%s; chmod 640, and chgrp " WEB_USER "\n",
                path);
    return token;
}

/* The listening socket */

static int bind_unix(const char *path, char **why_r)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (!unixsocket_make_room(path, why_r))
        return -1;
    g_strlcpy(address.sun_path, path, sizeof address.sun_path);
    int fd = system_socket(AF_UNIX, SOCK_STREAM, true);
    /* Whoever reaches the folder may ask, as with a port; the token is for the rest. No chmod by
     * name: whoever may write to the folder could put a link there meanwhile. */
    mode_t before = umask(0111);
    bool listens = fd >= 0 && bind(fd, (const struct sockaddr *)&address, sizeof address) == 0 &&
                   listen(fd, BACKLOG) == 0;
    int reason = errno;
    umask(before);
    if (listens)
        return fd;
    errno = reason;
    *why_r = g_strdup_printf("cannot listen on %s: %s", path, strerror(errno));
    if (fd >= 0)
        close(fd);
    return -1;
}

static int bind_port(const struct socket_address *address, char **why_r)
{
    g_autofree char *port = g_strdup_printf("%u", address->port);
    const struct addrinfo hints = {.ai_family = address->kind == SOCKET_INET6 ? AF_INET6 : AF_INET,
                                   .ai_socktype = SOCK_STREAM,
                                   .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    int failure = getaddrinfo(address->host, port, &hints, &found), yes = 1, fd = -1;
    if (failure) {
        *why_r = g_strdup_printf("web_listen: %s: %s", address->host, gai_strerror(failure));
        return -1;
    }
    fd = system_socket(found->ai_family, SOCK_STREAM, true);
    if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) == 0 &&
        bind(fd, found->ai_addr, found->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0) {
        freeaddrinfo(found);
        return fd;
    }
    *why_r = g_strdup_printf("cannot listen on %s:%s: %s", address->host, port, strerror(errno));
    freeaddrinfo(found);
    if (fd >= 0)
        close(fd);
    return -1;
}

/* Whom root becomes. Without a user of its own it is the daemon's, who may read more than a page
 * should. */
static bool find_user(const struct settings *settings, struct identity *identity_r, char **why_r)
{
    const char *other = settings_get(settings, NULL, SETTING_USER)->text;
    *identity_r = (struct identity){.uid = (uid_t)-1, .gid = (gid_t)-1};
    if (geteuid() != 0)
        return true;
    const struct passwd *user = getpwnam(WEB_USER);
    if (!user) {
        fprintf(stderr,
                "gatepost-web: warning: there is no user " WEB_USER ": it runs as %s, who "
                "can read more than it should\n",
                other);
        user = getpwnam(other);
    }
    if (!user) {
        *why_r = g_strdup_printf("there is neither a user " WEB_USER " nor %s", other);
        return false;
    }
    identity_r->name = g_strdup(user->pw_name);
    identity_r->uid = user->pw_uid;
    identity_r->gid = user->pw_gid;
    return true;
}

/* Serving */

static int fail(int status, char *why)
{
    fprintf(stderr, "gatepost-web: %s\n", why);
    g_free(why);
    return status;
}

static int serve(const struct web_site *site, int fd)
{
    char *why = NULL;
    const struct sigaction action = {.sa_handler = on_signal};
    const struct timespec second = {.tv_sec = 1};
    sigset_t stops, before;
    sigemptyset(&stops);
    sigaddset(&stops, SIGTERM);
    sigaddset(&stops, SIGINT);
    signal(SIGPIPE, SIG_IGN);
    /* the library's threads begin with these blocked: this one hears of them, and between looks */
    pthread_sigmask(SIG_BLOCK, &stops, &before);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    struct http *http = http_start(site, fd, &why);
    if (!http)
        return fail(EX_UNAVAILABLE, why);
    background_ready(false);
    while (!told_to_stop) {
        if (sigtimedwait(&stops, NULL, &second) > 0)
            told_to_stop = 1;
        http_tick(http);
    }
    http_stop(http);
    return EX_OK;
}

/* Binds and becomes nobody in particular; the token is read before, as it is not the world's. */
static int start(const struct settings *settings, const struct web_settings *web)
{
    struct identity identity;
    char *why = NULL;
    if (*settings_get(settings, NULL, SETTING_READ_SOCKET)->text == '\0')
        return fail(EX_CONFIG, g_strdup("read_socket is empty: there is nobody to ask"));
    g_autofree char *token = web->token ? read_token(web->token, &why) : NULL;
    if (why)
        return fail(EX_CONFIG, why);
    if (!find_user(settings, &identity, &why))
        return fail(EX_CONFIG, why);
    int fd = web->listen.kind == SOCKET_UNIX ? bind_unix(web->listen.path, &why)
                                             : bind_port(&web->listen, &why);
    int status = EX_UNAVAILABLE;
    if (fd >= 0 && privileges_drop(&identity, &why)) {
        privileges_forbid_cores();
        struct daemon_asker *asker =
            daemon_asker_new(settings_get(settings, NULL, SETTING_READ_SOCKET)->text);
        const struct web_site site = {
            .settings = web, .token = token, .ask = daemon_asker_ask, .data = asker};
        status = serve(&site, fd);
        daemon_asker_free(asker);
    } else {
        fail(status, why);
    }
    if (fd >= 0 && web->listen.kind == SOCKET_UNIX)
        (void)unlink(web->listen.path);
    identity_clear(&identity);
    return status;
}

static int run(const char *path)
{
    struct problems *problems = problems_new();
    struct settings *settings = settings_load(path, problems);
    struct web_settings web = {0};
    int status = EX_CONFIG;
    if (settings)
        web_settings_read(settings, problems, &web);
    problems_print(problems, stderr);
    if (settings && problems_errors(problems) == 0)
        status = start(settings, &web);
    web_settings_clear(&web);
    settings_free(settings);
    problems_free(problems);
    return status;
}

/* The command line */

static int usage(FILE *stream, int status)
{
    fputs(USAGE, stream);
    return status;
}

int main(int argc, char **argv)
{
    static char help[] = "-h", version[] = "-V";
    const char *config = GATEPOST_SYSCONFDIR "/gatepost.conf";
    bool foreground = false;
    int option;
    if (!descriptors_take_standard())
        return EX_UNAVAILABLE;
    for (char **word = argv + 1; *word && strcmp(*word, "--") != 0; word++) {
        if (strcmp(*word, "--help") == 0)
            *word = help;
        else if (strcmp(*word, "--version") == 0)
            *word = version;
    }
    while ((option = getopt(argc, argv, "c:fhV")) != -1) {
        if (option == 'c')
            config = optarg;
        else if (option == 'f')
            foreground = true;
        else if (option == 'h')
            return usage(stdout, EX_OK);
        else if (option == 'V')
            return printf("gatepost-web %s\n", GATEPOST_VERSION) < 0;
        else
            return usage(stderr, EX_USAGE);
    }
    if (optind != argc)
        return usage(stderr, EX_USAGE);
    privileges_forbid_cores();
    g_autofree char *absolute = g_canonicalize_filename(config, NULL);
    if (!foreground && !background_begin())
        return fail(EX_UNAVAILABLE, g_strdup_printf("cannot fork: %s", strerror(errno)));
    return run(absolute);
}
