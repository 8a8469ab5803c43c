/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Counting the history.
 */
#include "report/summary_report.h"

#include <stdlib.h>
#include <string.h>

#include "checks/spam.h"
#include "lookup/tablestatus.h"
#include "policy/restriction_class.h"
#include "ruleset/ruleset.h"

const char *const report_outcome_words[REPORT_OUTCOMES] = {"passed", "tagged", "held", "deferred",
                                                           "refused"};

static const char others[] = "(others)";

/* A table, while its lines are looked for. */
struct watched_table {
    struct table *table;
    int64_t since;
    uint64_t entries;
    GHashTable *found; /* lines, as numbers; of tables without a file keys, as text */
};

struct report_maker {
    const struct snapshot *snapshot;
    struct summary_report *report;
    int64_t first, last;             /* decisions, us since 1970 */
    GHashTable *index[REPORT_KINDS]; /* name -> struct report_row * */
    GHashTable *lists;               /* zone -> struct report_list * */
    GHashTable *tables;              /* name -> struct watched_table * */
    GHashTable *scored;              /* zones that rules alone name, borrowed */
    bool sums;                       /* reject_dnsbl is in force */
};

uint64_t report_row_total(const struct report_row *row)
{
    uint64_t total = 0;
    for (int i = 0; i < REPORT_OUTCOMES; i++)
        total += row->counts[i];
    return total;
}

static void row_free(void *data)
{
    struct report_row *row = data;
    g_free(row->name);
    g_free(row);
}

static void list_free(void *data)
{
    struct report_list *list = data;
    g_free(list->zone);
    g_free(list);
}

static void idle_table_free(void *data)
{
    struct report_table *table = data;
    g_free(table->name);
    g_ptr_array_unref(table->lines);
    g_free(table);
}

static void watched_table_free(void *data)
{
    struct watched_table *watched = data;
    table_unref(watched->table);
    g_hash_table_unref(watched->found);
    g_free(watched);
}

void summary_report_free(struct summary_report *report)
{
    if (!report)
        return;
    for (int kind = 0; kind < REPORT_KINDS; kind++)
        g_ptr_array_unref(report->rows[kind]);
    g_ptr_array_unref(report->lists);
    g_ptr_array_unref(report->idle_checks);
    g_ptr_array_unref(report->idle_lists);
    g_ptr_array_unref(report->idle_rules);
    g_ptr_array_unref(report->idle_tables);
    g_free(report);
}

/* What is in force */

/* Calls VISIT for each restriction of LIST. */
static void each_item(const struct restriction_list *list, void *data,
                      void (*visit)(void *data, const struct restriction_item *item))
{
    const struct restriction_item *item;
    for (unsigned i = 0; (item = restriction_list_item(list, i)); i++)
        if (item->row)
            visit(data, item);
}

/* The same for all lists and classes of all listeners. */
static void each_restriction(const struct snapshot *snapshot, void *data,
                             void (*visit)(void *data, const struct restriction_item *item))
{
    const struct policy *policy;
    for (unsigned i = 0; (policy = snapshot_policy_at(snapshot, i)); i++) {
        for (int kind = 0; kind < LIST_COUNT; kind++)
            each_item(policy->lists[kind], data, visit);
        for (guint j = 0; policy->classes && j < policy->classes->all->len; j++) {
            const struct restriction_class *class = policy->classes->all->pdata[j];
            if (class->list)
                each_item(class->list, data, visit);
        }
    }
}

/* Tables of one kind of file: their lines have the numbers of now since the file was changed. */
static void watch_tables(void *data, const struct restriction_item *item)
{
    struct report_maker *maker = data;
    const struct table_list *tables = item->argument.tables;
    struct table *table;
    for (unsigned i = 0; tables && (table = table_list_get(tables, i)); i++) {
        if (g_hash_table_contains(maker->tables, table_name(table)))
            continue;
        struct watched_table *watched = g_new0(struct watched_table, 1);
        watched->table = table_ref(table);
        watched->since = maker->report->since;
        watched->found = table_file(table)
                             ? g_hash_table_new(NULL, NULL)
                             : g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
        g_hash_table_insert(maker->tables, (char *)table_name(table), watched);
    }
}

