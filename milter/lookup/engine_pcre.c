/* SPDX-License-Identifier: BSD-2-Clause
 *
 * PCRE2 patterns, bounded: a key that makes one explode is answered "cannot tell" after some
 * milliseconds.
 */
#include "engine_pcre.h"

#include <string.h>

#include "base/effort.h"
#include "base/text.h"
#include "base/wide_pattern.h"

/* Flag X of the first PCRE has no meaning in the second; it is taken and does nothing. */
#define FLAG_NOTHING (1u << 24)
G_STATIC_ASSERT((FLAG_NOTHING & (PCRE2_CASELESS | PCRE2_MULTILINE | PCRE2_DOTALL | PCRE2_EXTENDED |
                                 PCRE2_ANCHORED | PCRE2_DOLLAR_ENDONLY | PCRE2_UNGREEDY)) == 0);

/* A match that needs more steps than this, or more memory, is given up. The steps take some 10 ms
 * with JIT; sound patterns need some hundreds. */
enum { MATCH_LIMIT = 10000000, DEPTH_LIMIT = 100000, HEAP_LIMIT_KB = 20000 };

/* These limits hold anew for each place where a match might begin; in long keys (a header field)
 * there are enough of them to take minutes. Such a key is searched in so many stretches, of so many
 * bytes at least; microseconds of work after which no further one is begun. */
enum { STRETCHES = 256, STRETCH_MIN = 4096, WORK_MAX = 250000 };

/* The same bytes for a pattern of thousands of alternatives, which may try each at each place. */
enum { STRETCH_WIDE = 64 };

/* Working space of a match without backtracking, in ints; each is a place in the pattern. */
enum { WORKSPACE = 8192 };

static struct wide_pattern *compile_wide(const char *pattern, uint32_t options, int *error_r,
                                         PCRE2_SIZE *offset_r)
{
    struct wide_options wide = {.options = options,
                                .match_limit = MATCH_LIMIT,
                                .depth_limit = DEPTH_LIMIT,
                                .heap_limit_kb = HEAP_LIMIT_KB};
    return wide_pattern_new(pattern, strlen(pattern), &wide, error_r, offset_r);
}

struct pcre_code *pcre_code_new(const char *pattern, uint32_t options, char **why_r)
{
    int error;
    PCRE2_SIZE offset;
    struct wide_pattern *wide = NULL;
    pcre2_code *code = pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED,
                                     options | PCRE2_USE_OFFSET_LIMIT, &error, &offset, NULL);
    if (!code && wide_pattern_helps(error))
        wide = compile_wide(pattern, options, &error, &offset);
    if (!code && !wide) {
        PCRE2_UCHAR text[256] = "unknown error";
        pcre2_get_error_message(error, text, sizeof text);
        *why_r = g_strdup_printf("bad pattern at its byte %zu: %s", (size_t)offset + 1, text);
        return NULL;
    }
    struct pcre_code *pcre = g_new0(struct pcre_code, 1);
    if (code) {
        uint32_t all = 0;
        pcre2_pattern_info(code, PCRE2_INFO_ALLOPTIONS, &all);
        pcre->is_utf = all & PCRE2_UTF;
        pcre2_jit_compile(code, PCRE2_JIT_COMPLETE); /* without JIT it works too, slower */
    }
    pcre->code = code;
    pcre->wide = wide;
    pcre->context = pcre2_match_context_create(NULL);
    if (!pcre->context)
        g_error("out of memory");
    pcre2_set_match_limit(pcre->context, MATCH_LIMIT);
    pcre2_set_depth_limit(pcre->context, DEPTH_LIMIT);
    pcre2_set_heap_limit(pcre->context, HEAP_LIMIT_KB);
    return pcre;
}

void pcre_code_free(void *code)
{
    struct pcre_code *pcre = code;
    if (!pcre)
        return;
    pcre2_match_context_free(pcre->context);
    pcre2_code_free(pcre->code);
    wide_pattern_free(pcre->wide);
    g_free(pcre);
}

unsigned pcre_code_groups(const void *code)
{
    const struct pcre_code *pcre = code;
    uint32_t count = 0;
    if (pcre->wide)
        return wide_pattern_groups(pcre->wide);
    pcre2_pattern_info(pcre->code, PCRE2_INFO_CAPTURECOUNT, &count);
    return count;
}

/* A key under way: what one of the two libraries needs, and the places that it found. */
struct search {
    const struct pcre_code *code;
    const char *key;
    size_t length;
    uint32_t options;
    uint32_t *wide_key;
    pcre2_match_data *data;
    pcre2_match_context *context; /* a copy */
    size_t *places;
    unsigned pairs;
};

static bool search_begin(struct search *search, const struct pcre_code *code, const char *key,
                         size_t length, uint32_t options, unsigned count)
{
    *search = (struct search){.code = code,
                              .key = key,
                              .length = length,
                              .options = options,
                              .pairs = MAX(count, 1),
                              .data = pcre2_match_data_create(MAX(count, 1), NULL),
                              .context = pcre2_match_context_copy(code->context)};
    search->places = g_new(size_t, 2 * search->pairs);
    search->wide_key = code->wide ? wide_text(key, length) : NULL;
    return search->data && search->context;
}

