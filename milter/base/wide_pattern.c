/* SPDX-License-Identifier: BSD-2-Clause
 *
 * PCRE2 with 32 bits a unit. The numbers of options and errors are those of the other width: who
 * calls need not know this one.
 */
#define PCRE2_CODE_UNIT_WIDTH 32
#include "base/wide_pattern.h"

#include <glib.h>
#include <pcre2.h>
#include <string.h>

/* Working space of a match without backtracking, in ints; each is a place in the pattern. */
enum { WORKSPACE = 1 << 18 };

struct wide_pattern {
    pcre2_code *code;
    pcre2_match_context *context;
    size_t memory; /* that compilation may still take */
};

bool wide_pattern_helps(int error)
{
    return error == PCRE2_ERROR_PATTERN_TOO_LARGE || error == PCRE2_ERROR_LOOKBEHIND_TOO_LONG;
}

/* PCRE2 10.42 sets no limit to what repetitions make of a pattern, so that its memory is given out
 * up to one. The code keeps the allocator, and DATA with it: it lives in the pattern. */
static void *take_memory(PCRE2_SIZE size, void *data)
{
    size_t *left = data;
    if (size > *left)
        return NULL;
    *left -= size;
    return g_try_malloc(size);
}

static void give_memory(void *memory, void *data)
{
    (void)data;
    g_free(memory);
}

static bool compile(struct wide_pattern *pattern, const uint32_t *units, size_t length,
                    const struct wide_options *options, int *error_r, size_t *offset_r)
{
    pcre2_general_context *memory =
        pcre2_general_context_create(take_memory, give_memory, &pattern->memory);
    pcre2_compile_context *context = pcre2_compile_context_create(memory);
    pattern->context = pcre2_match_context_create(NULL);
    if (!context || !pattern->context)
        g_error("out of memory"); /* as GLib does */
    pcre2_set_max_pattern_length(context, WIDE_PATTERN_MAX);
    if (options->tables)
        pcre2_set_character_tables(context, options->tables);
    if (options->newline)
        pcre2_set_newline(context, options->newline);
    if (options->bsr)
        pcre2_set_bsr(context, options->bsr);
    pattern->code = pcre2_compile(units, length, options->options | PCRE2_USE_OFFSET_LIMIT, error_r,
                                  offset_r, context);
    pcre2_compile_context_free(context);
    pcre2_general_context_free(memory);
    if (!pattern->code && *error_r == PCRE2_ERROR_HEAP_FAILED)
        *error_r = PCRE2_ERROR_PATTERN_TOO_LARGE;
    return pattern->code != NULL;
}

struct wide_pattern *wide_pattern_new(const char *pattern, size_t length,
                                      const struct wide_options *options, int *error_r,
                                      size_t *offset_r)
{
    struct wide_pattern *wide = g_new0(struct wide_pattern, 1);
    g_autofree uint32_t *units = wide_text(pattern, length);
    wide->memory = WIDE_PATTERN_MEMORY_MAX;
    if (!compile(wide, units, length, options, error_r, offset_r)) {
        wide_pattern_free(wide);
        return NULL;
    }
    /* Without JIT, or without the memory for it, it works too, slower. */
    pcre2_jit_compile(wide->code, PCRE2_JIT_COMPLETE);
    pcre2_set_match_limit(wide->context, options->match_limit);
    pcre2_set_depth_limit(wide->context, options->depth_limit);
    pcre2_set_heap_limit(wide->context, options->heap_limit_kb);
    return wide;
}

void wide_pattern_free(struct wide_pattern *pattern)
{
    if (!pattern)
        return;
    pcre2_code_free(pattern->code);
    pcre2_match_context_free(pattern->context);
    g_free(pattern);
}

unsigned wide_pattern_groups(const struct wide_pattern *pattern)
{
    uint32_t count = 0;
    pcre2_pattern_info(pattern->code, PCRE2_INFO_CAPTURECOUNT, &count);
    return count;
}

uint32_t *wide_text(const char *text, size_t length)
{
    uint32_t *units = g_new(uint32_t, length + 1);
    for (size_t i = 0; i < length; i++)
        units[i] = (unsigned char)text[i];
    units[length] = 0;
    return units;
}

static void copy_places(pcre2_match_data *data, size_t *ovector, unsigned pairs)
{
    const PCRE2_SIZE *places = pcre2_get_ovector_pointer(data);
    memcpy(ovector, places, 2 * pairs * sizeof *ovector);
}

int wide_pattern_match(const struct wide_pattern *pattern, const uint32_t *text, size_t length,
                       size_t start, size_t last, uint32_t options, size_t *ovector, unsigned pairs)
{
    pcre2_match_context *context = pcre2_match_context_copy(pattern->context);
    pcre2_match_data *data = pcre2_match_data_create(MAX(pairs, 1), NULL);
    int n = PCRE2_ERROR_NOMEMORY;
    if (context && data) {
        pcre2_set_offset_limit(context, last == SIZE_MAX ? PCRE2_UNSET : last);
        n = pcre2_match(pattern->code, text, length, start, options, data, context);
        /* The interpreter takes its memory from the heap, within its limit. */
        if (n == PCRE2_ERROR_JIT_STACKLIMIT)
            n = pcre2_match(pattern->code, text, length, start, options | PCRE2_NO_JIT, data,
                            context);
    }
    if (n >= 0)
        copy_places(data, ovector, pairs);
    pcre2_match_data_free(data);
    pcre2_match_context_free(context);
    return n;
}

int wide_pattern_match_longest(const struct wide_pattern *pattern, const uint32_t *text,
                               size_t length, size_t start, uint32_t options, size_t *ovector,
                               unsigned pairs)
{
    g_autofree int *workspace = g_new(int, WORKSPACE);
    pcre2_match_data *data = pcre2_match_data_create(MAX(pairs, 1), NULL);
    int n = data ? pcre2_dfa_match(pattern->code, text, length, start, options, data,
                                   pattern->context, workspace, WORKSPACE)
                 : PCRE2_ERROR_NOMEMORY;
    if (n >= 0)
        copy_places(data, ovector, pairs);
    pcre2_match_data_free(data);
    return n;
}
