/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Reading log lines. Whoever sent mail has written into them: values are escaped (base/text.h), and
 * nothing outside of a value is believed to be one.
 */
#include "history/history_log.h"

#include <string.h>

#include "base/ipaddr.h"
#include "base/when.h"

/* Values that one looks for; the others are passed over. */
enum key {
    KEY_TS,
    KEY_ACTION,
    KEY_STAGE,
    KEY_CHECK,
    KEY_REPLY,
    KEY_QUEUE_ID,
    KEY_CLIENT,
    KEY_NAME,
    KEY_HELO,
    KEY_LISTENER,
    KEY_SASL,
    KEY_TLS,
    KEY_FROM,
    KEY_TO,
    KEY_SCORE,
    KEY_RULES,
    KEY_MODE,
    KEY_PERMIT,
    KEY_SESSION,
    KEY_LIMIT,
    KEY_TO_MORE,
    KEYS
};

static const char *const key_names[KEYS] = {
    [KEY_TS] = "ts",           [KEY_ACTION] = "action",
    [KEY_STAGE] = "stage",     [KEY_CHECK] = "check",
    [KEY_REPLY] = "reply",     [KEY_QUEUE_ID] = "queue_id",
    [KEY_CLIENT] = "client",   [KEY_NAME] = "name",
    [KEY_HELO] = "helo",       [KEY_LISTENER] = "listener",
    [KEY_SASL] = "sasl",       [KEY_TLS] = "tls",
    [KEY_FROM] = "from",       [KEY_TO] = "to",
    [KEY_SCORE] = "score",     [KEY_RULES] = "rules",
    [KEY_MODE] = "mode",       [KEY_PERMIT] = "permit",
    [KEY_SESSION] = "session", [KEY_LIMIT] = "limit",
    [KEY_TO_MORE] = "to_more",
};

/* The values of a line; NULL: none. TO has a line end between its elements. */
struct values {
    GStringChunk *memory;
    const char *of[KEYS];
};

/* The first value of a key counts: what a later key of the same name says is somebody else's. */
static void keep(struct values *values, const char *name, size_t length, const GString *value)
{
    for (int key = 0; key < KEYS; key++)
        if (strlen(key_names[key]) == length && strncmp(key_names[key], name, length) == 0 &&
            !values->of[key])
            values->of[key] =
                g_string_chunk_insert_len(values->memory, value->str, (gssize)value->len);
}

/* ---- text ---- */

static int hex_of(const char *text, size_t digits)
{
    int number = 0;
    for (size_t i = 0; i < digits; i++) {
        int digit = g_ascii_xdigit_value(text[i]);
        if (digit < 0)
            return -1;
        number = number * 16 + digit;
    }
    return number;
}

/* An escape as text_escape writes it, behind its backslash; what follows it. */
static const char *read_escape(const char *at, GString *out)
{
    static const char letters[] = "nrtabfv", meant[] = "\n\r\t\a\b\f\v";
    const char *letter = *at ? strchr(letters, *at) : NULL;
    int number;
    if (*at == 'x' && (number = hex_of(at + 1, 2)) > 0) {
        g_string_append_c(out, (char)number);
        return at + 3;
    }
    if (*at == 'u' && at[1] == '{') {
        size_t digits = strspn(at + 2, "0123456789abcdefABCDEF");
        number = digits > 0 && digits <= 6 && at[2 + digits] == '}' ? hex_of(at + 2, digits) : -1;
        if (number > 0 && g_unichar_validate((gunichar)number)) {
            g_string_append_unichar(out, (gunichar)number);
            return at + digits + 3;
        }
    }
    if (letter)
        g_string_append_c(out, meant[letter - letters]);
    else if (*at)
        g_string_append_c(out, *at);
    return *at ? at + 1 : at;
}

/* The value at AT; *TOLD_R: it is not "-". What follows it. */
static const char *read_text_value(const char *at, GString *out, bool *told_r)
{
    bool quoted = *at == '"';
    const char *begin = at;
    g_string_truncate(out, 0);
    if (quoted)
        at++;
    while (*at && (quoted ? *at != '"' : *at != ' ')) {
        if (*at == '\\')
            at = read_escape(at + 1, out);
        else
            g_string_append_c(out, *at++);
    }
    *told_r = quoted || (size_t)(at - begin) != 1 || *begin != '-';
    return quoted && *at ? at + 1 : at;
}

