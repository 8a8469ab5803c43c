/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The last word of a process that GLib ends.
 */
#include "last_word.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "log_target.h"
#include "report/logline.h"

enum { LINE_MAX_BYTES = 512, TEXT_MAX_BYTES = 200, WORD_SECONDS = 5 };

/* Read without a lock: whoever holds one may be the one that ends. */
static gint to_stderr = true, to_journal, as_json, priority = LOG_MAIL | LOG_CRIT;

static const char *message_of(const GLogField *fields, gsize count)
{
    for (gsize i = 0; i < count; i++)
        if (strcmp(fields[i].key, "MESSAGE") == 0 && fields[i].value)
            return fields[i].value;
    return "";
}

/* GLib's words hold no sign that would have to be escaped; if ever they do, it is left out. */
static void take_text(const char *message, char text_r[TEXT_MAX_BYTES])
{
    size_t length = 0;
    for (; *message && length + 1 < TEXT_MAX_BYTES; message++)
        if (*message >= ' ' && *message <= '~' && *message != '"' && *message != '\\')
            text_r[length++] = *message;
    text_r[length] = '\0';
}

/* PREFIX: of a line that the journal reads from standard error, see sd-daemon(3). */
static void make_line(const char *prefix, const char *text, char line_r[LINE_MAX_BYTES])
{
    bool starved = strstr(text, "failed to allocate") || strstr(text, "out of memory");
    const char *cause = starved ? "no memory is left, so " : "";
    static const char word[] = "gatepost ends at once, and is to be begun anew by the service "
                               "manager";
    struct tm utc;
    char date[32] = "";
    time_t now = time(NULL);
    if (!g_atomic_int_get(&as_json)) {
        snprintf(line_r, LINE_MAX_BYTES, "%slevel=error message=\"%s%s: %s\"", prefix, cause, word,
                 text);
        return;
    }
    if (gmtime_r(&now, &utc))
        (void)strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S.000000Z", &utc);
    snprintf(line_r, LINE_MAX_BYTES,
             "%s{\"ts\":\"%s\",\"v\":%d,\"level\":\"error\",\"message\":\"%s%s: %s\"}", prefix,
             date, LOGLINE_VERSION, cause, word, text);
}

static GLogWriterOutput write_word(GLogLevelFlags level, const GLogField *fields, gsize count,
                                   gpointer data)
{
    if (!(level & G_LOG_LEVEL_ERROR))
        return g_log_writer_default(level, fields, count, data);
    char text[TEXT_MAX_BYTES], line[LINE_MAX_BYTES];
    /* Nobody may read the log, and who waits for that may hold the lock of syslog(3): then a signal
     * ends the process without a word. */
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGALRM);
    (void)signal(SIGALRM, SIG_DFL);
    alarm(WORD_SECONDS);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
    take_text(message_of(fields, count), text);
    bool prefixed = g_atomic_int_get(&to_stderr) && g_atomic_int_get(&to_journal);
    make_line(prefixed ? "<2>" : "", text, line);
    if (g_atomic_int_get(&to_stderr)) {
        size_t length = strlen(line);
        line[length] = '\n'; /* instead of the NUL */
        (void)!write(STDERR_FILENO, line, length + 1);
    } else {
        syslog(g_atomic_int_get(&priority), "%s", line);
    }
    return G_LOG_WRITER_HANDLED; /* GLib ends the process */
}

void last_word_configure(const struct log_options *options)
{
    static bool installed;
    g_atomic_int_set(&to_stderr, options->target == LOG_TARGET_STDERR || options->foreground);
    g_atomic_int_set(&to_journal, log_target_journal_reads());
    g_atomic_int_set(&as_json, options->format == LOG_FORMAT_JSON);
    g_atomic_int_set(&priority, options->facility | LOG_CRIT);
    if (!installed)
        g_log_set_writer_func(write_word, NULL, NULL);
    installed = true;
}
