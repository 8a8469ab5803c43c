/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Recipients by login and day of this machine's zone, as the history or the log has them. When a
 * line was written says the line: "ts" of JSON, or what syslog puts in front ("Nov 27 14:00:30" or
 * RFC 3339). Lines without a time count as one day, unless it matters when they were written.
 */
#include "suggest.h"

#include <string.h>

#include "base/text.h"
#include "history/history_log.h"
#include "history/history_reader.h"
#include "logfile.h"

struct suggestion {
    GHashTable *days; /* "LOGIN DAY" -> guint64 * */
    guint64 messages;
    int64_t since, now;
    guint64 undated; /* messages that say no time, and so are not known to be recent enough */
};

struct suggestion *suggestion_new(int64_t since)
{
    struct suggestion *suggestion = g_new0(struct suggestion, 1);
    suggestion->since = since;
    suggestion->now = g_get_real_time();
    suggestion->days = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    return suggestion;
}

void suggestion_free(struct suggestion *suggestion)
{
    g_hash_table_unref(suggestion->days);
    g_free(suggestion);
}

/* A message of LOGIN that passed at WHEN (us since 1970; 0: nobody knows). */
static void add(struct suggestion *suggestion, const char *login, int64_t when, uint64_t recipients)
{
    g_autoptr(GDateTime) time = g_date_time_new_from_unix_local(when / G_USEC_PER_SEC);
    g_autofree char *day = when && time ? g_date_time_format(time, "%F") : g_strdup("");
    char *key = g_strdup_printf("%s %s", login, day);
    guint64 *sum = g_hash_table_lookup(suggestion->days, key);
    if (sum)
        g_free(key);
    else
        g_hash_table_insert(suggestion->days, key, sum = g_new0(guint64, 1));
    *sum += recipients;
    suggestion->messages++;
}

static void take_line(void *data, char *line)
{
    struct suggestion *suggestion = data;
    struct history_log_sent sent;
    if (!history_log_read_sent(line, suggestion->now, &sent))
        return;
    bool any_time = suggestion->since == INT64_MIN;
    if (!any_time && !sent.when)
        suggestion->undated++;
    else if (any_time || sent.when >= suggestion->since)
        add(suggestion, sent.login, sent.when, sent.recipients);
    history_log_sent_clear(&sent);
}

char *suggestion_read(struct suggestion *suggestion, const char *path)
{
    bool cut;
    char *why = log_file_read(path, take_line, suggestion, &cut);
    return why || !cut ? why : g_strdup_printf("%s: it ends too early", path);
}

static bool take_row(void *data, const struct history_row *row)
{
    bool passed = row->action == ACTION_ACCEPT || (row->monitor && !action_is_note(row->action));
    if (!passed || row->stage != STAGE_MESSAGE || !row->login || *row->login == '\0')
        return true;
    uint64_t recipients = 0;
    for (guint i = 0; row->recipients && i < row->recipients->len; i++)
        recipients +=
            row->monitor ||
            g_array_index(row->recipients, struct history_recipient, i).action == ACTION_ACCEPT;
    add(data, row->login, row->when, recipients);
    return true;
}

char *suggestion_read_history(struct suggestion *suggestion, const char *path)
{
    char *why = NULL;
    struct history_reader *reader = history_reader_open(path, &why);
    if (reader)
        history_scan(reader, MAX(suggestion->since, 0), 0, take_row, suggestion, &why);
    history_reader_close(reader);
    return why;
}

static int compare_numbers(const void *a, const void *b)
{
    guint64 left = *(const guint64 *)a, right = *(const guint64 *)b;
    return left < right ? -1 : left > right;
}

static guint64 percentile(const GArray *numbers, unsigned percent)
{
    guint index = (numbers->len - 1) * percent / 100;
    return g_array_index(numbers, guint64, index);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(a, b);
}

void suggestion_print(const struct suggestion *suggestion, FILE *stream)
{
    g_autoptr(GArray) numbers = g_array_new(FALSE, FALSE, sizeof(guint64));
    GHashTableIter iter;
    void *value;
    g_hash_table_iter_init(&iter, suggestion->days);
    while (g_hash_table_iter_next(&iter, NULL, &value))
        g_array_append_val(numbers, *(guint64 *)value);
    if (suggestion->undated)
        fprintf(stream, "%" G_GUINT64_FORMAT " messages whose lines say no time are left out\n",
                suggestion->undated);
    if (numbers->len == 0) {
        fputs("no message that passed with a login is there\n", stream);
        return;
    }
    g_array_sort(numbers, compare_numbers);
    guint64 most = percentile(numbers, 100);
    /* three times the middle half beyond it is far out (Tukey) */
    guint64 low = percentile(numbers, 25), high = percentile(numbers, 75);
    guint64 fence = high + 3 * MAX(high - low, MAX(high / 2, 5));
    guint64 max = 0, outliers = 0;
    for (guint i = 0; i < numbers->len; i++) {
        guint64 number = g_array_index(numbers, guint64, i);
        if (number <= fence)
            max = number;
        else
            outliers++;
    }
    fprintf(stream,
            "recipients of one login in a day, over %u of them, %" G_GUINT64_FORMAT
            " messages: half up to %" G_GUINT64_FORMAT ", 90%% %" G_GUINT64_FORMAT
            ", 99%% %" G_GUINT64_FORMAT ", most %" G_GUINT64_FORMAT "\n",
            numbers->len, suggestion->messages, percentile(numbers, 50), percentile(numbers, 90),
            percentile(numbers, 99), most);
    fprintf(stream,
            "max = %" G_GUINT64_FORMAT
            " with per = 1d would have refused nobody but %" G_GUINT64_FORMAT " outlier%s\n",
            max, outliers, outliers == 1 ? "" : "s");
    g_autoptr(GList) keys = g_list_sort(g_hash_table_get_keys(suggestion->days), by_name);
    for (const GList *one = keys; one; one = one->next) {
        guint64 number = *(const guint64 *)g_hash_table_lookup(suggestion->days, one->data);
        g_autofree char *safe = text_escape(one->data); /* a login is what somebody typed */
        if (number > fence)
            fprintf(stream, "  %s: %" G_GUINT64_FORMAT "\n", safe, number);
    }
}