static void read_text(const char *line, struct values *values)
{
    g_autoptr(GString) value = g_string_new(NULL);
    while (*line) {
        size_t length = strspn(line, "abcdefghijklmnopqrstuvwxyz_");
        bool told;
        if (length == 0 || line[length] != '=') {
            line += strcspn(line, " ");
            line += strspn(line, " ");
            continue;
        }
        const char *name = line;
        line = read_text_value(line + length + 1, value, &told);
        if (strncmp(name, "to=", 3) == 0) {
            /* between its elements, commas outside of quotes become line ends */
            bool quoted = false;
            for (gsize i = 0; i < value->len; i++) {
                if (value->str[i] == '\\' && i + 1 < value->len)
                    i++;
                else if (value->str[i] == '"')
                    quoted = !quoted;
                else if (value->str[i] == ',' && !quoted)
                    value->str[i] = '\n';
            }
        }
        if (told)
            keep(values, name, length, value);
        line += strspn(line, " ");
    }
}

/* ---- JSON ---- */

enum { DEPTH_MAX = 8 };

static const char *skip_white(const char *at)
{
    return at + strspn(at, " \t");
}

/* Four digits behind \u; surrogates in pairs. What follows; NULL: malformed. */
static const char *read_unicode(const char *at, GString *out)
{
    int unit = hex_of(at, 4);
    if (unit < 0)
        return NULL;
    at += 4;
    if (unit >= 0xd800 && unit < 0xdc00 && at[0] == '\\' && at[1] == 'u') {
        int low = hex_of(at + 2, 4);
        if (low >= 0xdc00 && low < 0xe000) {
            g_string_append_unichar(out, 0x10000 + ((gunichar)(unit - 0xd800) << 10) +
                                             (gunichar)(low - 0xdc00));
            return at + 6;
        }
    }
    if (unit > 0 && g_unichar_validate((gunichar)unit))
        g_string_append_unichar(out, (gunichar)unit);
    else
        g_string_append_c(out, '?');
    return at;
}

/* A string, at its quote; appended to OUT. What follows; NULL: malformed. */
static const char *read_json_string(const char *at, GString *out)
{
    if (*at++ != '"')
        return NULL;
    while (at && *at && *at != '"') {
        if (*at != '\\') {
            g_string_append_c(out, *at++);
        } else if (at[1] == 'u') {
            at = read_unicode(at + 2, out);
        } else {
            static const char letters[] = "nrtbf", meant[] = "\n\r\t\b\f";
            const char *letter = at[1] ? strchr(letters, at[1]) : NULL;
            if (at[1] == '\0')
                return NULL;
            g_string_append_c(out, letter ? meant[letter - letters] : at[1]);
            at += 2;
        }
    }
    return at && *at == '"' ? at + 1 : NULL;
}

/* A value; *TOLD_R: it is not null. Of an array OUT has its strings, a line end between them; of an
 * object nothing. */
static const char *read_json_value(const char *at, unsigned depth, GString *out, bool *told_r)
{
    char end = *at == '[' ? ']' : '}';
    bool object = *at == '{';
    *told_r = true;
    if (*at == '"')
        return read_json_string(at, out);
    if (*at != '[' && *at != '{') {
        size_t length = strcspn(at, ",]} \t");
        *told_r = length != 4 || strncmp(at, "null", 4) != 0;
        g_string_append_len(out, at, (gssize)length);
        return length > 0 ? at + length : NULL;
    }
    if (depth >= DEPTH_MAX)
        return NULL;
    g_autoptr(GString) ignored = g_string_new(NULL);
    at = skip_white(at + 1);
    while (*at && *at != end) {
        bool told;
        if (object) {
            at = read_json_string(at, ignored);
            at = at ? skip_white(at) : NULL;
            if (!at || *at != ':')
                return NULL;
            at = skip_white(at + 1);
        } else if (out->len > 0) {
            g_string_append_c(out, '\n');
        }
        at = read_json_value(at, depth + 1, object ? ignored : out, &told);
        if (!at)
            return NULL;
        at = skip_white(at);
        if (*at == ',')
            at = skip_white(at + 1);
    }
    return *at ? at + 1 : NULL;
}

static void read_json(const char *at, struct values *values)
{
    g_autoptr(GString) name = g_string_new(NULL), value = g_string_new(NULL);
    at = skip_white(at + 1);
    while (at && *at == '"') {
        bool told;
        g_string_truncate(name, 0);
        g_string_truncate(value, 0);
        at = read_json_string(at, name);
        at = at ? skip_white(at) : NULL;
        if (!at || *at != ':')
            return;
        at = read_json_value(skip_white(at + 1), 0, value, &told);
        if (at && told)
            keep(values, name->str, name->len, value);
        at = at ? skip_white(at) : NULL;
        if (at && *at == ',')
            at = skip_white(at + 1);
    }
}

/* ---- rows ---- */

static bool is_cut(const char *value)
{
    return value && (g_str_has_suffix(value, "...") ||
                     (value[0] == '+' && g_str_has_suffix(value, " more")));
}

/* The place of WORD among the words that NAME gives; -1: it is none. */
static int word_of(const char *word, const char *(*name)(int), int count)
{
    for (int i = 0; word && i < count; i++)
        if (strcmp(word, name(i)) == 0)
            return i;
    return -1;
}

