/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The names of restriction classes. What they hold is compiled where lists are.
 */
#include "policy/restriction_class.h"

#include <string.h>

#include "base/text.h"

static void class_free(void *data)
{
    struct restriction_class *class = data;
    g_free(class->name);
    g_free(class);
}

/* Why NAME cannot be a class's; NULL: it can. */
static const char *name_fault(const char *name)
{
    enum setting setting;
    if (restriction_find(name) || restriction_not_served(name))
        return "is a restriction and cannot be a class, too";
    if (setting_find(name, SECTION_MAIN, &setting))
        return "is a parameter and cannot be a class, too";
    if (strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") !=
            strlen(name) ||
        g_ascii_isdigit(*name))
        return "is no name for a class: letters, digits, \"_\" and \"-\", a letter first";
    return NULL;
}

GPtrArray *restriction_classes_new(const struct settings *settings, const struct section *section,
                                   struct problems *problems)
{
    const struct setting_value *value =
        settings_get(settings, section, SETTING_RESTRICTION_CLASSES);
    g_autoptr(GPtrArray) words = text_split_list(value->text, NULL);
    if (!words || words->len == 0)
        return NULL;
    GPtrArray *classes = g_ptr_array_new_with_free_func(class_free);
    for (guint i = 0; i < words->len; i++) {
        const char *name = words->pdata[i], *fault = name_fault(name);
        if (fault)
            problems_error(problems, value->file, value->line, "restriction_classes: \"%s\" %s",
                           name, fault);
        if (fault || restriction_class_find(classes, name))
            continue;
        if (access_value_is_action(name))
            problems_warning(problems, value->file, value->line,
                             "restriction_classes: as the result of a table \"%s\" is the action "
                             "of access tables, not the class",
                             name);
        const struct setting_keyed *line =
            settings_find_keyed(settings, section, SETTING_RESTRICTION_CLASSES, name);
        if (!line)
            line = settings_find_keyed(settings, NULL, SETTING_RESTRICTION_CLASSES, name);
        if (!line)
            problems_warning(problems, value->file, value->line,
                             "restriction_classes: nothing says what %s is (%s = RESTRICTION...); "
                             "it decides nothing",
                             name, name);
        struct restriction_class *class = g_new0(struct restriction_class, 1);
        class->name = g_strdup(name);
        class->is_said = line != NULL;
        class->value = line ? &line->value : value;
        g_ptr_array_add(classes, class);
    }
    return classes;
}

struct restriction_class *restriction_class_find(const GPtrArray *classes, const char *name)
{
    for (guint i = 0; classes && i < classes->len; i++) {
        struct restriction_class *class = classes->pdata[i];
        if (strcmp(class->name, name) == 0)
            return class;
    }
    return NULL;
}
