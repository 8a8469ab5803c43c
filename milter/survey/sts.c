/* SPDX-License-Identifier: BSD-2-Clause
 *
 * MTA-STS and TLSRPT records, and policies.
 */
#include "sts.h"

#include <string.h>

static const char *const modes[] = {"none", "testing", "enforce"};

const char *sts_mode_text(enum sts_mode mode)
{
    return modes[mode];
}

/* Whether TEXT begins with the version, which ends there or at ";". */
static bool has_version(const char *text, const char *version)
{
    size_t length = strlen(version);
    if (strncmp(text, version, length) != 0)
        return false;
    const char *rest = text + length + strspn(text + length, " \t");
    return *rest == ';' || *rest == '\0';
}

/* The only text of the version; NULL with how many there are. */
static const char *only_record(char *const *texts, size_t count, const char *version,
                               unsigned *found_r)
{
    const char *record = NULL;
    *found_r = 0;
    for (size_t i = 0; i < count; i++) {
        if (has_version(texts[i], version)) {
            record = texts[i];
            (*found_r)++;
        }
    }
    return *found_r == 1 ? record : NULL;
}

/* The value of "NAME=VALUE" between semicolons, without white space around it; NULL: none. */
static char *field_of(const char *record, const char *name)
{
    g_auto(GStrv) fields = g_strsplit(record, ";", 100);
    for (size_t i = 0; fields[i]; i++) {
        char *field = g_strstrip(fields[i]);
        char *equals = strchr(field, '=');
        if (!equals)
            continue;
        *equals = '\0';
        if (strcmp(g_strchomp(field), name) == 0)
            return g_strdup(g_strchug(equals + 1));
    }
    return NULL;
}

char *sts_record_id(char *const *texts, size_t count, const char **why_r)
{
    unsigned found;
    const char *record = only_record(texts, count, "v=STSv1", &found);
    *why_r = found > 1 ? "more than one MTA-STS record: none counts" : NULL;
    if (!record)
        return NULL;
    g_autofree char *id = field_of(record, "id");
    bool valid = id && *id && strlen(id) <= 32;
    for (const char *p = id; valid && *p; p++)
        valid = g_ascii_isalnum(*p);
    if (valid)
        return g_steal_pointer(&id);
    *why_r = "the MTA-STS record has no id of 1 to 32 letters and digits";
    return NULL;
}

char *sts_report_places(char *const *texts, size_t count)
{
    unsigned found;
    const char *record = only_record(texts, count, "v=TLSRPTv1", &found);
    g_autofree char *places = record ? field_of(record, "rua") : NULL;
    if (!places || !*places)
        return NULL;
    g_auto(GStrv) parts = g_strsplit_set(places, ", \t", -1);
    GString *joined = g_string_new(NULL);
    for (size_t i = 0; parts[i]; i++)
        if (*parts[i])
            g_string_append_printf(joined, "%s%s", joined->len > 0 ? " " : "", parts[i]);
    return g_string_free(joined, FALSE);
}

void sts_policy_free(struct sts_policy *policy)
{
    if (!policy)
        return;
    g_ptr_array_unref(policy->patterns);
    g_free(policy);
}

/* What the lines said so far; of all but "mx" the first counts. */
struct draft {
    struct sts_policy *policy;
    bool version, mode, max_age;
    const char *why;
};

static void take_max_age(struct draft *draft, const char *value)
{
    guint64 seconds = 0;
    if (draft->max_age)
        return;
    draft->max_age = g_ascii_string_to_unsigned(value, 10, 0, 9999999999, &seconds, NULL);
    draft->policy->max_age = (int64_t)MIN(seconds, STS_MAX_AGE_MAX);
    if (!draft->max_age)
        draft->why = "the policy's max_age is no number of seconds";
}

static void take_pattern(struct draft *draft, const char *value)
{
    const char *name = g_str_has_prefix(value, "*.") ? value + 2 : value;
    bool valid = *name && *name != '.' && strlen(name) <= 253 && !strstr(name, "..");
    for (const char *p = name; valid && *p; p++)
        valid = g_ascii_isalnum(*p) || strchr("-._", *p);
    if (!valid)
        draft->why = "a pattern of the policy is no host name";
    else if (draft->policy->patterns->len >= STS_PATTERNS_MAX)
        draft->why = "the policy has too many patterns";
    else
        g_ptr_array_add(draft->policy->patterns, g_ascii_strdown(value, -1));
}

static void take_line(struct draft *draft, char *line)
{
    char *colon = strchr(line, ':');
    if (!colon) {
        if (*g_strstrip(line))
            draft->why = "the policy has a line that is no \"name: value\"";
        return;
    }
    *colon = '\0';
    const char *name = g_strstrip(line), *value = g_strstrip(colon + 1);
    if (strcmp(name, "version") == 0 && !draft->version) {
        draft->version = strcmp(value, "STSv1") == 0;
        if (!draft->version)
            draft->why = "the policy's version is not STSv1";
    } else if (strcmp(name, "mode") == 0) {
        for (size_t i = 0; !draft->mode && i < G_N_ELEMENTS(modes); i++) {
            if (strcmp(value, modes[i]) == 0) {
                draft->policy->mode = (enum sts_mode)i;
                draft->mode = true;
            }
        }
        if (!draft->mode)
            draft->why = "the policy's mode is none of enforce, testing, none";
    } else if (strcmp(name, "max_age") == 0) {
        take_max_age(draft, value);
    } else if (strcmp(name, "mx") == 0) {
        take_pattern(draft, value);
    }
}

struct sts_policy *sts_policy_parse(const char *text, size_t length, const char **why_r)
{
    struct draft draft = {.policy = g_new0(struct sts_policy, 1)};
    draft.policy->patterns = g_ptr_array_new_with_free_func(g_free);
    if (length > STS_POLICY_MAX)
        draft.why = "the policy is larger than 64 kB";
    else if (memchr(text, '\0', length) || !g_utf8_validate(text, (gssize)length, NULL))
        draft.why = "the policy is no text";
    g_autofree char *copy = draft.why ? NULL : g_strndup(text, length);
    g_auto(GStrv) lines = copy ? g_strsplit(copy, "\n", -1) : NULL;
    for (size_t i = 0; lines && lines[i] && !draft.why; i++)
        take_line(&draft, lines[i]);
    if (!draft.why && !draft.version)
        draft.why = "the policy has no version";
    else if (!draft.why && !draft.mode)
        draft.why = "the policy has no mode";
    else if (!draft.why && !draft.max_age)
        draft.why = "the policy has no max_age";
    else if (!draft.why && draft.policy->mode != STS_MODE_NONE && draft.policy->patterns->len == 0)
        draft.why = "the policy names no mx";
    if (!draft.why)
        return draft.policy;
    *why_r = draft.why;
    sts_policy_free(draft.policy);
    return NULL;
}

bool sts_policy_covers(const struct sts_policy *policy, const char *host)
{
    const char *parent = strchr(host, '.');
    for (guint i = 0; i < policy->patterns->len; i++) {
        const char *pattern = policy->patterns->pdata[i];
        if (g_str_has_prefix(pattern, "*.")) {
            if (parent && parent != host && g_ascii_strcasecmp(pattern + 1, parent) == 0)
                return true;
        } else if (g_ascii_strcasecmp(pattern, host) == 0) {
            return true;
        }
    }
    return false;
}
