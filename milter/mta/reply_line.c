/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Reply lines.
 */
#include "mta/reply_line.h"

#include <glib.h>
#include <string.h>

#include "base/text.h"
#include "checks/check.h"

/* The length of an enhanced code (RFC 3463: class.1*3digit.1*3digit) at the beginning of TEXT whose
 * class is CLASS; 0 if there is none. */
static size_t enhanced_length(const char *text, char class)
{
    const char *p = text;
    if (*p++ != class)
        return 0;
    for (int part = 0; part < 2; part++) {
        int digits = 0;
        if (*p++ != '.')
            return 0;
        for (; g_ascii_isdigit(*p); p++)
            digits++;
        if (digits < 1 || digits > 3)
            return 0;
    }
    return *p == ' ' || *p == '\0' ? (size_t)(p - text) : 0;
}

static bool is_code(const char *line)
{
    return (line[0] == '4' || line[0] == '5') && g_ascii_isdigit(line[1]) &&
           g_ascii_isdigit(line[2]) && line[3] == ' ';
}

/* How many bytes of TEXT go on a line behind the codes: all, or up to a blank if there is one. */
static size_t line_length(const struct mta_reply *reply, const char *text)
{
    size_t codes = strlen(reply->code) + 1 + strlen(reply->enhanced) + (*reply->enhanced != '\0');
    size_t most = MTA_REPLY_LINE_MAX - strlen("\r\n") - codes;
    size_t length = 0, doubled = 0, blank = 0;
    for (; text[length]; length++) {
        if (text[length] == ' ')
            blank = length;
        doubled += text[length] == '%' ? 2 : 1;
        if (length == most || doubled > MTA_REPLY_TEXT_MAX)
            return blank > 0 ? blank : length;
    }
    return length;
}

static void add_line(struct mta_reply *reply, const char *text, size_t length)
{
    char *out = reply->texts[reply->count++];
    for (size_t i = 0; i < length; i++) {
        *out++ = text[i];
        if (text[i] == '%')
            *out++ = '%';
    }
    *out = '\0';
}

static void break_text(struct mta_reply *reply, const char *text)
{
    g_autofree char *safe = text_reply_safe(text, REPLY_MAX);
    const char *rest = safe;
    /* libmilter gives several lines this code where they have none. */
    if (!*reply->enhanced && rest[line_length(reply, rest)])
        g_snprintf(reply->enhanced, sizeof(reply->enhanced), "%c.0.0", reply->code[0]);
    do {
        size_t length = line_length(reply, rest);
        add_line(reply, rest, length);
        rest += length;
        rest += strspn(rest, " ");
    } while (*rest && reply->count < MTA_REPLY_LINES);
}

bool mta_reply_parse(const char *line, struct mta_reply *reply_r)
{
    *reply_r = (struct mta_reply){.temporary = line[0] == '4'};
    if (!is_code(line))
        return false;
    memcpy(reply_r->code, line, 3);
    const char *text = line + 4;
    size_t length = enhanced_length(text, line[0]);
    if (length > 0) {
        memcpy(reply_r->enhanced, text, length);
        text += length;
        text += *text == ' ';
    }
    break_text(reply_r, text);
    return true;
}
