/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Building the policy from the settings.
 */
#include "snapshot.h"

#include <ifaddrs.h>
#include <string.h>

#include "autoreply/bounce_senders.h"
#include "base/text.h"
#include "checks/lookups.h"
#include "checks/spam.h"
#include "config.h"
#include "dns/resolver.h"

struct snapshot {
    gatomicrefcount references;
    struct settings *settings;
    struct table_set *tables;
    GPtrArray *policies; /* of struct policy *; the first has no section */
    struct snapshot_needs needs;
};

static void policy_free(void *data)
{
    struct policy *policy = data;
    site_clear(&policy->site);
    for (int kind = 0; kind < LIST_COUNT; kind++)
        restriction_list_free(policy->lists[kind]);
    g_free(policy);
}

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

/* The context for what the setting ID of SECTION names. */
static struct table_context context_for(struct snapshot *snapshot, const struct section *section,
                                        enum setting id, const struct table_context *base)
{
    const struct setting_value *value = settings_get(snapshot->settings, section, id);
    struct table_context context = *base;
    context.file = value->file;
    context.line = value->line;
    return context;
}

static GPtrArray *words_of(struct snapshot *snapshot, const struct section *section,
                           enum setting id)
{
    GPtrArray *words = text_split_list(settings_get(snapshot->settings, section, id)->text, NULL);
    return words ? words : g_ptr_array_new_with_free_func(g_free);
}

static struct table_list *tables_of(struct snapshot *snapshot, const struct section *section,
                                    enum setting id, const struct table_context *base)
{
    const char *text = settings_get(snapshot->settings, section, id)->text;
    if (*text == '\0')
        return NULL;
    struct table_context context = context_for(snapshot, section, id, base);
    return table_list_open(text, true, &context);
}

static void find_interfaces(struct site *site)
{
    struct ifaddrs *list;
    g_autoptr(GArray) found = g_array_new(FALSE, FALSE, sizeof(struct ipaddr));
    if (getifaddrs(&list) == 0) {
        for (struct ifaddrs *entry = list; entry; entry = entry->ifa_next) {
            struct ipaddr address;
            if (entry->ifa_addr && ipaddr_from_sockaddr(entry->ifa_addr, &address))
                g_array_append_val(found, address);
        }
        freeifaddrs(list);
    }
    site->interface_count = found->len;
    site->interfaces = (struct ipaddr *)(void *)g_array_free(g_steal_pointer(&found), FALSE);
}

static void build_site(struct snapshot *snapshot, struct policy *policy,
                       const struct table_context *base)
{
    struct site *site = &policy->site;
    const struct section *section = policy->section;
    const struct settings *settings = snapshot->settings;
    struct table_context context = context_for(snapshot, section, SETTING_MYNETWORKS, base);
    site->mynetworks = match_list_open(settings_get(settings, section, SETTING_MYNETWORKS)->text,
                                       MATCH_NETWORKS, &context);
    const struct setting_value *domains = settings_get(settings, section, SETTING_LOCAL_DOMAINS);
    context = context_for(snapshot, section, SETTING_LOCAL_DOMAINS, base);
    if (domains->given)
        site->local_domains = match_list_open(domains->text, MATCH_DOMAINS, &context);
    site->recipient_delimiter =
        g_strdup(settings_get(settings, section, SETTING_RECIPIENT_DELIMITER)->text);
    site->untrusted_listeners = words_of(snapshot, section, SETTING_UNTRUSTED_LISTENERS);
    site->submission_listeners = words_of(snapshot, section, SETTING_SUBMISSION_LISTENERS);
    site->sasl_local_realms = words_of(snapshot, section, SETTING_SASL_LOCAL_REALMS);
    site->auth_mechanisms = words_of(snapshot, section, SETTING_AUTH_MECHANISMS);
    site->auth_min_ssf = (unsigned)settings_integer(settings, section, SETTING_AUTH_MIN_SSF);
    site->sender_login_maps = tables_of(snapshot, section, SETTING_SENDER_LOGIN_MAPS, base);
    site->relay_clientcerts = tables_of(snapshot, section, SETTING_RELAY_CLIENTCERTS, base);
    find_interfaces(site);
}