static void look_for_sums(void *data, const struct restriction_item *item)
{
    struct report_maker *maker = data;
    maker->sums |= g_str_equal(item->row->name, "reject_dnsbl");
}

/* A listing that a rule asks for scores, and refuses nothing by itself. */
static void find_scored_zones(struct report_maker *maker)
{
    const struct policy *policy;
    g_autoptr(GHashTable) refusing = g_hash_table_new(g_str_hash, g_str_equal);
    for (unsigned i = 0; (policy = snapshot_policy_at(maker->snapshot, i)); i++) {
        const struct site *site = &policy->site;
        for (unsigned zone = 0; zone < dnsbl_set_count(site->dnsbl_zones); zone++) {
            bool scores = false;
            const GArray *of_rules = site->spam ? site->spam->rule_zones : NULL;
            for (guint k = 0; of_rules && k < of_rules->len; k++)
                scores |= g_array_index(of_rules, unsigned, k) == zone;
            g_hash_table_add(scores ? maker->scored : refusing,
                             dnsbl_set_get(site->dnsbl_zones, zone)->zone);
        }
    }
    GHashTableIter iter;
    void *zone;
    g_hash_table_iter_init(&iter, maker->scored);
    while (g_hash_table_iter_next(&iter, &zone, NULL))
        if (g_hash_table_contains(refusing, zone))
            g_hash_table_iter_remove(&iter);
}

struct report_maker *report_maker_new(const struct snapshot *snapshot, int64_t since)
{
    struct report_maker *maker = g_new0(struct report_maker, 1);
    struct summary_report *report = g_new0(struct summary_report, 1);
    maker->snapshot = snapshot;
    maker->report = report;
    report->since = since;
    for (int kind = 0; kind < REPORT_KINDS; kind++) {
        report->rows[kind] = g_ptr_array_new_with_free_func(row_free);
        maker->index[kind] = g_hash_table_new(g_str_hash, g_str_equal);
    }
    report->lists = g_ptr_array_new_with_free_func(list_free);
    report->idle_checks = g_ptr_array_new_with_free_func(g_free);
    report->idle_lists = g_ptr_array_new_with_free_func(g_free);
    report->idle_rules = g_ptr_array_new_with_free_func(g_free);
    report->idle_tables = g_ptr_array_new_with_free_func(idle_table_free);
    maker->lists = g_hash_table_new(g_str_hash, g_str_equal);
    maker->tables = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, watched_table_free);
    maker->scored = g_hash_table_new(g_str_hash, g_str_equal);
    each_restriction(snapshot, maker, watch_tables);
    each_restriction(snapshot, maker, look_for_sums);
    find_scored_zones(maker);
    g_autoptr(GPtrArray) statuses = snapshot_table_status(snapshot);
    for (guint i = 0; i < statuses->len; i++) {
        const struct table_status *status = statuses->pdata[i];
        struct watched_table *watched = g_hash_table_lookup(maker->tables, status->name);
        if (watched) {
            watched->entries = status->entries;
            watched->since = MAX(since, status->modified / 1000);
        }
    }
    return maker;
}

/* Counting */

/* The row of NAME, made if it is not there and there is room for one more. */
static struct report_row *row_of(struct report_maker *maker, enum report_kind kind,
                                 const char *name)
{
    struct report_row *row = g_hash_table_lookup(maker->index[kind], name);
    if (!row && g_hash_table_size(maker->index[kind]) >= REPORT_NAMES_MAX) {
        name = others;
        row = g_hash_table_lookup(maker->index[kind], name);
    }
    if (row)
        return row;
    row = g_new0(struct report_row, 1);
    row->name = g_strdup(name);
    g_ptr_array_add(maker->report->rows[kind], row);
    g_hash_table_insert(maker->index[kind], row->name, row);
    return row;
}

