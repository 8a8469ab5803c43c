/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The last word of a process that GLib ends.
 */
#include "last_word.h"

#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "report/logline.h"

enum { LINE_MAX_BYTES = 512, TEXT_MAX_BYTES = 200 };

/* Read without a lock: whoever holds one may be the one that ends. */
static gint to_stderr = true, as_json, priority = LOG_MAIL | LOG_CRIT;

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

static void make_line(const char *text, char line_r[LINE_MAX_BYTES])
{
    bool starved = strstr(text, "failed to allocate") || strstr(text, "out of memory");
    const char *cause = starved ? "no memory is left, so " : "";
    static const char word[] = "gatepost ends at once, and is to be begun anew by the service "
                               "manager";
    struct tm utc;
    char date[32] = "";
    time_t now = time(NULL);
    if (!g_atomic_int_get(&as_json)) {
        snprintf(line_r, LINE_MAX_BYTES, "level=error message=\"%s%s: %s\"", cause, word, text);
        return;
    }
    if (gmtime_r(&now, &utc))
        (void)strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S.000000Z", &utc);
    snprintf(line_r, LINE_MAX_BYTES,
             "{\"ts\":\"%s\",\"v\":%d,\"level\":\"error\",\"message\":\"%s%s: %s\"}", date,
             LOGLINE_VERSION, cause, word, text);
}

static GLogWriterOutput write_word(GLogLevelFlags level, const GLogField *fields, gsize count,
                                   gpointer data)
{
    if (!(level & G_LOG_LEVEL_ERROR))
        return g_log_writer_default(level, fields, count, data);
    char text[TEXT_MAX_BYTES], line[LINE_MAX_BYTES];
    take_text(message_of(fields, count), text);
    make_line(text, line);
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
    g_atomic_int_set(&as_json, options->format == LOG_FORMAT_JSON);
    g_atomic_int_set(&priority, options->facility | LOG_CRIT);
    if (!installed)
        g_log_set_writer_func(write_word, NULL, NULL);
    installed = true;
}