/* Which DNS lists are asked. */
static void build_dns(struct snapshot *snapshot, struct policy *policy,
                      const struct table_context *base)
{
    static const struct {
        enum setting id;
        bool (*add)(struct dnsbl_set *set, const char *value, struct problems *problems,
                    const char *file, unsigned line);
    } rows[] = {
        {SETTING_DNSBL_SITES, dnsbl_set_add_sites},
        {SETTING_RHSBL_SITES, dnsbl_set_add_rhsbl},
        {SETTING_HASHBL_SITES, dnsbl_set_add_hashbl},
    };
    struct site *site = &policy->site;
    const struct section *section = policy->section;
    site->dnsbl_weighted = dnsbl_set_new();
    site->dnsbl_zones = dnsbl_set_new();
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        const struct setting_value *value = settings_get(snapshot->settings, section, rows[i].id);
        rows[i].add(site->dnsbl_weighted, value->text, base->problems, value->file, value->line);
    }
    site->dnsbl_threshold = settings_integer(snapshot->settings, section, SETTING_DNSBL_THRESHOLD);
    site->dns_budget = settings_integer(snapshot->settings, section, SETTING_DNSBL_TIMEOUT);
    site->dnsbl_reply_map = tables_of(snapshot, section, SETTING_DNSBL_REPLY_MAP, base);
}

/* The value of a profile, if it says one itself, else of the listener's policy. */
static const struct section *who_says(struct snapshot *snapshot, const struct section *profile,
                                      const struct section *listener, enum setting id)
{
    const struct settings *settings = snapshot->settings;
    bool own = profile && settings_get(settings, profile, id) != settings_get(settings, NULL, id);
    return own ? profile : listener;
}

static GArray *overrides_of(struct snapshot *snapshot, const struct section *section)
{
    GArray *overrides = g_array_new(FALSE, FALSE, sizeof(struct ruleset_override));
    const struct setting_keyed *line;
    for (guint i = 0;
         section && (line = settings_keyed(snapshot->settings, section, SETTING_RULE_SCORE, i));
         i++) {
        struct ruleset_override override = {.rule = line->key,
                                            .score = line->score,
                                            .file = line->value.file,
                                            .line = line->value.line};
        g_array_append_val(overrides, override);
    }
    return overrides;
}

static double tag_score(struct snapshot *snapshot, const struct section *section,
                        const struct ruleset *ruleset)
{
    double required;
    bool given = settings_get(snapshot->settings, section, SETTING_TAG_SCORE)->given;
    if (!given && ruleset_required_score(ruleset, &required))
        return required;
    return settings_score(snapshot->settings, section, SETTING_TAG_SCORE);
}

static struct spam_profile *build_profile(struct snapshot *snapshot, struct policy *policy,
                                          const struct section *section,
                                          const struct table_context *base)
{
    const struct section *listener = policy->section;
    struct spam_profile *profile = g_new0(struct spam_profile, 1);
    const struct ruleset *ruleset = policy->site.spam->ruleset;
    profile->name = section ? g_strdup(section_name(section)) : NULL;
    profile->tag_score =
        tag_score(snapshot, who_says(snapshot, section, listener, SETTING_TAG_SCORE), ruleset);
    profile->reject_score = settings_score(
        snapshot->settings, who_says(snapshot, section, listener, SETTING_REJECT_SCORE),
        SETTING_REJECT_SCORE);
    profile->dnsbl_threshold = settings_integer(
        snapshot->settings, who_says(snapshot, section, listener, SETTING_DNSBL_THRESHOLD),
        SETTING_DNSBL_THRESHOLD);
    g_autoptr(GArray) overrides = overrides_of(snapshot, section);
    if (overrides->len > 0)
        profile->rules =
            ruleset_profile_new(ruleset, (const struct ruleset_override *)(void *)overrides->data,
                                overrides->len, base->problems);
    return profile;
}

