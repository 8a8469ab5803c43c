/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Removing ranges from text and HTML until the scanners find nothing any more.
 */
#include "strip_text.h"

#include <string.h>

#include "html_scan.h"
#include "text_scan.h"

/* Removing a range can bring lines together that look like a quotation: tried so often, then all
 * from the first find on is cut off. */
enum { ROUNDS_MAX = 4 };

/* --- plain text --- */

/* Byte offsets of the COUNT_R lines of TEXT, with the size behind the last. */
static size_t *line_offsets(const char *text, size_t size, unsigned *count_r)
{
    unsigned count = 1;
    for (size_t i = 0; i < size; i++)
        count += text[i] == '\n';
    size_t *offsets = g_new(size_t, count + 1);
    unsigned n = 0;
    offsets[n++] = 0;
    for (size_t i = 0; i < size; i++)
        if (text[i] == '\n')
            offsets[n++] = i + 1;
    offsets[count] = size;
    *count_r = count;
    return offsets;
}

static void mark_finds(const GArray *finds, bool *gone, unsigned count, bool cut)
{
    for (guint i = 0; i < finds->len; i++) {
        const struct text_find *find = &g_array_index(finds, struct text_find, i);
        unsigned last = cut || find->last == TEXT_TO_END ? count - 1 : MIN(find->last, count - 1);
        for (unsigned line = find->first; line <= last; line++)
            gone[line] = true;
        if (cut)
            return;
    }
}

/* Everything between the first and the last remembered line: what is too short to be remembered
 * stands there as well. */
static void mark_remembered(struct strip_context *context, const char *text, size_t size,
                            bool *gone, unsigned count)
{
    if (!context->memory)
        return;
    g_autoptr(GArray) lines = bounce_memory_lines(context->memory, text, size, context->now);
    unsigned first = count, last = 0;
    for (unsigned i = 0; i < count && i < lines->len; i++)
        if (g_array_index(lines, bool, i)) {
            first = MIN(first, i);
            last = i;
        }
    for (unsigned i = first; i <= last && i < count; i++) {
        context->repeated += !gone[i];
        gone[i] = true;
    }
}

static char *without(const char *text, const size_t *offsets, const bool *gone, unsigned count,
                     unsigned *removed_r)
{
    GString *out = g_string_new(NULL);
    for (unsigned i = 0; i < count; i++) {
        if (gone[i])
            *removed_r += offsets[i] < offsets[i + 1];
        else
            g_string_append_len(out, text + offsets[i], (gssize)(offsets[i + 1] - offsets[i]));
    }
    while (out->len > 0 && g_ascii_isspace(out->str[out->len - 1]))
        g_string_truncate(out, out->len - 1);
    if (out->len > 0)
        g_string_append_c(out, '\n');
    return g_string_free(out, FALSE);
}

/* One round: NULL if nothing was found. */
static char *strip_plain_once(struct strip_context *context, const char *text, size_t size,
                              unsigned round)
{
    g_autoptr(GArray) finds = text_scan(text, size);
    unsigned count, removed = 0;
    g_autofree size_t *offsets = line_offsets(text, size, &count);
    g_autofree bool *gone = g_new0(bool, count);
    mark_finds(finds, gone, count, round >= ROUNDS_MAX);
    for (unsigned i = TEXT_LINES_MAX; i < count; i++)
        gone[i] = true;
    unsigned repeated = context->repeated;
    if (round == 0)
        mark_remembered(context, text, size, gone, count);
    char *out = without(text, offsets, gone, count, &removed);
    context->lines += removed - (context->repeated - repeated);
    if (removed == 0)
        g_clear_pointer(&out, g_free);
    return out;
}

typedef char *strip_round(struct strip_context *context, const char *text, size_t size,
                          unsigned round);

