/* SPDX-License-Identifier: BSD-2-Clause
 *
 * From the settings of a listener to its policy: what checks ask of the site, the restriction
 * lists, and what follows from both.
 */
#include "policy.h"

#include <string.h>

#include "autoreply/bounce_senders.h"
#include "base/system.h"
#include "base/text.h"
#include "checks/dns_questions.h"
#include "checks/spam.h"
#include "config.h"
#include "limit_sections.h"
#include "mail/address.h"
#include "mail/hostname.h"

/* How much longer a step of a session waits for the store than the store for its server: so that
 * it hears what the store judges by itself then. */
#define STORE_SLACK_US (100 * G_TIME_SPAN_MILLISECOND)

/* A policy being built. */
struct build {
    struct policy *policy;
    const struct policy *first; /* the one without a section; NULL: this is it */
    const GPtrArray *older;     /* of struct policy: those in force; NULL: none */
    const struct settings *settings;
    const struct section *section;
    const struct table_context *base; /* problems, folder and set of tables, without a line */
};

/* What the settings say in this section */

static const struct setting_value *value_of(const struct build *build, enum setting id)
{
    return settings_get(build->settings, build->section, id);
}

static int64_t integer_of(const struct build *build, enum setting id)
{
    return settings_integer(build->settings, build->section, id);
}

/* The context for what the setting ID names. */
static struct table_context context_for(const struct build *build, enum setting id)
{
    const struct setting_value *value = value_of(build, id);
    struct table_context context = *build->base;
    context.file = value->file;
    context.line = value->line;
    return context;
}

static GPtrArray *words_of(const struct build *build, enum setting id)
{
    GPtrArray *words = text_split_list(value_of(build, id)->text, NULL);
    return words ? words : g_ptr_array_new_with_free_func(g_free);
}

static struct table_list *tables_of(const struct build *build, enum setting id)
{
    const char *text = value_of(build, id)->text;
    if (*text == '\0')
        return NULL;
    struct table_context context = context_for(build, id);
    return table_list_open(text, true, &context);
}

static struct match_list *matches_of(const struct build *build, enum setting id,
                                     enum match_kind kind)
{
    struct table_context context = context_for(build, id);
    return match_list_open(value_of(build, id)->text, kind, &context);
}

/* Who is who */

static void add_interface(const struct sockaddr *socket_address, void *data)
{
    GArray *found = data;
    struct ipaddr address;
    if (ipaddr_from_sockaddr(socket_address, &address))
        g_array_append_val(found, address);
}

/* The name that the MTA adds to a bare address. */
static char *origin_of(const struct build *build)
{
    const struct setting_value *value = value_of(build, SETTING_ORIGIN);
    g_autofree char *folded = mail_domain_fold(value->text);
    if (*folded && !hostname_valid_utf8(folded))
        problems_error(build->base->problems, value->file, value->line,
                       "origin: \"%s\" is no domain; expected one name (of Postfix's "
                       "myorigin = /FILE, what stands in the file)",
                       value->text);
    return g_steal_pointer(&folded);
}

static void build_site(const struct build *build)
{
    struct site *site = &build->policy->site;
    site->mynetworks = matches_of(build, SETTING_MYNETWORKS, MATCH_NETWORKS);
    site->trusted_filters = matches_of(build, SETTING_TRUSTED_FILTERS, MATCH_NETWORKS);
    if (value_of(build, SETTING_LOCAL_DOMAINS)->given)
        site->local_domains = matches_of(build, SETTING_LOCAL_DOMAINS, MATCH_DOMAINS);
    if (value_of(build, SETTING_LOGIN_DOMAINS)->given)
        site->login_domains = matches_of(build, SETTING_LOGIN_DOMAINS, MATCH_DOMAINS);
    else if (site->local_domains)
        site->login_domains = match_list_ref(site->local_domains);
    site->origin = origin_of(build);
    site->recipient_delimiter = g_strdup(value_of(build, SETTING_RECIPIENT_DELIMITER)->text);
    site->untrusted_listeners = words_of(build, SETTING_UNTRUSTED_LISTENERS);
    site->submission_listeners = words_of(build, SETTING_SUBMISSION_LISTENERS);
    site->sasl_local_realms = words_of(build, SETTING_SASL_LOCAL_REALMS);
    site->auth_mechanisms = words_of(build, SETTING_AUTH_MECHANISMS);
    site->auth_min_ssf = (unsigned)integer_of(build, SETTING_AUTH_MIN_SSF);
    site->sender_login_maps = tables_of(build, SETTING_SENDER_LOGIN_MAPS);
    site->relay_clientcerts = tables_of(build, SETTING_RELAY_CLIENTCERTS);
    g_autoptr(GArray) found = g_array_new(FALSE, FALSE, sizeof(struct ipaddr));
    system_interfaces(add_interface, found);
    site->interface_count = found->len;
    site->interfaces = (struct ipaddr *)(void *)g_array_free(g_steal_pointer(&found), FALSE);
}