static void count(struct report_maker *maker, enum report_kind kind, const char *name,
                  enum report_outcome outcome)
{
    row_of(maker, kind, name)->counts[outcome]++;
}

/* Days and hours without a decision: a plot without them would lie. */
static void fill_times(struct report_maker *maker)
{
    if (maker->report->decisions == 0)
        return;
    for (int hour = 0; hour < 24; hour++) {
        char name[8];
        g_snprintf(name, sizeof name, "%02d", hour);
        row_of(maker, REPORT_BY_HOUR, name);
    }
    g_autoptr(GDateTime) day = g_date_time_new_from_unix_local(maker->first / G_USEC_PER_SEC);
    while (day && g_date_time_to_unix(day) <= maker->last / G_USEC_PER_SEC) {
        g_autofree char *name = g_date_time_format(day, "%Y-%m-%d");
        row_of(maker, REPORT_BY_DAY, name);
        GDateTime *next = g_date_time_add_days(day, 1);
        g_date_time_unref(day);
        day = next;
    }
}

static enum report_outcome outcome_of(const struct history_row *row)
{
    switch (row->action) {
    case ACTION_REJECT:
        return REPORT_REFUSED;
    case ACTION_TEMPFAIL:
        return REPORT_DEFERRED;
    case ACTION_HOLD:
        return REPORT_HELD;
    default:
        return row->tagged ? REPORT_TAGGED : REPORT_PASSED;
    }
}

static void count_time(struct report_maker *maker, int64_t when, enum report_outcome outcome)
{
    g_autoptr(GDateTime) time = g_date_time_new_from_unix_local(when / G_USEC_PER_SEC);
    g_autofree char *day = time ? g_date_time_format(time, "%Y-%m-%d") : NULL;
    if (!day)
        return;
    char hour[8];
    g_snprintf(hour, sizeof hour, "%02d", g_date_time_get_hour(time));
    count(maker, REPORT_BY_DAY, day, outcome);
    count(maker, REPORT_BY_HOUR, hour, outcome);
}

static void count_domain(struct report_maker *maker, const struct history_row *row,
                         enum report_outcome outcome)
{
    const char *sender = row->sender_meant && *row->sender_meant ? row->sender_meant : row->sender;
    const char *at = sender ? strrchr(sender, '@') : NULL;
    if (!sender)
        return;
    g_autofree char *domain = at ? g_ascii_strdown(at + 1, -1) : NULL;
    count(maker, REPORT_BY_DOMAIN, domain && *domain ? domain : *sender ? "(none)" : "<>", outcome);
}

/* A list's name as the site shows it. */
static struct report_list *list_of(struct report_maker *maker, const char *zone)
{
    struct report_list *list = g_hash_table_lookup(maker->lists, zone);
    if (list)
        return list;
    const struct table_list *map = snapshot_main_policy(maker->snapshot)->site.dnsbl_reply_map;
    g_autoptr(GString) shown = g_string_new(NULL);
    list = g_new0(struct report_list, 1);
    bool mapped = map && table_list_find(map, zone, shown, NULL) == LOOKUP_HIT;
    list->zone = g_strdup(mapped ? shown->str : zone);
    g_ptr_array_add(maker->report->lists, list);
    g_hash_table_insert(maker->lists, g_strdup(zone), list);
    return list;
}

/* What a zone, which may be asked about several things, said of one decision. */
struct zone_said {
    const char *zone;
    bool listed;
    bool minded;    /* a restriction that names the zone refuses what is listed so */
    int64_t weight; /* in the sum of reject_dnsbl */
};