static char *strip_rounds(struct strip_context *context, const char *text, size_t size,
                          strip_round *strip)
{
    char *best = strip(context, text, size, 0);
    for (unsigned round = 1; best && round <= 2 * ROUNDS_MAX; round++) {
        char *next = strip(context, best, strlen(best), round);
        if (!next)
            return best;
        g_free(best);
        best = next;
    }
    if (best)
        *best = '\0'; /* cannot be told apart: nothing of it is sent */
    return best;
}

char *strip_plain(struct strip_context *context, const char *text, size_t size)
{
    return strip_rounds(context, text, size, strip_plain_once);
}

/* --- HTML --- */

struct range {
    size_t start, end;
};

static gint by_start(gconstpointer a, gconstpointer b)
{
    const struct range *x = a, *y = b;
    return x->start < y->start ? -1 : x->start > y->start;
}

static void add_range(GArray *ranges, size_t start, size_t end)
{
    struct range range = {start, end};
    if (start < end)
        g_array_append_val(ranges, range);
}

static void add_lines(GArray *ranges, const struct html *html, unsigned first, unsigned last,
                      size_t size)
{
    if (first >= html->lines->len)
        return;
    size_t start = g_array_index(html->lines, struct html_line, first).start;
    size_t end =
        last < html->lines->len ? g_array_index(html->lines, struct html_line, last).end : size;
    add_range(ranges, start, end);
}

static void text_ranges(GArray *ranges, const struct html *html, size_t size)
{
    g_autoptr(GArray) finds = text_scan(html->text->str, html->text->len);
    for (guint i = 0; i < finds->len; i++) {
        const struct text_find *find = &g_array_index(finds, struct text_find, i);
        if (html->finds->len == 0 || strcmp(find->kind, "quote-mark") != 0)
            add_lines(ranges, html, find->first, find->last, size);
    }
}

/* SOURCE without the ranges; one that runs to the end is followed by the end tags of what is open
 * where it begins. */
static char *cut_ranges(const char *source, size_t size, GArray *ranges)
{
    g_array_sort(ranges, by_start);
    GString *out = g_string_new(NULL);
    size_t at = 0;
    for (guint i = 0; i < ranges->len; i++) {
        const struct range *range = &g_array_index(ranges, struct range, i);
        if (range->start > at)
            g_string_append_len(out, source + at, (gssize)(range->start - at));
        at = MAX(at, range->end);
    }
    if (at < size) {
        g_string_append_len(out, source + at, (gssize)(size - at));
    } else {
        g_autofree char *closers = html_closers(out->str, out->len, out->len);
        g_string_append(out, closers);
    }
    return g_string_free(out, FALSE);
}

static char *strip_html_once(struct strip_context *context, const char *source, size_t size,
                             unsigned round)
{
    struct html html;
    html_scan(source, size, &html);
    g_autoptr(GArray) ranges = g_array_new(FALSE, FALSE, sizeof(struct range));
    for (guint i = 0; i < html.finds->len; i++) {
        const struct html_find *find = &g_array_index(html.finds, struct html_find, i);
        add_range(ranges, find->start, find->end);
    }
    text_ranges(ranges, &html, size);
    unsigned found = ranges->len;
    if (round == 0 && context->memory) {
        unsigned count = html.lines->len;
        g_autofree bool *gone = g_new0(bool, count);
        mark_remembered(context, html.text->str, html.text->len, gone, count);
        for (unsigned i = 0; i < count; i++)
            if (gone[i])
                add_lines(ranges, &html, i, i, 0);
    }
    html_clear(&html);
    if (ranges->len == 0)
        return NULL;
    context->elements += found;
    if (round >= ROUNDS_MAX) {
        g_array_sort(ranges, by_start);
        g_array_set_size(ranges, 1);
        g_array_index(ranges, struct range, 0).end = size;
    }
    return cut_ranges(source, size, ranges);
}

char *strip_html(struct strip_context *context, const char *source, size_t size)
{
    return strip_rounds(context, source, size, strip_html_once);
}
