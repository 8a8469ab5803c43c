/* SPDX-License-Identifier: BSD-2-Clause
 *
 * POSIX patterns, run by PCRE2: regexec(3) cannot be told to give up, holds a lock, and keeps what
 * it learns from hostile keys for ever. What differs is evened out: the longest match counts, not
 * the first found, and a pattern that backtracks too much is run once more without backtracking.
 */
#include "engine_pcre.h"
#include "posix2pcre.h"

/* Working space of a match without backtracking, in ints; each is a place in the pattern. */
enum { WORKSPACE = 8192 };

/* The engine's own flags; they are no PCRE2 options. */
enum { FLAG_CASELESS = 1, FLAG_NEWLINE = 2, FLAG_EXTENDED = 4 };

static void *compile(const char *pattern, unsigned flags, bool captures, char **why_r)
{
    (void)captures;
    const char *why;
    unsigned posix = (flags & FLAG_EXTENDED ? POSIX_EXTENDED : 0) |
                     (flags & FLAG_NEWLINE ? POSIX_NEWLINE : 0) |
                     (flags & FLAG_CASELESS ? POSIX_CASELESS : 0);
    g_autofree char *translated = posix2pcre(pattern, posix, &why);
    if (!translated) {
        *why_r = g_strdup_printf("bad pattern: %s", why);
        return NULL;
    }
    uint32_t options = PCRE2_DOTALL | (flags & FLAG_CASELESS ? PCRE2_CASELESS : 0);
    return pcre_code_new(translated, options, why_r);
}

/* pcre2_dfa_match: the longest match, in bounded time, but without groups. */
static int match_longest(const struct pcre_code *code, const char *key, size_t length, size_t start,
                         uint32_t options, pcre2_match_data *data)
{
    g_autofree int *workspace = g_new(int, WORKSPACE);
    return pcre2_dfa_match(code->code, (PCRE2_SPTR)key, length, start, options, data, code->context,
                           workspace, WORKSPACE);
}

/* After a match in DATA: the same again, if POSIX would take a longer one from the same place. */
static bool prefer_longest(const struct pcre_code *code, const char *key, size_t length,
                           pcre2_match_data *data)
{
    struct span found, longest;
    pcre_code_spans(data, &found, 1);
    pcre2_match_data *other = pcre2_match_data_create(1, NULL);
    if (!other)
        return false;
    int result = match_longest(code, key, length, found.start, PCRE2_ANCHORED, other);
    pcre_code_spans(other, &longest, 1);
    pcre2_match_data_free(other);
    /* Back-references cannot be run so: then what was found must do. */
    if (result < 0 || longest.end <= found.end)
        return true;
    return pcre_code_match(code, key, longest.end, found.start, PCRE2_ANCHORED | PCRE2_ENDANCHORED,
                           data) >= 0;
}

static enum lookup_status to_status(int result)
{
    if (result >= 0)
        return LOOKUP_HIT;
    return result == PCRE2_ERROR_NOMATCH ? LOOKUP_MISS : LOOKUP_ERROR;
}

static enum lookup_status match_with(pcre2_match_data *data, const struct pcre_code *code,
                                     const char *key, size_t length, struct span *spans,
                                     unsigned count)
{
    enum lookup_status status = to_status(pcre_code_match(code, key, length, 0, 0, data));
    if (status == LOOKUP_ERROR) {
        status = to_status(match_longest(code, key, length, 0, 0, data));
        return status == LOOKUP_HIT && count > 0 ? LOOKUP_ERROR : status;
    }
    if (status == LOOKUP_MISS || count == 0)
        return status;
    if (!prefer_longest(code, key, length, data))
        return LOOKUP_ERROR;
    pcre_code_spans(data, spans, count);
    return LOOKUP_HIT;
}

static enum lookup_status match(const void *code, const char *key, size_t length,
                                struct span *spans, unsigned count)
{
    pcre2_match_data *data = pcre2_match_data_create(MAX(count, 1), NULL);
    if (!data)
        return LOOKUP_ERROR;
    enum lookup_status status = match_with(data, code, key, length, spans, count);
    pcre2_match_data_free(data);
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

const struct engine regexp_engine = {
    .flags = FLAG_EXTENDED | FLAG_CASELESS,
    .flag = flag,
    .second_pattern = true,
    .compile = compile,
    .groups = pcre_code_groups,
    .match = match,
    .free = pcre_code_free,
};