/* DNS lists */

static void build_dns(const struct build *build)
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
    struct site *site = &build->policy->site;
    site->dnsbl_weighted = dnsbl_set_new();
    site->dnsbl_zones = dnsbl_set_new();
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        const struct setting_value *value = value_of(build, rows[i].id);
        rows[i].add(site->dnsbl_weighted, value->text, build->base->problems, value->file,
                    value->line);
    }
    site->dnsbl_threshold = integer_of(build, SETTING_DNSBL_THRESHOLD);
    site->max_visible_recipients = integer_of(build, SETTING_MAX_VISIBLE_RECIPIENTS);
    site->dns_budget = integer_of(build, SETTING_DNSBL_TIMEOUT);
    site->dnsbl_reply_map = tables_of(build, SETTING_DNSBL_REPLY_MAP);
}

/* Spam by rule */

/* Who says what ID is for PROFILE: the profile, if it says so itself, else the listener. */
static const struct section *who_says(const struct build *build, const struct section *profile,
                                      enum setting id)
{
    bool own = profile && settings_get(build->settings, profile, id) !=
                              settings_get(build->settings, NULL, id);
    return own ? profile : build->section;
}

static GArray *overrides_of(const struct build *build, const struct section *profile)
{
    GArray *overrides = g_array_new(FALSE, FALSE, sizeof(struct ruleset_override));
    const struct setting_keyed *line;
    for (guint i = 0;
         profile && (line = settings_keyed(build->settings, profile, SETTING_RULE_SCORE, i)); i++) {
        struct ruleset_override override = {.rule = line->key,
                                            .score = line->score,
                                            .file = line->value.file,
                                            .line = line->value.line};
        g_array_append_val(overrides, override);
    }
    return overrides;
}

static double tag_score(const struct build *build, const struct section *profile,
                        const struct ruleset *ruleset)
{
    double required;
    const struct section *section = who_says(build, profile, SETTING_TAG_SCORE);
    bool given = settings_get(build->settings, section, SETTING_TAG_SCORE)->given;
    if (!given && ruleset_required_score(ruleset, &required))
        return required;
    return settings_score(build->settings, section, SETTING_TAG_SCORE);
}

/* SECTION: of the profile; NULL for those who have none. */
static struct spam_profile *build_profile(const struct build *build, const struct section *section)
{
    struct spam_profile *profile = g_new0(struct spam_profile, 1);
    const struct ruleset *ruleset = build->policy->site.spam->ruleset;
    profile->name = section ? g_strdup(section_name(section)) : NULL;
    profile->tag_score = tag_score(build, section, ruleset);
    profile->reject_score = settings_score(
        build->settings, who_says(build, section, SETTING_REJECT_SCORE), SETTING_REJECT_SCORE);
    profile->dnsbl_threshold =
        settings_integer(build->settings, who_says(build, section, SETTING_DNSBL_THRESHOLD),
                         SETTING_DNSBL_THRESHOLD);
    profile->spares_greylist =
        section && !settings_integer(build->settings, section, SETTING_PROFILE_GREYLIST);
    profile->max_visible_recipients =
        settings_integer(build->settings, who_says(build, section, SETTING_MAX_VISIBLE_RECIPIENTS),
                         SETTING_MAX_VISIBLE_RECIPIENTS);
    g_autoptr(GArray) overrides = overrides_of(build, section);
    if (overrides->len > 0)
        profile->rules =
            ruleset_profile_new(ruleset, (const struct ruleset_override *)(void *)overrides->data,
                                overrides->len, build->base->problems);
    return profile;
}