static GArray *zones_of(const struct report_maker *maker, const struct history_row *row)
{
    GArray *zones = g_array_new(FALSE, FALSE, sizeof(struct zone_said));
    for (guint i = 0; row->lists && i < row->lists->len; i++) {
        const struct history_list *list = &g_array_index(row->lists, struct history_list, i);
        struct zone_said *said = NULL;
        for (guint j = 0; j < zones->len && !said; j++) {
            struct zone_said *one = &g_array_index(zones, struct zone_said, j);
            said = g_str_equal(one->zone, list->zone) ? one : NULL;
        }
        bool answered = list->verdict == DNSBL_LISTED || list->verdict == DNSBL_NOT_LISTED;
        if (!answered || !list->zone)
            continue;
        if (!said) {
            struct zone_said fresh = {.zone = list->zone};
            g_array_append_val(zones, fresh);
            said = &g_array_index(zones, struct zone_said, zones->len - 1);
        }
        said->listed |= list->verdict == DNSBL_LISTED;
        if (list->weighted)
            said->weight += list->weight;
        else
            said->minded |= list->weight > 0 && !g_hash_table_contains(maker->scored, list->zone);
    }
    return zones;
}

static bool is_list_check(const char *check)
{
    return check && (g_str_equal(check, "reject_dnsbl") || g_str_has_prefix(check, "reject_rbl_") ||
                     g_str_has_prefix(check, "reject_rhsbl_"));
}

/* Whether one of the first COUNT zones had it, too, and is shown by the name SHOWN. */
static bool had_before(struct report_maker *maker, const GArray *zones, guint count,
                       const char *shown)
{
    for (guint i = 0; i < count; i++) {
        const struct zone_said *said = &g_array_index(zones, struct zone_said, i);
        if (said->listed && g_str_equal(list_of(maker, said->zone)->zone, shown))
            return true;
    }
    return false;
}

/* Of what lists refused: by whom, and whether nobody else would have. */
static void count_lists(struct report_maker *maker, const struct history_row *row,
                        enum report_outcome outcome)
{
    g_autoptr(GArray) zones = zones_of(maker, row);
    bool caught =
        is_list_check(row->check) && (outcome == REPORT_REFUSED || outcome == REPORT_DEFERRED);
    bool by_sum = caught && g_str_equal(row->check, "reject_dnsbl");
    int64_t sum = 0;
    unsigned minded = 0;
    for (guint i = 0; i < zones->len; i++) {
        sum += g_array_index(zones, struct zone_said, i).weight;
        minded += g_array_index(zones, struct zone_said, i).minded;
    }
    for (guint i = 0; i < zones->len; i++) {
        const struct zone_said *said = &g_array_index(zones, struct zone_said, i);
        struct report_list *list = list_of(maker, said->zone);
        list->asked++;
        list->listed += said->listed;
        if (said->listed && !had_before(maker, zones, i, list->zone))
            count(maker, REPORT_BY_LIST, list->zone, outcome);
        if (!caught || (by_sum ? said->weight <= 0 : !said->minded))
            continue;
        bool sum_without = (by_sum || maker->sums) && sum - said->weight >= row->threshold;
        list->refused++;
        list->alone += !sum_without && minded == said->minded;
    }
}

/* ENTRY is "TYPE:FILE:LINE" or "inline:KEY". */
static void count_entry(struct report_maker *maker, const char *entry, int64_t when)
{
    const char *colon = strrchr(entry, ':');
    g_autofree char *name = colon ? g_strndup(entry, (gsize)(colon - entry)) : NULL;
    struct watched_table *watched = name ? g_hash_table_lookup(maker->tables, name) : NULL;
    if (watched && table_file(watched->table)) {
        if (when >= watched->since)
            g_hash_table_add(watched->found, GUINT_TO_POINTER((guint)strtoul(colon + 1, NULL, 10)));
        return;
    }
    if (!g_str_has_prefix(entry, "inline:"))
        return;
    /* Which of several tables it was is not told: each that has the key is in use. */
    GHashTableIter iter;
    gpointer value;
    g_hash_table_iter_init(&iter, maker->tables);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        watched = value;
        if (!table_file(watched->table))
            g_hash_table_add(watched->found, g_strdup(entry + strlen("inline:")));
    }
}

