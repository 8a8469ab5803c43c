/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Charset names and conversion to UTF-8. iconv does the work but for the three charsets where
 * mail readers agree on more than iconv gives: ASCII, UTF-8 and windows-1252.
 */
#include "mail/charset.h"

#include <errno.h>
#include <iconv.h>
#include <stdlib.h>
#include <string.h>

#include "charset_names.h"

#define REPLACEMENT 0xfffd
#define HZ          "hz-gb-2312"

/* windows-1252 from 0x80 to 0x9f; 0 where it has nothing. */
static const guint16 windows_1252[32] = {
    0x20ac, 0,      0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160,
    0x2039, 0x0152, 0,      0x017d, 0,      0,      0x2018, 0x2019, 0x201c, 0x201d, 0x2022,
    0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0,      0x017e, 0x0178};

static int compare_alias(const void *key, const void *row)
{
    return strcmp(key, ((const struct charset_alias *)row)->key);
}

static const char *table_find(const struct charset_alias *table, size_t count, const char *key)
{
    const struct charset_alias *row = bsearch(key, table, count, sizeof *table, compare_alias);
    return row ? row->name : NULL;
}

/* Copies the letters and digits of LABEL, lower case, up to an RFC 2231 language. */
static void alias_key(const char *label, size_t length, char key[CHARSET_NAME_MAX])
{
    size_t n = 0;
    for (size_t i = 0; i < length && label[i] != '*' && n + 1 < CHARSET_NAME_MAX; i++)
        if (g_ascii_isalnum(label[i]))
            key[n++] = g_ascii_tolower(label[i]);
    key[n] = '\0';
}

static bool is_padding(char c)
{
    return g_ascii_isspace(c) || c == '"' || c == '\'';
}

const char *charset_canonical(const char *label, size_t length, char buffer[CHARSET_NAME_MAX])
{
    char key[CHARSET_NAME_MAX];
    while (length > 0 && is_padding(label[length - 1]))
        length--;
    while (length > 0 && is_padding(*label)) {
        label++;
        length--;
    }
    alias_key(label, length, key);
    const char *name = table_find(charset_aliases, charset_alias_count, key);
    if (name) {
        g_strlcpy(buffer, name, CHARSET_NAME_MAX);
    } else {
        /* the label as it stands, lower case */
        size_t n = 0;
        for (size_t i = 0; i < length && label[i] != '*' && n + 1 < CHARSET_NAME_MAX; i++)
            buffer[n++] = g_ascii_isgraph(label[i]) ? g_ascii_tolower(label[i]) : '?';
        buffer[n] = '\0';
    }
    return buffer;
}

/* How many bytes follow the first byte of a UTF-8 sequence, and the range of the first of them
 * (Unicode, table 3-7, with surrogates); -1 if no sequence begins with it. */
static int utf8_follow(unsigned char c, unsigned char *low_r, unsigned char *high_r)
{
    *low_r = c == 0xe0 ? 0xa0 : c == 0xf0 ? 0x90 : 0x80;
    *high_r = c == 0xf4 ? 0x8f : 0xbf;
    if (c < 0x80)
        return 0;
    if (c >= 0xc2 && c <= 0xdf)
        return 1;
    if (c >= 0xe0 && c <= 0xef)
        return 2;
    return c >= 0xf0 && c <= 0xf4 ? 3 : -1;
}

int charset_utf8_next(const char *bytes, size_t length, size_t *used_r)
{
    const unsigned char *p = (const unsigned char *)bytes;
    unsigned char low, high;
    int follow = utf8_follow(p[0], &low, &high);
    *used_r = 1;
    if (follow <= 0)
        return follow < 0 ? -1 : p[0];
    int c = p[0] & (0x3f >> follow);
    for (int i = 1; i <= follow; i++) {
        if ((size_t)i >= length || p[i] < low || p[i] > high)
            return -1;
        c = (c << 6) | (p[i] & 0x3f);
        (*used_r)++;
        low = 0x80;
        high = 0xbf;
    }
    return c >= 0xd800 && c <= 0xdfff ? -1 : c; /* half a UTF-16 pair */
}