static struct ruleset *load_rules(struct snapshot *snapshot, const struct section *section,
                                  const struct table_context *base)
{
    const struct setting_value *value =
        settings_get(snapshot->settings, section, SETTING_RULE_FILES);
    const struct policy *first = snapshot->policies->pdata[0];
    if (section && value == settings_get(snapshot->settings, NULL, SETTING_RULE_FILES))
        return ruleset_ref(first->site.spam->ruleset);
    g_autoptr(GPtrArray) paths = words_of(snapshot, section, SETTING_RULE_FILES);
    for (guint i = 0; base->base_dir && i < paths->len; i++) {
        g_autofree char *path = paths->pdata[i];
        paths->pdata[i] = g_path_is_absolute(path) ? g_strdup(path)
                                                   : g_build_filename(base->base_dir, path, NULL);
    }
    g_ptr_array_add(paths, NULL);
    static const char fallback[] = GATEPOST_DATADIR "/rules " GATEPOST_SYSCONFDIR "/rules";
    struct ruleset_options options = {.missing_is_empty = strcmp(value->text, fallback) == 0};
    return ruleset_load((const char *const *)paths->pdata, &options, base->problems);
}

static bool list_has_tables(const struct restriction_list *list)
{
    const struct restriction_item *item;
    for (unsigned i = 0; (item = restriction_list_item(list, i)); i++)
        if (item->argument.tables)
            return true;
    return false;
}

/* The DNS lists that rules name are asked like those that restrictions name, where the rules are
 * asked at all: by reject_spam, which a table may name too. Elsewhere they are only read. */
static void add_rule_zones(struct policy *policy, struct problems *problems)
{
    const struct restriction_list *list = policy->lists[LIST_MESSAGE];
    const struct ruleset *ruleset = policy->site.spam->ruleset;
    bool used = list && (restriction_list_names(list, "reject_spam") || list_has_tables(list));
    struct dnsbl_set *set = used ? dnsbl_set_ref(policy->site.dnsbl_zones) : dnsbl_set_new();
    const struct ruleset_external *external;
    for (size_t i = 0; (external = ruleset_external_get(ruleset, i)); i++) {
        unsigned index = dnsbl_set_count(set);
        dnsbl_set_add_rule(set, external->spec, problems, external->file, external->line);
        if (used)
            g_array_append_val(policy->site.spam->rule_zones, index);
    }
    dnsbl_set_unref(set);
}

/* The lists that are asked as soon as there is something to ask. */
static unsigned early_groups(const struct policy *policy)
{
    unsigned groups = LOOKUPS_ZONES;
    for (int kind = 0; kind < LIST_COUNT; kind++)
        if (policy->lists[kind] && restriction_list_names(policy->lists[kind], "reject_dnsbl"))
            groups |= LOOKUPS_WEIGHTED;
    return groups;
}

struct profile_visit {
    const struct settings *settings;
    struct table_context context;
};

static bool visit_profile(void *data, const char *file, unsigned line, const char *key,
                          const char *value)
{
    const struct profile_visit *visit = data;
    (void)key;
    g_autofree char *name = g_strstrip(g_strdup(value));
    if (!settings_find_section(visit->settings, SECTION_PROFILE, name))
        problems_warning(visit->context.problems, line ? file : visit->context.file,
                         line ? line : visit->context.line,
                         "there is no section [profile %s]; recipients that get it are judged "
                         "without a profile",
                         name);
    return true;
}

static void check_profile_names(struct snapshot *snapshot, struct policy *policy,
                                const struct table_context *base)
{
    const struct table_list *tables = policy->site.recipient_profiles;
    struct profile_visit visit = {
        .settings = snapshot->settings,
        .context = context_for(snapshot, policy->section, SETTING_RECIPIENT_PROFILES, base)};
    for (unsigned i = 0; tables && i < table_list_count(tables); i++)
        table_foreach(table_list_get(tables, i), visit_profile, &visit);
}

