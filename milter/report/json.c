/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A JSON writer.
 */
#include "report/json.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static void put_character(GString *out, gunichar c)
{
    static const char escaped[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt";
    const char *place = c < 0x80 && c != 0 ? strchr(escaped, (int)c) : NULL;
    if (place)
        g_string_append_printf(out, "\\%c", letters[place - escaped]);
    else if (c < ' ' || (c >= 0x7f && c < 0xa0) || c == 0x2028 || c == 0x2029 ||
             (c > 0xa0 && c < 0x10000 && g_unichar_type(c) == G_UNICODE_FORMAT))
        /* directions, too: some read JSON at a terminal */
        g_string_append_printf(out, "\\u%04x", c);
    else
        g_string_append_unichar(out, c);
}

static void put_text(GString *out, const char *text)
{
    g_string_append_c(out, '"');
    while (*text) {
        gunichar c = g_utf8_get_char_validated(text, -1);
        bool valid = c != (gunichar)-1 && c != (gunichar)-2;
        put_character(out, valid ? c : 0xfffd);
        text = valid ? g_utf8_next_char(text) : text + 1;
    }
    g_string_append_c(out, '"');
}

/* The comma that is due, and the key. Text has no raw line feed: one ends a line of its own. */
static void begin_value(GString *out, const char *key)
{
    char last = out->len > 0 ? out->str[out->len - 1] : '{';
    if (!strchr("{[\n", last))
        g_string_append_c(out, ',');
    if (!key)
        return;
    put_text(out, key);
    g_string_append_c(out, ':');
}

void json_open(GString *out, const char *key, char bracket)
{
    begin_value(out, key);
    g_string_append_c(out, bracket);
}

void json_close(GString *out, char bracket)
{
    g_string_append_c(out, bracket);
}

void json_string(GString *out, const char *key, const char *text)
{
    begin_value(out, key);
    if (text)
        put_text(out, text);
    else
        g_string_append(out, "null");
}

void json_number(GString *out, const char *key, double number, unsigned decimals)
{
    begin_value(out, key);
    if (!isfinite(number)) {
        g_string_append(out, "null");
        return;
    }
    /* In every locale the point is a point. */
    char format[16], text[512];
    snprintf(format, sizeof format, "%%.%uf", MIN(decimals, 17));
    g_ascii_formatd(text, (int)sizeof text, format, number);
    size_t length = strlen(text);
    while (strchr(text, '.') && (text[length - 1] == '0' || text[length - 1] == '.'))
        text[--length] = '\0';
    g_string_append(out, strcmp(text, "-0") == 0 ? "0" : text);
}

void json_integer(GString *out, const char *key, gint64 number)
{
    begin_value(out, key);
    g_string_append_printf(out, "%" G_GINT64_FORMAT, number);
}

void json_bool(GString *out, const char *key, bool value)
{
    begin_value(out, key);
    g_string_append(out, value ? "true" : "false");
}

void json_time(GString *out, const char *key, gint64 when)
{
    g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(when / G_USEC_PER_SEC);
    g_autofree char *text = time ? g_date_time_format(time, "%Y-%m-%dT%H:%M:%SZ") : NULL;
    json_string(out, key, text);
}