static const char *name_action(int action)
{
    return action_word((enum action)action);
}

static const char *name_stage(int stage)
{
    return stage_name((enum stage)stage);
}

static void add_asked(GArray **asked, const char *name, const char *argument, const char *reply)
{
    struct history_asked one = {name, argument, CHECK_REFUSE, reply};
    if (!*asked)
        *asked = g_array_new(FALSE, FALSE, sizeof one);
    g_array_append_val(*asked, one);
}

/* false: they are cut. */
static bool take_recipients(struct history_row *row, struct values *values)
{
    bool whole = true;
    row->recipients = history_recipients_new();
    g_auto(GStrv) list = g_strsplit(values->of[KEY_TO] ? values->of[KEY_TO] : "", "\n", -1);
    for (char **one = list; *one; one++) {
        struct history_recipient recipient = {.action = ACTION_ACCEPT};
        if (!**one)
            continue;
        whole &= !is_cut(*one);
        recipient.address = g_string_chunk_insert(values->memory, *one);
        if (row->stage == STAGE_RCPT) {
            recipient.action = row->action;
            recipient.check = row->check;
            recipient.reply = row->reply;
        }
        g_array_append_val(row->recipients, recipient);
    }
    static const char *const stateful[] = {"greylist", "check_limit", "guard_autoreply"};
    for (size_t i = 0; i < G_N_ELEMENTS(stateful); i++) {
        if (g_strcmp0(row->check, stateful[i]) != 0 || !row->reply)
            continue;
        GArray **asked = &row->asked;
        if (row->stage == STAGE_RCPT && row->recipients->len > 0)
            asked =
                &g_array_index(row->recipients, struct history_recipient, row->recipients->len - 1)
                     .asked;
        add_asked(asked, stateful[i], i == 1 ? values->of[KEY_LIMIT] : NULL, row->reply);
    }
    return whole;
}

/* What Postfix's macros would have been, of a line that does not tell which MTA it was. */
static void take_client(struct history_row *row, const struct values *values)
{
    const char *listener = values->of[KEY_LISTENER], *name = values->of[KEY_NAME];
    struct ipaddr address;
    row->client = row->client_addr = values->of[KEY_CLIENT];
    row->has_address = row->client && ipaddr_parse(row->client, &address);
    row->client_name = row->reverse_name = name ? name : "unknown";
    row->client_name_macro = row->client_name;
    row->without_smtp = g_strcmp0(listener, ":0") == 0;
    row->client_port = row->without_smtp ? "0" : "40000";
    if (!row->without_smtp)
        row->client_resolve = strcmp(row->client_name, "unknown") == 0 ? "FAIL" : "OK";
    row->daemon_name = listener && listener[0] != ':' ? listener : NULL;
    row->daemon_port = listener && listener[0] == ':' ? listener + 1 : "-";
    row->helo = values->of[KEY_HELO];
    row->login = row->auth_authen = values->of[KEY_SASL];
    row->auth_type = row->helo_auth_type = row->login ? "PLAIN" : NULL;
    row->tls_version = values->of[KEY_TLS];
    /* all that these versions have in use is at least as strong */
    if (row->tls_version &&
        (strcmp(row->tls_version, "TLSv1.2") == 0 || strcmp(row->tls_version, "TLSv1.3") == 0))
        row->cipher_bits = "128";
}

static bool is_ascii(const char *text)
{
    return !text || g_str_is_ascii(text);
}

static void take_time(struct history_row *row, const char *line, const struct values *values,
                      int64_t now)
{
    const char *text = values->of[KEY_TS];
    g_autofree char *date = g_strndup(line, strcspn(line, " "));
    g_autofree char *old = strlen(line) > 15 ? g_strndup(line, 15) : NULL;
    if (text && when_parse(text, now, WHEN_SINCE, &row->when) && row->when >= 0)
        return;
    if (strlen(date) > 10 && when_parse(date, now, WHEN_SINCE, &row->when) && row->when >= 0)
        return;
    if (!old || !when_parse(old, now, WHEN_SINCE, &row->when) || row->when < 0)
        row->when = 0;
}

static bool begins_own(const char *text)
{
    return g_str_has_prefix(text, "{\"") || g_str_has_prefix(text, "action=");
}

const char *history_log_own(const char *line)
{
    if (begins_own(line))
        return line;
    const char *word = line + strcspn(line, " ");
    if (*word && begins_own(word + 1)) /* a container's log, with the time before it */
        return word + 1;
    /* The first colon with a space ends syslog's tag. */
    const char *colon = strstr(line, ": "), *tag = colon;
    while (tag && tag > line && tag[-1] != ' ')
        tag--;
    if (!tag || (!g_str_has_prefix(tag, "gatepost[") && !g_str_has_prefix(tag, "gatepost:")))
        return NULL;
    return begins_own(colon + 2) ? colon + 2 : NULL;
}

