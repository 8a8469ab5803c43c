/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Log lines. A row for each key; both formats are written from the same rows.
 */
#include "report/logline.h"

#include <string.h>

#include "base/text.h"
#include "checks/spam.h"
#include "report/json.h"

enum value_kind { VALUE_NONE, VALUE_STRING, VALUE_NUMBER, VALUE_LIST };

/* Decimals of milliseconds. */
enum { TIME_DECIMALS = 1 };

/* Bytes of a detail's value, before escaping, and how many details a line has. */
enum { DETAIL_MAX = 256, DETAILS_MAX = 8 };

struct value {
    enum value_kind kind;
    const char *text; /* the event's, or one of the next two */
    char *own_text;
    char address[IPADDR_TEXT_MAX];
    double number;
    const char *const *list; /* NULL behind the last */
    char **own_list;         /* the same, when it is the value's own */
    size_t more;             /* elements beside these, of which nobody knows but how many */
    bool told;               /* of an optional key: it is there without a value, too */
};

static void value_clear(struct value *value)
{
    g_free(value->own_text);
    g_strfreev(value->own_list);
}

struct key_row {
    const char *key;
    void (*get)(const struct event *event, struct value *value_r);
    size_t limit;  /* bytes of a value, or of all values of a list, before escaping */
    bool optional; /* left out when there is no value */
    size_t text;   /* without GET: where the event has it, a char * */
};

/* TEXT (NULL: no value) lives as long as the event, or the value. */
static void take(struct value *value_r, const char *text)
{
    if (!text)
        return;
    value_r->kind = VALUE_STRING;
    value_r->text = text;
}

static void get_action(const struct event *event, struct value *value_r)
{
    take(value_r, action_word(event->action));
}

static void get_stage(const struct event *event, struct value *value_r)
{
    take(value_r, stage_name(event->stage));
}

static void get_queue_id(const struct event *event, struct value *value_r)
{
    take(value_r, event->facts->macros.queue_id);
}

static void get_client(const struct event *event, struct value *value_r)
{
    if (event->facts->address.family != IP_NONE)
        take(value_r, ipaddr_format(&event->facts->address, value_r->address));
}

static void get_name(const struct event *event, struct value *value_r)
{
    take(value_r, event->facts->client_name);
}

static void get_helo(const struct event *event, struct value *value_r)
{
    take(value_r, event->facts->helo);
}

static void get_listener(const struct event *event, struct value *value_r)
{
    const struct macro_facts *macros = &event->facts->macros;
    if (macros->daemon_name || !macros->daemon_port) {
        take(value_r, macros->daemon_name);
        return;
    }
    value_r->own_text = g_strconcat(":", macros->daemon_port, NULL);
    take(value_r, value_r->own_text);
}

static void get_tls(const struct event *event, struct value *value_r)
{
    take(value_r, event->facts->macros.tls_version);
}

static void get_from(const struct event *event, struct value *value_r)
{
    const struct facts *facts = event->facts;
    if (facts->in_message)
        take(value_r, facts->sender.null ? "<>" : facts->sender.text);
}

static void get_to(const struct event *event, struct value *value_r)
{
    if (!event->to || !event->to[0])
        return;
    value_r->kind = VALUE_LIST;
    value_r->list = event->to;
    value_r->more = event->to_more;
}

static void get_score(const struct event *event, struct value *value_r)
{
    if (!event->spam)
        return;
    value_r->kind = VALUE_NUMBER;
    value_r->number = event->spam->score;
}

static void get_rules(const struct event *event, struct value *value_r)
{
    if (!event->spam || event->spam->hits->len == 0)
        return;
    g_autofree char *names = spam_verdict_rules(event->spam, ",");
    value_r->kind = VALUE_LIST;
    value_r->own_list = g_strsplit(names, ",", -1);
    value_r->list = (const char *const *)value_r->own_list;
}

static void get_milliseconds(const struct event *event, struct value *value_r)
{
    value_r->kind = VALUE_NUMBER;
    value_r->number = event->milliseconds;
}

static void get_mode(const struct event *event, struct value *value_r)
{
    if (event->monitor)
        take(value_r, "monitor");
}

/* Of what passes it is there, told or not: "-" says that nothing was against it. */
static void get_permit(const struct event *event, struct value *value_r)
{
    value_r->told = event->permits != NULL;
    if (event->permits)
        take(value_r, permits_main(event->permits));
}