void report_maker_add(struct report_maker *maker, const struct history_row *row)
{
    struct summary_report *report = maker->report;
    for (guint i = 0; row->entries && i < row->entries->len; i++)
        count_entry(maker, g_array_index(row->entries, const char *, i), row->when);
    if (action_is_note(row->action))
        return;
    enum report_outcome outcome = outcome_of(row);
    g_autofree char *listener = history_row_listener(row);
    maker->first = report->decisions == 0 ? row->when : MIN(maker->first, row->when);
    maker->last = MAX(maker->last, row->when);
    report->decisions++;
    report->monitored += row->monitor;
    report->entries_cut += row->entries_cut;
    report->totals[outcome]++;
    count_time(maker, row->when, outcome);
    if (row->check)
        count(maker, REPORT_BY_CHECK, row->check, outcome);
    for (guint i = 0; row->rules && i < row->rules->len; i++)
        count(maker, REPORT_BY_RULE, g_array_index(row->rules, struct history_rule, i).name,
              outcome);
    if (listener)
        count(maker, REPORT_BY_LISTENER, listener, outcome);
    if (row->login)
        count(maker, REPORT_BY_LOGIN, row->login, outcome);
    count_domain(maker, row, outcome);
    count_lists(maker, row, outcome);
}

/* What never hit */

static gint compare_text(gconstpointer a, gconstpointer b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void add_idle(void *data, const struct restriction_item *item)
{
    struct report_maker *maker = data;
    const struct restriction *row = item->row;
    GPtrArray *idle = maker->report->idle_checks;
    const struct report_row *seen = g_hash_table_lookup(maker->index[REPORT_BY_CHECK], row->name);
    bool caught = seen && seen->counts[REPORT_REFUSED] + seen->counts[REPORT_DEFERRED] +
                                  seen->counts[REPORT_HELD] >
                              0;
    if ((row->traits & TRAIT_REFUSES) && !item->warn_if_reject && !caught &&
        !g_ptr_array_find_with_equal_func(idle, row->name, g_str_equal, NULL))
        g_ptr_array_add(idle, g_strdup(row->name));
}

static void add_idle_rules(struct report_maker *maker)
{
    GPtrArray *idle = maker->report->idle_rules;
    const struct policy *policy;
    g_autoptr(GHashTable) seen = g_hash_table_new(NULL, NULL);
    g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);
    for (unsigned i = 0; (policy = snapshot_policy_at(maker->snapshot, i)); i++) {
        const struct ruleset *ruleset = policy->site.spam ? policy->site.spam->ruleset : NULL;
        const struct ruleset_rule *rule;
        if (!ruleset || !g_hash_table_add(seen, (void *)ruleset))
            continue;
        for (size_t j = 0; (rule = ruleset_rule_get(ruleset, j)); j++)
            if (rule->score != 0 &&
                !g_hash_table_contains(maker->index[REPORT_BY_RULE], rule->name) &&
                g_hash_table_add(names, (void *)rule->name))
                g_ptr_array_add(idle, g_strdup(rule->name));
    }
    g_ptr_array_sort(idle, compare_text);
}

struct unused {
    const struct watched_table *watched;
    struct report_table *table;
};

static bool visit_line(void *data, const char *file, unsigned line, const char *key,
                       const char *value)
{
    struct unused *unused = data;
    (void)file;
    (void)value;
    bool found = table_file(unused->watched->table)
                     ? g_hash_table_contains(unused->watched->found, GUINT_TO_POINTER(line))
                     : g_hash_table_contains(unused->watched->found, key);
    if (found)
        return true;
    unused->table->unused++;
    g_ptr_array_add(unused->table->lines,
                    line ? g_strdup_printf("%u: %s", line, key) : g_strdup(key));
    return true;
}

static gint by_table(gconstpointer a, gconstpointer b)
{
    return strcmp((*(struct report_table *const *)a)->name,
                  (*(struct report_table *const *)b)->name);
}