static void build_spam(struct snapshot *snapshot, struct policy *policy,
                       const struct table_context *base)
{
    struct site *site = &policy->site;
    const struct section *section = policy->section;
    struct spam_site *spam = site->spam = g_new0(struct spam_site, 1);
    spam->ruleset = load_rules(snapshot, section, base);
    spam->split = settings_integer(snapshot->settings, section, SETTING_MIXED_RECIPIENTS) == 1;
    spam->rule_zones = g_array_new(FALSE, FALSE, sizeof(unsigned));
    spam->profiles = g_ptr_array_new();
    g_ptr_array_add(spam->profiles, build_profile(snapshot, policy, NULL, base));
    guint count = settings_section_count(snapshot->settings, SECTION_PROFILE);
    for (guint i = 0; i < count; i++) {
        const struct section *profile = settings_section(snapshot->settings, SECTION_PROFILE, i);
        g_ptr_array_add(spam->profiles, build_profile(snapshot, policy, profile, base));
    }
    site->recipient_profiles = tables_of(snapshot, section, SETTING_RECIPIENT_PROFILES, base);
    check_profile_names(snapshot, policy, base);
}

static void build_guard(struct snapshot *snapshot, struct policy *policy,
                        const struct table_context *base)
{
    const struct setting_value *value =
        settings_get(snapshot->settings, policy->section, SETTING_BOUNCE_SENDERS);
    policy->site.guard_action = (enum guard_action)settings_integer(
        snapshot->settings, policy->section, SETTING_AUTOREPLY_GUARD);
    policy->site.bounce_senders =
        bounce_senders_new(value->text, base->problems, value->file, value->line);
    policy->site.suppress_autoreplies =
        settings_integer(snapshot->settings, policy->section, SETTING_SUPPRESS_AUTOREPLIES);
}

const enum setting restriction_list_settings[LIST_COUNT] = {
    [LIST_CLIENT] = SETTING_CLIENT_RESTRICTIONS,
    [LIST_HELO] = SETTING_HELO_RESTRICTIONS,
    [LIST_SENDER] = SETTING_SENDER_RESTRICTIONS,
    [LIST_RELAY] = SETTING_RELAY_RESTRICTIONS,
    [LIST_RECIPIENT] = SETTING_RECIPIENT_RESTRICTIONS,
    [LIST_MESSAGE] = SETTING_MESSAGE_RESTRICTIONS,
};

static void build_lists(struct snapshot *snapshot, struct policy *policy,
                        const struct table_context *base)
{
    for (int kind = 0; kind < LIST_COUNT; kind++) {
        enum setting id = restriction_list_settings[kind];
        struct table_context context = context_for(snapshot, policy->section, id, base);
        policy->lists[kind] = restriction_list_compile(
            settings_get(snapshot->settings, policy->section, id)->text,
            (enum restriction_list_kind)kind, policy->site.dnsbl_zones, &context);
    }
}

static bool policy_is_whole(const struct policy *policy)
{
    for (int kind = 0; kind < LIST_COUNT; kind++)
        if (!policy->lists[kind])
            return false;
    return policy->site.mynetworks;
}

/* reject_dnsbl asks nothing while no list is configured. Access tables may name restrictions too,
 * but none that the lists of a policy do not prepare for. */
static bool policy_asks_dns(const struct policy *policy)
{
    bool weighted = dnsbl_set_count(policy->site.dnsbl_weighted) > 0;
    if (policy->site.spam->rule_zones->len > 0)
        return true;
    for (int kind = 0; kind < LIST_COUNT; kind++) {
        const struct restriction_item *item;
        for (unsigned i = 0; (item = restriction_list_item(policy->lists[kind], i)); i++) {
            bool needs_lists = strcmp(item->row->name, "reject_dnsbl") == 0;
            if ((item->row->traits & TRAIT_ASKS_DNS) && (weighted || !needs_lists))
                return true;
        }
        if (list_has_tables(policy->lists[kind]))
            return true;
    }
    return false;
}

/* Whether the message's restrictions name NAME, or may, by the result of a table. */
static bool may_ask(const struct policy *policy, const char *name)
{
    const struct restriction_list *list = policy->lists[LIST_MESSAGE];
    const struct restriction_item *item;
    for (unsigned i = 0; (item = restriction_list_item(list, i)); i++)
        if (item->argument.tables)
            return true;
    return restriction_list_names(list, name);
}

