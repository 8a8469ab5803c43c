/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The log: what happens, made into lines.
 */
#include "report/log.h"

#include <syslog.h>

#include "base/when.h"
#include "journal.h"
#include "last_word.h"
#include "log_kind.h"
#include "log_target.h"
#include "log_thread.h"
#include "report/logline.h"

struct log {
    GRWLock lock; /* of options; writers of lines share it */
    struct log_options options;
    struct log_thread *thread; /* NULL before log_start */
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

struct log *log_new(const struct log_options *options)
{
    struct log *log = g_new0(struct log, 1);
    g_rw_lock_init(&log->lock);
    log->options = *options;
    log_target_open(options->facility, options->foreground);
    last_word_configure(options);
    return log;
}

void log_free(struct log *log)
{
    if (!log)
        return;
    log_thread_free(log->thread);
    log_target_close();
    g_rw_lock_clear(&log->lock);
    g_free(log);
}

void log_configure(struct log *log, const struct log_options *options)
{
    g_rw_lock_writer_lock(&log->lock);
    log->options = *options;
    last_word_configure(options);
    g_rw_lock_writer_unlock(&log->lock);
}

static struct log_options current_options(struct log *log)
{
    g_rw_lock_reader_lock(&log->lock);
    struct log_options options = log->options;
    g_rw_lock_reader_unlock(&log->lock);
    return options;
}

/* Lines */

static struct log_line *message_line(struct log *log, enum log_kind kind, const char *text)
{
    struct log_options options = current_options(log);
    enum engine_level level = log_kind_level(kind);
    GString *line = g_string_new(NULL);
    logline_message(level, text, g_get_real_time(), options.format, line);
    struct log_line *made = log_line_new(options.target, options.facility, kind, line, NULL);
    made->rank = LOG_RANK_NOTE;
    return made;
}

static enum log_rank rank_of(const struct event *event)
{
    if (event->action == ACTION_ACCEPT)
        return LOG_RANK_PASSED;
    bool refused = event->action == ACTION_REJECT || event->action == ACTION_TEMPFAIL;
    return refused ? LOG_RANK_REFUSED : LOG_RANK_NOTE;
}

static void put(struct log *log, struct log_line *line)
{
    if (log->thread && log_thread_put(log->thread, line))
        return;
    log_target_write(&line, 1);
    log_line_free(line);
}

void log_event(void *data, const struct event *event)
{
    struct log *log = data;
    struct log_options options = current_options(log);
    GString *line = g_string_sized_new(512);
    logline_event(event, options.format, line);
    struct log_line *made = log_line_new(options.target, options.facility,
                                         log_kind_of_action(event->action), line, event);
    made->rank = rank_of(event);
    put(log, made);
}

void log_message(void *data, enum engine_level level, const char *text)
{
    put(data, message_line(data, log_kind_of_level(level), text));
}

/* The thread */

static struct log_line *losses_line(void *data, const struct log_losses *losses)
{
    g_autofree char *time = when_text(losses->since / G_USEC_PER_SEC, "%Y-%m-%d %H:%M:%S");
    const guint64 *lines = losses->lines;
    g_autofree char *text = g_strdup_printf(
        "%" G_GUINT64_FORMAT " lines of the log are lost since %s, because they were not read fast "
        "enough: %" G_GUINT64_FORMAT " of accepted mail, %" G_GUINT64_FORMAT
        " of refusals, %" G_GUINT64_FORMAT " others",
        lines[LOG_RANK_PASSED] + lines[LOG_RANK_REFUSED] + lines[LOG_RANK_NOTE], time,
        lines[LOG_RANK_PASSED], lines[LOG_RANK_REFUSED], lines[LOG_RANK_NOTE]);
    return message_line(data, LOG_KIND_LINES_LOST, text);
}

void log_start(struct log *log)
{
    static const struct log_thread_class class = {.write = log_target_write, .tell = losses_line};
    log->thread = log_thread_new(&class, log, LOG_WAITING_MAX);
}

bool log_stop(struct log *log, gint64 microseconds)
{
    return !log->thread || log_thread_stop(log->thread, microseconds);
}

void log_get_state(struct log *log, struct log_state *state_r)
{
    *state_r = (struct log_state){0};
    if (log->thread)
        log_thread_get_state(log->thread, state_r);
}

/* What the daemon says of itself */

void log_tell(void *log, const char *text)
{
    log_message(log, ENGINE_INFO, text);
}

void log_warn(void *log, const char *text)
{
    log_message(log, ENGINE_WARNING, text);
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

void log_of_kind(struct log *log, enum log_kind kind, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    put(log, message_line(log, kind, text));
}

void log_print_json(FILE *stream, enum engine_level level, const char *text)
{
    g_autoptr(GString) line = g_string_new(NULL);
    logline_message(level, text, g_get_real_time(), LOG_FORMAT_JSON, line);
    fprintf(stream, "%s\n", line->str);
}

void log_print_problems_json(FILE *stream, const struct problems *problems)
{
    const struct problem *problem;
    for (unsigned i = 0; (problem = problems_get(problems, i)); i++) {
        g_autoptr(GString) line = g_string_new(NULL);
        logline_problem(problem, g_get_real_time(), LOG_FORMAT_JSON, line);
        fprintf(stream, "%s\n", line->str);
    }
}

void log_problems(struct log *log, const struct problems *problems)
{
    const struct problem *problem;
    for (unsigned i = 0; (problem = problems_get(problems, i)); i++) {
        struct log_options options = current_options(log);
        GString *line = g_string_new(NULL);
        logline_problem(problem, g_get_real_time(), options.format, line);
        struct log_line *made = log_line_new(options.target, options.facility,
                                             log_kind_of_level(ENGINE_WARNING), line, NULL);
        made->rank = LOG_RANK_NOTE;
        put(log, made);
    }
}
