/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The words of a survey.
 */
#include "summary.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "tls_facts.h"

/* A certificate that ends within so many days is worth a word. */
enum { SOON_DAYS = 14 };

static const struct {
    const char *state, *words;
} outcomes[] = {
    {"no-starttls", "no STARTTLS"},
    {"starttls-refused", "STARTTLS refused"},
    {"handshake-failed", "TLS handshake failed"},
    {"blocked", "blocked"},
    {"timeout", "no answer in time"},
    {"refused", "unreachable"},
    {"not-asked", "not asked"},
    {"no-address", "MX without an address"},
    {"mx-is-address", "MX is an address"},
    {"servfail", "addresses cannot be looked up"},
};

const char *summary_outcome(const struct finding *finding)
{
    if (strcmp(finding->state, "ok") == 0)
        return finding->tls_version ? finding->tls_version : "TLS";
    for (size_t i = 0; i < G_N_ELEMENTS(outcomes); i++)
        if (strcmp(outcomes[i].state, finding->state) == 0)
            return outcomes[i].words;
    return finding->state;
}

static const char *domain_words(const char *state)
{
    static const struct {
        const char *state, *words;
    } words[] = {{"null-mx", "accepts no mail (null MX)"},
                 {"nxdomain", "does not exist"},
                 {"no-address", "has neither MX nor address"},
                 {"servfail", "cannot be looked up"}};
    for (size_t i = 0; i < G_N_ELEMENTS(words); i++)
        if (strcmp(words[i].state, state) == 0)
            return words[i].words;
    return state;
}

/* ---- remarks ---- */

static bool is_other_name(const struct finding *f)
{
    return f->name_matches == 0;
}

static bool is_expired(const struct finding *f)
{
    return f->expired > 0;
}

static bool is_self_signed(const struct finding *f)
{
    return g_strcmp0(f->chain, "self-signed") == 0;
}

static bool is_untrusted(const struct finding *f)
{
    return g_strcmp0(f->chain, "untrusted") == 0 || g_strcmp0(f->chain, "broken") == 0;
}

static bool has_no_certificate(const struct finding *f)
{
    return f->tls_version && !f->sha256;
}

static bool is_weak(const struct finding *f)
{
    return f->tls_weak > 0;
}

static bool ends_soon(const struct finding *f)
{
    int64_t left = f->not_after - g_get_real_time() / G_USEC_PER_SEC;
    return f->not_after >= 0 && f->expired == 0 && left < SOON_DAYS * 86400;
}

static bool is_alias(const struct finding *f)
{
    return strcmp(f->mx_state, "mx-is-alias") == 0;
}

static bool dane_ok(const struct finding *f)
{
    return g_strcmp0(f->dane, "ok") == 0;
}

static bool dane_mismatch(const struct finding *f)
{
    return g_strcmp0(f->dane, "mismatch") == 0;
}

static bool dane_bogus(const struct finding *f)
{
    return g_strcmp0(f->dane, "bogus") == 0;
}

static bool dane_unusable(const struct finding *f)
{
    return g_strcmp0(f->dane, "unusable") == 0;
}

static bool dane_failed(const struct finding *f)
{
    return g_strcmp0(f->dane, "lookup-failed") == 0;
}

static bool sts_uncovered(const struct finding *f)
{
    return f->sts_covered == 0;
}

static const struct remark {
    bool (*holds)(const struct finding *finding);
    const char *words;
} remarks[] = {
    {is_other_name, "certificate of another name"},
    {is_self_signed, "self-signed certificate"},
    {is_untrusted, "certificate of an unknown authority"},
    {is_expired, "certificate expired"},
    {ends_soon, "certificate expires soon"},
    {has_no_certificate, "no certificate"},
    {is_weak, "weak key"},
    {is_alias, "MX is an alias"},
    {dane_ok, "DANE ok"},
    {dane_mismatch, "DANE mismatch"},
    {dane_bogus, "DANE bogus"},
    {dane_unusable, "DANE records unusable"},
    {dane_failed, "DANE lookup failed"},
    {sts_uncovered, "MTA-STS does not cover the MX"},
};

/* What there is to add to a date or a key, if all that it holds for have the same. */
static char *detail(const struct remark *remark, const struct finding *f)
{
    bool expired = remark->holds == is_expired, soon = remark->holds == ends_soon;
    if (expired || soon) {
        g_autoptr(GDateTime) date = g_date_time_new_from_unix_local(f->not_after);
        return date ? g_date_time_format(date, expired ? " on %Y-%m-%d" : ", on %Y-%m-%d") : NULL;
    }
    if (remark->holds == is_weak && f->tls_exchange && strchr("DH", f->tls_exchange[0]))
        return g_strdup_printf(" (%s)", f->tls_exchange);
    if (remark->holds == is_weak && f->key)
        return g_strdup_printf(" (%s)", f->key);
    if (remark->holds == is_untrusted && f->issuer)
        return g_strdup_printf(" (%s)", f->issuer);
    return NULL;
}

static void add_remark(GString *line, const struct remark *remark, const GPtrArray *findings,
                       unsigned servers)
{
    unsigned count = 0;
    bool alike = true;
    g_autofree char *added = NULL;
    for (guint i = 0; i < findings->len; i++) {
        const struct finding *f = findings->pdata[i];
        if (!remark->holds(f))
            continue;
        g_autofree char *more = detail(remark, f);
        if (count++ == 0)
            added = g_steal_pointer(&more);
        else
            alike = alike && g_strcmp0(added, more) == 0;
    }
    if (count == 0)
        return;
    g_string_append_printf(line, "; %s%s", remark->words, alike && added ? added : "");
    if (count < servers)
        g_string_append_printf(line, " (%u of %u)", count, servers);
}