/* Hands out what RESULT brought, and passes it on. */
static int search_end(struct search *search, int result, struct span *spans, unsigned count)
{
    for (unsigned i = 0; result >= 0 && i < count; i++) {
        const size_t *place = search->places + 2 * i;
        bool set = i < search->pairs && place[0] != PCRE2_UNSET && place[0] <= place[1];
        spans[i] = set ? (struct span){place[0], place[1]} : (struct span){0, 0};
    }
    pcre2_match_data_free(search->data);
    pcre2_match_context_free(search->context);
    g_free(search->places);
    g_free(search->wide_key);
    return result;
}

static int match_from(struct search *search, size_t start, size_t last)
{
    PCRE2_SPTR key = (PCRE2_SPTR)search->key;
    const struct pcre_code *code = search->code;
    if (code->wide)
        return wide_pattern_match(code->wide, search->wide_key, search->length, start, last,
                                  search->options, search->places, search->pairs);
    pcre2_set_offset_limit(search->context, last);
    int result = pcre2_match(code->code, key, search->length, start, search->options, search->data,
                             search->context);
    /* The interpreter takes its memory from the heap, within its limit. */
    if (result == PCRE2_ERROR_JIT_STACKLIMIT)
        result = pcre2_match(code->code, key, search->length, start, search->options | PCRE2_NO_JIT,
                             search->data, search->context);
    if (result >= 0)
        memcpy(search->places, pcre2_get_ovector_pointer(search->data),
               2 * search->pairs * sizeof *search->places);
    return result;
}

static int match_stretches(struct search *search, size_t start)
{
    size_t stretch = search->code->wide ? (size_t)STRETCH_WIDE
                                        : MAX((size_t)STRETCH_MIN, search->length / STRETCHES);
    struct effort effort = effort_begin();
    int result = PCRE2_ERROR_NOMATCH;
    for (bool rest = false; result == PCRE2_ERROR_NOMATCH && !rest; start += stretch) {
        /* the last stretch went to the end of a character that it began */
        while (search->code->is_utf && (search->key[start] & 0xc0) == 0x80)
            start++;
        rest = search->length - start < stretch;
        result = match_from(search, start, rest ? PCRE2_UNSET : start + stretch - 1);
        if (result == PCRE2_ERROR_NOMATCH && !rest && effort_is_spent(&effort, WORK_MAX))
            result = PCRE2_ERROR_MATCHLIMIT;
    }
    return result;
}

int pcre_code_match(const struct pcre_code *code, const char *key, size_t length, size_t start,
                    uint32_t options, struct span *spans, unsigned count)
{
    struct search search;
    int result = PCRE2_ERROR_NOMEMORY;
    if (search_begin(&search, code, key, length, options, count))
        result = options & PCRE2_ANCHORED ? match_from(&search, start, PCRE2_UNSET)
                                          : match_stretches(&search, start);
    return search_end(&search, result, spans, count);
}

int pcre_code_match_longest(const struct pcre_code *code, const char *key, size_t length,
                            size_t start, uint32_t options, struct span *span)
{
    struct search search;
    int result = PCRE2_ERROR_NOMEMORY;
    if (!search_begin(&search, code, key, length, options, 1))
        return search_end(&search, result, span, 1);
    if (code->wide) {
        result = wide_pattern_match_longest(code->wide, search.wide_key, length, start, options,
                                            search.places, 1);
    } else {
        g_autofree int *workspace = g_new(int, WORKSPACE);
        result = pcre2_dfa_match(code->code, (PCRE2_SPTR)key, length, start, options, search.data,
                                 code->context, workspace, WORKSPACE);
        if (result >= 0)
            memcpy(search.places, pcre2_get_ovector_pointer(search.data), 2 * sizeof(size_t));
    }
    return search_end(&search, result, span, 1);
}

static void *compile(const char *pattern, unsigned flags, bool captures, char **why_r)
{
    (void)captures;
    struct pcre_code *code = pcre_code_new(pattern, flags & ~FLAG_NOTHING, why_r);
    if (code && (flags & PCRE2_CASELESS) && !code->is_utf && text_has_wide_case(pattern))
        *why_r = g_strdup(TEXT_WIDE_CASE_REMARK);
    return code;
}

static enum lookup_status match(const void *code, const char *key, size_t length,
                                struct span *spans, unsigned count)
{
    int result = pcre_code_match(code, key, length, 0, 0, spans, count);
    if (result >= 0)
        return LOOKUP_HIT;
    return result == PCRE2_ERROR_NOMATCH ? LOOKUP_MISS : LOOKUP_ERROR;
}

static unsigned flag(char letter)
{
    static const struct {
        char letter;
        unsigned flag;
    } flags[] = {
        {'i', PCRE2_CASELESS}, {'m', PCRE2_MULTILINE}, {'s', PCRE2_DOTALL},
        {'x', PCRE2_EXTENDED}, {'A', PCRE2_ANCHORED},  {'E', PCRE2_DOLLAR_ENDONLY},
        {'U', PCRE2_UNGREEDY}, {'X', FLAG_NOTHING},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(flags); i++)
        if (flags[i].letter == letter)
            return flags[i].flag;
    return 0;
}

const struct pattern_engine pcre_engine = {
    .flags = PCRE2_CASELESS | PCRE2_DOTALL,
    .flag = flag,
    .compile = compile,
    .groups = pcre_code_groups,
    .match = match,
    .free = pcre_code_free,
};
