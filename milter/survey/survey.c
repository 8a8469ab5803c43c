/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The threads of a survey. Some look domains up and fetch policies, others visit addresses; a
 * domain that hangs holds one of the first, an address that hangs one of the others.
 */
#include "survey.h"

#include <stdio.h>
#include <string.h>

#include "interrupt.h"
#include "mx.h"
#include "pace.h"
#include "sts_fetch.h"

/* A domain in the making. */
struct task {
    const char *name;
    struct mx_domain *mx;
    struct sts_result sts;
    GPtrArray *targets; /* struct target of each address of each host, NULL for one left alone */
    bool looked_up;     /* MX and policy are known */
};

struct survey {
    struct resolver *resolver;
    struct tls_context *context;
    const struct survey_options *options;
    struct pace *pace;
    struct task *tasks;
    guint *order; /* in which the tasks are taken: by chance */
    guint count;
    gint next;  /* atomic */
    gint ready; /* atomic: tasks that are looked up; one more when all is over */
};

/* ---- domains ---- */

static void *look_up_domains(void *data)
{
    struct survey *survey = data;
    struct asker asker;
    asker_init(&asker, survey->resolver, survey->options->validates);
    guint number;
    while (!interrupt_came() &&
           (number = (guint)g_atomic_int_add(&survey->next, 1)) < survey->count) {
        struct task *task = &survey->tasks[survey->order[number]];
        task->mx = mx_look_up(&asker, task->name);
        for (guint i = 0; i < task->mx->hosts->len; i++) {
            const struct mx_host *host = task->mx->hosts->pdata[i];
            for (size_t j = 0; j < host->address_count; j++) {
                bool wanted = survey->options->local || !ipaddr_is_private(&host->addresses[j]);
                const char *name = host->dane_base ? host->dane_base : host->name;
                g_ptr_array_add(
                    task->targets,
                    !wanted ? NULL : pace_add(survey->pace, &host->addresses[j], host->name, name));
            }
        }
        sts_fetch(&asker, task->name, survey->options->ca_file, survey->options->local, &task->sts);
        task->looked_up = !interrupt_came(); /* else it may be that nobody waited for the answer */
        g_atomic_int_inc(&survey->ready);
    }
    asker_clear(&asker);
    return NULL;
}

/* ---- addresses ---- */

/* Tries each version by itself, at the host's pace, since it is the same host; false: interrupted.
 */
static bool try_versions(struct survey *survey, struct target *target)
{
    GString *spoken = g_string_new(NULL);
    for (int i = 0; i < TLS_VERSIONS; i++) {
        struct visit *visit = interrupt_sleep(SURVEY_PACE_S * G_USEC_PER_SEC)
                                  ? visit_make(survey->context, &target->address,
                                               survey->options->helo, target->name, i)
                                  : NULL;
        if (!visit) {
            g_string_free(spoken, TRUE);
            return false;
        }
        if (visit->state == SMTP_OK)
            g_string_append_printf(spoken, "%s%s", spoken->len > 0 ? " " : "",
                                   strrchr(tls_version_name((unsigned)i), ' ') + 1);
        visit_free(visit);
    }
    g_free(target->versions);
    target->versions = g_string_free(spoken, FALSE);
    return true;
}

static bool is_definite(const struct visit *visit)
{
    return smtp_state_definite(smtp_state_text(visit->state), visit->reply, visit->tries);
}

/* A second look counts if it says something; two that failed alike say that it fails. */
static void take_visit(struct target *target, struct visit *visit)
{
    struct visit *first = target->visit;
    if (first && first->state == visit->state)
        visit->tries = first->tries + 1;
    if (first && !is_definite(visit)) {
        visit_free(visit);
        return;
    }
    visit_free(first);
    target->visit = visit;
}

static void *visit_targets(void *data)
{
    struct survey *survey = data;
    struct target *target;
    while ((target = pace_take(survey->pace))) {
        struct visit *visit =
            visit_make(survey->context, &target->address, survey->options->helo, target->name, -1);
        bool versions =
            visit && survey->options->versions && !target->visit && visit->state == SMTP_OK;
        if (versions && !try_versions(survey, target)) {
            visit_free(visit);
            visit = NULL;
        }
        if (visit)
            take_visit(target, visit);
        pace_done(survey->pace, target);
    }
    return NULL;
}