/* Versions from old to new, then what else there is. */
static int by_outcome(const void *a, const void *b)
{
    const char *left = summary_outcome(*(struct finding *const *)a);
    const char *right = summary_outcome(*(struct finding *const *)b);
    bool left_version = tls_version_index(left) >= 0, right_version = tls_version_index(right) >= 0;
    if (left_version != right_version)
        return left_version ? -1 : 1;
    return strcmp(left, right);
}

static void add_outcomes(GString *line, const GPtrArray *findings, unsigned servers)
{
    g_autoptr(GPtrArray) sorted = g_ptr_array_new();
    for (guint i = 0; i < findings->len; i++)
        g_ptr_array_add(sorted, findings->pdata[i]);
    g_ptr_array_sort(sorted, by_outcome);
    g_string_append_printf(line, "%u server%s: ", servers, servers == 1 ? "" : "s");
    for (guint i = 0, next; i < sorted->len; i = next) {
        const char *outcome = summary_outcome(sorted->pdata[i]);
        for (next = i; next < sorted->len; next++)
            if (strcmp(summary_outcome(sorted->pdata[next]), outcome) != 0)
                break;
        g_string_append(line, i > 0 ? ", " : "");
        if (next - i < servers)
            g_string_append_printf(line, "%u ", next - i);
        g_string_append(line, outcome);
    }
}

char *summary_line(const GPtrArray *findings)
{
    const struct finding *first = findings->pdata[0];
    GString *line = g_string_new(NULL);
    g_string_append_printf(line, "%s: ", first->domain);
    if (!first->mx) {
        g_string_append(line, domain_words(first->mx_state));
        if (first->mx_reason)
            g_string_append_printf(line, " (%s)", first->mx_reason);
    } else {
        add_outcomes(line, findings, findings->len);
        if (strcmp(first->mx_state, "implicit-mx") == 0)
            g_string_append(line, "; no MX, its own address is used");
    }
    for (size_t i = 0; first->mx && i < G_N_ELEMENTS(remarks); i++)
        add_remark(line, &remarks[i], findings, findings->len);
    if (first->sts_mode)
        g_string_append_printf(line, "; MTA-STS %s", first->sts_mode);
    else if (first->sts && strcmp(first->sts, "none") != 0)
        g_string_append_printf(line, "; MTA-STS: %s (%s)", first->sts,
                               first->sts_reason ? first->sts_reason : "?");
    return g_string_free(line, FALSE);
}

static void add_server(GString *out, const struct finding *f)
{
    g_autofree char *where =
        f->address ? g_strdup_printf("%s[%s]", f->mx, f->address) : g_strdup(f->mx);
    g_string_append_printf(out, "  %5" G_GINT64_FORMAT " %-40s %s", f->preference, where,
                           summary_outcome(f));
    if (f->tls_cipher)
        g_string_append_printf(out, " %s", f->tls_cipher);
    if (f->tls_versions)
        g_string_append_printf(out, "; speaks %s", *f->tls_versions ? f->tls_versions : "none");
    if (f->not_after >= 0) {
        g_autoptr(GDateTime) date = g_date_time_new_from_unix_local(f->not_after);
        g_autofree char *day = date ? g_date_time_format(date, "%Y-%m-%d") : g_strdup("?");
        g_string_append_printf(out, "; %s, %s, until %s, issued by %s", f->key, f->chain, day,
                               f->issuer);
    }
    if (f->dane)
        g_string_append_printf(out, "; DANE %s%s%s", f->dane, f->dane_record ? " " : "",
                               f->dane_record ? f->dane_record : "");
    const char *why = f->tls_error ? f->tls_error : f->reply ? f->reply : f->mx_reason;
    if (why && strcmp(f->state, "ok") != 0)
        g_string_append_printf(out, ": %s", why);
}

void summary_table(GString *out, const GPtrArray *findings)
{
    const struct finding *first = findings->pdata[0];
    g_autofree char *line = summary_line(findings);
    g_autofree char *safe = text_escape(line);
    g_string_append_printf(out, "%s\n", safe);
    for (guint i = 0; first->mx && i < findings->len; i++) {
        GString *server = g_string_new(NULL);
        add_server(server, findings->pdata[i]);
        g_autofree char *escaped = text_escape(server->str);
        g_string_append_printf(out, "%s\n", escaped);
        g_string_free(server, TRUE);
    }
}

void summary_difference(GString *out, const struct difference *difference)
{
    GString *line = g_string_new(NULL);
    g_string_printf(line, "%-11s %s", diff_class_text(difference->class), difference->domain);
    if (difference->mx)
        g_string_append_printf(line, " %s", difference->mx);
    if (difference->address)
        g_string_append_printf(line, "[%s]", difference->address);
    g_string_append_printf(line, ": %s", difference->text);
    g_autofree char *safe = text_escape(line->str);
    g_string_append_printf(out, "%s\n", safe);
    g_string_free(line, TRUE);
}

void summary_each(const GPtrArray *findings, void (*each)(const GPtrArray *of_domain, void *data),
                  void *data)
{
    g_autoptr(GPtrArray) one = g_ptr_array_new();
    for (guint i = 0; i < findings->len; i++) {
        const struct finding *finding = findings->pdata[i];
        if (one->len > 0 &&
            strcmp(((struct finding *)one->pdata[0])->domain, finding->domain) != 0) {
            each(one, data);
            g_ptr_array_set_size(one, 0);
        }
        g_ptr_array_add(one, findings->pdata[i]);
    }
    if (one->len > 0)
        each(one, data);
}
