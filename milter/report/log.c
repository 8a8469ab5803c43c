/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The log and its targets: a row each.
 */
#include "report/log.h"

#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include "journal.h"
#include "report/logline.h"

struct log {
    GRWLock lock; /* of options; writers of lines share it */
    struct log_options options;
    GMutex stderr_lock; /* so that lines do not mix */
    bool journal_reads; /* standard error */
};

/* A line on its way. */
struct entry {
    int priority;
    const char *line;
    const struct event *event; /* NULL: a message */
    int facility;
};

/* In the order of the words of log_facility. */
static const int facilities[] = {
    LOG_MAIL,   LOG_DAEMON, LOG_USER,   LOG_AUTH,   LOG_AUTHPRIV, LOG_LOCAL0, LOG_LOCAL1,
    LOG_LOCAL2, LOG_LOCAL3, LOG_LOCAL4, LOG_LOCAL5, LOG_LOCAL6,   LOG_LOCAL7,
};

struct log_options log_options_from(const struct settings *settings)
{
    size_t facility = (size_t)settings_integer(settings, NULL, SETTING_LOG_FACILITY);
    return (struct log_options){
        .target = (enum setting_log_target)settings_integer(settings, NULL, SETTING_LOG_TARGET),
        .format = (enum setting_log_format)settings_integer(settings, NULL, SETTING_LOG_FORMAT),
        .facility = facility < G_N_ELEMENTS(facilities) ? facilities[facility] : LOG_MAIL,
    };
}

void log_check_settings(const struct settings *settings, struct problems *problems)
{
    const struct setting_value *value = settings_get(settings, NULL, SETTING_LOG_TARGET);
    if (log_options_from(settings).target == LOG_TARGET_JOURNAL && !journal_is_built_in())
        problems_error(problems, value->file, value->line,
                       "log_target: this gatepost was built without libsystemd and cannot write "
                       "to the journal; use syslog or stderr, which systemd collects as well");
}

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

struct log *log_new(const struct log_options *options)
{
    struct log *log = g_new0(struct log, 1);
    g_rw_lock_init(&log->lock);
    g_mutex_init(&log->stderr_lock);
    log->options = *options;
    log->journal_reads = stderr_is_journal();
    openlog("gatepost", LOG_PID | LOG_NDELAY, options->facility);
    return log;
}

void log_free(struct log *log)
{
    if (!log)
        return;
    closelog();
    g_rw_lock_clear(&log->lock);
    g_mutex_clear(&log->stderr_lock);
    g_free(log);
}

void log_configure(struct log *log, const struct log_options *options)
{
    g_rw_lock_writer_lock(&log->lock);
    log->options = *options;
    g_rw_lock_writer_unlock(&log->lock);
}

static void write_syslog(struct log *log, const struct entry *entry)
{
    (void)log;
    syslog(entry->facility | entry->priority, "%s", entry->line);
}

static void write_stderr(struct log *log, const struct entry *entry)
{
    g_autofree char *prefix =
        log->journal_reads ? g_strdup_printf("<%d>", entry->priority) : g_strdup("");
    g_autofree char *line = g_strconcat(prefix, entry->line, "\n", NULL);
    const char *rest = line;
    size_t length = strlen(line);
    g_mutex_lock(&log->stderr_lock);
    while (length > 0) {
        ssize_t written = write(STDERR_FILENO, rest, length);
        if (written <= 0)
            break;
        rest += written;
        length -= (size_t)written;
    }
    g_mutex_unlock(&log->stderr_lock);
}

static void add_journal_field(void *data, const char *key, const char *value)
{
    g_autofree char *name = g_ascii_strup(key, -1);
    g_ptr_array_add(data, g_strdup_printf("GATEPOST_%s=%s", name, value));
}

static void write_journal(struct log *log, const struct entry *entry)
{
    (void)log;
    g_autoptr(GPtrArray) fields = g_ptr_array_new_with_free_func(g_free);
    g_ptr_array_add(fields, g_strdup_printf("MESSAGE=%s", entry->line));
    g_ptr_array_add(fields, g_strdup_printf("PRIORITY=%d", entry->priority));
    g_ptr_array_add(fields, g_strdup_printf("SYSLOG_FACILITY=%d", LOG_FAC(entry->facility)));
    g_ptr_array_add(fields, g_strdup("SYSLOG_IDENTIFIER=gatepost"));
    if (entry->event)
        logline_foreach(entry->event, add_journal_field, fields);
    journal_send(fields);
}

static void (*const writers[])(struct log *, const struct entry *) = {
    [LOG_TARGET_SYSLOG] = write_syslog,
    [LOG_TARGET_STDERR] = write_stderr,
    [LOG_TARGET_JOURNAL] = write_journal,
};

static struct log_options current_options(struct log *log)
{
    g_rw_lock_reader_lock(&log->lock);
    struct log_options options = log->options;
    g_rw_lock_reader_unlock(&log->lock);
    return options;
}

void log_event(void *data, const struct event *event)
{
    struct log *log = data;
    struct log_options options = current_options(log);
    g_autoptr(GString) line = g_string_sized_new(512);
    logline_event(event, options.format, line);
    struct entry entry = {
        .priority = event->action == ACTION_WARN ? LOG_WARNING : LOG_INFO,
        .line = line->str,
        .event = event,
        .facility = options.facility,
    };
    writers[options.target](log, &entry);
}

void log_message(void *data, enum engine_level level, const char *text)
{
    struct log *log = data;
    struct log_options options = current_options(log);
    g_autoptr(GString) line = g_string_new(NULL);
    logline_message(level, text, options.format, line);
    struct entry entry = {
        .priority = level == ENGINE_WARNING ? LOG_WARNING : LOG_INFO,
        .line = line->str,
        .facility = options.facility,
    };
    writers[options.target](log, &entry);
}

void log_info(struct log *log, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    log_message(log, ENGINE_INFO, text);
}

void log_warning(struct log *log, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    log_message(log, ENGINE_WARNING, text);
}

void log_problems(struct log *log, const struct problems *problems)
{
    const struct problem *problem;
    for (unsigned i = 0; (problem = problems_get(problems, i)); i++) {
        g_autofree char *text = problem_format(problem);
        log_message(log, ENGINE_WARNING, text);
    }
}