bool charset_is_ascii(const char *bytes, size_t length)
{
    guint64 word, seen = 0;
    size_t i = 0;
    for (; i + sizeof word <= length; i += sizeof word) {
        memcpy(&word, bytes + i, sizeof word);
        seen |= word;
    }
    for (; i < length; i++)
        seen |= (guint64)(unsigned char)bytes[i];
    return (seen & G_GUINT64_CONSTANT(0x8080808080808080)) == 0;
}

bool charset_is_utf8(const char *bytes, size_t length)
{
    size_t used;
    if (charset_is_ascii(bytes, length))
        return true;
    for (size_t i = 0; i < length; i += used)
        if (charset_utf8_next(bytes + i, length - i, &used) < 0)
            return false;
    return true;
}

static void append_utf8(const char *bytes, size_t length, GString *out)
{
    size_t used;
    for (size_t i = 0; i < length; i += used) {
        if (charset_utf8_next(bytes + i, length - i, &used) < 0)
            g_string_append_unichar(out, REPLACEMENT);
        else
            g_string_append_len(out, bytes + i, (gssize)used);
    }
}

static void append_ascii(const char *bytes, size_t length, GString *out)
{
    for (size_t i = 0; i < length; i++) {
        if ((unsigned char)bytes[i] < 0x80)
            g_string_append_c(out, bytes[i]);
        else
            g_string_append_unichar(out, REPLACEMENT);
    }
}

static void append_windows_1252(const char *bytes, size_t length, GString *out)
{
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)bytes[i];
        gunichar u = c < 0x80 || c >= 0xa0 ? c : windows_1252[c - 0x80];
        if (c < 0x80)
            g_string_append_c(out, bytes[i]);
        else
            g_string_append_unichar(out, u ? u : REPLACEMENT);
    }
}

/* Which end of UTF-16 comes first, whatever the label says: a byte order mark tells; else it is the
 * little one if the bytes in second place are much the smaller ones. */
static const char *utf16_name(const char *bytes, size_t length)
{
    size_t sum[2] = {0, 0};
    if (length >= 2 && (unsigned char)bytes[0] == 0xff && (unsigned char)bytes[1] == 0xfe)
        return "UTF-16LE";
    if (length >= 2 && (unsigned char)bytes[0] == 0xfe && (unsigned char)bytes[1] == 0xff)
        return "UTF-16BE";
    for (size_t i = 0; i < length; i++)
        sum[i & 1] += (unsigned char)bytes[i];
    return sum[0] > sum[1] * 4 ? "UTF-16LE" : "UTF-16BE";
}

/* Runs iconv over BYTES, one U+FFFD for each byte that it will not take. */
static void append_converted(iconv_t cd, const char *bytes, size_t length, GString *out)
{
    char buffer[1024];
    char *in = (char *)bytes;
    bool flushed = false;
    while (length > 0 || !flushed) {
        char *to = buffer;
        size_t room = sizeof buffer;
        flushed = length == 0;
        size_t n = iconv(cd, flushed ? NULL : &in, flushed ? NULL : &length, &to, &room);
        int error = errno;
        g_string_append_len(out, buffer, to - buffer);
        if (n != (size_t)-1 || error == E2BIG || length == 0)
            continue;
        g_string_append_unichar(out, REPLACEMENT);
        in++;
        length--;
    }
}

/* Converters are kept for the next message: iconv would load and unload its module for each. The
 * pool locks itself; a converter belongs to one caller while it is out of the pool. */
#define POOL_MAX 64

struct pooled {
    char name[CHARSET_NAME_MAX];
    iconv_t cd;
};

static struct pooled pool[POOL_MAX];
static size_t pool_count;
static GMutex pool_lock;

static iconv_t pool_take(const char *name)
{
    iconv_t cd = (iconv_t)-1;
    g_mutex_lock(&pool_lock);
    for (size_t i = 0; i < pool_count && cd == (iconv_t)-1; i++) {
        if (strcmp(pool[i].name, name) == 0) {
            cd = pool[i].cd;
            pool[i] = pool[--pool_count];
        }
    }
    g_mutex_unlock(&pool_lock);
    return cd;
}

static void pool_give(const char *name, iconv_t cd)
{
    bool kept = false;
    iconv(cd, NULL, NULL, NULL, NULL);
    g_mutex_lock(&pool_lock);
    if (pool_count < POOL_MAX && strlen(name) < CHARSET_NAME_MAX) {
        g_strlcpy(pool[pool_count].name, name, CHARSET_NAME_MAX);
        pool[pool_count++].cd = cd;
        kept = true;
    }
    g_mutex_unlock(&pool_lock);
    if (!kept)
        iconv_close(cd);
}