static void add_idle_tables(struct report_maker *maker)
{
    GHashTableIter iter;
    gpointer value;
    g_hash_table_iter_init(&iter, maker->tables);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        const struct watched_table *watched = value;
        struct report_table *table = g_new0(struct report_table, 1);
        table->name = g_strdup(table_name(watched->table));
        table->since = watched->since;
        table->entries = watched->entries;
        table->lines = g_ptr_array_new_with_free_func(g_free);
        struct unused unused = {watched, table};
        if (!g_str_has_prefix(table->name, "static:"))
            table_foreach_entry(watched->table, visit_line, &unused);
        if (table->unused > 0)
            g_ptr_array_add(maker->report->idle_tables, table);
        else
            idle_table_free(table);
    }
    g_ptr_array_sort(maker->report->idle_tables, by_table);
}

/* Those in force, asked or not, by the names that they are shown by, which several may share; what
 * gave no answer has a row as well. */
static void add_idle_lists(struct report_maker *maker)
{
    GPtrArray *idle = maker->report->idle_lists;
    const struct policy *policy;
    for (unsigned i = 0; (policy = snapshot_policy_at(maker->snapshot, i)); i++) {
        const struct dnsbl_set *const sets[] = {policy->site.dnsbl_weighted,
                                                policy->site.dnsbl_zones};
        for (size_t k = 0; k < G_N_ELEMENTS(sets); k++)
            for (unsigned zone = 0; zone < dnsbl_set_count(sets[k]); zone++) {
                const struct report_list *list = list_of(maker, dnsbl_set_get(sets[k], zone)->zone);
                if (!g_hash_table_contains(maker->index[REPORT_BY_LIST], list->zone) &&
                    !g_ptr_array_find_with_equal_func(idle, list->zone, g_str_equal, NULL))
                    g_ptr_array_add(idle, g_strdup(list->zone));
            }
    }
    g_ptr_array_sort(idle, compare_text);
}

static gint by_name(gconstpointer a, gconstpointer b)
{
    const struct report_row *one = *(struct report_row *const *)a;
    const struct report_row *other = *(struct report_row *const *)b;
    return strcmp(one->name, other->name);
}

static gint by_number(gconstpointer a, gconstpointer b)
{
    const struct report_row *one = *(struct report_row *const *)a;
    const struct report_row *other = *(struct report_row *const *)b;
    uint64_t first = report_row_total(one), second = report_row_total(other);
    return first < second ? 1 : first > second ? -1 : strcmp(one->name, other->name);
}

static gint by_catch(gconstpointer a, gconstpointer b)
{
    const struct report_list *one = *(struct report_list *const *)a;
    const struct report_list *other = *(struct report_list *const *)b;
    const uint64_t keys[][2] = {{one->refused, other->refused}, {one->listed, other->listed}};
    for (size_t i = 0; i < G_N_ELEMENTS(keys); i++)
        if (keys[i][0] != keys[i][1])
            return keys[i][0] < keys[i][1] ? 1 : -1;
    return strcmp(one->zone, other->zone);
}

struct summary_report *report_maker_finish(struct report_maker *maker, int64_t until)
{
    struct summary_report *report = maker->report;
    report->until = until;
    fill_times(maker);
    each_restriction(maker->snapshot, maker, add_idle);
    g_ptr_array_sort(report->idle_checks, compare_text);
    add_idle_lists(maker);
    add_idle_rules(maker);
    add_idle_tables(maker);
    for (int kind = 0; kind < REPORT_KINDS; kind++) {
        bool in_order = kind == REPORT_BY_DAY || kind == REPORT_BY_HOUR;
        g_ptr_array_sort(report->rows[kind], in_order ? by_name : by_number);
        g_hash_table_unref(maker->index[kind]);
    }
    g_ptr_array_sort(report->lists, by_catch);
    GHashTableIter iter;
    gpointer zone;
    g_hash_table_iter_init(&iter, maker->lists);
    while (g_hash_table_iter_next(&iter, &zone, NULL))
        g_free(zone);
    g_hash_table_unref(maker->lists);
    g_hash_table_unref(maker->tables);
    g_hash_table_unref(maker->scored);
    g_free(maker);
    return report;
}
