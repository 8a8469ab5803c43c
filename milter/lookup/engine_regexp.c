/* SPDX-License-Identifier: BSD-2-Clause
 *
 * POSIX patterns, run by PCRE2: regexec(3) cannot be told to give up, holds a lock, and keeps what
 * it learns from hostile keys for ever. What differs is evened out: the longest match counts, not
 * the first found, and a pattern that backtracks too much is run once more without backtracking.
 */
#include "base/text.h"
#include "engine_pcre.h"
#include "posix2pcre.h"

/* The engine's own flags; they are no PCRE2 options. */
enum { FLAG_CASELESS = 1, FLAG_NEWLINE = 2, FLAG_EXTENDED = 4 };

/* What a backslash and this letter were probably meant to be: they mean it to Perl. */
static const struct {
    char letter;
    const char *posix;
} meant[] = {
    {'d', "[[:digit:]]"},
    {'D', "[^[:digit:]]"},
    {'t', "[[:blank:]]"},
    {'h', "[[:blank:]]"},
    {'H', "[^[:blank:]]"},
    {'n', "[[:space:]]"},
    {'r', "[[:space:]]"},
    {'f', "[[:space:]]"},
    {'v', "[[:space:]]"},
    {'R', "[[:space:]]"},
    {'V', "[^[:space:]]"},
    {'N', "."},
    {'A', "^"},
    {'z', "$"},
    {'Z', "$"},
};

static char *remark_on(char letter, bool caseless)
{
    const char own[] = {letter, '\0'}, *posix = own;
    for (size_t i = 0; i < G_N_ELEMENTS(meant); i++)
        if (meant[i].letter == letter)
            posix = meant[i].posix;
    if (caseless && g_ascii_islower(letter))
        return g_strdup_printf(
            "a backslash before the letter %c can never match, nor can what needs "
            "it; \"%s\" was probably meant",
            letter, posix);
    return posix == own ? NULL
                        : g_strdup_printf("a backslash before the letter %c matches that letter "
                                          "alone; \"%s\" was probably meant",
                                          letter, posix);
}

static void *compile(const char *pattern, unsigned flags, bool captures, char **why_r)
{
    (void)captures;
    const char *why;
    char vain;
    unsigned posix = (flags & FLAG_EXTENDED ? POSIX_EXTENDED : 0) |
                     (flags & FLAG_NEWLINE ? POSIX_NEWLINE : 0) |
                     (flags & FLAG_CASELESS ? POSIX_CASELESS : 0);
    g_autofree char *translated = posix2pcre(pattern, posix, &vain, &why);
    if (!translated) {
        *why_r = g_strdup_printf("bad pattern: %s", why);
        return NULL;
    }
    uint32_t options = PCRE2_DOTALL | (flags & FLAG_CASELESS ? PCRE2_CASELESS : 0);
    struct pcre_code *code = pcre_code_new(translated, options, why_r);
    if (code && vain)
        *why_r = remark_on(vain, flags & FLAG_CASELESS);
    else if (code && (flags & FLAG_CASELESS) && text_has_wide_case(pattern))
        *why_r = g_strdup(TEXT_WIDE_CASE_REMARK);
    return code;
}

/* After a match in SPANS: the same again, if POSIX would take a longer one from the same place. */
static bool prefer_longest(const struct pcre_code *code, const char *key, size_t length,
                           struct span *spans, unsigned count)
{
    struct span longest;
    int result =
        pcre_code_match_longest(code, key, length, spans[0].start, PCRE2_ANCHORED, &longest);
    /* Back-references cannot be run so: then what was found must do. */
    if (result < 0 || longest.end <= spans[0].end)
        return true;
    return pcre_code_match(code, key, longest.end, spans[0].start,
                           PCRE2_ANCHORED | PCRE2_ENDANCHORED, spans, count) >= 0;
}

static enum lookup_status to_status(int result)
{
    if (result >= 0)
        return LOOKUP_HIT;
    return result == PCRE2_ERROR_NOMATCH ? LOOKUP_MISS : LOOKUP_ERROR;
}

static enum lookup_status match(const void *code, const char *key, size_t length,
                                struct span *spans, unsigned count)
{
    enum lookup_status status = to_status(pcre_code_match(code, key, length, 0, 0, spans, count));
    if (status == LOOKUP_ERROR) {
        struct span found;
        status = to_status(pcre_code_match_longest(code, key, length, 0, 0, &found));
        return status == LOOKUP_HIT && count > 0 ? LOOKUP_ERROR : status;
    }
    if (status == LOOKUP_HIT && count > 0 && !prefer_longest(code, key, length, spans, count))
        return LOOKUP_ERROR;
    return status;
}

static unsigned flag(char letter)
{
    switch (letter) {
    case 'i':
        return FLAG_CASELESS;
    case 'm':
        return FLAG_NEWLINE;
    case 'x':
        return FLAG_EXTENDED;
    default:
        return 0;
    }
}

const struct pattern_engine regexp_engine = {
    .flags = FLAG_EXTENDED | FLAG_CASELESS,
    .flag = flag,
    .second_pattern = true,
    .compile = compile,
    .groups = pcre_code_groups,
    .match = match,
    .free = pcre_code_free,
};