/* ---- findings ---- */

static void describe_certificate(struct survey *survey, const struct target *target,
                                 const struct mx_host *host, struct finding *finding)
{
    struct tls_certificate certificate;
    const struct tls_chain *chain = target->visit->tls.chain;
    tls_chain_describe(survey->context, chain, &certificate);
    finding_set(&finding->sha256, certificate.sha256);
    finding_set(&finding->spki, certificate.spki);
    finding_set(&finding->subject, certificate.subject);
    finding_set(&finding->names, certificate.names);
    finding_set(&finding->issuer, certificate.issuer);
    finding_set(&finding->key, certificate.key);
    finding_set(&finding->signature, certificate.signature);
    finding_set(&finding->chain, certificate.chain);
    finding->not_before = certificate.from;
    finding->not_after = certificate.until;
    finding->self_signed = certificate.self_signed;
    int64_t now = g_get_real_time() / G_USEC_PER_SEC;
    finding->expired = certificate.until < now;
    if (certificate.weak || (finding->chain && strcmp(finding->chain, "weak") == 0))
        finding->tls_weak = 1;
    /* Asked by another name, it may have shown another certificate than it has for this one. */
    bool matches = tls_chain_is_for(chain, host->name);
    bool asked = g_ascii_strcasecmp(target->name, host->name) == 0 ||
                 g_strcmp0(target->name, host->dane_base) == 0;
    finding->name_matches = matches ? 1 : asked ? 0 : -1;
    tls_certificate_clear(&certificate);
}

static void describe_tls(struct survey *survey, const struct target *target,
                         const struct mx_host *host, struct finding *finding)
{
    const struct tls_facts *tls = &target->visit->tls;
    finding_set(&finding->tls_error, tls->error);
    if (tls->weak)
        finding->tls_weak = 1;
    if (!tls->done)
        return;
    finding_set(&finding->tls_version, tls->version);
    finding_set(&finding->tls_cipher, tls->cipher);
    finding_set(&finding->tls_exchange, tls->exchange);
    finding_set(&finding->tls_versions, target->versions);
    finding->tls_bits = tls->bits;
    finding->tls_weak = tls->weak;
    finding->tls_renegotiation = !tls->insecure_renegotiation;
    if (tls->chain)
        describe_certificate(survey, target, host, finding);
}

static void describe_dane(struct survey *survey, const struct mx_domain *mx,
                          const struct mx_host *host, const struct target *target,
                          struct finding *finding)
{
    const char *names[] = {host->dane_base, host->name, mx->name, NULL};
    const char *why = NULL;
    size_t matched = 0;
    finding_set(&finding->dane, host->dane);
    finding_set(&finding->dane_base, host->dane_base);
    finding_set(&finding->dane_reason, host->dane_reason);
    if (!host->dane || strcmp(host->dane, "usable") != 0)
        return;
    const struct tls_chain *chain = target && target->visit ? target->visit->tls.chain : NULL;
    if (chain && tls_chain_dane(survey->context, chain, host->records, host->record_count, names,
                                &matched, &why)) {
        finding_set(&finding->dane, "ok");
        finding->dane_record = mx_tlsa_text(&host->records[matched]);
        return;
    }
    bool asked = !target || strcmp(target->name, host->dane_base) == 0;
    /* There are records to compare, but nothing to compare them with: that says nothing of them. */
    finding_set(&finding->dane, chain && asked ? "mismatch" : NULL);
    finding_set(&finding->dane_reason, !chain  ? "there was no certificate to compare"
                                       : asked ? why
                                               : "the server was asked by another name");
}

static void describe_sts(const struct task *task, const char *host, struct finding *finding)
{
    const struct sts_result *sts = &task->sts;
    finding_set(&finding->sts, sts->state);
    finding_set(&finding->sts_id, sts->id);
    finding_set(&finding->sts_reason, sts->reason);
    finding_set(&finding->tlsrpt, sts->report_places);
    if (!sts->policy)
        return;
    finding_set(&finding->sts_mode, sts_mode_text(sts->policy->mode));
    finding->sts_max_age = sts->policy->max_age;
    if (host && sts->policy->mode != STS_MODE_NONE)
        finding->sts_covered = sts_policy_covers(sts->policy, host);
}