static void build_policy(struct snapshot *snapshot, const struct section *section,
                         const struct table_context *base)
{
    const struct settings *settings = snapshot->settings;
    struct policy *policy = g_new0(struct policy, 1);
    policy->section = section;
    g_ptr_array_add(snapshot->policies, policy);
    policy->delay_checks = settings_integer(settings, section, SETTING_DELAY_CHECKS);
    policy->monitor = settings_integer(settings, section, SETTING_MODE) == 1;
    policy->header_limit = (size_t)settings_integer(settings, section, SETTING_HEADER_LIMIT);
    build_site(snapshot, policy, base);
    build_dns(snapshot, policy, base);
    build_spam(snapshot, policy, base);
    build_guard(snapshot, policy, base);
    build_lists(snapshot, policy, base);
    add_rule_zones(policy, base->problems);
    policy->site.dnsbl_early = early_groups(policy);
    policy_lint(policy, settings, base->problems);
    if (!policy_is_whole(policy))
        return;
    policy->asks_dns = policy_asks_dns(policy);
    policy->guards = policy->site.guard_action != GUARD_OFF && may_ask(policy, "guard_autoreply");
    policy->rules_read_body =
        ruleset_needs_body(policy->site.spam->ruleset) && may_ask(policy, "reject_spam");
    policy->reads_header = policy->site.suppress_autoreplies ||
                           restriction_list_item(policy->lists[LIST_MESSAGE], 0) != NULL;
}

/* What lists are asked about as soon as it is known. */
static unsigned early_places(const struct policy *policy)
{
    const struct site *site = &policy->site;
    unsigned places = dnsbl_set_places(site->dnsbl_zones);
    if (site->dnsbl_early & LOOKUPS_WEIGHTED)
        places |= dnsbl_set_places(site->dnsbl_weighted);
    return places;
}

static void add_needs(struct snapshot_needs *needs, const struct policy *policy)
{
    needs->header = true; /* header_limit */
    needs->dns |= policy->asks_dns;
    needs->body |= policy->guards || policy->rules_read_body;
    unsigned places = early_places(policy);
    needs->connect_answer |= places & (DNSBL_CLIENT | DNSBL_PTR | DNSBL_REVERSE);
    needs->helo_answer |= places & DNSBL_HELO;
    needs->mail_answer |= places & DNSBL_SENDER;
    if (!policy->delay_checks) {
        needs->early_answers = true;
        needs->mail_answer = true;
    }
}

static void build_policies(struct snapshot *snapshot, const struct table_context *base)
{
    build_policy(snapshot, NULL, base);
    guint count = settings_section_count(snapshot->settings, SECTION_LISTENER);
    for (guint i = 0; i < count; i++)
        build_policy(snapshot, settings_section(snapshot->settings, SECTION_LISTENER, i), base);
    for (guint i = 0; i < snapshot->policies->len; i++)
        add_needs(&snapshot->needs, snapshot->policies->pdata[i]);
}

struct snapshot *snapshot_build(struct settings *settings, const char *base_dir,
                                struct problems *problems)
{
    struct snapshot *snapshot = g_new0(struct snapshot, 1);
    g_atomic_int_inc(&alive);
    g_atomic_ref_count_init(&snapshot->references);
    snapshot->settings = settings;
    snapshot->tables = table_set_new();
    snapshot->policies = g_ptr_array_new_with_free_func(policy_free);
    struct table_context base = {
        .base_dir = base_dir, .problems = problems, .set = snapshot->tables};
    build_policies(snapshot, &base);
    const struct setting_value *servers = settings_get(settings, NULL, SETTING_DNS_SERVERS);
    resolver_servers_valid(servers->text, problems, servers->file, servers->line);
    if (problems_errors(problems) == 0)
        return snapshot;
    snapshot_free(snapshot);
    return NULL;
}

struct snapshot *snapshot_load(const char *path, struct problems *problems)
{
    struct settings *settings = settings_load(path, problems);
    if (!settings)
        return NULL;
    g_autofree char *folder = g_path_get_dirname(path);
    return snapshot_build(settings, folder, problems);
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

unsigned snapshot_refresh_tables(struct snapshot *snapshot, struct problems *problems)
{
    return table_set_refresh(snapshot->tables, problems);
}
