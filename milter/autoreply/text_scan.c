/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Quotation in plain text. First every line is looked at alone; then ranges are made of lines that
 * belong together. A find without quote marks (an "Original Message" line) runs to the end: what
 * stands below it is the original.
 */
#include "text_scan.h"

#include <limits.h>
#include <stdbool.h>
#include <string.h>

#include "phrases.h"

/* Longest attribution, in lines and bytes; longest header block; lines of a block's value. */
enum { ATTRIBUTION_LINES = 3, ATTRIBUTION_MAX = 600, BLOCK_LINES = 14, LABEL_MAX = 60 };

struct line {
    const char *text; /* folded, not NUL-terminated */
    unsigned length;  /* at most TEXT_LINE_LOOK */
    char quote;       /* its quote mark, 0 for none; 'a' for initials before > */
    bool blank;
    bool rule; /* nothing but ten or more dashes or underscores */
};

struct scan {
    char *folded;
    GArray *lines; /* struct line */
    GArray *finds;
    /* Found out once, from the end upwards, so that nobody walks over the same lines again: the
     * first line from I on that is not blank, and the first that is no rule either. */
    unsigned *next_text, *next_words;
    unsigned no_words[CHAR_MAX + 1]; /* by quote mark: lines before this one hold no words in it */
};

static const struct line *line_at(const struct scan *scan, unsigned i)
{
    return i < scan->lines->len ? &g_array_index(scan->lines, struct line, i) : NULL;
}

static unsigned skip_blanks(const struct line *line)
{
    unsigned i = 0;
    while (i < line->length && line->text[i] == ' ')
        i++;
    return i;
}

/* Initials or a short name before >, as some old clients and newsreaders set: "JD> text". */
static bool initials(const char *text, unsigned length)
{
    unsigned n = 0;
    while (n < length && n < 4 && g_ascii_isalpha(text[n]))
        n++;
    return n > 0 && n + 2 < length && text[n] == '>' && (text[n + 1] == ' ' || text[n + 1] == '>');
}

static char find_quote(const char *text, unsigned length)
{
    if (length == 0)
        return 0;
    if (text[0] == '>') {
        bool decoration = length > 3 && text[length - 1] == '<';
        bool mbox = length >= 6 && memcmp(text, ">from ", 6) == 0;
        return decoration || mbox ? 0 : '>';
    }
    if (length >= 4 && memcmp(text, "&gt;", 4) == 0)
        return '>';
    bool spaced = length == 1 || text[1] == ' ' || text[1] == text[0];
    if (text[0] == '|' && memchr(text + 1, '|', length - 1) && text[1] != '|')
        return 0; /* a table */
    if (strchr("|:}]%", text[0]) && spaced)
        return text[0];
    return initials(text, length) ? 'a' : 0;
}

static bool only_rule(const char *text, unsigned length)
{
    for (unsigned i = 0; i < length; i++)
        if (!strchr("-_=", text[i]))
            return false;
    return length >= 10;
}

static void add_line(struct scan *scan, const char *text, size_t length)
{
    struct line line = {.text = text, .length = (unsigned)MIN(length, TEXT_LINE_LOOK)};
    while (line.length > 0 && line.text[line.length - 1] == ' ')
        line.length--;
    unsigned skip = skip_blanks(&line);
    line.blank = skip == line.length;
    line.quote = find_quote(text + skip, line.length - skip);
    line.rule = only_rule(text + skip, line.length - skip);
    g_array_append_val(scan->lines, line);
}

static void split_lines(struct scan *scan)
{
    for (const char *p = scan->folded; *p && scan->lines->len < TEXT_LINES_MAX;) {
        const char *end = strchr(p, '\n');
        size_t length = end ? (size_t)(end - p) : strlen(p);
        add_line(scan, p, length);
        p += length + (end ? 1 : 0);
    }
}

static void add_find(struct scan *scan, const char *kind, unsigned first, unsigned last,
                     const struct line *line)
{
    if (scan->finds->len >= TEXT_FINDS_MAX) {
        g_array_index(scan->finds, struct text_find, scan->finds->len - 1).last = TEXT_TO_END;
        return;
    }
    struct text_find find = {.kind = kind, .first = first, .last = last};
    size_t length = MIN(line->length, sizeof find.mark - 1);
    memcpy(find.mark, line->text, length);
    g_array_append_val(scan->finds, find);
}

