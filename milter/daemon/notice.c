/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Notices: gathered where they happen, sent by SMTP from a thread that mail does not wait for. (A
 * program such as sendmail would need privileges that a daemon of this kind has given up.)
 */
#include "notice.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "base/siphash.h"
#include "base/stream.h"
#include "base/text.h"
#include "checks/limit.h"
#include "settings/socket.h"

enum {
    HOUR_SECONDS = 3600,
    SMTP_SECONDS = 20, /* that a whole conversation may take */
    WAITING_MAX = 200, /* notices that are not sent yet */
    SUMMED_MAX = 200,  /* lines of a summary */
    KEYS_MAX = 100000, /* of which is remembered when they were told */
    REPLY_LINE_MAX = 2000,
};

struct notice {
    char *key; /* limit and key */
    char *subject, *text;
};

struct notices {
    struct engine *engine;
    struct log *log;
    unsigned char secret[LIMIT_SECRET_SIZE];
    GThread *thread;
    GMutex lock; /* guards what follows */
    GCond changed;
    bool stop, ended;
    GQueue waiting; /* of struct notice * */
    /* of the thread */
    GHashTable *told; /* key -> gint64 *, s of the monotonic clock */
    gint64 hour_began;
    unsigned sent;   /* in this hour */
    GString *summed; /* lines of what was not sent */
    unsigned summed_lines;
};

static void notice_free(void *data)
{
    struct notice *notice = data;
    g_free(notice->key);
    g_free(notice->subject);
    g_free(notice->text);
    g_free(notice);
}

static const char *detail(const struct event *event, const char *key)
{
    for (guint i = 0; event->details && i < event->details->len; i++) {
        const struct check_detail *one = event->details->pdata[i];
        if (strcmp(one->key, key) == 0)
            return one->value;
    }
    return NULL;
}

static void on_event(void *data, const struct event *event)
{
    struct notices *notices = data;
    const char *limit = detail(event, "limit"), *key = detail(event, "key");
    if (event->action != ACTION_INFO || !limit || !key || !event->text ||
        !*event->policy->site.limits->notice_address)
        return;
    char client[IPADDR_TEXT_MAX];
    struct notice *notice = g_new0(struct notice, 1);
    g_autofree char *safe = text_reply_safe(key, 60);
    g_autofree char *text = text_escape(event->text);
    g_autofree char *sender =
        text_escape(event->facts->sender.text ? event->facts->sender.text : "");
    g_autofree char *login = text_escape(event->login ? event->login : "none");
    /* what stands in a mail is copied to a shell; a key that cannot be is looked for in all */
    g_autofree char *shown = text_escape(key);
    g_autofree char *quoted = strcmp(shown, key) == 0 ? g_shell_quote(key) : g_strdup("");
    notice->key = g_strdup_printf("%s|%s", limit, key);
    notice->subject = g_strdup_printf("gatepost: limit %s, %s: %s of %s", limit, safe,
                                      detail(event, "used"), detail(event, "max"));
    notice->text =
        g_strdup_printf("%s.\r\n\r\nThe last message: client %s, login %s, sender <%s>.\r\n"
                        "What was sent: gatepostctl limits %s %s\r\n",
                        text,
                        event->facts->without_smtp ? "a local program"
                                                   : ipaddr_format(&event->facts->address, client),
                        login, sender, limit, quoted);
    g_mutex_lock(&notices->lock);
    if (g_queue_get_length(&notices->waiting) < WAITING_MAX)
        g_queue_push_tail(&notices->waiting, g_steal_pointer(&notice));
    g_cond_signal(&notices->changed);
    g_mutex_unlock(&notices->lock);
    if (notice)
        notice_free(notice);
}

/* --- SMTP --- */

struct talk {
    int fd;
    gint64 deadline;
    char reply[REPLY_LINE_MAX];
    size_t length;
};

