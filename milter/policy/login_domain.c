/* SPDX-License-Identifier: BSD-2-Clause
 *
 * login_domains alone.
 */
#include "policy/login_domain.h"

#include "lookup/matchlist.h"

static bool may_be(const struct settings *settings, const struct section *section,
                   const char *base_dir, const char *domain)
{
    const struct setting_value *value = settings_get(settings, section, SETTING_LOGIN_DOMAINS);
    if (!value->given)
        value = settings_get(settings, section, SETTING_LOCAL_DOMAINS);
    if (!value->given)
        return false;
    struct problems *problems = problems_new();
    const struct table_context context = {
        .base_dir = base_dir, .problems = problems, .file = value->file, .line = value->line};
    struct match_list *list = match_list_open(value->text, MATCH_DOMAINS, &context);
    bool found = !list || match_list_find_domain(list, domain) != LOOKUP_MISS;
    match_list_unref(list);
    problems_free(problems);
    return found;
}

bool login_domain_may_be(const struct settings *settings, const char *base_dir, const char *domain)
{
    bool found = may_be(settings, NULL, base_dir, domain);
    guint count = settings_section_count(settings, SECTION_LISTENER);
    for (guint i = 0; !found && i < count; i++)
        found = may_be(settings, settings_section(settings, SECTION_LISTENER, i), base_dir, domain);
    return found;
}
