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

struct restriction_classes *restriction_classes_new(const struct settings *settings,
                                                    const struct section *section,
                                                    struct problems *problems)
{
    const struct setting_value *value =
        settings_get(settings, section, SETTING_RESTRICTION_CLASSES);
    g_autoptr(GPtrArray) words = text_split_list(value->text, NULL);
    if (!words || words->len == 0)
        return NULL;
    struct restriction_classes *classes = g_new0(struct restriction_classes, 1);
    classes->all = g_ptr_array_new_with_free_func(class_free);
    classes->by_name = g_hash_table_new(g_str_hash, g_str_equal);
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
        g_ptr_array_add(classes->all, class);
        g_hash_table_insert(classes->by_name, class->name, class);
    }
    return classes;
}

struct restriction_class *restriction_class_find(const struct restriction_classes *classes,
                                                 const char *name)
{
    return classes ? g_hash_table_lookup(classes->by_name, name) : NULL;
}