/* All of them, where there is more than one list that was ended. */
static void get_permits(const struct event *event, struct value *value_r)
{
    if (!event->permits || permits_count(event->permits) < 2)
        return;
    value_r->kind = VALUE_LIST;
    value_r->own_list = permits_list(event->permits);
    value_r->list = (const char *const *)value_r->own_list;
}

/* What is refused shows no mark to anybody. */
static void get_spam(const struct event *event, struct value *value_r)
{
    bool passes = event->action == ACTION_ACCEPT || event->action == ACTION_HOLD;
    if (passes && event->spam && event->spam->tagged)
        take(value_r, "tagged");
}

/* In the order of the line, which is part of the interface: new keys go to the end. */
static const struct key_row key_rows[] = {
    {"action", get_action, 32, false, 0},
    {"stage", get_stage, 32, false, 0},
    {"check", NULL, 100, false, offsetof(struct event, check)},
    {"reply", NULL, 1000, false, offsetof(struct event, reply)},
    {"queue_id", get_queue_id, 100, false, 0},
    {"client", get_client, IPADDR_TEXT_MAX, false, 0},
    {"name", get_name, 256, false, 0},
    {"helo", get_helo, 256, false, 0},
    {"listener", get_listener, 100, false, 0},
    {"sasl", NULL, 256, false, offsetof(struct event, login)},
    {"tls", get_tls, 64, false, 0},
    {"from", get_from, 512, false, 0},
    {"to", get_to, 1500, false, 0},
    {"score", get_score, 32, false, 0},
    {"rules", get_rules, 500, false, 0},
    {"ms", get_milliseconds, 32, false, 0},
    {"text", NULL, 500, true, offsetof(struct event, text)},
    {"mode", get_mode, 32, true, 0},
    {"permit", get_permit, 100, true, 0},
    {"permits", get_permits, 600, true, 0},
    {"session", NULL, 32, true, offsetof(struct event, session)},
    {"entry", NULL, 400, true, offsetof(struct event, entry)},
    {"spam", get_spam, 32, true, 0},
};

/* What JSON and the journal have, too. */
static const struct key_row field_rows[] = {
    {"message_id", NULL, 400, true, offsetof(struct event, message_id)},
};

/* Cuts TEXT to LIMIT bytes, not within a character, and shows that it did. */
static void append_cut(GString *out, const char *text, size_t limit)
{
    size_t length = strnlen(text, limit + 1);
    if (length <= limit) {
        g_string_append(out, text);
        return;
    }
    size_t cut = limit;
    while (cut > 0 && limit - cut < 4 && ((unsigned char)text[cut] & 0xc0) == 0x80)
        cut--;
    g_string_append_len(out, text, (gssize)cut);
    g_string_append(out, "...");
}

/* The elements of a list that fit into LIMIT bytes; the caller frees them with g_strfreev.
 * *LEFT_R: how many are left out. */
static char **cut_list(const struct value *value, size_t limit, size_t *left_r)
{
    g_autoptr(GStrvBuilder) kept = g_strv_builder_new();
    const char *const *list = value->list;
    size_t room = limit, left = g_strv_length((char **)list);
    for (; *list && room > 0; list++, left--) {
        g_autoptr(GString) element = g_string_new(NULL);
        append_cut(element, *list, room);
        room -= MIN(room, element->len + 1);
        g_strv_builder_add(kept, element->str);
    }
    *left_r = left + value->more;
    return g_strv_builder_end(kept);
}

/* The elements with commas between them; the last says how many there are beside. */
static char *list_text(const struct value *value, size_t limit)
{
    size_t left;
    g_auto(GStrv) list = cut_list(value, limit, &left);
    g_autofree char *text = g_strjoinv(",", list);
    return left ? g_strdup_printf("%s,+%zu more", text, left) : g_steal_pointer(&text);
}

/* The value as text, NULL without one; the caller frees it. */
static char *value_text(const struct key_row *row, const struct value *value)
{
    char digits[G_ASCII_DTOSTR_BUF_SIZE];
    GString *text;
    switch (value->kind) {
    case VALUE_STRING:
        text = g_string_new(NULL);
        append_cut(text, value->text, row->limit);
        return g_string_free(text, FALSE);
    case VALUE_NUMBER:
        return g_strdup(g_ascii_formatd(digits, sizeof(digits), "%.1f", value->number));
    case VALUE_LIST:
        return list_text(value, row->limit);
    default:
        return NULL;
    }
}

