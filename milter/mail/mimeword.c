/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Decoding of encoded words. A value is read as sections: text, or the bytes of neighbouring words
 * of one charset, which are converted together because mailers cut characters in two.
 */
#include "mail/mimeword.h"

#include <string.h>

#include "mail/charset.h"

/* The head of a word as SpamAssassin reads it. */
static bool head_at(const char *p, size_t length, struct mimeword *word_r)
{
    size_t i = 2;
    if (length < 6 || p[0] != '=' || p[1] != '?')
        return false;
    while (i < length && (g_ascii_isalnum(p[i]) || p[i] == '*' || p[i] == '_' || p[i] == '-'))
        i++;
    if (i == 2 || i + 2 >= length || p[i] != '?' || !strchr("bBqQ", p[i + 1]) || !p[i + 1] ||
        p[i + 2] != '?')
        return false;
    word_r->charset = p + 2;
    word_r->charset_length = i - 2;
    word_r->encoding = g_ascii_toupper(p[i + 1]);
    word_r->text = p + i + 3;
    return true;
}

bool mimeword_at(const char *p, size_t length, struct mimeword *word_r)
{
    if (!head_at(p, length, word_r))
        return false;
    size_t rest = (size_t)(p + length - word_r->text);
    const char *end = memchr(word_r->text, '?', rest);
    if (!end || end + 1 >= p + length || end[1] != '=')
        return false;
    word_r->text_length = (size_t)(end - word_r->text);
    word_r->length = (size_t)(end + 2 - p);
    return true;
}

/* White space, or a fold. */
static size_t skip_blanks(const char *p, size_t i, size_t length)
{
    while (i < length && (g_ascii_isspace(p[i]) || p[i] == '\v'))
        i++;
    return i;
}

bool mimeword_label_at(const char *p, size_t length, struct mimeword *word_r)
{
    if (length < 6 || p[0] != '=' || p[1] != '?')
        return false;
    const char *mark = memchr(p + 2, '?', MIN(length - 2, MIMEWORD_LABEL_MAX));
    size_t i = skip_blanks(p, mark ? (size_t)(mark - p) + 1 : length, length);
    if (!mark || i >= length || !p[i] || !strchr("bBqQ", p[i]))
        return false;
    char encoding = g_ascii_toupper(p[i]);
    i = skip_blanks(p, i + 1, length);
    if (i >= length || p[i] != '?')
        return false;
    *word_r = (struct mimeword){.charset = p + 2,
                                .charset_length = (size_t)(mark - p) - 2,
                                .encoding = encoding,
                                .text = p + i + 1};
    return true;
}

void mimeword_relabel(const char *value, size_t length, GString *out)
{
    const char *p = value, *end = value + length;
    while (p < end) {
        struct mimeword word;
        const char *next = memchr(p, '=', (size_t)(end - p));
        next = next ? next : end;
        g_string_append_len(out, p, next - p);
        p = next;
        if (p < end && mimeword_label_at(p, (size_t)(end - p), &word)) {
            char name[CHARSET_NAME_MAX];
            charset_canonical(word.charset, word.charset_length, name);
            g_string_append_printf(out, "=?%s?%c?", charset_can_convert(name) ? name : "us-ascii",
                                   word.encoding);
            p = word.text;
        } else if (p < end) {
            g_string_append_c(out, *p++);
        }
    }
}

static int hex_pair(const char *p)
{
    int high = g_ascii_xdigit_value(p[0]);
    int low = high < 0 ? -1 : g_ascii_xdigit_value(p[1]);
    return low < 0 ? -1 : high * 16 + low;
}

static void decode_q(const char *text, size_t length, GString *out)
{
    for (size_t i = 0; i < length; i++) {
        int value = text[i] == '=' && i + 2 < length ? hex_pair(text + i + 1) : -1;
        if (value >= 0) {
            g_string_append_c(out, (char)value);
            i += 2;
        } else {
            g_string_append_c(out, text[i] == '_' ? ' ' : text[i]);
        }
    }
}