/* A section that says nothing of rule_files shares the rules of the policy without one. */
static struct ruleset *load_rules(const struct build *build)
{
    const struct setting_value *value = value_of(build, SETTING_RULE_FILES);
    if (build->first && value == settings_get(build->settings, NULL, SETTING_RULE_FILES))
        return ruleset_ref(build->first->site.spam->ruleset);
    const char *folder = build->base->base_dir;
    g_autoptr(GPtrArray) paths = words_of(build, SETTING_RULE_FILES);
    for (guint i = 0; folder && i < paths->len; i++) {
        g_autofree char *path = paths->pdata[i];
        paths->pdata[i] =
            g_path_is_absolute(path) ? g_strdup(path) : g_build_filename(folder, path, NULL);
    }
    g_ptr_array_add(paths, NULL);
    static const char fallback[] = GATEPOST_DATADIR "/rules " GATEPOST_SYSCONFDIR "/rules";
    struct ruleset_options options = {.missing_is_empty = strcmp(value->text, fallback) == 0};
    for (guint i = 0; build->older && i < build->older->len; i++) {
        const struct policy *older = build->older->pdata[i];
        struct ruleset *ruleset = older->site.spam->ruleset;
        if (ruleset_is_current(ruleset, (const char *const *)paths->pdata, &options))
            return ruleset_ref(ruleset);
    }
    return ruleset_load((const char *const *)paths->pdata, &options, build->base->problems);
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

/* Bytes of a hash that are kept. */
enum { HASH_SHOWN = 16 };

/* What tells a rule from another one of its name. What a meta rule stands on belongs to it: how it
 * is defined, and whether it is run at all. DEFINED has what is known already. */
static const char *definition_of(const struct ruleset *ruleset, const struct ruleset_rule *rule,
                                 GHashTable *defined)
{
    char *hash = g_hash_table_lookup(defined, rule->name);
    if (hash)
        return hash;
    /* Rules that stand on each other in a circle end here. */
    g_hash_table_insert(defined, (void *)(uintptr_t)rule->name, g_strdup(""));
    g_autoptr(GString) text = g_string_new(NULL);
    g_string_append_printf(text, "%d %s", (int)rule->kind, rule->text);
    for (const char *at = rule->kind == RULESET_META ? rule->text : ""; *at;) {
        size_t length =
            strspn(at, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_");
        g_autofree char *name = g_strndup(at, length);
        const struct ruleset_rule *part = length ? ruleset_rule_find(ruleset, name) : NULL;
        if (part)
            g_string_append_printf(text, "\n%s %s %d", name, definition_of(ruleset, part, defined),
                                   part->score != 0);
        at += MAX(length, 1);
    }
    hash = g_compute_checksum_for_string(G_CHECKSUM_SHA256, text->str, -1);
    hash[HASH_SHOWN] = '\0';
    g_hash_table_insert(defined, (void *)(uintptr_t)rule->name, hash);
    return hash;
}

/* What the history has to know of the rules to judge anew by other scores. */
static void name_rules(const struct build *build, struct spam_site *spam)
{
    g_autoptr(GString) text = g_string_new(NULL);
    g_autoptr(GHashTable) defined = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, g_free);
    const struct ruleset_rule *rule;
    for (size_t i = 0; (rule = ruleset_rule_get(spam->ruleset, i)); i++) {
        g_string_append_printf(text, "%s %s %.6g\n", rule->name,
                               definition_of(spam->ruleset, rule, defined), rule->score);
    }
    for (guint i = 1; i < spam->profiles->len; i++) {
        const struct section *section = settings_section(build->settings, SECTION_PROFILE, i - 1);
        const struct setting_keyed *keyed;
        g_string_append_printf(text, "[%s]\n", section_name(section));
        for (guint k = 0; (keyed = settings_keyed(build->settings, section, SETTING_RULE_SCORE, k));
             k++)
            g_string_append_printf(text, "%s %.6g\n", keyed->key, keyed->score);
    }
    g_autofree char *name = g_compute_checksum_for_string(G_CHECKSUM_SHA256, text->str, -1);
    name[HASH_SHOWN] = '\0';
    spam->rules_text = g_ref_string_new(text->str);
    spam->rules_name = g_ref_string_new(name);
}

static void build_spam(const struct build *build)
{
    struct site *site = &build->policy->site;
    struct spam_site *spam = site->spam = g_new0(struct spam_site, 1);
    spam->ruleset = load_rules(build);
    spam->split = integer_of(build, SETTING_MIXED_RECIPIENTS) == MIXED_SPLIT;
    spam->rule_zones = g_array_new(FALSE, FALSE, sizeof(unsigned));
    spam->profiles = g_ptr_array_new();
    g_ptr_array_add(spam->profiles, build_profile(build, NULL));
    guint count = settings_section_count(build->settings, SECTION_PROFILE);
    for (guint i = 0; i < count; i++)
        g_ptr_array_add(spam->profiles, build_profile(build, settings_section(build->settings,
                                                                              SECTION_PROFILE, i)));
    name_rules(build, spam);
    site->recipient_profiles = tables_of(build, SETTING_RECIPIENT_PROFILES);
    struct profile_visit visit = {.settings = build->settings,
                                  .context = context_for(build, SETTING_RECIPIENT_PROFILES)};
    const struct table_list *tables = site->recipient_profiles;
    for (unsigned i = 0; tables && i < table_list_count(tables); i++)
        table_foreach(table_list_get(tables, i), visit_profile, &visit);
}

/* Auto-replies */

static void build_guard(const struct build *build)
{
    struct site *site = &build->policy->site;
    const struct setting_value *value = value_of(build, SETTING_BOUNCE_SENDERS);
    site->guard_action = (enum guard_action)integer_of(build, SETTING_AUTOREPLY_GUARD);
    site->bounce_senders =
        bounce_senders_new(value->text, build->base->problems, value->file, value->line);
    site->suppress_autoreplies = integer_of(build, SETTING_SUPPRESS_AUTOREPLIES);
}

/* The restriction lists, and what follows from them */

/* Lists and the results of tables may name them. */
static void build_classes(const struct build *build)
{
    struct policy *policy = build->policy;
    struct table_context context = context_for(build, SETTING_RESTRICTION_CLASSES);
    policy->classes =
        restriction_classes_new(build->settings, build->section, build->base->problems);
    if (policy->classes)
        policy->site.class_names = policy->classes->by_name;
    restriction_classes_compile(policy->classes, &policy->site, &context);
}

static void build_lists(const struct build *build)
{
    for (int kind = 0; kind < LIST_COUNT; kind++) {
        enum setting id = restriction_list_setting((enum restriction_list_kind)kind);
        struct table_context context = context_for(build, id);
        build->policy->lists[kind] =
            restriction_list_compile(value_of(build, id)->text, (enum restriction_list_kind)kind,
                                     &build->policy->site, build->policy->classes, &context);
    }
}

static bool policy_is_whole(const struct policy *policy)
{
    for (int kind = 0; kind < LIST_COUNT; kind++)
        if (!policy->lists[kind])
            return false;
    return policy->site.mynetworks;
}

/* The DNS lists that rules name are asked like those that restrictions name, where the rules are
 * asked at all. Elsewhere they are only read. */
static void add_rule_zones(struct policy *policy, struct problems *problems)
{
    const struct ruleset *ruleset = policy->site.spam->ruleset;
    const struct restriction_list *list = policy->lists[LIST_MESSAGE];
    bool used = list && (restriction_list_asks(list, true) & ASKS_RULES);
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

/* What restrictions ask, of all lists that could be compiled. */
static unsigned policy_asks(const struct policy *policy, bool through_tables)
{
    unsigned asks = 0;
    for (int kind = 0; kind < LIST_COUNT; kind++)
        if (policy->lists[kind])
            asks |= restriction_list_asks(policy->lists[kind], through_tables);
    return asks;
}

/* Whether the list asks the store for marks, not for limits alone. */
static bool greylists(const struct restriction_list *list)
{
    const struct restriction_item *item;
    for (unsigned i = 0; list && (item = restriction_list_item(list, i)); i++)
        if (item->row && (item->row->asks & ASKS_STORE) && !item->argument.limit)
            return true;
    return false;
}

static bool counts_bytes(const struct restriction_list *list)
{
    const struct restriction_item *item;
    for (unsigned i = 0; list && (item = restriction_list_item(list, i)); i++)
        if (item->argument.limit && item->argument.limit->count == LIMIT_BYTES)
            return true;
    return false;
}

/* Whether HOLDS is true of a list, or of a class, which a table may name. */
static bool any_list(const struct policy *policy,
                     bool (*holds)(const struct restriction_list *list))
{
    for (int kind = 0; kind < LIST_COUNT; kind++)
        if (holds(policy->lists[kind]))
            return true;
    for (guint i = 0; policy->classes && i < policy->classes->all->len; i++)
        if (holds(((const struct restriction_class *)policy->classes->all->pdata[i])->list))
            return true;
    return false;
}

/* What follows from the lists: whom sessions ask, and what they read. */
static void conclude(struct policy *policy)
{
    struct site *site = &policy->site;
    unsigned asks = policy_asks(policy, true);
    unsigned at_the_end = restriction_list_asks(policy->lists[LIST_MESSAGE], true);
    unsigned reads = restriction_list_reads(policy->lists[LIST_MESSAGE]);
    /* The weighted lists ask nothing while none is configured. */
    if (dnsbl_set_count(site->dnsbl_weighted) == 0)
        asks &= ~(unsigned)ASKS_LISTS;
    policy->asks_dns = (asks & ASKS_DNS) || site->spam->rule_zones->len > 0;
    policy->guards = site->guard_action != GUARD_OFF && (at_the_end & ASKS_GUARD);
    policy->rules_read_body = ruleset_needs_body(site->spam->ruleset) && (at_the_end & ASKS_RULES);
    policy->removes_marks = restriction_list_asks(policy->lists[LIST_MESSAGE], false) & ASKS_RULES;
    policy->counts_body = any_list(policy, counts_bytes);
    for (int kind = 0; kind < LIST_COUNT; kind++)
        if (restriction_list_reads(policy->lists[kind]) & READS_WHOLE_BODY)
            policy->counts_body = true;
    policy->reads_header =
        site->suppress_autoreplies || policy->counts_body || policy->records_header || reads;
    /* by which the notices of limits are known */
    if ((asks & ASKS_STORE) && *site->limits->notice_address)
        policy->reads_header = true;
}

struct policy *policy_new(const struct settings *settings, const struct section *section,
                          const struct policy *first, const GPtrArray *older,
                          const struct table_context *base)
{
    struct policy *policy = g_new0(struct policy, 1);
    const struct build build = {.policy = policy,
                                .first = first,
                                .older = older,
                                .settings = settings,
                                .section = section,
                                .base = base};
    policy->section = section;
    policy->delay_checks = integer_of(&build, SETTING_DELAY_CHECKS);
    policy->monitor = integer_of(&build, SETTING_MODE) == MODE_MONITOR;
    policy->header_limit = (size_t)integer_of(&build, SETTING_HEADER_LIMIT);
    policy->site.store_budget =
        settings_integer(settings, NULL, SETTING_STATE_TIMEOUT) + STORE_SLACK_US;
    policy->limits_header = value_of(&build, SETTING_HEADER_LIMIT)->given;
    policy->records_header = settings_integer(settings, NULL, SETTING_HISTORY_HEADERS) &&
                             *settings_get(settings, NULL, SETTING_HISTORY)->text;
    build_site(&build);
    build_dns(&build);
    build_spam(&build);
    build_guard(&build);
    policy->site.limits = limits_compile(settings, base);
    policy->site.greylist_when = (unsigned)integer_of(&build, SETTING_GREYLIST_WHEN);
    policy->site.greylist_delay = integer_of(&build, SETTING_GREYLIST_DELAY) / 1000;
    policy->site.greylist_window = integer_of(&build, SETTING_GREYLIST_WINDOW) / 1000;
    policy->site.greylist_keep = integer_of(&build, SETTING_GREYLIST_KEEP) / 1000;
    build_classes(&build);
    build_lists(&build);
    add_rule_zones(policy, base->problems);
    policy->site.dnsbl_early =
        DNS_LISTS_ZONES | (policy_asks(policy, false) & ASKS_LISTS ? DNS_LISTS_WEIGHTED : 0);
    policy->greylists = any_list(policy, greylists);
    policy_lint(policy, settings, base->problems);
    policy_lint_tables(policy, settings, base->problems);
    policy_lint_keys(policy, settings, base->problems);
    limits_lint(policy, settings, base->problems);
    if (policy_is_whole(policy))
        conclude(policy);
    return policy;
}

void policy_free(struct policy *policy)
{
    if (!policy)
        return;
    site_clear(&policy->site);
    for (int kind = 0; kind < LIST_COUNT; kind++)
        restriction_list_free(policy->lists[kind]);
    restriction_classes_free(policy->classes);
    g_free(policy);
}