static void look_ahead(struct scan *scan)
{
    unsigned count = scan->lines->len;
    scan->next_text = g_new(unsigned, count + 1);
    scan->next_words = g_new(unsigned, count + 1);
    scan->next_text[count] = scan->next_words[count] = count;
    for (unsigned i = count; i-- > 0;) {
        const struct line *line = line_at(scan, i);
        scan->next_text[i] = line->blank ? scan->next_text[i + 1] : i;
        scan->next_words[i] = line->blank || line->rule ? scan->next_words[i + 1] : i;
    }
}

/* Whether any text stands at or after line I. */
static bool text_follows(const struct scan *scan, unsigned i)
{
    return i < scan->lines->len && scan->next_words[i] < scan->lines->len;
}

static unsigned next_text(const struct scan *scan, unsigned i)
{
    return i < scan->lines->len ? scan->next_text[i] : scan->lines->len;
}

/* --- quote marks --- */

static bool has_words(const struct line *line)
{
    for (unsigned i = 0; i < line->length; i++)
        if (g_ascii_isalnum(line->text[i]) || (unsigned char)line->text[i] >= 0x80)
            return true;
    return false;
}

/* Lines quoted with the same mark from FIRST on; a single line between two quoted ones without a
 * blank beside it is the rest of a quoted line that some program broke. */
static unsigned run_end(const struct scan *scan, unsigned first, bool *words_r, unsigned *count_r)
{
    char quote = line_at(scan, first)->quote;
    unsigned end = first;
    *words_r = false;
    *count_r = 0;
    for (unsigned i = first; i < scan->lines->len; i++) {
        const struct line *line = line_at(scan, i);
        const struct line *next = line_at(scan, i + 1);
        if (line->quote == quote) {
            (*count_r)++;
            *words_r |= has_words(line);
            end = i;
        } else if (line->blank || quote != '>' || end != i - 1 || !next || next->quote != quote) {
            break;
        }
    }
    return end;
}

static unsigned try_quotes(struct scan *scan, unsigned i)
{
    const struct line *line = line_at(scan, i);
    unsigned *no_words = &scan->no_words[(unsigned char)line->quote];
    if (!line->quote || i < *no_words)
        return i;
    bool words;
    unsigned count;
    unsigned end = run_end(scan, i, &words, &count);
    if (!words) {
        *no_words = end + 1; /* nor does what is left of the run from a later line on */
        return i;
    }
    if (line->quote != '>' && count < 2)
        return i;
    add_find(scan, "quote-mark", i, end, line);
    return end + 1;
}

/* --- attributions --- */

static bool digit_at(const char *text, size_t i, size_t length)
{
    return i < length && g_ascii_isdigit(text[i]);
}

/* A time (9:05, 14.30), a numeric date (3.11. or 3/11) or a year. */
static bool has_date(const char *text, size_t length)
{
    for (size_t i = 1; i + 1 < length; i++) {
        if (strchr(":./-", text[i]) && digit_at(text, i - 1, length) &&
            digit_at(text, i + 1, length))
            return true;
        if (digit_at(text, i - 1, length) && digit_at(text, i, length) &&
            digit_at(text, i + 1, length) && digit_at(text, i + 2, length) &&
            (memcmp(text + i - 1, "19", 2) == 0 || memcmp(text + i - 1, "20", 2) == 0))
            return true;
    }
    return false;
}

static bool has_address(const char *text, size_t length)
{
    const char *at = memchr(text, '@', length);
    return at && at > text && at + 1 < text + length && !g_ascii_isspace(at[-1]) &&
           !g_ascii_isspace(at[1]);
}

/* "... <addr@host>:", where clients of some languages leave the verb away. */
static bool ends_in_address(const char *text, size_t length)
{
    const char *close = length > 0 ? text + length - 1 : text;
    while (close > text && *close == ' ')
        close--;
    if (close <= text || *close != '>')
        return false;
    const char *open = g_strrstr_len(text, close - text, "<");
    return open && has_address(open, (size_t)(close - open));
}

/* TEXT: lines joined by blanks, without the final colon. MARKED: dashes stood around it. */
static bool is_attribution(const char *text, size_t length)
{
    bool date = has_date(text, length), address = has_address(text, length);
    if (!date && !address)
        return false;
    const char *verb = phrases_verb_end(text, length);
    if (!verb)
        return date && ends_in_address(text, length);
    size_t after = (size_t)(text + length - verb);
    return after <= 4 || address || (phrases_attribution_lead(text) && date && after < 80);
}

static bool trim_dashes(const char **text, size_t *length)
{
    size_t left = 0, right = 0;
    while (left < *length && strchr("-_=*~#+> ", (*text)[left]))
        left++;
    while (right + left < *length && strchr("-_=*~#+< ", (*text)[*length - 1 - right]))
        right++;
    *text += left;
    *length -= left + right;
    return left >= 2;
}