/* The code of the next reply; 0: none came. */
static int read_reply(struct talk *talk)
{
    talk->length = 0;
    for (;;) {
        size_t got;
        if (talk->length >= sizeof talk->reply - 1 ||
            stream_read(talk->fd, talk->reply + talk->length, 1, &got, talk->deadline) !=
                STREAM_GOOD)
            return 0;
        talk->length += got;
        talk->reply[talk->length] = '\0';
        if (talk->reply[talk->length - 1] != '\n')
            continue;
        if (talk->length >= 4 && talk->reply[3] != '-')
            return (int)g_ascii_strtoll(talk->reply, NULL, 10);
        talk->length = 0; /* a reply of several lines: its last one counts */
    }
}

static bool say(struct talk *talk, int wanted, const char *format, ...) G_GNUC_PRINTF(3, 4);
static bool say(struct talk *talk, int wanted, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    return stream_write(talk->fd, text, strlen(text), talk->deadline) == STREAM_GOOD &&
           read_reply(talk) / 100 == wanted / 100;
}

/* NULL, or why it was not sent (to be freed). */
static char *send_mail(const struct notices *notices, const char *server, const char *to,
                       const char *subject, const char *text)
{
    struct socket_address place;
    struct ipaddr address;
    const char *why = NULL;
    if (!socket_parse(server, &place, &why) || place.kind == SOCKET_UNIX ||
        !ipaddr_parse(place.host, &address))
        return g_strdup_printf("notice_server: %s is no address and port", server);
    struct talk talk = {.deadline = g_get_monotonic_time() + SMTP_SECONDS * G_USEC_PER_SEC};
    talk.fd = stream_connect(&address, place.port, talk.deadline);
    if (talk.fd < 0)
        return g_strdup_printf("%s: %s", server, g_strerror(errno));
    g_autoptr(GDateTime) now = g_date_time_new_now_local();
    g_autofree char *date = g_date_time_format(now, "%a, %d %b %Y %H:%M:%S %z");
    g_autofree char *mark =
        limit_notice_mark(notices->secret, g_get_real_time() / G_USEC_PER_SEC, to);
    const char *host = g_get_host_name();
    bool good = read_reply(&talk) / 100 == 2 && say(&talk, 250, "EHLO %s\r\n", host) &&
                say(&talk, 250, "MAIL FROM:<>\r\n") && say(&talk, 250, "RCPT TO:<%s>\r\n", to) &&
                say(&talk, 354, "DATA\r\n") &&
                say(&talk, 250,
                    "From: gatepost <MAILER-DAEMON@%s>\r\nTo: <%s>\r\nSubject: %s\r\nDate: %s\r\n"
                    "Message-ID: <%" G_GINT64_FORMAT ".gatepost@%s>\r\n"
                    "Auto-Submitted: auto-generated\r\n" LIMIT_NOTICE_FIELD ": %s\r\n"
                    "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
                    "Content-Transfer-Encoding: 8bit\r\n\r\n%s.\r\n",
                    host, to, subject, date, g_get_real_time(), host, mark, text);
    char *failure = NULL;
    if (good) {
        (void)say(&talk, 221, "QUIT\r\n");
    } else {
        g_strchomp(talk.reply);
        g_autofree char *reply = text_escape(talk.length ? talk.reply : "no answer");
        failure = g_strdup_printf("%s: %s", server, reply);
    }
    close(talk.fd);
    return failure;
}

static void deliver(struct notices *notices, const char *subject, const char *text)
{
    struct snapshot *snapshot = engine_acquire(notices->engine);
    const struct settings *settings = snapshot_settings(snapshot);
    const char *to = settings_get(settings, NULL, SETTING_LIMIT_NOTICE)->text;
    g_autofree char *why = NULL;
    if (*to)
        why = send_mail(notices, settings_get(settings, NULL, SETTING_NOTICE_SERVER)->text, to,
                        subject, text);
    if (why)
        log_warning(notices->log, "limit_notice: no mail could be sent to %s: %s", to, why);
    snapshot_unref(snapshot);
}

