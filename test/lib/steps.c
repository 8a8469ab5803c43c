/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The counter, and the functions of libraries that walk over text, wrapped by the linker.
 */
#include "steps.h"

#include <glib.h>
#include <stdlib.h>
#include <string.h>

/* Most that the steps may grow when the input doubles, and what may come from the small input's
 * not having reached some bound. */
static const double growth_max = 2.3;
/* What no reader needs for one byte of the worst input, whatever its bounds are. */
enum { STEPS_A_BYTE_MAX = 20000 };

static uint64_t steps, steps_max = UINT64_MAX;
static const char *at_work;

void steps_begin(uint64_t limit, const char *what)
{
    steps = 0;
    steps_max = limit;
    at_work = what;
}

uint64_t steps_taken(void)
{
    steps_max = UINT64_MAX;
    return steps;
}

void __sanitizer_cov_trace_pc(void);
void __sanitizer_cov_trace_pc(void)
{
    if (++steps > steps_max) {
        steps_max = UINT64_MAX;
        g_error("more than twice the steps for twice the input: %s", at_work);
    }
}

/* SIZE bytes: HEAD, then UNIT again and again, whole. */
static GString *repeated(const char *head, const char *unit, size_t size)
{
    GString *out = g_string_new(head);
    while (out->len + strlen(unit) <= size)
        g_string_append(out, unit);
    return out;
}

/* Steps may jump once, where the longer input ends in another way (a quote more that is not
 * closed): what has more than doubled must double, and no more, the next time. */
void steps_check_linear(const char *name, steps_reader *read, const char *head, const char *unit,
                        size_t size)
{
    g_autofree char *shown = g_strescape(unit, NULL), *before = g_strescape(head, NULL);
    g_autofree char *what =
        g_strdup_printf("%s, \"%s\" and then \"%s\" over and over", name, before, shown);
    uint64_t before_steps = 0, limit = STEPS_A_BYTE_MAX * size;
    for (int doublings = 0; doublings < 3; doublings++, size *= 2) {
        g_autoptr(GString) text = repeated(head, unit, size);
        steps_begin(limit, what);
        read(text->str, text->len);
        uint64_t now = steps_taken();
        uint64_t most = (uint64_t)(growth_max * (double)before_steps) + 10 * size;
        if (doublings > 0 && now <= most)
            return;
        before_steps = now;
        limit = doublings == 0 ? UINT64_MAX : (uint64_t)(growth_max * (double)now) + 20 * size;
    }
}

void steps_check_made(const struct steps_row *rows, size_t count)
{
    GRand *random = g_rand_new_with_seed(20261127);
    const char *more = g_getenv("LINEAR_ROUNDS");
    int rounds = more ? atoi(more) : 30;
    for (const struct steps_row *row = rows; row < rows + count; row++) {
        for (int round = 0; round < rounds; round++) {
            g_autoptr(GString) unit = g_string_new(NULL);
            for (int n = g_rand_int_range(random, 1, 5); n > 0; n--)
                g_string_append(unit, row->pieces[g_rand_int_range(random, 0, (gint32)row->count)]);
            const char *head = g_rand_boolean(random)
                                   ? ""
                                   : row->pieces[g_rand_int_range(random, 0, (gint32)row->count)];
            steps_check_linear(row->name, row->read, head, unit->str, row->size);
        }
    }
    g_rand_free(random);
}

/* For each NAME that the linker wraps: __wrap_NAME is called, __real_NAME is the library's. */
void *__real_memchr(const void *, int, size_t);
void *__wrap_memchr(const void *, int, size_t);
char *__real_strchr(const char *, int);
char *__wrap_strchr(const char *, int);
char *__real_strstr(const char *, const char *);
char *__wrap_strstr(const char *, const char *);
size_t __real_strlen(const char *);
size_t __wrap_strlen(const char *);
size_t __real_strspn(const char *, const char *);
size_t __wrap_strspn(const char *, const char *);
size_t __real_strcspn(const char *, const char *);
size_t __wrap_strcspn(const char *, const char *);
char *__real_strpbrk(const char *, const char *);
char *__wrap_strpbrk(const char *, const char *);
char *__real_strrchr(const char *, int);
char *__wrap_strrchr(const char *, int);
void *__real_memcpy(void *, const void *, size_t);
void *__wrap_memcpy(void *, const void *, size_t);
void *__real_memmove(void *, const void *, size_t);
void *__wrap_memmove(void *, const void *, size_t);
char *__real_g_strstr_len(const char *, gssize, const char *);
char *__wrap_g_strstr_len(const char *, gssize, const char *);
char *__real_g_strrstr_len(const char *, gssize, const char *);
char *__wrap_g_strrstr_len(const char *, gssize, const char *);
char *__real_g_strndup(const char *, gsize);
char *__wrap_g_strndup(const char *, gsize);
char *__real_g_strdup(const char *);
char *__wrap_g_strdup(const char *);
GString *__real_g_string_append_len(GString *, const char *, gssize);
GString *__wrap_g_string_append_len(GString *, const char *, gssize);
GString *__real_g_string_erase(GString *, gssize, gssize);
GString *__wrap_g_string_erase(GString *, gssize, gssize);
char *__real_g_utf8_make_valid(const char *, gssize);
char *__wrap_g_utf8_make_valid(const char *, gssize);
gboolean __real_g_utf8_validate(const char *, gssize, const char **);
gboolean __wrap_g_utf8_validate(const char *, gssize, const char **);
gboolean __real_g_pattern_spec_match_string(GPatternSpec *, const char *);
gboolean __wrap_g_pattern_spec_match_string(GPatternSpec *, const char *);
gboolean __real_g_pattern_match_simple(const char *, const char *);
gboolean __wrap_g_pattern_match_simple(const char *, const char *);

