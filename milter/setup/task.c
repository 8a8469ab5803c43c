/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the MTAs have in common: doubts, waits, listeners, lists.
 */
#include "task.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

/* Doubts */

static void tell(const struct setup_task *task, const char *kind, const char *format, va_list args)
    G_GNUC_PRINTF(3, 0);
static void tell(const struct setup_task *task, const char *kind, const char *format, va_list args)
{
    g_autofree char *text = g_strdup_vprintf(format, args);
    task->complain("%s: %s", kind, text);
}

void setup_warn(struct setup_task *task, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    tell(task, "warning", format, args);
    va_end(args);
    task->warnings++;
}

void setup_note(struct setup_task *task, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    tell(task, "note", format, args);
    va_end(args);
}

/* Waiting */

unsigned setup_longest_wait(const struct settings *settings)
{
    int64_t longest = settings_integer(settings, NULL, SETTING_DNSBL_TIMEOUT);
    guint count = settings_section_count(settings, SECTION_LISTENER);
    for (guint i = 0; i < count; i++)
        longest =
            MAX(longest, settings_integer(settings, settings_section(settings, SECTION_LISTENER, i),
                                          SETTING_DNSBL_TIMEOUT));
    return (unsigned)((longest + G_USEC_PER_SEC - 1) / G_USEC_PER_SEC);
}

unsigned setup_timeout(const struct settings *settings)
{
    return setup_longest_wait(settings) + SETUP_TIMEOUT_MARGIN;
}

unsigned setup_least_timeout(const struct settings *settings)
{
    return setup_longest_wait(settings) + SETUP_TIMEOUT_LEAST;
}

/* Listeners */

void setup_each_listener(const struct settings *settings,
                         void (*each)(void *data, const char *name, const char *where), void *data)
{
    static const enum setting lists[] = {SETTING_UNTRUSTED_LISTENERS, SETTING_SUBMISSION_LISTENERS};
    for (size_t i = 0; i < G_N_ELEMENTS(lists); i++) {
        const struct setting_value *value = settings_get(settings, NULL, lists[i]);
        g_autoptr(GPtrArray) names = setup_words(value->given ? value->text : "");
        for (guint n = 0; n < names->len; n++)
            each(data, names->pdata[n], setting_row(lists[i])->name);
    }
    guint count = settings_section_count(settings, SECTION_LISTENER);
    for (guint i = 0; i < count; i++) {
        const char *name = section_name(settings_section(settings, SECTION_LISTENER, i));
        g_autofree char *where = g_strdup_printf("[listener %s]", name);
        each(data, name, where);
    }
}

/* Lists */

GPtrArray *setup_words(const char *value)
{
    GPtrArray *words = text_split_list(value, NULL);
    return words ? words : g_ptr_array_new_with_free_func(g_free);
}

void setup_add_word(GPtrArray *list, const char *word)
{
    if (!g_ptr_array_find_with_equal_func(list, word, g_str_equal, NULL))
        g_ptr_array_add(list, g_strdup(word));
}

char *setup_join(const GPtrArray *list)
{
    GString *text = g_string_new(NULL);
    for (guint i = 0; i < list->len; i++)
        g_string_append_printf(text, "%s%s", i ? " " : "", (const char *)list->pdata[i]);
    return g_string_free(text, FALSE);
}

void setup_look_at_domains(struct setup_task *task)
{
    if (task->check && !settings_get(task->settings, NULL, SETTING_LOCAL_DOMAINS)->given)
        setup_warn(task, "%s does not set local_domains: mail from outside is refused with 451",
                   task->settings_file);
}

bool setup_is_any(const char *host)
{
    return strcmp(host, "0.0.0.0") == 0 || strcmp(host, "::") == 0;
}

const char *setup_host(const char *host, bool mta_is_here)
{
    if (!setup_is_any(host))
        return host;
    if (!mta_is_here)
        return g_get_host_name();
    return strcmp(host, "::") == 0 ? "::1" : "127.0.0.1";
}

bool setup_holds_nobody(const struct ipnet *net)
{
    static const struct ipnet mapped = {{IP_V6, {[10] = 0xff, [11] = 0xff}}, 96};
    return net->prefix >= mapped.prefix && ipnet_contains(&mapped, &net->address);
}

bool setup_is_one_line(const char *text)
{
    g_autofree char *escaped = text_escape(text);
    size_t length = strlen(text);
    for (const char *p = text; *p; p++)
        length += *p == '\\'; /* which is doubled, and no harm */
    return strlen(escaped) == length;
}

void setup_print_setting(const struct setup_task *task, const char *prefix, const char *remark,
                         enum setting id, const char *value)
{
    const struct setting_value *own = settings_get(task->settings, NULL, id);
    const char *name = setting_row(id)->name;
    if (own->given && strcmp(own->text, value) != 0)
        printf("%s%s:%u has: %s = %s\n", remark, own->file, own->line, name, own->text);
    g_autofree char *safe = setup_is_one_line(value) ? g_strdup(value) : text_escape(value);
    printf("%s%s =%s%s\n", prefix, name, *value ? " " : "", safe);
}