/* --- how many --- */

static void handle(struct notices *notices, const struct notice *notice, gint64 now)
{
    gint64 *then = g_hash_table_lookup(notices->told, notice->key);
    if (then && now - *then < HOUR_SECONDS)
        return;
    if (g_hash_table_size(notices->told) >= KEYS_MAX)
        g_hash_table_remove_all(notices->told);
    then = g_new(gint64, 1);
    *then = now;
    g_hash_table_insert(notices->told, g_strdup(notice->key), then);
    if (notices->sent < NOTICES_AN_HOUR) {
        notices->sent++;
        deliver(notices, notice->subject, notice->text);
        return;
    }
    if (notices->summed_lines++ < SUMMED_MAX)
        g_string_append_printf(notices->summed, "%s\r\n", notice->subject);
}

static void *run(void *data)
{
    struct notices *notices = data;
    g_mutex_lock(&notices->lock);
    while (!notices->stop) {
        struct notice *notice = g_queue_pop_head(&notices->waiting);
        if (!notice)
            g_cond_wait_until(&notices->changed, &notices->lock,
                              g_get_monotonic_time() + 10 * G_USEC_PER_SEC);
        g_mutex_unlock(&notices->lock);
        gint64 now = g_get_monotonic_time() / G_USEC_PER_SEC;
        if (now - notices->hour_began >= HOUR_SECONDS) {
            if (notices->summed_lines > 0) {
                g_autofree char *subject = g_strdup_printf(
                    "gatepost: %u more keys near their limits", notices->summed_lines);
                deliver(notices, subject, notices->summed->str);
            }
            g_string_truncate(notices->summed, 0);
            notices->summed_lines = notices->sent = 0;
            notices->hour_began = now;
        }
        if (notice) {
            handle(notices, notice, now);
            notice_free(notice);
        }
        g_mutex_lock(&notices->lock);
    }
    notices->ended = true;
    g_cond_broadcast(&notices->changed);
    g_mutex_unlock(&notices->lock);
    return NULL;
}

struct notices *notices_new(struct engine *engine, const unsigned char secret[LIMIT_SECRET_SIZE],
                            struct log *log)
{
    struct notices *notices = g_new0(struct notices, 1);
    notices->engine = engine;
    notices->log = log;
    memcpy(notices->secret, secret, LIMIT_SECRET_SIZE);
    notices->told = g_hash_table_new_full(siphash_string, g_str_equal, g_free, g_free);
    notices->summed = g_string_new(NULL);
    notices->hour_began = g_get_monotonic_time() / G_USEC_PER_SEC;
    g_mutex_init(&notices->lock);
    g_cond_init(&notices->changed);
    const struct engine_listener listener = {.event = on_event, .data = notices};
    engine_add_listener(engine, &listener);
    notices->thread = g_thread_new("notices", run, notices);
    return notices;
}

bool notices_stop(struct notices *notices, gint64 microseconds)
{
    if (!notices)
        return true;
    gint64 end = g_get_monotonic_time() + microseconds;
    g_mutex_lock(&notices->lock);
    notices->stop = true;
    g_cond_broadcast(&notices->changed);
    while (!notices->ended && g_cond_wait_until(&notices->changed, &notices->lock, end))
        continue;
    bool ended = notices->ended;
    g_mutex_unlock(&notices->lock);
    if (ended)
        g_clear_pointer(&notices->thread, g_thread_join);
    return ended;
}

void notices_free(struct notices *notices)
{
    if (!notices)
        return;
    g_queue_clear_full(&notices->waiting, notice_free);
    g_hash_table_unref(notices->told);
    g_string_free(notices->summed, TRUE);
    g_mutex_clear(&notices->lock);
    g_cond_clear(&notices->changed);
    g_free(notices);
}