/* false: LINE is none of gatepost's. Else the memory of the values is the caller's. */
static bool read_values(const char *line, struct values *values)
{
    const char *own = history_log_own(line);
    if (!own || strlen(line) > HISTORY_LOG_LINE_MAX)
        return false;
    *values = (struct values){.memory = g_string_chunk_new(1024)};
    if (*own == '{')
        read_json(own, values);
    else
        read_text(own, values);
    return true;
}

enum history_log_result history_log_parse(const char *line, int64_t now, struct history_row *row_r)
{
    struct values values;
    history_row_init(row_r);
    if (!read_values(line, &values))
        return HISTORY_LOG_OTHER;
    row_r->memory = values.memory;
    int action = word_of(values.of[KEY_ACTION], name_action, ACTION_COUNT);
    int stage = word_of(values.of[KEY_STAGE], name_stage, STAGE_COUNT);
    if (action < 0 || stage < 0 || action_is_note((enum action)action)) {
        history_row_clear(row_r);
        return HISTORY_LOG_OTHER;
    }
    const char *from = values.of[KEY_FROM];
    row_r->from_log = true;
    row_r->action = (enum action)action;
    row_r->stage = (enum stage)stage;
    row_r->check = values.of[KEY_CHECK];
    row_r->reply = values.of[KEY_REPLY];
    row_r->queue_id = values.of[KEY_QUEUE_ID];
    row_r->session = values.of[KEY_SESSION];
    row_r->monitor = g_strcmp0(values.of[KEY_MODE], "monitor") == 0;
    row_r->sender = from && strcmp(from, "<>") == 0 ? "" : from;
    row_r->scored = values.of[KEY_SCORE] != NULL;
    row_r->score = row_r->scored ? g_ascii_strtod(values.of[KEY_SCORE], NULL) : 0;
    row_r->saw_message = row_r->stage == STAGE_MESSAGE;
    row_r->smtputf8 = !is_ascii(from) || !is_ascii(values.of[KEY_TO]);
    take_client(row_r, &values);
    take_time(row_r, line, &values, now);
    bool whole = take_recipients(row_r, &values) && !values.of[KEY_TO_MORE];
    static const enum key whole_keys[] = {KEY_FROM, KEY_HELO,     KEY_NAME,
                                          KEY_SASL, KEY_LISTENER, KEY_TLS};
    for (size_t i = 0; i < G_N_ELEMENTS(whole_keys); i++)
        whole &= !is_cut(values.of[whole_keys[i]]);
    if (whole && row_r->client && (row_r->sender || row_r->stage < STAGE_MAIL))
        return HISTORY_LOG_ROW;
    history_row_clear(row_r);
    return HISTORY_LOG_CUT;
}

/* ---- what was sent ---- */

/* What TO names and counts ("a@b", "+9 more"), and what stands beside it in JSON. */
static uint64_t count_recipients(const struct values *values)
{
    const char *more = values->of[KEY_TO_MORE];
    uint64_t count = more ? g_ascii_strtoull(more, NULL, 10) : 0;
    g_auto(GStrv) list = g_strsplit(values->of[KEY_TO] ? values->of[KEY_TO] : "", "\n", -1);
    for (char **one = list; *one; one++) {
        bool counts = **one == '+' && g_str_has_suffix(*one, " more");
        count += counts ? g_ascii_strtoull(*one + 1, NULL, 10) : **one != '\0';
    }
    return count;
}

bool history_log_read_sent(const char *line, int64_t now, struct history_log_sent *sent_r)
{
    struct values values;
    struct history_row row = {.when = 0};
    if (!read_values(line, &values))
        return false;
    int action = word_of(values.of[KEY_ACTION], name_action, ACTION_COUNT);
    bool decided = action >= 0 && !action_is_note((enum action)action);
    bool monitor = g_strcmp0(values.of[KEY_MODE], "monitor") == 0;
    bool sent = decided && (action == ACTION_ACCEPT || monitor) &&
                g_strcmp0(values.of[KEY_STAGE], stage_name(STAGE_MESSAGE)) == 0 &&
                values.of[KEY_SASL] && *values.of[KEY_SASL];
    if (sent) {
        take_time(&row, line, &values, now);
        *sent_r = (struct history_log_sent){.login = g_strdup(values.of[KEY_SASL]),
                                            .when = row.when,
                                            .recipients = count_recipients(&values)};
    }
    g_string_chunk_free(values.memory);
    return sent;
}

void history_log_sent_clear(struct history_log_sent *sent)
{
    g_free(sent->login);
    *sent = (struct history_log_sent){0};
}
