/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Finds the phrases of phrases.txt: all of them in one pass, as whole words, wherever they are.
 */
#include "phrases.h"

#include <glib.h>
#include <string.h>

/* --- folding --- */

/* What a character becomes in comparison; 0: it is left out. */
static gunichar fold_char(gunichar c)
{
    switch (c) {
    case 0x00a0:
    case 0x202f:
    case 0x2007:
    case 0x2009:
    case 0x3000:
    case '\t':
    case '\f':
    case '\v':
        return ' ';
    case 0x2018:
    case 0x2019:
    case 0x02bc:
    case 0x00b4:
        return '\'';
    case 0x201c:
    case 0x201d:
    case 0x201e:
    case 0x00ab:
        return '"';
    case 0x2010:
    case 0x2011:
    case 0x2012:
    case 0x2013:
    case 0x2014:
    case 0x2015:
    case 0x2500:
        return '-';
    case 0xff1a:
        return ':';
    case 0xff1e:
    case 0x203a:
    case 0x00bb:
        return '>';
    case 0xff1c:
        return '<';
    case 0xff5c:
    case 0x2502:
    case 0x2503:
    case 0x258e:
    case 0x258c:
        return '|';
    case 0x0451:
        return 0x0435; /* Russian yo is as often written ye */
    case '\r':
    case 0x00ad:
    case 0x200b:
    case 0x200c:
    case 0x200d:
    case 0x200e:
    case 0x200f:
    case 0x202a:
    case 0x202b:
    case 0x202c:
    case 0x202d:
    case 0x202e:
    case 0x2066:
    case 0x2067:
    case 0x2068:
    case 0x2069:
    case 0xfeff:
    case 0x0307:
        return 0;
    default:
        return g_unichar_tolower(c);
    }
}

char *phrases_fold(const char *text, size_t size)
{
    GString *out = g_string_sized_new(size + 1);
    for (const char *p = text, *end = text + size; p < end;) {
        /* a run of ASCII at once: most texts are nothing else */
        gsize begin = out->len, length = 0;
        const char *ascii = p;
        while (p < end && (unsigned char)*p < 0x80)
            p++;
        g_string_set_size(out, begin + (gsize)(p - ascii));
        for (; ascii < p; ascii++) {
            char byte = *ascii;
            if (byte >= 'A' && byte <= 'Z')
                byte = (char)(byte | 0x20);
            else if (byte == '\t' || byte == '\f' || byte == '\v')
                byte = ' ';
            if (byte != '\r')
                out->str[begin + length++] = byte;
        }
        g_string_truncate(out, begin + length);
        if (p == end)
            break;
        gunichar c = fold_char(g_utf8_get_char(p));
        if (c)
            g_string_append_unichar(out, c);
        p = g_utf8_next_char(p);
    }
    return g_string_free(out, FALSE);
}

/* --- finding --- */

struct phrase_row {
    const char *text;
    unsigned char length;
    unsigned kind; /* one bit of enum phrases_kind */
    bool open_start, open_end;
};

/* The rows are sorted by their text: those of a state stand together. */
struct phrase_state {
    unsigned first_edge;
    unsigned char edges;
    guint16 back;    /* the state of the longest end of what was read that begins a phrase */
    guint16 shorter; /* the nearest state on the way back at which a phrase ends; 0: none */
    guint16 first_row;
    unsigned char rows;
};

struct phrase_edge {
    unsigned char byte; /* ascending within a state */
    guint16 target;
};

#include "phrases_table.h"

static unsigned next_state(unsigned state, unsigned char byte)
{
    for (;;) {
        const struct phrase_state *from = &phrase_states[state];
        const struct phrase_edge *edges = &phrase_edges[from->first_edge];
        unsigned low = 0, high = from->edges;
        while (low < high) {
            unsigned middle = (low + high) / 2;
            if (edges[middle].byte < byte)
                low = middle + 1;
            else
                high = middle;
        }
        if (low < from->edges && edges[low].byte == byte)
            return edges[low].target;
        if (state == 0)
            return 0;
        state = from->back;
    }
}

/* Whether a word goes on from C to the character beside it: both are letters or digits of a script
 * that sets spaces between words. */
static bool in_word(gunichar c)
{
    if (c < 0x80)
        return g_ascii_isalnum((char)c);
    if (!g_unichar_isalnum(c) && !g_unichar_ismark(c))
        return false;
    switch (g_unichar_get_script(c)) {
    case G_UNICODE_SCRIPT_HAN:
    case G_UNICODE_SCRIPT_HIRAGANA:
    case G_UNICODE_SCRIPT_KATAKANA:
    case G_UNICODE_SCRIPT_HANGUL:
    case G_UNICODE_SCRIPT_THAI:
    case G_UNICODE_SCRIPT_LAO:
    case G_UNICODE_SCRIPT_KHMER:
    case G_UNICODE_SCRIPT_MYANMAR:
        return false;
    default:
        return true;
    }
}