/* Value of a base64 digit, -1 for anything else. */
static int base64_digit(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Whether the text, white space apart, is made of base64 digits and "=" alone and its length is a
 * multiple of four; if not, it is read leniently. An "=" in its middle stands for zeros in well
 * formed text and for ones in other text: that is how SpamAssassin's two decoders differ. */
static bool base64_is_regular(const char *text, size_t length)
{
    size_t count = 0;
    for (size_t i = 0; i < length; i++) {
        if (g_ascii_isspace(text[i]) || text[i] == '\v')
            continue;
        if (text[i] != '=' && base64_digit(text[i]) < 0)
            return false;
        count++;
    }
    return count % 4 == 0 && count >= 2;
}

/* Length of TEXT without the padding (and all that is no digit) at its end. */
static size_t base64_trimmed(const char *text, size_t length)
{
    while (length > 0 && base64_digit(text[length - 1]) < 0)
        length--;
    return length;
}

static void decode_b(const char *text, size_t length, GString *out)
{
    int inner = base64_is_regular(text, length) ? 0 : 63;
    guint32 bits = 0;
    int count = 0;
    length = base64_trimmed(text, length);
    for (size_t i = 0; i < length; i++) {
        int digit = text[i] == '=' ? inner : base64_digit(text[i]);
        if (digit < 0)
            continue;
        bits = (bits << 6) | (guint32)digit;
        count += 6;
        if (count >= 8) {
            count -= 8;
            g_string_append_c(out, (char)((bits >> count) & 0xff));
        }
    }
}

void mimeword_bytes(const struct mimeword *word, GString *out)
{
    if (word->encoding == 'B')
        decode_b(word->text, word->text_length, out);
    else
        decode_q(word->text, word->text_length, out);
}

/* Bytes of neighbouring words of one charset, waiting to be converted. */
struct stretch {
    GString *bytes;
    const char *charset;
    size_t charset_length;
};

static void section_flush(struct stretch *section, GString *out)
{
    char name[CHARSET_NAME_MAX];
    if (!section->charset)
        return;
    charset_canonical(section->charset, section->charset_length, name);
    charset_to_utf8(name, section->bytes->str, section->bytes->len, out);
    g_string_truncate(section->bytes, 0);
    section->charset = NULL;
}

/* Where the encoded word begins that follows the one before P after nothing but white space; P if
 * there is none. */
static const char *skip_to_word(const char *p, const char *end)
{
    struct mimeword word;
    const char *q = p;
    while (q < end && (g_ascii_isspace(*q) || *q == '\v'))
        q++;
    return q > p && mimeword_at(q, (size_t)(end - q), &word) ? q : p;
}

void mimeword_decode(const char *value, size_t length, GString *out)
{
    const char *p = value, *end = value + length;
    size_t limit = out->len + MIMEWORD_OUTPUT_MAX;
    struct stretch section = {g_string_new(NULL), NULL, 0};
    while (p < end && out->len + section.bytes->len < limit) {
        struct mimeword word;
        if (mimeword_at(p, (size_t)(end - p), &word)) {
            if (section.charset &&
                (section.charset_length != word.charset_length ||
                 g_ascii_strncasecmp(section.charset, word.charset, word.charset_length) != 0))
                section_flush(&section, out);
            section.charset = word.charset;
            section.charset_length = word.charset_length;
            mimeword_bytes(&word, section.bytes);
            p = skip_to_word(p + word.length, end);
            continue;
        }
        section_flush(&section, out);
        const char *next = memchr(p + 1, '=', (size_t)(end - p - 1));
        next = next ? next : end;
        g_string_append_len(out, p, next - p);
        p = next;
    }
    section_flush(&section, out);
    g_string_free(section.bytes, TRUE);
}

/* Whether the field may hold no encoded words, so that what looks like one is not. */
static bool field_is_opaque(const char *name)
{
    static const char *const names[] = {"Received",   "Message-ID",  "Resent-Message-ID",
                                        "Date",       "Resent-Date", "MIME-Version",
                                        "References", "In-Reply-To"};
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        if (g_ascii_strcasecmp(name, names[i]) == 0)
            return true;
    return g_ascii_strncasecmp(name, "List-", 5) == 0;
}

static bool is_space(char c)
{
    return g_ascii_isspace(c) || c == '\v';
}

/* Appends the value with its folds made one space and the ends trimmed; line ends that fold
 * nothing vanish. */
static void unfold(const char *value, size_t length, GString *out)
{
    const char *p = value, *end = value + length;
    while (end > p && is_space(end[-1]))
        end--;
    while (p < end && is_space(*p))
        p++;
    while (p < end) {
        const char *newline = memchr(p, '\n', (size_t)(end - p));
        const char *stop = newline ? newline : end;
        g_string_append_len(out, p, stop - p);
        p = newline ? newline + 1 : end;
        if (!newline)
            break;
        bool folds = p < end && (*p == ' ' || *p == '\t');
        while (p < end && (*p == ' ' || *p == '\t'))
            p++;
        if (folds)
            g_string_append_c(out, ' ');
        else if (out->len > 0 && out->str[out->len - 1] == '\r')
            g_string_truncate(out, out->len - 1);
    }
}

/* Makes TEXT valid UTF-8: what is not counts as windows-1252. */
static void make_utf8(GString *text)
{
    if (!charset_is_utf8(text->str, text->len)) {
        GString *converted = g_string_sized_new(text->len * 2);
        charset_to_utf8("windows-1252", text->str, text->len, converted);
        g_string_assign(text, "");
        g_string_append_len(text, converted->str, (gssize)converted->len);
        g_string_free(converted, TRUE);
    }
}

/* Whether anything in the text looks like the head of an encoded word. */
static bool has_words(const char *text, size_t length)
{
    const char *p = text, *end = text + length;
    while ((p = memchr(p, '=', (size_t)(end - p)))) {
        p++;
        if (p < end && *p == '?')
            return true;
    }
    return false;
}

/* Appends the value of a field if it is plain ASCII on one line, as most are; false if not. */
static bool append_plain(const char *value, size_t length, GString *out)
{
    const char *p = value, *end = value + length;
    if (memchr(p, '\n', length) || !charset_is_ascii(p, length) || has_words(p, length))
        return false;
    while (end > p && is_space(end[-1]))
        end--;
    while (p < end && is_space(*p))
        p++;
    g_string_append_len(out, p, end - p);
    return true;
}

void mimeword_decode_field(const char *name, const char *value, size_t length, GString *out)
{
    if (append_plain(value, length, out))
        return;
    g_autoptr(GString) text = g_string_sized_new(length + 1);
    unfold(value, length, text);
    make_utf8(text);
    if (has_words(text->str, text->len) && !field_is_opaque(name))
        mimeword_decode(text->str, text->len, out);
    else
        g_string_append_len(out, text->str, (gssize)text->len);
}

void mimeword_decode_name(const char *name, size_t length, GString *out)
{
    g_autoptr(GString) text = g_string_sized_new(length + 1);
    /* folds become one space each, line ends that fold nothing go */
    for (size_t i = 0; i < length; i++) {
        bool fold =
            name[i] == '\n' && i + 1 < length && (name[i + 1] == ' ' || name[i + 1] == '\t');
        if (fold)
            i++;
        if (fold)
            g_string_append_c(text, ' ');
        else if (name[i] != '\n')
            g_string_append_c(text, name[i]);
    }
    make_utf8(text);
    if (has_words(text->str, text->len))
        mimeword_decode(text->str, text->len, out);
    else
        g_string_append_len(out, text->str, (gssize)text->len);
}
