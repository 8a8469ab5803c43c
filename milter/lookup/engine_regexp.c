/* SPDX-License-Identifier: BSD-2-Clause
 *
 * POSIX patterns, by the system's regcomp(3), so that they mean exactly what they mean to Postfix
 * on the same machine. It cannot be told to give up, but without back-references its time is
 * bounded; with them long keys are not tried.
 */
#include <regex.h>
#include <string.h>

#include "engine.h"

/* Longer keys get no answer: of any pattern; of one with back-references. */
enum { KEY_MAX = 1024 * 1024, KEY_MAX_BACK_REFERENCE = 256 };

struct regexp_code {
    regex_t regex;
    bool back_reference;
};

static bool has_back_reference(const char *pattern)
{
    for (const char *p = pattern; *p; p++)
        if (*p == '\\' && *++p >= '1' && *p <= '9')
            return true;
        else if (*p == '\0')
            return false;
    return false;
}

static void *compile(const char *pattern, unsigned flags, bool captures, char **why_r)
{
    struct regexp_code *code = g_new0(struct regexp_code, 1);
    int error = regcomp(&code->regex, pattern, (int)flags | (captures ? 0 : REG_NOSUB));
    if (error != 0) {
        char text[256];
        regerror(error, &code->regex, text, sizeof text);
        *why_r = g_strdup_printf("bad pattern: %s", text);
        g_free(code);
        return NULL;
    }
    code->back_reference = has_back_reference(pattern);
    return code;
}

static unsigned count_groups(const void *code)
{
    return (unsigned)((const struct regexp_code *)code)->regex.re_nsub;
}

static enum lookup_status match(const void *data, const char *key, size_t length,
                                struct span *spans, unsigned count)
{
    const struct regexp_code *code = data;
    regmatch_t matches[TEMPLATE_GROUP_MAX + 1];
    if (length > (code->back_reference ? KEY_MAX_BACK_REFERENCE : KEY_MAX))
        return LOOKUP_ERROR;
    int result = regexec(&code->regex, key, count, matches, 0);
    if (result != 0)
        return result == REG_NOMATCH ? LOOKUP_MISS : LOOKUP_ERROR;
    for (unsigned i = 0; i < count; i++) {
        bool set = matches[i].rm_so >= 0;
        spans[i] = set ? (struct span){(size_t)matches[i].rm_so, (size_t)matches[i].rm_eo}
                       : (struct span){0, 0};
    }
    return LOOKUP_HIT;
}

static void free_code(void *data)
{
    struct regexp_code *code = data;
    if (!code)
        return;
    regfree(&code->regex);
    g_free(code);
}

static unsigned flag(char letter)
{
    switch (letter) {
    case 'i':
        return REG_ICASE;
    case 'm':
        return REG_NEWLINE;
    case 'x':
        return REG_EXTENDED;
    default:
        return 0;
    }
}

const struct engine regexp_engine = {
    .flags = REG_EXTENDED | REG_ICASE,
    .flag = flag,
    .second_pattern = true,
    .compile = compile,
    .groups = count_groups,
    .match = match,
    .free = free_code,
};
