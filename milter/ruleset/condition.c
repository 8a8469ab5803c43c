/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Conditions of "if", answered as SpamAssassin 4.0.1 without plug-ins would answer them.
 */
#include <string.h>

#include "ruleset_private.h"

#define SPAMASSASSIN_VERSION 4.000001
#define PERL_VERSION         5.036000

static const char *const calls[] = {"plugin", "can", "has", NULL};

/* What SpamAssassin 4.0's configuration says that it can do. */
static const char *const features[] = {"feature_originating_ip_headers",
                                       "feature_dns_local_ports_permit_avoid",
                                       "feature_bayes_auto_learn_on_error",
                                       "feature_uri_host_listed",
                                       "feature_yesno_takes_args",
                                       "feature_bug6558_free",
                                       "feature_edns",
                                       "feature_dns_query_restriction",
                                       "feature_registryboundaries",
                                       "feature_geodb",
                                       "feature_dns_block_rule",
                                       "feature_compile_regexp",
                                       "feature_meta_rules_matching",
                                       "feature_subjprefix",
                                       "feature_bayes_stopwords",
                                       "feature_get_host",
                                       "feature_blocklist_welcomelist",
                                       "feature_welcomelist_blocklist",
                                       "feature_header_address_parser",
                                       "feature_local_tests_only",
                                       "feature_header_first_last",
                                       "feature_header_match_many",
                                       "feature_capture_rules",
                                       "has_tflags_nosubject",
                                       "has_tflags_nolog",
                                       "perl_min_version_5010000",
                                       NULL};

bool condition_plugin(const char *name)
{
    /* SpamAssassin says so of this one, whose rules it renamed. */
    return strcmp(name, "Mail::SpamAssassin::Plugin::RaciallyCharged") == 0;
}

static bool can(const struct builder *builder, const char *name)
{
    static const char module[] = "Mail::SpamAssassin::Conf::";
    if (!g_str_has_prefix(name, module))
        return false;
    name += strlen(module);
    if (g_str_has_prefix(name, "compat_"))
        return g_hash_table_contains(builder->compat, name + strlen("compat_"));
    return g_strv_contains(features, name);
}

static bool word_value(const struct builder *builder, const struct expression_name *name,
                       double *value_r)
{
    if (strcmp(name->word, "plugin") == 0)
        *value_r = condition_plugin(name->argument);
    else if (name->argument)
        *value_r = can(builder, name->argument);
    else if (strcmp(name->word, "version") == 0)
        *value_r = SPAMASSASSIN_VERSION;
    else if (strcmp(name->word, "perl_version") == 0)
        *value_r = PERL_VERSION;
    else if (strcmp(name->word, "local_tests_only") == 0)
        *value_r = 0;
    else
        return false;
    return true;
}

bool condition_evaluate(const struct builder *builder, const char *text, bool *value_r,
                        char **why_r)
{
    struct expression *expression = expression_parse(text, calls, why_r);
    if (!expression)
        return false;
    g_autofree double *values = g_new0(double, expression->names->len + 1);
    bool failed = false;
    for (guint i = 0; i < expression->names->len && !failed; i++) {
        const struct expression_name *name = expression->names->pdata[i];
        failed = !word_value(builder, name, &values[i]);
        if (failed)
            *why_r = g_strdup_printf("\"%s\" is not known", name->word);
    }
    if (!failed) {
        *value_r = expression_value(expression, values, &failed) != 0;
        if (failed)
            *why_r = g_strdup("it divides by zero");
    }
    expression_free(expression);
    return !failed;
}
