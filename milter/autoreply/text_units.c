/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Lines and sentences, reduced to what survives pasting, wrapping and quoting.
 */
#include "text_units.h"

#include <glib.h>
#include <string.h>

#include "phrases.h"

struct cutter {
    text_unit_visitor *visit;
    void *context;
    GString *unit;
    unsigned first, last;
    bool sentence;
    bool enough; /* the visitor wants no more */
};

static void emit(struct cutter *cutter)
{
    GString *unit = cutter->unit;
    while (unit->len > 0 && unit->str[unit->len - 1] == ' ')
        g_string_truncate(unit, unit->len - 1);
    if (unit->len >= TEXT_UNIT_MIN && !cutter->enough)
        cutter->enough = !cutter->visit(cutter->context, unit->str, unit->len, cutter->sentence,
                                        cutter->first, cutter->last);
    g_string_truncate(unit, 0);
}

static bool is_word_byte(char c)
{
    return g_ascii_isalnum(c) || (unsigned char)c >= 0x80;
}

/* The end of a sentence: its mark with white space or the line's end behind it. */
static bool ends_sentence(const char *p, const char *end)
{
    bool mark = *p == '.' || *p == '!' || *p == '?' || *p == ';' || *p == ':';
    return mark && (p + 1 == end || p[1] == ' ');
}

static void take(struct cutter *cutter, const char *p, const char *end, unsigned line)
{
    for (; p < end; p++) {
        GString *unit = cutter->unit;
        if (unit->len == 0)
            cutter->first = line;
        cutter->last = line;
        if (is_word_byte(*p)) {
            if (unit->len < TEXT_UNIT_MAX)
                g_string_append_c(unit, *p);
        } else if (unit->len > 0 && unit->str[unit->len - 1] != ' ') {
            g_string_append_c(unit, ' ');
        }
        if (cutter->sentence && ends_sentence(p, end))
            emit(cutter);
    }
}

static const char *skip_marks(const char *p, const char *end)
{
    while (p < end && strchr(" >|", *p))
        p++;
    return p;
}

static void cut(struct cutter *cutter, const char *folded, const char *stop)
{
    unsigned line = 0;
    for (const char *p = folded; p < stop && !cutter->enough; line++) {
        const char *end = memchr(p, '\n', (size_t)(stop - p));
        const char *next = end ? end + 1 : stop;
        end = end ? end : stop;
        const char *begin = skip_marks(p, end);
        if (!cutter->sentence || begin == end)
            emit(cutter);
        take(cutter, begin, end, line);
        if (cutter->sentence && cutter->unit->len > 0)
            g_string_append_c(cutter->unit, ' ');
        p = next;
    }
    emit(cutter);
}

/* Where the signature begins: the last line that is "--" or "-- " (RFC 3676 4.3). */
static const char *signature(const char *folded, size_t size)
{
    for (const char *p = folded + size; p > folded; p--) {
        if (p[-1] != '\n' || p[0] != '-' || p[1] != '-')
            continue;
        const char *after = p + 2 + (p[2] == ' ');
        if (*after == '\n' || *after == '\0')
            return p;
    }
    return folded + size;
}

void text_units(const char *text, size_t size, bool without_signature, text_unit_visitor *visit,
                void *context)
{
    g_autofree char *folded = phrases_fold(text, size);
    size_t length = strlen(folded);
    const char *stop = without_signature ? signature(folded, length) : folded + length;
    struct cutter cutter = {.visit = visit, .context = context, .unit = g_string_new(NULL)};
    for (int pass = 0; pass < 2 && !cutter.enough; pass++) {
        cutter.sentence = pass == 1;
        cut(&cutter, folded, stop);
    }
    g_string_free(cutter.unit, TRUE);
}