static bool needs_quotes(const char *escaped)
{
    if (*escaped == '\0' || strcmp(escaped, "-") == 0)
        return true;
    for (const char *p = escaped; *p; p = g_utf8_next_char(p))
        if (*p == '"' || g_unichar_isspace(g_utf8_get_char(p)))
            return true;
    return false;
}

static void append_value(GString *line, const char *text)
{
    size_t plain = 0;
    while (text[plain] > ' ' && text[plain] <= '~' && text[plain] != '"' && text[plain] != '\\')
        plain++;
    if (plain > 0 && !text[plain] && strcmp(text, "-") != 0) {
        text_append(line, text, plain);
        return;
    }
    g_autofree char *escaped = text_escape(text);
    if (!needs_quotes(escaped)) {
        g_string_append(line, escaped);
        return;
    }
    g_string_append_c(line, '"');
    for (const char *p = escaped; *p; p++) {
        if (*p == '"')
            g_string_append_c(line, '\\');
        g_string_append_c(line, *p);
    }
    g_string_append_c(line, '"');
}

/* NUMBER as "%.1f" makes it of doubles, and of most in a fiftieth of the time; in DIGITS. */
static const char *one_decimal(double number, char digits[G_ASCII_DTOSTR_BUF_SIZE])
{
    double tenths = number * 10;
    double rest = tenths >= 0 && tenths < 1e7 ? tenths - (double)(uint32_t)tenths : 0.5;
    if (rest > 0.499999 && rest < 0.500001) /* what it is rounded to depends on its last bits */
        return g_ascii_formatd(digits, G_ASCII_DTOSTR_BUF_SIZE, "%.1f", number);
    uint32_t left = (uint32_t)tenths + (rest > 0.5);
    char *at = digits + 16;
    *at = '\0';
    *--at = (char)('0' + left % 10);
    *--at = '.';
    do
        *--at = (char)('0' + (left /= 10) % 10);
    while (left >= 10);
    return at;
}

/* The value where it needs no memory, as with most: a number, by DIGITS, a text, or a list of one,
 * that is not cut; else NULL. */
static const char *ready_text(const struct key_row *row, const struct value *value,
                              char digits[G_ASCII_DTOSTR_BUF_SIZE])
{
    if (value->kind == VALUE_NUMBER)
        return one_decimal(value->number, digits);
    bool is_one = value->kind == VALUE_LIST && !value->list[1] && value->more == 0;
    const char *text = value->kind == VALUE_STRING ? value->text : is_one ? value->list[0] : NULL;
    return text && strnlen(text, row->limit + 1) <= row->limit ? text : NULL;
}

static void text_pair(GString *line, const struct key_row *row, const struct value *value)
{
    char digits[G_ASCII_DTOSTR_BUF_SIZE];
    const char *text = ready_text(row, value, digits);
    g_autofree char *made = text ? NULL : value_text(row, value);
    text = text ? text : made;
    if (row->optional && !text && !value->told)
        return;
    if (line->len)
        text_append(line, " ", 1);
    text_append(line, row->key, strlen(row->key));
    text_append(line, text ? "=" : "=-", text ? 1 : 2);
    if (text)
        append_value(line, text);
}

static void json_pair(GString *line, const struct key_row *row, const struct value *value)
{
    g_autofree char *text = NULL;
    if (value->kind == VALUE_LIST) {
        size_t left;
        g_auto(GStrv) list = cut_list(value, row->limit, &left);
        g_autofree char *more = g_strconcat(row->key, "_more", NULL);
        json_open(line, row->key, '[');
        for (char **element = list; *element; element++)
            json_string(line, NULL, *element);
        json_close(line, ']');
        if (left > 0)
            json_integer(line, more, (gint64)left);
    } else if (value->kind == VALUE_NUMBER) {
        json_number(line, row->key, value->number, TIME_DECIMALS);
    } else {
        text = value_text(row, value);
        if (text || !row->optional || value->told)
            json_string(line, row->key, text);
    }
}

/* The key at INDEX, and its value, to be freed by the caller; false past the last. Behind the rows
 * stand the details of whatever restriction decided. AS_TEXT: what text does not have has no value.
 */