/* Lines FIRST to LAST joined by blanks, without what surrounds an attribution; NULL if they are
 * none by their shape: a quoted or blank line among them, no colon at the end. */
static char *join_attribution(const struct scan *scan, unsigned first, unsigned last)
{
    char joined[ATTRIBUTION_MAX + 1];
    size_t length = 0;
    for (unsigned i = first; i <= last; i++) {
        const struct line *line = line_at(scan, i);
        if (line->blank || (line->quote && line->quote != ':') ||
            length + line->length + 1 > ATTRIBUTION_MAX)
            return NULL;
        memcpy(joined + length, line->text, line->length);
        length += line->length;
        joined[length++] = ' ';
    }
    length--;
    const char *text = joined;
    while (length > 0 && *text == ' ') {
        text++;
        length--;
    }
    bool dashed = length > 0 && *text == '-' && trim_dashes(&text, &length);
    bool colon = length > 0 && text[length - 1] == ':';
    return colon || dashed ? g_strndup(text, colon ? length - 1 : length) : NULL;
}

/* Where the attribution that ends at line LAST begins; LAST + 1 if it ends none. Few lines are
 * tried before many; but one without a date goes on upwards to where the date is. */
static unsigned attribution_start(const struct scan *scan, unsigned last)
{
    unsigned start = last + 1;
    for (unsigned back = 0; back < ATTRIBUTION_LINES && back <= last; back++) {
        g_autofree char *text = join_attribution(scan, last - back, last);
        if (!text)
            break;
        bool dated = has_date(text, strlen(text));
        if (!is_attribution(text, strlen(text)) ||
            (start <= last && !(dated && phrases_attribution_lead(text))))
            continue;
        start = last - back;
        if (dated)
            break;
    }
    return start;
}

static bool may_end_attribution(const struct line *line)
{
    if (line->blank)
        return false;
    char last = line->text[line->length - 1];
    return last == ':' || last == '-';
}

static unsigned try_attribution(struct scan *scan, unsigned i)
{
    if (!may_end_attribution(line_at(scan, i)))
        return i;
    unsigned start = attribution_start(scan, i);
    if (start > i)
        return i;
    const struct line *follow = line_at(scan, next_text(scan, i + 1));
    if (!follow)
        return i;
    bool marked = follow->quote != 0;
    add_find(scan, "attribution", start, marked ? i : TEXT_TO_END, line_at(scan, start));
    return marked ? i + 1 : scan->lines->len;
}

/* ">>> Name <address> 02.11.26 9:12 >>>", as GroupWise writes above text without marks. */
static unsigned try_arrows(struct scan *scan, unsigned i)
{
    const struct line *line = line_at(scan, i);
    if (line->quote != '>' || line->length < 10 || !text_follows(scan, i + 1) ||
        memcmp(line->text + line->length - 3, ">>>", 3) != 0 ||
        memcmp(line->text + skip_blanks(line), ">>>", 3) != 0 ||
        !(has_date(line->text, line->length) || has_address(line->text, line->length)))
        return i;
    add_find(scan, "attribution", i, TEXT_TO_END, line);
    return scan->lines->len;
}

/* --- header blocks --- */

/* The label that a line begins with, NONE for none; VALUE_R: where its value begins. */
static unsigned label_of(const struct line *line, const char **value_r)
{
    const char *text = line->text, *end = line->text + line->length;
    while (text < end && strchr(" *_|>-", *text))
        text++;
    const char *colon = memchr(text, ':', (size_t)MIN(end - text, LABEL_MAX));
    if (!colon)
        return LABEL_NONE;
    const char *stop = colon;
    while (stop > text && strchr(" *_", stop[-1]))
        stop--;
    *value_r = colon + 1;
    return phrases_label(text, (size_t)(stop - text));
}

/* Whether the line is "Word: value" in any language, for blocks below a separator. */
static bool looks_labelled(const struct line *line)
{
    const char *colon = memchr(line->text, ':', MIN(line->length, LABEL_MAX));
    return colon && colon > line->text && colon + 1 < line->text + line->length &&
           (colon[1] == ' ' || colon[1] == '*');
}

struct block {
    unsigned labels; /* union of enum phrases_label */
    unsigned raws, count, end;
    bool address;
};

/* Gathers the labelled lines from FIRST on; one blank line between two of them is allowed (text
 * made of HTML has such), and so are continuation lines. */
