/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Limits as settings say them.
 */
#include "limit_sections.h"

#include <string.h>

#include "mail/address.h"
#include "policy.h"
#include "settings/socket.h"
#include "settings/stateplace.h"

static const struct setting_value *value_of(const struct settings *settings,
                                            const struct section *section, enum setting id)
{
    return settings_get(settings, section, id);
}

static void fault(const struct table_context *base, const struct section *section,
                  const struct setting_value *value, const char *format, ...) G_GNUC_PRINTF(4, 5);
static void fault(const struct table_context *base, const struct section *section,
                  const struct setting_value *value, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    bool given = value && value->given;
    problems_error(base->problems, given ? value->file : section_file(section),
                   given ? value->line : section_line(section), "[limit %s]: %s",
                   section_name(section), text);
}

static bool read_key(struct limit *limit, const struct settings *settings,
                     const struct section *section, const struct table_context *base)
{
    const struct setting_value *value = value_of(settings, section, SETTING_LIMIT_KEY);
    g_autofree char *why = NULL;
    if (!value->given) {
        fault(base, section, value, "key must be set, for example key = sasl_user");
        return false;
    }
    limit->parts = limit_parts_parse(value->text, &why);
    if (!limit->parts) {
        fault(base, section, value, "key: %s", why);
        return false;
    }
    for (guint i = 0; i < limit->parts->len; i++) {
        switch (g_array_index(limit->parts, struct limit_part, i).kind) {
        case LIMIT_SENDER:
        case LIMIT_SENDER_DOMAIN:
            limit->has_sender = true;
            break;
        case LIMIT_FROM:
        case LIMIT_FROM_DOMAIN:
            limit->has_from = limit->needs_message = true;
            break;
        case LIMIT_HEADER:
            limit->has_header = limit->needs_message = true;
            break;
        default:
            break;
        }
    }
    return true;
}

static bool read_max(struct limit *limit, const struct settings *settings,
                     const struct section *section, const struct table_context *base)
{
    const struct setting_value *value = value_of(settings, section, SETTING_LIMIT_MAX);
    if (!value->given) {
        fault(base, section, value, "max must be set, for example max = 500");
        return false;
    }
    if (!limit_read_max(limit, value->text, &limit->max) ||
        g_ascii_strcasecmp(value->text, "unlimited") == 0) {
        fault(base, section, value, "max: \"%s\" is not a number from 1%s", value->text,
              limit->count == LIMIT_BYTES
                  ? ", of bytes, k, m or g (100m)"
                  : " (k, m and g are for count = bytes; \"unlimited\" is for overrides)");
        return false;
    }
    if (limit->max > 0)
        return true;
    fault(base, section, value,
          "max: 0 lets nothing pass, ever; to let everything pass for some, say unlimited in "
          "overrides; to refuse somebody, use reject in a table of check_sasl_access or "
          "check_sender_access");
    return false;
}

static bool read_window(struct limit *limit, const struct settings *settings,
                        const struct section *section, const struct calendar *calendar,
                        const struct table_context *base)
{
    static const struct {
        enum calendar_unit unit;
        const char *text, *key;
    } units[] = {{CALENDAR_DAY, "a day", "day"},
                 {CALENDAR_WEEK, "a week", "week"},
                 {CALENDAR_MONTH, "a month", "month"}};
    const struct setting_value *value = value_of(settings, section, SETTING_LIMIT_PER);
    if (!value->given) {
        fault(base, section, value, "per must be set, for example per = 1d");
        return false;
    }
    int64_t window = settings_integer(settings, section, SETTING_LIMIT_PER);
    if (window > 0) {
        limit->length = window / 1000;
        limit->window_text = g_strdup_printf("in %s", value->text);
        limit->window_key = g_strdup_printf("%" G_GINT64_FORMAT, limit->length / 1000);
        return true;
    }
    size_t index = window == WINDOW_MONTH ? 2 : window == WINDOW_WEEK ? 1 : 0;
    limit->unit = units[index].unit;
    limit->window_text = g_strdup(units[index].text);
    limit->window_key =
        g_strdup_printf("%s@%s", units[index].key, calendar ? calendar_zone(calendar) : "");
    return true;
}

struct value_visit {
    const struct limit *limit;
    struct table_context context;
};

static bool visit_override(void *data, const char *file, unsigned line, const char *key,
                           const char *text)
{
    const struct value_visit *visit = data;
    g_autofree char *value = g_strstrip(g_strdup(text));
    uint64_t max;
    if (!limit_read_max(visit->limit, value, &max))
        problems_warning(visit->context.problems, line ? file : visit->context.file,
                         line ? line : visit->context.line,
                         "key \"%s\": \"%s\" is neither a number nor \"unlimited\": max of limit "
                         "%s stays in force",
                         key, value, visit->limit->name);
    return true;
}

