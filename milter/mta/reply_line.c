/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Reply lines.
 */
#include "mta/reply_line.h"

#include <glib.h>
#include <string.h>

#include "base/text.h"

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

static void copy_text(const char *text, char *out)
{
    g_autofree char *safe = text_reply_safe(text, MTA_REPLY_TEXT_MAX);
    size_t length = 0;
    for (const char *p = safe; *p; p++) {
        size_t needed = *p == '%' ? 2 : 1;
        if (length + needed > MTA_REPLY_TEXT_MAX)
            break;
        memset(out + length, *p, needed);
        length += needed;
    }
    out[length] = '\0';
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
    copy_text(text, reply_r->text);
    return true;
}
