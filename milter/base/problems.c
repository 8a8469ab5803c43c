/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Problems: a growing list of findings. It must know nothing of what is being read.
 */
#include "base/problems.h"

#include <string.h>

#include "base/colour.h"
#include "base/text.h"

struct problems {
    GPtrArray *list;
    GHashTable *seen; /* of struct problem *, those of the list */
    unsigned errors;
    unsigned warnings;
};

static void problem_free(void *data)
{
    struct problem *problem = data;
    g_free(problem->file);
    g_free(problem->text);
    g_free(problem);
}

static guint problem_hash(gconstpointer key)
{
    const struct problem *problem = key;
    return g_str_hash(problem->text) ^ g_str_hash(problem->file) ^ problem->line;
}

static gboolean problem_equal(gconstpointer left, gconstpointer right)
{
    const struct problem *a = left, *b = right;
    return a->severity == b->severity && a->line == b->line && strcmp(a->file, b->file) == 0 &&
           strcmp(a->text, b->text) == 0;
}

struct problems *problems_new(void)
{
    struct problems *problems = g_new0(struct problems, 1);
    problems->list = g_ptr_array_new_with_free_func(problem_free);
    problems->seen = g_hash_table_new(problem_hash, problem_equal);
    return problems;
}

void problems_free(struct problems *problems)
{
    if (!problems)
        return;
    g_hash_table_unref(problems->seen);
    g_ptr_array_unref(problems->list);
    g_free(problems);
}

G_GNUC_PRINTF(5, 0)
static void add(struct problems *problems, enum problem_severity severity, const char *file,
                unsigned line, const char *format, va_list args)
{
    struct problem *problem = g_new0(struct problem, 1);
    problem->severity = severity;
    problem->file = g_strdup(file ? file : "-");
    problem->line = line;
    problem->text = g_strdup_vprintf(format, args);
    bool kept = problems->list->len < PROBLEMS_MAX;
    bool news = !g_hash_table_contains(problems->seen, problem);
    problems->errors += news && severity == PROBLEM_ERROR;
    problems->warnings += news && severity == PROBLEM_WARNING;
    if (!news || !kept) {
        problem_free(problem);
        return;
    }
    g_hash_table_add(problems->seen, problem);
    g_ptr_array_add(problems->list, problem);
}

void problems_error(struct problems *problems, const char *file, unsigned line, const char *format,
                    ...)
{
    va_list args;
    va_start(args, format);
    add(problems, PROBLEM_ERROR, file, line, format, args);
    va_end(args);
}

void problems_warning(struct problems *problems, const char *file, unsigned line,
                      const char *format, ...)
{
    va_list args;
    va_start(args, format);
    add(problems, PROBLEM_WARNING, file, line, format, args);
    va_end(args);
}

unsigned problems_errors(const struct problems *problems)
{
    return problems->errors;
}

unsigned problems_warnings(const struct problems *problems)
{
    return problems->warnings;
}

const struct problem *problems_get(const struct problems *problems, unsigned index)
{
    return index < problems->list->len ? problems->list->pdata[index] : NULL;
}

/* BEGIN and END stand around the word that says how bad it is. */
static char *format(const struct problem *problem, const char *begin, const char *end)
{
    const char *word = problem->severity == PROBLEM_ERROR ? "error" : "warning";
    g_autofree char *line = problem->line == PROBLEM_NO_LINE
                                ? g_strdup("")
                                : g_strdup_printf(":%u", MAX(problem->line, 1));
    g_autofree char *file = text_escape(problem->file), *text = text_escape(problem->text);
    return g_strdup_printf("%s%s: %s%s:%s %s", file, line, begin, word, end, text);
}

char *problem_format(const struct problem *problem)
{
    return format(problem, "", "");
}

void problems_print(const struct problems *problems, FILE *stream)
{
    for (unsigned i = 0; i < problems->list->len; i++) {
        const struct problem *problem = problems->list->pdata[i];
        enum colour colour = problem->severity == PROBLEM_ERROR ? COLOUR_ERROR : COLOUR_WARNING;
        g_autofree char *line =
            format(problem, colour_code(stream, colour), colour_code(stream, COLOUR_NONE));
        fprintf(stream, "%s\n", line);
    }
    unsigned total = problems->errors + problems->warnings;
    if (total > problems->list->len)
        fprintf(stream, "... and %u more\n", total - problems->list->len);
}