static void read_overrides(struct limit *limit, const struct settings *settings,
                           const struct section *section, const struct table_context *base)
{
    const struct setting_value *value = value_of(settings, section, SETTING_LIMIT_OVERRIDES);
    if (*value->text == '\0')
        return;
    struct value_visit visit = {.limit = limit, .context = *base};
    visit.context.file = value->file;
    visit.context.line = value->line;
    limit->overrides = table_list_open(value->text, true, &visit.context);
    for (unsigned i = 0; limit->overrides && i < table_list_count(limit->overrides); i++)
        table_foreach(table_list_get(limit->overrides, i), visit_override, &visit);
}

static void check_notice(const struct settings *settings, const struct table_context *base)
{
    const struct setting_value *to = settings_get(settings, NULL, SETTING_LIMIT_NOTICE);
    const struct setting_value *server = settings_get(settings, NULL, SETTING_NOTICE_SERVER);
    struct mail_address address;
    mail_address_parse(to->text, &address);
    if (*to->text && (address.malformed || address.null || address.domain[0] == '\0' ||
                      strpbrk(to->text, "<> \t,")))
        problems_error(base->problems, to->file, to->line,
                       "limit_notice: \"%s\" is not an address (admin@example.org)", to->text);
    mail_address_clear(&address);
    struct socket_address place;
    struct ipaddr host;
    if (*to->text && (!socket_parse(server->text, &place, NULL) || place.kind == SOCKET_UNIX ||
                      !ipaddr_parse(place.host, &host)))
        problems_error(base->problems, server->file, server->line,
                       "notice_server: write an address and a port, as inet:25@127.0.0.1");
}

struct limit_site *limits_compile(const struct settings *settings, const struct table_context *base)
{
    struct limit_site *site = limit_site_new();
    const struct setting_value *zone = settings_get(settings, NULL, SETTING_LIMIT_TIMEZONE);
    site->warn_percent = (unsigned)settings_integer(settings, NULL, SETTING_LIMIT_WARN);
    site->notice_address = g_strdup(settings_get(settings, NULL, SETTING_LIMIT_NOTICE)->text);
    check_notice(settings, base);
    site->calendar = calendar_new(zone->text);
    if (!site->calendar) {
        problems_error(base->problems, zone->file, zone->line,
                       "limit_timezone: there is no time zone \"%s\"; write a name such as "
                       "Europe/Athens (/usr/share/zoneinfo has them, package tzdata)",
                       zone->text);
        site->calendar = calendar_new("");
    }
    guint count = settings_section_count(settings, SECTION_LIMIT);
    for (guint i = 0; i < count; i++) {
        const struct section *section = settings_section(settings, SECTION_LIMIT, i);
        struct limit *limit = g_new0(struct limit, 1);
        limit->name = g_strdup(section_name(section));
        limit->count = (enum limit_count)settings_integer(settings, section, SETTING_LIMIT_COUNT);
        limit->action =
            (enum limit_action)settings_integer(settings, section, SETTING_LIMIT_ACTION);
        limit->who = (enum limit_for)settings_integer(settings, section, SETTING_LIMIT_FOR);
        g_ptr_array_add(site->limits, limit);
        bool key = read_key(limit, settings, section, base);
        bool max = read_max(limit, settings, section, base);
        bool window = read_window(limit, settings, section, site->calendar, base);
        if (key && max && window)
            read_overrides(limit, settings, section, base);
        if (!limit->parts)
            limit->parts = g_array_new(FALSE, FALSE, sizeof(struct limit_part));
    }
    return site;
}

/* --- where limits stand --- */

static bool names_limit(const struct restriction_list *list, const struct limit *limit)
{
    const struct restriction_item *item;
    for (unsigned i = 0; list && (item = restriction_list_item(list, i)); i++)
        if (item->row && item->row->argument == ARGUMENT_LIMIT && item->argument.word &&
            strcmp(item->argument.word, limit->name) == 0)
            return true;
    return false;
}

/* In a list, or in a class, which a table may name. */
static bool is_used(const struct policy *policy, const struct limit *limit)
{
    for (int kind = 0; kind < LIST_COUNT; kind++)
        if (names_limit(policy->lists[kind], limit))
            return true;
    const struct restriction_classes *classes = policy->classes;
    for (guint i = 0; classes && i < classes->all->len; i++)
        if (names_limit(((const struct restriction_class *)classes->all->pdata[i])->list, limit))
            return true;
    return false;
}

static bool has_trait(const struct policy *policy, enum restriction_trait trait)
{
    for (int kind = 0; kind < LIST_COUNT; kind++)
        if (policy->lists[kind] && restriction_list_has(policy->lists[kind], trait))
            return true;
    return false;
}