static struct finding *describe(const struct task *task, const struct mx_host *host)
{
    struct finding *finding = finding_new();
    finding_set(&finding->domain, task->name);
    finding_set(&finding->mx_state, host ? host->state : task->mx->state);
    finding_set(&finding->state, finding->mx_state);
    finding_set(&finding->mx_reason, host ? host->reason : task->mx->reason);
    finding->mx_dnssec = task->mx->secure;
    if (host) {
        finding_set(&finding->mx, host->name);
        finding_set(&finding->mx_alias, host->alias);
        finding->preference = host->preference;
    }
    describe_sts(task, host ? host->name : NULL, finding);
    return finding;
}

static void describe_address(struct survey *survey, const struct task *task,
                             const struct mx_host *host, const struct ipaddr *address,
                             const struct target *target, GPtrArray *findings)
{
    char text[IPADDR_TEXT_MAX];
    struct finding *finding = describe(task, host);
    finding_set(&finding->address, ipaddr_format(address, text));
    g_ptr_array_add(findings, finding);
    if (target && target->visit) {
        const struct visit *visit = target->visit;
        finding_set(&finding->state, smtp_state_text(visit->state));
        finding_set(&finding->asked_as, target->name);
        finding_set(&finding->reply, visit->reply && *visit->reply ? visit->reply : NULL);
        finding_set(&finding->banner, visit->banner && *visit->banner ? visit->banner : NULL);
        finding_set(&finding->keywords, visit->keywords);
        finding->tries = visit->tries;
        describe_tls(survey, target, host, finding);
    } else {
        finding_set(&finding->state, "not-asked");
        finding_set(&finding->reply, "an address that means nothing outside (see --local)");
    }
    describe_dane(survey, task->mx, host, target, finding);
}

/* Adds the findings of one domain. */
static void describe_task(struct survey *survey, const struct task *task, GPtrArray *findings)
{
    guint number = 0;
    if (task->mx->hosts->len == 0)
        g_ptr_array_add(findings, describe(task, NULL));
    for (guint i = 0; i < task->mx->hosts->len; i++) {
        const struct mx_host *host = task->mx->hosts->pdata[i];
        for (size_t j = 0; j < host->address_count; j++)
            describe_address(survey, task, host, &host->addresses[j],
                             task->targets->pdata[number++], findings);
        if (host->address_count > 0)
            continue;
        struct finding *finding = describe(task, host);
        describe_dane(survey, task->mx, host, NULL, finding);
        g_ptr_array_add(findings, finding);
    }
}

static bool is_whole(const struct task *task)
{
    for (guint i = 0; i < task->targets->len; i++) {
        const struct target *target = task->targets->pdata[i];
        if (target && !target->visit)
            return false;
    }
    return task->looked_up;
}

static GPtrArray *describe_all(struct survey *survey)
{
    GPtrArray *findings = finding_list_new();
    for (guint i = 0; i < survey->count; i++)
        if (is_whole(&survey->tasks[i]))
            describe_task(survey, &survey->tasks[i], findings);
    return findings;
}

/* ---- the run ---- */

static void *show_progress(void *data)
{
    struct survey *survey = data;
    unsigned targets, visited;
    while ((guint)g_atomic_int_get(&survey->ready) <= survey->count) {
        pace_counts(survey->pace, &targets, &visited);
        fprintf(stderr, "\r%d of %u domains looked up, %u of %u servers asked ",
                MIN(g_atomic_int_get(&survey->ready), (gint)survey->count), survey->count, visited,
                targets);
        g_usleep(G_USEC_PER_SEC / 5);
    }
    fputs("\r\033[K", stderr);
    return NULL;
}

static void join(GPtrArray *threads)
{
    for (guint i = 0; i < threads->len; i++)
        g_thread_join(threads->pdata[i]);
    g_ptr_array_set_size(threads, 0);
}

static void start(GPtrArray *threads, unsigned count, const char *name, GThreadFunc run,
                  struct survey *survey)
{
    for (unsigned i = 0; i < count; i++)
        g_ptr_array_add(threads, g_thread_new(name, run, survey));
}

