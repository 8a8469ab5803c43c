/* SPDX-License-Identifier: BSD-2-Clause
 *
 * PCRE2 patterns, bounded: a key that makes one explode is answered "cannot tell" after some
 * milliseconds.
 */
#include "engine_pcre.h"

#include "base/effort.h"

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

struct pcre_code *pcre_code_new(const char *pattern, uint32_t options, char **why_r)
{
    int error;
    PCRE2_SIZE offset;
    pcre2_code *code = pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED,
                                     options | PCRE2_USE_OFFSET_LIMIT, &error, &offset, NULL);
    if (!code) {
        PCRE2_UCHAR text[256] = "unknown error";
        pcre2_get_error_message(error, text, sizeof text);
        *why_r = g_strdup_printf("bad pattern at its byte %zu: %s", (size_t)offset + 1, text);
        return NULL;
    }
    /* Without JIT it works too, slower. */
    pcre2_jit_compile(code, PCRE2_JIT_COMPLETE);
    struct pcre_code *pcre = g_new0(struct pcre_code, 1);
    pcre->code = code;
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
    g_free(pcre);
}

unsigned pcre_code_groups(const void *code)
{
    uint32_t count = 0;
    pcre2_pattern_info(((const struct pcre_code *)code)->code, PCRE2_INFO_CAPTURECOUNT, &count);
    return count;
}

static int match_from(const struct pcre_code *code, const char *key, size_t length, size_t start,
                      uint32_t options, pcre2_match_data *data, pcre2_match_context *context)
{
    int result = pcre2_match(code->code, (PCRE2_SPTR)key, length, start, options, data, context);
    /* The interpreter takes its memory from the heap, within its limit. */
    if (result == PCRE2_ERROR_JIT_STACKLIMIT)
        result = pcre2_match(code->code, (PCRE2_SPTR)key, length, start, options | PCRE2_NO_JIT,
                             data, context);
    return result;
}

static int match_stretches(const struct pcre_code *code, const char *key, size_t length,
                           size_t start, uint32_t options, pcre2_match_data *data)
{
    size_t stretch = MAX((size_t)STRETCH_MIN, length / STRETCHES);
    struct effort effort = effort_begin();
    int result = PCRE2_ERROR_NOMATCH;
    pcre2_match_context *context = pcre2_match_context_copy(code->context);
    if (!context)
        return PCRE2_ERROR_NOMEMORY;
    for (bool rest = false; result == PCRE2_ERROR_NOMATCH && !rest; start += stretch) {
        rest = length - start < stretch;
        pcre2_set_offset_limit(context, rest ? PCRE2_UNSET : start + stretch - 1);
        result = match_from(code, key, length, start, options, data, context);
        if (result == PCRE2_ERROR_NOMATCH && !rest && effort_is_spent(&effort, WORK_MAX))
            result = PCRE2_ERROR_MATCHLIMIT;
    }
    pcre2_match_context_free(context);
    return result;
}

int pcre_code_match(const struct pcre_code *code, const char *key, size_t length, size_t start,
                    uint32_t options, pcre2_match_data *data)
{
    if (length - start < STRETCH_MIN || (options & PCRE2_ANCHORED))
        return match_from(code, key, length, start, options, data, code->context);
    return match_stretches(code, key, length, start, options, data);
}

void pcre_code_spans(pcre2_match_data *data, struct span *spans, unsigned count)
{
    const PCRE2_SIZE *ovector = pcre2_get_ovector_pointer(data);
    unsigned pairs = pcre2_get_ovector_count(data);
    for (unsigned i = 0; i < count; i++) {
        bool set =
            i < pairs && ovector[2 * i] != PCRE2_UNSET && ovector[2 * i] <= ovector[2 * i + 1];
        spans[i] = set ? (struct span){ovector[2 * i], ovector[2 * i + 1]} : (struct span){0, 0};
    }
}

static void *compile(const char *pattern, unsigned flags, bool captures, char **why_r)
{
    (void)captures;
    return pcre_code_new(pattern, flags & ~FLAG_NOTHING, why_r);
}

static enum lookup_status match(const void *code, const char *key, size_t length,
                                struct span *spans, unsigned count)
{
    pcre2_match_data *data = pcre2_match_data_create(MAX(count, 1), NULL);
    if (!data)
        return LOOKUP_ERROR;
    int result = pcre_code_match(code, key, length, 0, 0, data);
    if (result >= 0)
        pcre_code_spans(data, spans, count);
    pcre2_match_data_free(data);
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

const struct engine pcre_engine = {
    .flags = PCRE2_CASELESS | PCRE2_DOTALL,
    .flag = flag,
    .compile = compile,
    .groups = pcre_code_groups,
    .match = match,
    .free = pcre_code_free,
};