/* Whether a limit by client, and nothing else, counts the same mail. */
static bool has_catch_all(const struct policy *policy, const struct limit *limit)
{
    const struct limit_site *site = policy->site.limits;
    for (guint i = 0; i < site->limits->len; i++) {
        const struct limit *other = site->limits->pdata[i];
        enum limit_part_kind kind = other->parts->len == 1
                                        ? g_array_index(other->parts, struct limit_part, 0).kind
                                        : LIMIT_HEADER;
        bool covers = other->who == limit->who || other->who == LIMIT_ALL ||
                      (other->who == LIMIT_OUTGOING && limit->who != LIMIT_ALL) ||
                      (other->who == LIMIT_MYNETWORKS && limit->who == LIMIT_LOCAL);
        if ((kind == LIMIT_CLIENT || kind == LIMIT_CLIENT_24) && covers && is_used(policy, other))
            return true;
    }
    return false;
}

/* What is counted over minutes may be forgotten. */
static void lint_memory(const struct settings *settings, const struct limit *limit,
                        struct problems *problems)
{
    const struct setting_value *value = settings_get(settings, NULL, SETTING_STATE);
    struct state_place place;
    if (state_place_parse(value->text, &place, NULL) && place.kind == STATE_MEMORY &&
        (limit->length == 0 || limit->length > G_TIME_SPAN_HOUR / G_TIME_SPAN_MILLISECOND))
        problems_warning(problems, value->file, value->line,
                         "state = memory: limits begin at nothing after each restart, and may be "
                         "used up again; keep them in a file, as in state = "
                         "sqlite:/var/lib/gatepost/gatepost.db");
}

static void lint_limit(const struct policy *policy, const struct settings *settings,
                       const struct limit *limit, struct problems *problems)
{
    const struct section *section = settings_find_section(settings, SECTION_LIMIT, limit->name);
    const char *file = section_file(section);
    unsigned line = section_line(section);
    bool owners = policy->site.sender_login_maps != NULL;
    bool unchecked = (limit->has_sender && !(owners && has_trait(policy, TRAIT_PROVES_SENDER))) ||
                     (limit->has_from && !(owners && has_trait(policy, TRAIT_PROVES_FROM)));
    /* who may send without a login is told by the MTA alone (local_login_sender_maps) */
    bool by_mta = (limit->who == LIMIT_LOCAL || limit->who == LIMIT_MYNETWORKS) &&
                  has_catch_all(policy, limit);
    if (limit->who == LIMIT_ALL && limit->has_sender)
        problems_warning(problems, file, line,
                         "limit %s counts by sender for all: strangers can use up what anybody "
                         "may send, by his name",
                         limit->name);
    else if (unchecked && !by_mta)
        problems_warning(problems, file, line,
                         "limit %s counts by %s, but nothing checks whose address that is: each "
                         "invented one may send anew; set sender_login_maps and add %s, or count "
                         "by sasl_user or client as well",
                         limit->name, limit->has_from ? "the From: field" : "sender",
                         limit->has_from ? "reject_from_login_mismatch to message_restrictions"
                                         : "reject_authenticated_sender_login_mismatch to "
                                           "sender_restrictions");
    lint_memory(settings, limit, problems);
    if (limit->has_header && !has_catch_all(policy, limit))
        problems_warning(problems, file, line,
                         "limit %s counts by a header field, which may be left out: add a limit "
                         "with key = client for the same mail",
                         limit->name);
}

void limits_lint(const struct policy *policy, const struct settings *settings,
                 struct problems *problems)
{
    const struct limit_site *site = policy->site.limits;
    for (int kind = 0; kind < LIST_COUNT; kind++) {
        const struct restriction_list *list = policy->lists[kind];
        const struct setting_value *value = settings_get(
            settings, policy->section, restriction_list_setting((enum restriction_list_kind)kind));
        const struct restriction_item *item;
        for (unsigned i = 0; list && (item = restriction_list_item(list, i)); i++) {
            if (item->row->argument != ARGUMENT_LIMIT)
                continue;
            const struct limit *limit = item->argument.limit;
            for (unsigned j = 0; j < i; j++) {
                const struct restriction_item *before = restriction_list_item(list, j);
                if (!(before->row->passes & 1u << limit->who))
                    continue;
                problems_error(problems, value->file, value->line,
                               "%s: check_limit %s stands behind %s, which lets those pass that "
                               "it is for; put it before",
                               restriction_list_name(list->kind), limit->name, before->row->name);
                break;
            }
        }
    }
    for (guint i = 0; i < site->limits->len; i++)
        if (is_used(policy, site->limits->pdata[i]))
            lint_limit(policy, settings, site->limits->pdata[i], problems);
}

void limits_lint_unused(const GPtrArray *policies, const struct settings *settings,
                        struct problems *problems)
{
    const struct policy *first = policies->pdata[0];
    for (guint i = 0; i < first->site.limits->limits->len; i++) {
        const struct limit *limit = first->site.limits->limits->pdata[i];
        bool used = false;
        for (guint j = 0; j < policies->len; j++)
            used |= is_used(policies->pdata[j], limit);
        const struct section *section = settings_find_section(settings, SECTION_LIMIT, limit->name);
        if (!used)
            problems_warning(problems, section_file(section), section_line(section),
                             "limit %s is counted nowhere: no list names check_limit %s",
                             limit->name, limit->name);
    }
}