static struct block gather_block(const struct scan *scan, unsigned first)
{
    struct block block = {.end = first};
    for (unsigned i = first; i < scan->lines->len && i < first + BLOCK_LINES; i++) {
        const struct line *line = line_at(scan, i);
        const char *value = NULL;
        unsigned label = line->blank ? LABEL_NONE : label_of(line, &value);
        bool continued = !line->blank && line->text[0] == ' ' && i == block.end + 1;
        if (label == LABEL_NONE && !continued && (!line->blank || i > block.end + 1))
            break;
        if (line->blank)
            continue;
        block.labels |= label;
        block.raws += label == LABEL_RAW;
        block.count += label != LABEL_NONE;
        block.address |= has_address(line->text, line->length);
        block.end = i;
    }
    return block;
}

static bool block_is_header(const struct block *block)
{
    unsigned labels = block->labels;
    bool from = labels & LABEL_FROM, subject = labels & LABEL_SUBJECT;
    bool date = labels & LABEL_DATE, to = labels & (LABEL_TO | LABEL_CC);
    if (block->raws >= 3 || (block->raws > 0 && from && (subject || date)))
        return true;
    /* "From: 3 July / To: 10 July" says when somebody is away */
    return (from && subject && (date || to || block->address)) ||
           (from && date && (to || block->address));
}

static unsigned try_block(struct scan *scan, unsigned i)
{
    const char *value = NULL;
    const struct line *line = line_at(scan, i);
    if (line->blank || line->quote || label_of(line, &value) == LABEL_NONE)
        return i;
    struct block block = gather_block(scan, i);
    if (!block_is_header(&block))
        return i;
    unsigned first = i > 0 && line_at(scan, i - 1)->rule ? i - 1 : i;
    add_find(scan, "header-block", first, TEXT_TO_END, line);
    return scan->lines->len;
}

/* --- separators --- */

/* Three labelled lines, one with an address, below dashes: a header in whatever language. */
static bool labelled_below(const struct scan *scan, unsigned i)
{
    unsigned first = next_text(scan, i), count = 0;
    bool address = false;
    for (const struct line *line;
         count < BLOCK_LINES && (line = line_at(scan, first + count)) && looks_labelled(line);
         count++) {
        address |= has_address(line->text, line->length);
    }
    return count >= 3 && address;
}

static bool is_separator(const struct scan *scan, unsigned i)
{
    const struct line *line = line_at(scan, i);
    if (line->length > 200)
        return false;
    if (line->rule)
        return labelled_below(scan, i + 1);
    const char *text = line->text;
    size_t length = line->length;
    bool dashed = trim_dashes(&text, &length);
    bool colon = length > 0 && text[length - 1] == ':';
    if (colon)
        length--;
    while (length > 0 && text[length - 1] == ' ')
        length--;
    g_autofree char *core = g_strndup(text, length);
    if (dashed)
        return phrases_separator(core, false) || phrases_separator(core, true) ||
               labelled_below(scan, i + 1);
    return colon && phrases_separator(core, true);
}

static unsigned try_separator(struct scan *scan, unsigned i)
{
    const struct line *line = line_at(scan, i);
    if (line->blank || (line->quote && line->quote != ':'))
        return i;
    char first = line->text[skip_blanks(line)], last = line->text[line->length - 1];
    if (!strchr("-_=*~#+", first) && last != ':')
        return i;
    if (!is_separator(scan, i))
        return i;
    unsigned next = next_text(scan, i + 1);
    if (!text_follows(scan, next))
        return i;
    bool marked = line_at(scan, next)->quote == '>';
    add_find(scan, "separator", i, marked ? i : TEXT_TO_END, line);
    return marked ? i + 1 : scan->lines->len;
}

GArray *text_scan(const char *text, size_t size)
{
    static unsigned (*const tries[])(struct scan *, unsigned) = {
        try_arrows, try_quotes, try_separator, try_block, try_attribution};
    struct scan scan = {.folded = phrases_fold(text, size),
                        .lines = g_array_new(FALSE, FALSE, sizeof(struct line)),
                        .finds = g_array_new(FALSE, FALSE, sizeof(struct text_find))};
    split_lines(&scan);
    look_ahead(&scan);
    for (unsigned i = 0; i < scan.lines->len;) {
        unsigned next = i;
        for (size_t k = 0; k < G_N_ELEMENTS(tries) && next == i; k++)
            next = tries[k](&scan, i);
        i = MAX(next, i + 1);
    }
    g_array_unref(scan.lines);
    g_free(scan.next_text);
    g_free(scan.next_words);
    g_free(scan.folded);
    return scan.finds;
}
