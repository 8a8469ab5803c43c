/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The policies of all listeners as one immutable whole, and what they need of the MTA.
 */
#include "policy/snapshot.h"

#include <string.h>

#include "checks/dns_questions.h"
#include "dns/resolver.h"
#include "lookup/tablestatus.h"
#include "limit_sections.h"
#include "policy.h"

struct snapshot {
    gatomicrefcount references;
    struct settings *settings;
    struct table_set *tables;
    GPtrArray *policies; /* of struct policy *; the first has no section */
    struct snapshot_needs needs;
};

/* For snapshot_count. */
static gint alive;

static void snapshot_free(struct snapshot *snapshot)
{
    g_atomic_int_add(&alive, -1);
    g_ptr_array_unref(snapshot->policies);
    table_set_free(snapshot->tables);
    settings_free(snapshot->settings);
    g_free(snapshot);
}

static void add_needs(struct snapshot_needs *needs, const struct policy *policy)
{
    needs->header |= policy->reads_header || policy->limits_header;
    needs->dns |= policy->asks_dns;
    needs->body |= policy->guards || policy->rules_read_body || policy->counts_body;
    needs->whole_body |= policy->counts_body;
    /* What lists are asked about as soon as it is known. */
    const struct site *site = &policy->site;
    unsigned places = dnsbl_set_places(site->dnsbl_zones);
    if (site->dnsbl_early & DNS_LISTS_WEIGHTED)
        places |= dnsbl_set_places(site->dnsbl_weighted);
    needs->connect_answer |= places & (DNSBL_CLIENT | DNSBL_PTR | DNSBL_REVERSE);
    needs->helo_answer |= places & DNSBL_HELO;
    needs->mail_answer |= places & DNSBL_SENDER;
    if (!policy->delay_checks) {
        needs->early_answers = true;
        needs->mail_answer = true;
    }
}

/* What PROBLEMS say of it is for the caller to judge by. */
static struct snapshot *compile(struct settings *settings, const char *base_dir,
                                const struct snapshot *older, struct problems *problems)
{
    struct snapshot *snapshot = g_new0(struct snapshot, 1);
    g_atomic_int_inc(&alive);
    g_atomic_ref_count_init(&snapshot->references);
    snapshot->settings = settings;
    snapshot->tables = table_set_new();
    snapshot->policies = g_ptr_array_new_with_free_func((GDestroyNotify)policy_free);
    struct table_context base = {.base_dir = base_dir,
                                 .problems = problems,
                                 .set = snapshot->tables,
                                 .older = older ? older->tables : NULL};
    const GPtrArray *policies = older ? older->policies : NULL;
    struct policy *first = policy_new(settings, NULL, NULL, policies, &base);
    g_ptr_array_add(snapshot->policies, first);
    guint count = settings_section_count(settings, SECTION_LISTENER);
    for (guint i = 0; i < count; i++)
        g_ptr_array_add(snapshot->policies,
                        policy_new(settings, settings_section(settings, SECTION_LISTENER, i), first,
                                   policies, &base));
    for (guint i = 0; i < snapshot->policies->len; i++)
        add_needs(&snapshot->needs, snapshot->policies->pdata[i]);
    limits_lint_unused(snapshot->policies, settings, problems);
    policies_lint_unused(snapshot->policies, settings, problems);
    const struct setting_value *servers = settings_get(settings, NULL, SETTING_DNS_SERVERS);
    resolver_servers_valid(servers->text, problems, servers->file, servers->line);
    return snapshot;
}

static struct snapshot *build(struct settings *settings, const char *base_dir,
                              const struct snapshot *older, struct problems *problems)
{
    struct snapshot *snapshot = compile(settings, base_dir, older, problems);
    if (problems_errors(problems) == 0)
        return snapshot;
    snapshot_free(snapshot);
    return NULL;
}

struct snapshot *snapshot_build(struct settings *settings, const char *base_dir,
                                struct problems *problems)
{
    return build(settings, base_dir, NULL, problems);
}

struct snapshot *snapshot_load(const char *path, const struct snapshot *older,
                               struct problems *problems)
{
    struct settings *settings = settings_load(path, problems);
    if (!settings)
        return NULL;
    g_autofree char *folder = g_path_get_dirname(path);
    return build(settings, folder, older, problems);
}

struct snapshot *snapshot_examine(const char *path, struct problems *problems)
{
    struct settings *settings = settings_load(path, problems);
    g_autofree char *folder = g_path_get_dirname(path);
    return settings ? compile(settings, folder, NULL, problems) : NULL;
}

struct snapshot *snapshot_ref(struct snapshot *snapshot)
{
    g_atomic_ref_count_inc(&snapshot->references);
    return snapshot;
}

void snapshot_unref(struct snapshot *snapshot)
{
    if (snapshot && g_atomic_ref_count_dec(&snapshot->references))
        snapshot_free(snapshot);
}

bool snapshot_is_last(struct snapshot *snapshot)
{
    return g_atomic_ref_count_compare(&snapshot->references, 1);
}

unsigned snapshot_count(void)
{
    return (unsigned)g_atomic_int_get(&alive);
}

const struct policy *snapshot_main_policy(const struct snapshot *snapshot)
{
    return snapshot->policies->pdata[0];
}

const struct policy *snapshot_policy_at(const struct snapshot *snapshot, unsigned index)
{
    return index < snapshot->policies->len ? snapshot->policies->pdata[index] : NULL;
}

/* A section that names the listener goes before one that names its port. */
const struct policy *snapshot_policy(const struct snapshot *snapshot, const struct facts *facts)
{
    const struct policy *by_port = NULL;
    for (guint i = 1; i < snapshot->policies->len && !facts->without_smtp; i++) {
        const struct policy *policy = snapshot->policies->pdata[i];
        const char *name = section_name(policy->section);
        if (!facts_listener_is(facts, name))
            continue;
        if (name[0] != ':')
            return policy;
        by_port = policy;
    }
    return by_port ? by_port : snapshot_main_policy(snapshot);
}

const struct settings *snapshot_settings(const struct snapshot *snapshot)
{
    return snapshot->settings;
}

const struct snapshot_needs *snapshot_get_needs(const struct snapshot *snapshot)
{
    return &snapshot->needs;
}

bool snapshot_has_listeners(const struct snapshot *snapshot)
{
    return snapshot->policies->len > 1;
}

GPtrArray *snapshot_table_status(const struct snapshot *snapshot)
{
    return table_set_status(snapshot->tables);
}

unsigned snapshot_refresh_tables(struct snapshot *snapshot, struct problems *problems)
{
    return table_set_refresh(snapshot->tables, problems);
}
