/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Recipients by login and day, as the log has them. When a line was written says the line: "ts" of
 * JSON, or what syslog puts in front ("Nov 27 14:00:30" or RFC 3339). Lines without a time count as
 * one day, unless it matters when they were written.
 */
#include "suggest.h"

#include <string.h>

#include "base/when.h"
#include "history/history_log.h"
#include "logfile.h"

struct suggestion {
    GHashTable *days; /* "LOGIN DAY" -> guint64 * */
    guint64 messages;
    int64_t since;
    guint64 undated; /* messages that say no time, and so are not known to be recent enough */
};

struct suggestion *suggestion_new(int64_t since)
{
    struct suggestion *suggestion = g_new0(struct suggestion, 1);
    suggestion->since = since;
    suggestion->days = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    return suggestion;
}

void suggestion_free(struct suggestion *suggestion)
{
    g_hash_table_unref(suggestion->days);
    g_free(suggestion);
}

/* The value of KEY in a text line or a JSON object, as it stands there without its quotes; NULL
 * without one, or where it is null. To be freed. */
static char *value_of(const char *line, const char *key)
{
    g_autofree char *text = g_strdup_printf(" %s=", key);
    g_autofree char *json = g_strdup_printf("\"%s\":", key);
    const char *found = strstr(line, json);
    bool is_json = found;
    found = found ? found + strlen(json) : NULL;
    if (!found) {
        found = strstr(line, text);
        found = found ? found + strlen(text) : NULL;
    }
    if (!found)
        return NULL;
    if (*found == '[')
        return g_strndup(found + 1, strcspn(found + 1, "]"));
    if (*found == '"')
        return g_strndup(found + 1, strcspn(found + 1, "\""));
    if (is_json && g_str_has_prefix(found, "null"))
        return NULL;
    return g_strndup(found, strcspn(found, is_json ? ",}\n" : " \n"));
}

/* A list of addresses, in text the last perhaps "+N more". */
static guint64 count_recipients(const char *list)
{
    guint64 count = *list && strcmp(list, "-") != 0;
    for (const char *comma = strchr(list, ','); comma; comma = strchr(comma + 1, ','))
        count++;
    const char *more = strrchr(list, '+');
    if (more && strstr(more, " more"))
        count += g_ascii_strtoull(more + 1, NULL, 10) - 1;
    return count;
}

/* When a line was written, as it says so itself: to be freed, "" if it does not. *DAY_R: how much
 * of that is the day. */
static char *stamp_of(const char *line, const char *padded, size_t *day_r)
{
    enum { RFC3339_DAY = 10, SYSLOG_DAY = 6, SYSLOG_STAMP = 15 };
    char *json = line[0] == '{' ? value_of(padded, "ts") : NULL;
    *day_r = RFC3339_DAY;
    if (json)
        return json;
    if (g_ascii_isdigit(line[0]) && strlen(line) > RFC3339_DAY && line[4] == '-')
        return g_strndup(line, strcspn(line, " \t\n"));
    *day_r = SYSLOG_DAY;
    if (g_ascii_isupper(line[0]) && strlen(line) > SYSLOG_STAMP && line[3] == ' ')
        return g_strndup(line, SYSLOG_STAMP);
    return g_strdup("");
}

/* Whether what STAMP says is within what is asked for. */
static bool is_recent(struct suggestion *suggestion, const char *stamp)
{
    int64_t when;
    if (suggestion->since == INT64_MIN)
        return true;
    if (!*stamp || !when_parse(stamp, g_get_real_time(), WHEN_SINCE, &when)) {
        suggestion->undated++;
        return false;
    }
    return when >= suggestion->since;
}

static void take_line(void *data, char *line)
{
    struct suggestion *suggestion = data;
    const char *own = history_log_own(line);
    if (!own)
        return;
    g_autofree char *padded = g_strconcat(" ", own, NULL);
    g_autofree char *action = value_of(padded, "action"), *stage = value_of(padded, "stage");
    g_autofree char *login = value_of(padded, "sasl"), *to = value_of(padded, "to");
    if (g_strcmp0(action, "accept") != 0 || g_strcmp0(stage, "message") != 0 || !login || !to ||
        *login == '\0' || strcmp(login, "-") == 0)
        return;
    size_t day;
    g_autofree char *stamp = stamp_of(line, padded, &day);
    if (!is_recent(suggestion, stamp))
        return;
    g_autofree char *key = g_strdup_printf("%s %.*s", login, (int)day, stamp);
    guint64 *sum = g_hash_table_lookup(suggestion->days, key);
    if (!sum) {
        sum = g_new0(guint64, 1);
        g_hash_table_insert(suggestion->days, g_steal_pointer(&key), sum);
    }
    g_autofree char *more = value_of(padded, "to_more");
    *sum += count_recipients(to) + (more ? g_ascii_strtoull(more, NULL, 10) : 0);
    suggestion->messages++;
}

char *suggestion_read(struct suggestion *suggestion, const char *path)
{
    bool cut;
    char *why = log_file_read(path, take_line, suggestion, &cut);
    return why || !cut ? why : g_strdup_printf("%s: it ends too early", path);
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

void suggestion_print(const struct suggestion *suggestion, FILE *stream)
{
    g_autoptr(GArray) numbers = g_array_new(FALSE, FALSE, sizeof(guint64));
    GHashTableIter iter;
    void *key, *value;
    g_hash_table_iter_init(&iter, suggestion->days);
    while (g_hash_table_iter_next(&iter, NULL, &value))
        g_array_append_val(numbers, *(guint64 *)value);
    if (suggestion->undated)
        fprintf(stream, "%" G_GUINT64_FORMAT " messages whose lines say no time are left out\n",
                suggestion->undated);
    if (numbers->len == 0) {
        fputs("no message that passed with a login is in these lines\n", stream);
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
    g_hash_table_iter_init(&iter, suggestion->days);
    while (g_hash_table_iter_next(&iter, &key, &value))
        if (*(guint64 *)value > fence)
            fprintf(stream, "  %s: %" G_GUINT64_FORMAT "\n", (char *)key, *(guint64 *)value);
}