static bool get_pair(const struct event *event, size_t index, bool as_text, struct key_row *row_r,
                     struct value *value_r)
{
    *value_r = (struct value){.kind = VALUE_NONE};
    const size_t rows = G_N_ELEMENTS(key_rows) + G_N_ELEMENTS(field_rows);
    if (index < rows) {
        bool is_field = index >= G_N_ELEMENTS(key_rows);
        *row_r = is_field ? field_rows[index - G_N_ELEMENTS(key_rows)] : key_rows[index];
        if (is_field && as_text)
            return true;
        if (row_r->get)
            row_r->get(event, value_r);
        else
            take(value_r, G_STRUCT_MEMBER(const char *, event, row_r->text));
        return true;
    }
    index -= rows;
    if (!event->details || index >= MIN(event->details->len, DETAILS_MAX))
        return false;
    const struct check_detail *detail = event->details->pdata[index];
    *row_r = (struct key_row){.key = detail->key, .limit = DETAIL_MAX, .optional = true};
    take(value_r, detail->value);
    return true;
}

/* What every JSON line begins with: when (0: not told), and what it may be read as. */
static void json_begin(GString *line, gint64 when)
{
    json_open(line, NULL, '{');
    g_autoptr(GDateTime) seconds =
        when ? g_date_time_new_from_unix_utc(when / G_USEC_PER_SEC) : NULL;
    g_autofree char *date = seconds ? g_date_time_format(seconds, "%Y-%m-%dT%H:%M:%S") : NULL;
    g_autofree char *ts =
        g_strdup_printf("%s.%06dZ", date ? date : "", (int)(when % G_USEC_PER_SEC));
    if (date)
        json_string(line, "ts", ts);
    json_integer(line, "v", LOGLINE_VERSION);
}

void logline_event(const struct event *event, enum setting_log_format format, GString *line)
{
    struct key_row row;
    struct value value;
    if (format == LOG_FORMAT_JSON)
        json_begin(line, event->when);
    for (size_t i = 0; get_pair(event, i, format == LOG_FORMAT_TEXT, &row, &value); i++) {
        if (format == LOG_FORMAT_JSON)
            json_pair(line, &row, &value);
        else
            text_pair(line, &row, &value);
        value_clear(&value);
    }
    if (format == LOG_FORMAT_JSON)
        json_close(line, '}');
}

/* One key of a line of our own. */
static void own_pair(GString *line, enum setting_log_format format, const char *key,
                     const char *text)
{
    if (format == LOG_FORMAT_JSON) {
        json_string(line, key, text);
        return;
    }
    g_string_append_printf(line, "%s%s=", line->len ? " " : "", key);
    append_value(line, text);
}

static void own_line(const char *level, const struct problem *place, const char *text, gint64 when,
                     enum setting_log_format format, GString *line)
{
    g_autoptr(GString) cut = g_string_new(NULL), out = g_string_new(NULL);
    append_cut(cut, text, LOGLINE_MAX / 8);
    if (format == LOG_FORMAT_JSON)
        json_begin(out, when);
    own_pair(out, format, "level", level);
    if (place)
        own_pair(out, format, "file", place->file);
    if (place && place->line != PROBLEM_NO_LINE) {
        g_autofree char *number = g_strdup_printf("%u", MAX(place->line, 1));
        if (format == LOG_FORMAT_JSON)
            json_integer(out, "line", MAX(place->line, 1));
        else
            own_pair(out, format, "line", number);
    }
    own_pair(out, format, "message", cut->str);
    if (format == LOG_FORMAT_JSON)
        json_close(out, '}');
    g_string_append_len(line, out->str, (gssize)out->len);
}

void logline_message(enum engine_level level, const char *text, gint64 when,
                     enum setting_log_format format, GString *line)
{
    static const char *const words[] = {[ENGINE_INFO] = "info", [ENGINE_WARNING] = "warning"};
    own_line(words[level], NULL, text, when, format, line);
}

void logline_problem(const struct problem *problem, gint64 when, enum setting_log_format format,
                     GString *line)
{
    own_line(problem->severity == PROBLEM_ERROR ? "error" : "warning", problem, problem->text, when,
             format, line);
}

void logline_foreach(const struct event *event,
                     void (*visit)(void *data, const char *key, const char *value), void *data)
{
    struct key_row row;
    struct value value;
    for (size_t i = 0; get_pair(event, i, false, &row, &value); i++) {
        size_t left = 0;
        g_auto(GStrv) list = value.kind == VALUE_LIST ? cut_list(&value, row.limit, &left) : NULL;
        g_autofree char *text = list ? NULL : value_text(&row, &value);
        value_clear(&value);
        for (char **element = list; element && *element; element++)
            visit(data, row.key, *element);
        if (left > 0) {
            g_autofree char *key = g_strconcat(row.key, "_more", NULL);
            g_autofree char *number = g_strdup_printf("%zu", left);
            visit(data, key, number);
        }
        if (text)
            visit(data, row.key, text);
    }
}
