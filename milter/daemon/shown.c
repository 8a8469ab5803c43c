/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Names to be shown.
 */
#include "shown.h"

#include <string.h>

#include "base/text.h"
#include "lookup/tablestatus.h"

/* Lists */

static struct dnsbl_list_status *find_list(const GPtrArray *lists, const char *name)
{
    for (guint i = 0; i < lists->len; i++) {
        struct dnsbl_list_status *list = lists->pdata[i];
        if (strcmp(list->zone, name) == 0)
            return list;
    }
    return NULL;
}

/* Of two lists that are shown as one, the worse health counts, and the longer time. */
static void add_numbers(struct dnsbl_list_status *into, const struct dnsbl_list_status *from)
{
    if (from->health >= into->health) {
        into->health = from->health;
        into->reason = from->reason;
        into->kind = from->kind;
        into->test_entry = from->test_entry;
        into->retry_in = from->retry_in;
    }
    into->asked += from->asked;
    into->cached += from->cached;
    into->listed += from->listed;
    into->clean += from->clean;
    into->errors += from->errors;
    into->refused += from->refused;
    into->timeouts += from->timeouts;
    into->skipped += from->skipped;
    into->latency_p50 = MAX(into->latency_p50, from->latency_p50);
    into->latency_p90 = MAX(into->latency_p90, from->latency_p90);
    into->latency_p99 = MAX(into->latency_p99, from->latency_p99);
    for (size_t i = 0; i <= HISTOGRAM_BOUNDS; i++)
        into->times.buckets[i] += from->times.buckets[i];
    into->times.sum += from->times.sum;
}

/* SEEN: "zone kind" of those that are counted already. */
static void add_set(const struct site *site, const struct dnsbl_set *set, const GPtrArray *status,
                    GHashTable *seen, GPtrArray *lists)
{
    for (unsigned i = 0; set && i < dnsbl_set_count(set); i++) {
        const struct dnsbl_entry *entry = dnsbl_set_get(set, i);
        g_autofree char *zone = g_ascii_strdown(entry->zone, -1);
        char *key = g_strdup_printf("%s %d", zone, (int)entry->kind);
        if (!g_hash_table_add(seen, key))
            continue;
        bool failed;
        g_autofree char *shown = site_shown_list(site, zone, &failed);
        const char *name = shown ? shown : failed ? "a DNS list" : zone;
        struct dnsbl_list_status *list = find_list(lists, name);
        if (!list) {
            list = g_new0(struct dnsbl_list_status, 1);
            *list = (struct dnsbl_list_status){.zone = g_strdup(name),
                                               .kind = entry->kind,
                                               .latency_p50 = -1,
                                               .latency_p90 = -1,
                                               .latency_p99 = -1};
            g_ptr_array_add(lists, list);
        }
        for (guint k = 0; k < status->len; k++) {
            const struct dnsbl_list_status *one = status->pdata[k];
            if (one->kind == entry->kind && strcmp(one->zone, zone) == 0)
                add_numbers(list, one);
        }
    }
}

static void free_list(void *data)
{
    dnsbl_list_status_free(data);
}

GPtrArray *shown_lists(const struct snapshot *snapshot, const GPtrArray *status)
{
    GPtrArray *lists = g_ptr_array_new_with_free_func(free_list);
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    const struct policy *policy;
    for (unsigned i = 0; (policy = snapshot_policy_at(snapshot, i)); i++) {
        add_set(&policy->site, policy->site.dnsbl_weighted, status, seen, lists);
        add_set(&policy->site, policy->site.dnsbl_zones, status, seen, lists);
    }
    return lists;
}

/* Tables */

/* Whether a word of a list names the table NAME: proxy: before a type is ignored. */
static bool is_table(const char *word, const char *name)
{
    while (g_str_has_prefix(word, "proxy:"))
        word += strlen("proxy:");
    return strcmp(word, name) == 0;
}

/* "NAME:N" if the N-th word of the value TEXT names TABLE, else NULL. */
static char *find_in_value(const char *name, const char *text, const char *table)
{
    g_autoptr(GPtrArray) words = strchr(text, ':') ? text_split_list(text, NULL) : NULL;
    for (guint i = 0; words && i < words->len; i++)
        if (is_table(words->pdata[i], table))
            return g_strdup_printf("%s:%u", name, i + 1);
    return NULL;
}

/* Where the settings first name TABLE: "PARAMETER:N", the N-th word of its value; in a section
 * "NAME PARAMETER:N". NULL: nowhere. */
static char *find_in(const struct settings *settings, const struct section *section,
                     const char *table)
{
    enum section_kind kind = section ? section_get_kind(section) : SECTION_MAIN;
    const struct setting_keyed *class;
    char *place = NULL;
    for (enum setting id = 0; !place && id < SETTING_COUNT; id++)
        if (setting_row_fits(setting_row(id), kind))
            place = find_in_value(setting_row(id)->name, settings_get(settings, section, id)->text,
                                  table);
    for (guint i = 0;
         !place && (class = settings_keyed(settings, section, SETTING_RESTRICTION_CLASSES, i)); i++)
        place = find_in_value(class->key, class->value.text, table);
    if (!place || !section)
        return place;
    g_autofree char *bare = place;
    return g_strdup_printf("%s %s", section_name(section), bare);
}

static char *place_of(const struct settings *settings, const char *table)
{
    static const enum section_kind kinds[] = {SECTION_LISTENER, SECTION_PROFILE, SECTION_LIMIT};
    char *place = find_in(settings, NULL, table);
    for (size_t kind = 0; !place && kind < G_N_ELEMENTS(kinds); kind++)
        for (guint i = 0; !place && i < settings_section_count(settings, kinds[kind]); i++)
            place = find_in(settings, settings_section(settings, kinds[kind], i), table);
    return place;
}

static bool is_shown(const GPtrArray *tables, guint count, const char *name)
{
    for (guint i = 0; i < count; i++)
        if (strcmp(((const struct table_status *)tables->pdata[i])->name, name) == 0)
            return true;
    return false;
}

GPtrArray *shown_tables(const struct snapshot *snapshot)
{
    GPtrArray *tables = snapshot_table_status(snapshot);
    for (guint i = 0; i < tables->len; i++) {
        struct table_status *table = tables->pdata[i];
        g_autofree char *name = table->name;
        table->name =
            table->file ? g_strdup(table->file) : place_of(snapshot_settings(snapshot), name);
        if (!table->name)
            table->name = g_strdup_printf("table:%u", i + 1);
        /* a file that is read by two types, or as a list as well */
        for (unsigned n = 2; is_shown(tables, i, table->name); n++) {
            g_autofree char *taken = table->name;
            table->name = g_strdup_printf("%s#%u", taken, n);
        }
    }
    return tables;
}