void *__wrap_memchr(const void *p, int c, size_t n)
{
    const char *hit = __real_memchr(p, c, n);
    steps += hit ? (size_t)(hit - (const char *)p) : n;
    return (void *)(uintptr_t)(const void *)hit;
}

char *__wrap_strchr(const char *s, int c)
{
    char *hit = __real_strchr(s, c);
    steps += hit ? (size_t)(hit - s) : __real_strlen(s);
    return hit;
}

char *__wrap_strstr(const char *s, const char *needle)
{
    char *hit = __real_strstr(s, needle);
    steps += hit ? (size_t)(hit - s) : __real_strlen(s);
    return hit;
}

size_t __wrap_strlen(const char *s)
{
    size_t n = __real_strlen(s);
    steps += n;
    return n;
}

size_t __wrap_strspn(const char *s, const char *set)
{
    size_t n = __real_strspn(s, set);
    steps += n;
    return n;
}

size_t __wrap_strcspn(const char *s, const char *set)
{
    size_t n = __real_strcspn(s, set);
    steps += n;
    return n;
}

char *__wrap_strpbrk(const char *s, const char *set)
{
    steps += __real_strcspn(s, set);
    return __real_strpbrk(s, set);
}

char *__wrap_strrchr(const char *s, int c)
{
    steps += __real_strlen(s);
    return __real_strrchr(s, c);
}

void *__wrap_memcpy(void *to, const void *from, size_t n)
{
    steps += n;
    return __real_memcpy(to, from, n);
}

void *__wrap_memmove(void *to, const void *from, size_t n)
{
    steps += n;
    return __real_memmove(to, from, n);
}

char *__wrap_g_strstr_len(const char *s, gssize n, const char *needle)
{
    char *hit = __real_g_strstr_len(s, n, needle);
    steps += hit ? (size_t)(hit - s) : n < 0 ? __real_strlen(s) : (size_t)n;
    return hit;
}

char *__wrap_g_strrstr_len(const char *s, gssize n, const char *needle)
{
    char *hit = __real_g_strrstr_len(s, n, needle);
    size_t length = n < 0 ? __real_strlen(s) : (size_t)n;
    steps += hit ? length - (size_t)(hit - s) : length;
    return hit;
}

char *__wrap_g_strndup(const char *s, gsize n)
{
    steps += n;
    return __real_g_strndup(s, n);
}

char *__wrap_g_strdup(const char *s)
{
    steps += s ? __real_strlen(s) : 0;
    return __real_g_strdup(s);
}

GString *__wrap_g_string_append_len(GString *string, const char *s, gssize n)
{
    steps += n < 0 ? __real_strlen(s) : (size_t)n;
    return __real_g_string_append_len(string, s, n);
}

GString *__wrap_g_string_erase(GString *string, gssize pos, gssize n)
{
    steps += n < 0 ? 0 : string->len - (gsize)pos - (gsize)n;
    return __real_g_string_erase(string, pos, n);
}

char *__wrap_g_utf8_make_valid(const char *s, gssize n)
{
    steps += n < 0 ? __real_strlen(s) : (size_t)n;
    return __real_g_utf8_make_valid(s, n);
}

gboolean __wrap_g_utf8_validate(const char *s, gssize n, const char **end)
{
    steps += n < 0 ? __real_strlen(s) : (size_t)n;
    return __real_g_utf8_validate(s, n, end);
}

gboolean __wrap_g_pattern_spec_match_string(GPatternSpec *spec, const char *s)
{
    steps += __real_strlen(s);
    return __real_g_pattern_spec_match_string(spec, s);
}

gboolean __wrap_g_pattern_match_simple(const char *pattern, const char *s)
{
    steps += __real_strlen(s);
    return __real_g_pattern_match_simple(pattern, s);
}