static void visit_all(struct survey *survey, bool look_up)
{
    g_autoptr(GPtrArray) lookers = g_ptr_array_new();
    g_autoptr(GPtrArray) visitors = g_ptr_array_new();
    unsigned jobs = CLAMP(survey->options->jobs, 1, SURVEY_JOBS_MAX);
    pace_open(survey->pace);
    if (look_up)
        start(lookers, MIN(jobs, survey->count), "lookup", look_up_domains, survey);
    start(visitors, jobs, "visit", visit_targets, survey);
    join(lookers);
    pace_close(survey->pace);
    join(visitors);
}

/* Asks again where something was lost, when some time has passed: a server that is being started
 * anew, or a gate that thinks us too curious, must not look like a change of mind. */
static bool confirm(struct survey *survey, const GPtrArray *findings)
{
    g_autoptr(GHashTable) addresses = g_hash_table_new(g_str_hash, g_str_equal);
    const struct survey_options *options = survey->options;
    for (guint i = 0; options->is_loss && options->confirm > 0 && i < findings->len; i++) {
        const struct finding *finding = findings->pdata[i];
        if (finding->address && finding->tries > 0 && options->is_loss(options->data, finding))
            g_hash_table_add(addresses, finding->address);
    }
    if (g_hash_table_size(addresses) == 0 || interrupt_came())
        return false;
    if (options->progress)
        fprintf(stderr, "\r\033[Kasking %u servers again in %" G_GINT64_FORMAT " s\n",
                g_hash_table_size(addresses), options->confirm / G_USEC_PER_SEC);
    if (!interrupt_sleep(options->confirm))
        return false;
    for (guint i = 0; i < survey->count; i++) {
        for (guint j = 0; j < survey->tasks[i].targets->len; j++) {
            char text[IPADDR_TEXT_MAX];
            struct target *target = survey->tasks[i].targets->pdata[j];
            if (target && g_hash_table_remove(addresses, ipaddr_format(&target->address, text)))
                pace_again(survey->pace, target);
        }
    }
    visit_all(survey, false);
    return true;
}

static void begin(struct survey *survey, const GPtrArray *domains)
{
    survey->tasks = g_new0(struct task, domains->len);
    survey->order = g_new(guint, domains->len);
    for (guint i = 0; i < domains->len; i++) {
        survey->tasks[i].name = domains->pdata[i];
        survey->tasks[i].targets = g_ptr_array_new();
        /* a list is often sorted by provider, who shall not have it all at once */
        guint other = (guint)g_random_int_range(0, (gint32)i + 1);
        survey->order[i] = survey->order[other];
        survey->order[other] = i;
    }
}

static void end(struct survey *survey)
{
    for (guint i = 0; i < survey->count; i++) {
        mx_domain_free(survey->tasks[i].mx);
        sts_result_clear(&survey->tasks[i].sts);
        g_ptr_array_unref(survey->tasks[i].targets);
    }
    g_free(survey->tasks);
    g_free(survey->order);
    pace_free(survey->pace);
}

GPtrArray *survey_run(struct resolver *resolver, struct tls_context *context,
                      const GPtrArray *domains, const struct survey_options *options,
                      GPtrArray *seen)
{
    struct survey survey = {.resolver = resolver,
                            .context = context,
                            .options = options,
                            .pace = pace_new(SURVEY_PACE_S * G_USEC_PER_SEC),
                            .count = domains->len};
    begin(&survey, domains);
    GThread *progress = options->progress ? g_thread_new("progress", show_progress, &survey) : NULL;
    visit_all(&survey, true);
    GPtrArray *findings = describe_all(&survey);
    if (confirm(&survey, findings)) {
        g_ptr_array_unref(findings);
        findings = describe_all(&survey);
    }
    g_atomic_int_set(&survey.ready, (gint)survey.count + 1);
    if (progress)
        g_thread_join(progress);
    for (guint i = 0; i < domains->len; i++)
        if (is_whole(&survey.tasks[i]))
            g_ptr_array_add(seen, domains->pdata[i]);
    end(&survey);
    return findings;
}
