/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The targets of the log: a row each.
 */
#include "log_target.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <syslog.h>
#include <unistd.h>

#include "journal.h"
#include "log_kind.h"
#include "report/logline.h"

/* Lines that are written by one call, at most. */
enum { TOGETHER = 16 };

static GMutex stderr_lock; /* so that lines do not mix */
static bool journal_reads; /* standard error */
static bool in_foreground;

/* Whether standard error is read by systemd, which takes "<N>" for a priority (sd-daemon(3)). */
static bool stderr_is_journal(void)
{
    struct stat status;
    const char *stream = g_getenv("JOURNAL_STREAM");
    if (!stream || fstat(STDERR_FILENO, &status) != 0)
        return false;
    g_autofree char *own = g_strdup_printf("%" G_GUINT64_FORMAT ":%" G_GUINT64_FORMAT,
                                           (guint64)status.st_dev, (guint64)status.st_ino);
    return strcmp(own, stream) == 0;
}

void log_target_open(int facility, bool foreground)
{
    in_foreground = foreground;
    journal_reads = stderr_is_journal();
    openlog("gatepost", LOG_PID | LOG_NDELAY, facility);
}

bool log_target_journal_reads(void)
{
    return journal_reads;
}

void log_target_close(void)
{
    closelog();
}

static void make_plain(struct log_line *line, GString *text, enum log_kind kind,
                       const struct event *event)
{
    (void)kind;
    (void)event;
    line->text = g_string_free(text, FALSE);
}

static unsigned write_syslog(struct log_line *const *lines, unsigned count)
{
    (void)count;
    syslog(lines[0]->facility | lines[0]->priority, "%s", lines[0]->text);
    return 1;
}

static void make_stderr(struct log_line *line, GString *text, enum log_kind kind,
                        const struct event *event)
{
    (void)kind;
    (void)event;
    g_string_append_c(text, '\n');
    if (journal_reads) {
        char priority[16];
        g_snprintf(priority, sizeof priority, "<%d>", line->priority);
        g_string_prepend(text, priority);
    }
    line->text = g_string_free(text, FALSE);
}

/* Who gave us standard error may have made it non-blocking. */
static bool may_try_again(void)
{
    struct pollfd one = {.fd = STDERR_FILENO, .events = POLLOUT};
    return errno == EINTR || (errno == EAGAIN && poll(&one, 1, -1) == 1);
}

/* As many as a pipe takes at once, so that no other writer's line comes between. */
static unsigned write_stderr(struct log_line *const *lines, unsigned count)
{
    struct iovec parts[TOGETHER], *rest = parts;
    unsigned taken = 0;
    for (size_t bytes = 0;
         taken < MIN(count, TOGETHER) && lines[taken]->target == LOG_TARGET_STDERR; taken++) {
        size_t length = strlen(lines[taken]->text);
        if (taken > 0 && bytes + length > PIPE_BUF)
            break;
        bytes += length;
        parts[taken] = (struct iovec){.iov_base = lines[taken]->text, .iov_len = length};
    }
    g_mutex_lock(&stderr_lock);
    for (int left = (int)taken; left > 0;) {
        ssize_t written = writev(STDERR_FILENO, rest, left);
        /* Of a line that cannot be written the rest is lost; the next one has its own chance. */
        size_t done = written > 0 ? (size_t)written : may_try_again() ? 0 : rest->iov_len;
        for (; left > 0 && done >= rest->iov_len; left--)
            done -= (rest++)->iov_len;
        if (left > 0)
            *rest = (struct iovec){(char *)rest->iov_base + done, rest->iov_len - done};
    }
    g_mutex_unlock(&stderr_lock);
    return taken;
}

static const char journal_message[] = "MESSAGE=";

static void add_journal_field(void *data, const char *key, const char *value)
{
    g_autofree char *name = g_ascii_strup(key, -1);
    g_ptr_array_add(data, g_strdup_printf("GATEPOST_%s=%s", name, value));
}

static void make_journal(struct log_line *line, GString *text, enum log_kind kind,
                         const struct event *event)
{
    GPtrArray *fields = line->fields = g_ptr_array_new_with_free_func(g_free);
    line->text = g_strdup("");
    g_string_prepend(text, journal_message);
    g_ptr_array_add(fields, g_string_free(text, FALSE)); /* the first one */
    g_ptr_array_add(fields, g_strdup_printf("PRIORITY=%d", line->priority));
    g_ptr_array_add(fields, g_strdup_printf("SYSLOG_FACILITY=%d", LOG_FAC(line->facility)));
    g_ptr_array_add(fields, g_strdup("SYSLOG_IDENTIFIER=gatepost"));
    g_ptr_array_add(fields, g_strconcat("MESSAGE_ID=", log_kind_message_id(kind), NULL));
    if (event)
        logline_foreach(event, add_journal_field, fields);
}

/* Without a journal (a container, a machine without systemd) libsystemd says nothing and loses the
 * line. */
static unsigned write_journal(struct log_line *const *lines, unsigned count)
{
    const struct log_line *line = lines[0];
    (void)count;
    if (journal_is_there()) {
        journal_send(line->fields);
        return 1;
    }
    struct log_line other = {.target = in_foreground ? LOG_TARGET_STDERR : LOG_TARGET_SYSLOG,
                             .facility = line->facility,
                             .priority = line->priority};
    GString *text = g_string_new((const char *)line->fields->pdata[0] + strlen(journal_message));
    if (in_foreground)
        make_stderr(&other, text, LOG_KIND_NOTE, NULL);
    else
        make_plain(&other, text, LOG_KIND_NOTE, NULL);
    struct log_line *const one[] = {&other};
    if (in_foreground)
        write_stderr(one, 1);
    else
        write_syslog(one, 1);
    g_free(other.text);
    return 1;
}

static const struct {
    void (*make)(struct log_line *line, GString *text, enum log_kind kind,
                 const struct event *event);
    /* Writes the first of COUNT lines, and more if they are its own; how many it has written. */
    unsigned (*write)(struct log_line *const *lines, unsigned count);
} targets[] = {
    [LOG_TARGET_SYSLOG] = {make_plain, write_syslog},
    [LOG_TARGET_STDERR] = {make_stderr, write_stderr},
    [LOG_TARGET_JOURNAL] = {make_journal, write_journal},
};

struct log_line *log_line_new(enum setting_log_target target, int facility, enum log_kind kind,
                              GString *text, const struct event *event)
{
    struct log_line *line = g_new0(struct log_line, 1);
    line->target = target;
    line->facility = facility;
    line->priority = log_kind_level(kind) == ENGINE_WARNING ? LOG_WARNING : LOG_INFO;
    targets[target].make(line, text, kind, event);
    return line;
}

unsigned log_target_write(struct log_line *const *lines, unsigned count)
{
    return targets[lines[0]->target].write(lines, count);
}