static bool border(const char *text, const char *end, const char *at)
{
    return at == text || at == end || !in_word(g_utf8_get_char(g_utf8_prev_char(at))) ||
           !in_word(g_utf8_get_char(at));
}

/* Called for each phrase found, in the order of their ends. Returns whether to go on. */
typedef bool phrase_visitor(void *context, const struct phrase_row *row, const char *start);

/* All phrases of KINDS in TEXT[SIZE] that are whole words there. */
static void find_phrases(const char *text, size_t size, unsigned kinds, phrase_visitor *visit,
                         void *context)
{
    const char *end = text + size;
    unsigned state = 0;
    for (const char *p = text; p < end; p++) {
        state = next_state(state, (unsigned char)*p);
        for (unsigned at = state; at; at = phrase_states[at].shorter)
            for (unsigned i = 0; i < phrase_states[at].rows; i++) {
                const struct phrase_row *row = &phrase_rows[phrase_states[at].first_row + i];
                const char *start = p + 1 - row->length;
                if ((row->kind & kinds) && (row->open_start || border(text, end, start)) &&
                    (row->open_end || border(text, end, p + 1)) && !visit(context, row, start))
                    return;
            }
    }
}

struct find {
    const char *text, *end;
    bool at_start, to_end; /* where it must stand */
    const struct phrase_row *row;
    const char *last_end;
};

static bool take_first(void *context, const struct phrase_row *row, const char *start)
{
    struct find *find = context;
    if ((find->at_start && start != find->text) ||
        (find->to_end && start + row->length != find->end))
        return true;
    find->row = row;
    return false;
}

/* The first phrase of KINDS in TEXT[SIZE]; at its start alone, or only if it is all of it. */
static const struct phrase_row *first_phrase(const char *text, size_t size, unsigned kinds,
                                             bool at_start, bool whole)
{
    /* one character more than the longest phrase tells where the word ends */
    size_t look = at_start ? MIN(size, PHRASE_BYTES_MAX + 4) : size;
    while (look < size && look > 0 && ((unsigned char)text[look] & 0xc0) == 0x80)
        look--;
    struct find find = {text, text + size, at_start, whole, NULL, NULL};
    if (!whole || look == size)
        find_phrases(text, look, kinds, take_first, &find);
    return find.row;
}

const char *phrases_auto_prefix(const char *subject)
{
    const struct phrase_row *row =
        first_phrase(subject, strlen(subject), PHRASE_SUBJECT_PREFIX, true, false);
    return row ? row->text : NULL;
}

const char *phrases_auto_subject(const char *subject)
{
    const struct phrase_row *row = first_phrase(
        subject, strlen(subject), PHRASE_SUBJECT_PREFIX | PHRASE_SUBJECT, false, false);
    return row ? row->text : NULL;
}

bool phrases_auto_start(const char *subject)
{
    return first_phrase(subject, strlen(subject), PHRASE_SUBJECT_PREFIX | PHRASE_SUBJECT, true,
                        false) != NULL;
}

const char *phrases_auto_body(const char *text)
{
    const struct phrase_row *row = first_phrase(text, strlen(text), PHRASE_TEXT, false, false);
    return row ? row->text : NULL;
}

const char *phrases_bounce_body(const char *text)
{
    text += strspn(text, " \n-=*_");
    const struct phrase_row *row =
        first_phrase(text, strlen(text), PHRASE_BOUNCE_TEXT, true, false);
    return row ? row->text : NULL;
}

bool phrases_separator(const char *text, bool bare)
{
    size_t size = strlen(text);
    return first_phrase(text, size, bare ? PHRASE_BARE_SEPARATOR : PHRASE_SEPARATOR, true, true) ||
           (!bare && first_phrase(text, size, PHRASE_SEPARATOR_BEFORE, true, false));
}

static bool take_last_end(void *context, const struct phrase_row *row, const char *start)
{
    struct find *find = context;
    find->last_end = start + row->length;
    return true;
}

const char *phrases_verb_end(const char *text, size_t size)
{
    struct find find = {.text = text};
    find_phrases(text, size, PHRASE_VERB, take_last_end, &find);
    return find.last_end;
}

bool phrases_attribution_lead(const char *text)
{
    return g_ascii_isdigit(*text) || first_phrase(text, strlen(text), PHRASE_LEAD, true, false);
}

enum phrases_label phrases_label(const char *text, size_t size)
{
    static const unsigned kinds = PHRASE_LABEL_FROM | PHRASE_LABEL_DATE | PHRASE_LABEL_TO |
                                  PHRASE_LABEL_CC | PHRASE_LABEL_SUBJECT | PHRASE_LABEL_RAW;
    const struct phrase_row *row = first_phrase(text, size, kinds, true, true);
    return row ? (enum phrases_label)(row->kind / PHRASE_LABEL_FROM) : LABEL_NONE;
}