/* Whether NAME may be shown to iconv_open, which takes "/" for options and reads files. */
static bool name_is_plain(const char *name)
{
    return name[0] && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-_") == strlen(name);
}

static bool convert(const char *name, const char *bytes, size_t length, GString *out)
{
    /* the name under which iconv has it */
    const char *known = g_str_has_prefix(name, "utf-16")
                            ? utf16_name(bytes, length)
                            : table_find(charset_iconv_names, charset_iconv_name_count, name);
    const char *from = known ? known : name_is_plain(name) ? name : NULL;
    iconv_t cd = from ? pool_take(from) : (iconv_t)-1;
    if (from && cd == (iconv_t)-1)
        cd = iconv_open("UTF-8", from);
    if (cd == (iconv_t)-1)
        return false;
    append_converted(cd, bytes, length, out);
    pool_give(from, cd);
    return true;
}

/* Whether text of 7 bits in this charset is ASCII: all but those that shift with escapes or take
 * two bytes for each character. */
static bool is_ascii_superset(const char *name)
{
    static const char *const families[] = {"iso-8859-", "windows-", "koi8-", "euc-", "big5",
                                           "gb",        "ibm",      "us-",   "utf-8"};
    for (size_t i = 0; i < G_N_ELEMENTS(families); i++)
        if (g_str_has_prefix(name, families[i]))
            return true;
    return false;
}

/* HZ (RFC 1843), which glibc lacks: "~{" begins and "~}" ends a run of GB 2312 in 7 bits, which
 * goes to iconv as EUC-CN, with the eighth bits set; a line that ends without "~}" ends it too.
 * "~~" is a tilde, and "~" at the end of a line joins it to the next one. No character of GB 2312
 * begins with "~" or "}", hence "~}" is an end wherever it stands. */
static void append_hz(const char *bytes, size_t length, GString *out)
{
    g_autoptr(GString) run = g_string_new(NULL);
    bool in_run = false;
    for (size_t i = 0; i < length; i++) {
        char c = bytes[i], after = c == '~' && i + 1 < length ? bytes[i + 1] : '\0';
        /* in a run a character may end with "~" */
        bool escapes = after != '\0' && strchr(in_run ? "}\n" : "{}~\n", after) != NULL;
        i += escapes;
        if (in_run && after != '}' && c != '\n') {
            if (!escapes)
                g_string_append_c(run, (char)(c | 0x80));
            continue;
        }
        if (in_run)
            convert("gb2312", run->str, run->len, out);
        g_string_truncate(run, 0);
        in_run = after == '{';
        if ((unsigned char)c >= 0x80)
            g_string_append_unichar(out, REPLACEMENT);
        else if (after == '\0' || !strchr("{}\n", after))
            g_string_append_c(out, c);
    }
    convert("gb2312", run->str, run->len, out);
}

void charset_to_utf8(const char *name, const char *bytes, size_t length, GString *out)
{
    if (is_ascii_superset(name) && charset_is_ascii(bytes, length))
        g_string_append_len(out, bytes, (gssize)length);
    else if (strcmp(name, "utf-8") == 0)
        append_utf8(bytes, length, out);
    else if (strcmp(name, "us-ascii") == 0)
        append_ascii(bytes, length, out);
    else if (strcmp(name, "iso-8859-1") == 0 || strcmp(name, "windows-1252") == 0)
        append_windows_1252(bytes, length, out);
    else if (strcmp(name, HZ) == 0)
        append_hz(bytes, length, out);
    else if (!convert(name, bytes, length, out))
        append_windows_1252(bytes, length, out);
}

bool charset_can_convert(const char *name)
{
    g_autoptr(GString) out = g_string_new(NULL);
    return strcmp(name, HZ) == 0 || convert(name, "", 0, out);
}

bool charset_is_listed(const char *name)
{
    char key[CHARSET_NAME_MAX];
    alias_key(name, strlen(name), key);
    const char *listed = table_find(charset_aliases, charset_alias_count, key);
    return listed && strcmp(listed, name) == 0;
}

size_t charset_count(void)
{
    return charset_alias_count;
}

bool charset_is_known(const char *name)
{
    return charset_is_listed(name) || charset_can_convert(name);
}
