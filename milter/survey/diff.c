/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Comparing runs. What can be lost has grades, a row each; the rest is compared as it stands.
 */
#include "diff.h"

#include <string.h>

#include "tls_facts.h"

/* An observation that says nothing of a grade. */
enum { UNKNOWN = -1 };

static const char *const class_texts[] = {"alarm", "unconfirmed", "change", "renewal", "noise"};

const char *diff_class_text(enum diff_class class)
{
    return class_texts[class];
}

static void difference_free(void *data)
{
    struct difference *difference = data;
    g_free(difference->domain);
    g_free(difference->mx);
    g_free(difference->address);
    g_free(difference->text);
    g_free(difference);
}

/* ---- grades: more is better ---- */

static int grade_encryption(const struct finding *finding)
{
    if (!finding_is_definite(finding))
        return UNKNOWN;
    return strcmp(finding->state, "ok") == 0;
}

static int grade_version(const struct finding *finding)
{
    return finding_is_definite(finding) ? tls_version_index(finding->tls_version) : UNKNOWN;
}

static int grade_dane(const struct finding *finding)
{
    static const struct {
        const char *state;
        int grade;
    } grades[] = {{"ok", 2},       {"none", 1},     {"insecure", 1},
                  {"unusable", 1}, {"mismatch", 0}, {"bogus", 0}};
    for (size_t i = 0; i < G_N_ELEMENTS(grades); i++)
        if (g_strcmp0(finding->dane, grades[i].state) == 0)
            return grades[i].grade;
    return UNKNOWN;
}

static int grade_sts(const struct finding *finding)
{
    return g_strcmp0(finding->sts_mode, "enforce") == 0 ? (int)finding->sts_covered : UNKNOWN;
}

/* Of the domain: whether there is anybody to take its mail. */
static int grade_mail(const struct finding *finding)
{
    if (strcmp(finding->mx_state, "null-mx") == 0 || strcmp(finding->mx_state, "nxdomain") == 0)
        return 0;
    return finding->address ? 1 : UNKNOWN;
}

static char *tell_encryption(const struct finding *before, const struct finding *now)
{
    const char *version = before && before->tls_version ? before->tls_version : "encrypted";
    const char *what = strcmp(now->state, "no-starttls") == 0 ? "STARTTLS is gone"
                       : strcmp(now->state, "starttls-refused") == 0
                           ? "STARTTLS is offered and refused"
                           : "the TLS handshake fails";
    return g_strdup_printf("%s (was %s)", what, version);
}

static char *tell_version(const struct finding *before, const struct finding *now)
{
    return g_strdup_printf("%s (was %s)", now->tls_version,
                           before && before->tls_version ? before->tls_version : "newer");
}

static char *tell_dane(const struct finding *before, const struct finding *now)
{
    return g_strdup_printf("DANE: %s (was %s)", now->dane,
                           before && before->dane ? before->dane : "ok");
}

static char *tell_sts(const struct finding *before, const struct finding *now)
{
    (void)before, (void)now;
    return g_strdup("the MTA-STS policy, in mode enforce, does not cover this MX");
}

static char *tell_mail(const struct finding *before, const struct finding *now)
{
    (void)before;
    return g_strdup(strcmp(now->mx_state, "null-mx") == 0
                        ? "the domain says that it accepts no mail (null MX)"
                        : "the domain does not exist any more");
}

struct grading {
    int (*grade)(const struct finding *finding);
    char *(*tell)(const struct finding *before, const struct finding *now);
    bool of_domain;
};

static const struct grading gradings[] = {
    {grade_encryption, tell_encryption, false},
    {grade_version, tell_version, false},
    {grade_dane, tell_dane, false},
    {grade_sts, tell_sts, false},
    {grade_mail, tell_mail, true},
};

/* ---- one domain's observations ---- */

struct story {
    GPtrArray *sightings;
    GArray *runs; /* that looked at the domain, up to B */
};

static void story_read(struct story *story, struct history *history, const char *domain,
                       int64_t until)
{
    story->sightings = history_sightings(history, domain, until);
    story->runs = history_runs_of(history, domain, until);
}

static void story_clear(struct story *story)
{
    g_ptr_array_unref(story->sightings);
    g_array_unref(story->runs);
}

/* The sighting that RUN has of an address of an MX; MX NULL: the domain's best. */
static const struct sighting *find_sighting(const struct story *story, int64_t run, const char *mx,
                                            const char *address,
                                            int (*grade)(const struct finding *))
{
    const struct sighting *best = NULL;
    for (guint i = 0; i < story->sightings->len; i++) {
        const struct sighting *one = story->sightings->pdata[i];
        if (one->first > run || run > one->last)
            continue;
        if (mx && (g_strcmp0(one->finding->mx, mx) != 0 ||
                   g_strcmp0(one->finding->address, address) != 0))
            continue;
        if (!best || grade(one->finding) > grade(best->finding))
            best = one;
    }
    return best;
}

/* The worst grade that RUN has for the MX, or if that is new for the whole domain: what a new
 * address, or a new MX, is measured by. */
static const struct finding *find_worst(const struct story *story, int64_t run, const char *mx,
                                        int (*grade)(const struct finding *))
{
    const struct finding *worst = NULL;
    for (unsigned pass = 0; pass < 2 && !worst; pass++) {
        for (guint i = 0; i < story->sightings->len; i++) {
            const struct sighting *one = story->sightings->pdata[i];
            if (one->first > run || run > one->last || grade(one->finding) == UNKNOWN ||
                (pass == 0 && g_strcmp0(one->finding->mx, mx) != 0))
                continue;
            if (!worst || grade(one->finding) < grade(worst))
                worst = one->finding;
        }
    }
    return worst;
}

/* What all observations up to a run say of one grade. */
struct verdict {
    const struct finding *before, *now; /* the last two that differ; NULL: there is none */
    int grade;                          /* of NOW */
    unsigned agree;                     /* how many, up to the last, agree with it */
    int64_t since, until;               /* when the first and the last of those were made */
    bool lost, certain;
};

static void add_observation(struct verdict *verdict, int grade, const struct finding *finding,
                            int64_t time, unsigned times)
{
    if (grade == UNKNOWN)
        return;
    if (verdict->now && grade == verdict->grade) {
        verdict->agree += times;
    } else {
        verdict->before = verdict->now;
        verdict->lost = verdict->now && grade < verdict->grade;
        verdict->agree = times;
        verdict->since = time;
    }
    verdict->grade = grade;
    verdict->now = finding;
    verdict->until = time;
}

static struct verdict judge(const struct story *story, const struct grading *grading,
                            const char *mx, const char *address, int64_t until)
{
    struct verdict verdict = {0};
    bool seen = false, failed = false;
    for (guint i = 0; i < story->runs->len; i++) {
        const struct history_run *run = &g_array_index(story->runs, struct history_run, i);
        const struct sighting *one =
            run->id > until ? NULL : find_sighting(story, run->id, mx, address, grading->grade);
        if (!one)
            continue;
        if (!seen && i > 0 && mx) {
            const struct history_run *last = run - 1;
            const struct finding *worst = find_worst(story, last->id, mx, grading->grade);
            if (worst)
                add_observation(&verdict, grading->grade(worst), worst, last->started, 1);
        }
        seen = true;
        unsigned times = one->first == run->id ? (unsigned)one->tries : 1;
        /* a handshake that failed in the run before, too, has failed twice */
        struct finding seen_now = *one->finding;
        bool fails = g_strcmp0(seen_now.state, "handshake-failed") == 0;
        if (fails && failed)
            seen_now.tries = MAX(seen_now.tries, 2);
        failed = fails;
        add_observation(&verdict, grading->grade(&seen_now), one->finding, run->started, times);
    }
    verdict.certain = verdict.lost &&
                      (verdict.agree >= DIFF_AGREE || verdict.until - verdict.since >= DIFF_SPAN_S);
    return verdict;
}

bool diff_is_loss(struct history *history, const struct finding *finding)
{
    struct story story;
    /* what failed once is taken for what it may turn out to be */
    struct finding guess = *finding;
    guess.tries = MAX(finding->tries, 2);
    story_read(&story, history, finding->domain, G_MAXINT64);
    bool loss = false;
    for (size_t i = 0; i < G_N_ELEMENTS(gradings) && story.runs->len > 0; i++) {
        const struct grading *grading = &gradings[i];
        int grade = grading->grade(&guess);
        struct verdict verdict = judge(&story, grading, finding->mx, finding->address, G_MAXINT64);
        int before = verdict.now ? verdict.grade : UNKNOWN;
        if (!verdict.now) {
            int64_t last = g_array_index(story.runs, struct history_run, story.runs->len - 1).id;
            const struct finding *worst = find_worst(&story, last, finding->mx, grading->grade);
            before = worst ? grading->grade(worst) : UNKNOWN;
        }
        loss = loss || (!grading->of_domain && grade != UNKNOWN && grade < before);
    }
    story_clear(&story);
    return loss;
}

/* ---- comparing ---- */

struct comparison {
    const struct story *story;
    int64_t a, b;
    const char *domain;
    GPtrArray *out;
};

static void tell(const struct comparison *comparison, enum diff_class class, const char *mx,
                 const char *address, char *text)
{
    struct difference *difference = g_new0(struct difference, 1);
    *difference = (struct difference){class, g_strdup(comparison->domain), g_strdup(mx),
                                      g_strdup(address), text};
    g_ptr_array_add(comparison->out, difference);
}

static char *day_of(int64_t seconds)
{
    g_autoptr(GDateTime) date = g_date_time_new_from_unix_local(seconds);
    return date ? g_date_time_format(date, "%Y-%m-%d") : g_strdup("?");
}

/* Tells the losses that B has, but for those that were certain in A: they were told then. */
static void compare_grades(const struct comparison *comparison, const char *mx, const char *address,
                           bool of_domain)
{
    for (size_t i = 0; i < G_N_ELEMENTS(gradings); i++) {
        const struct grading *grading = &gradings[i];
        if (grading->of_domain != of_domain)
            continue;
        struct verdict now = judge(comparison->story, grading, mx, address, comparison->b);
        struct verdict then = judge(comparison->story, grading, mx, address, comparison->a);
        bool told = then.certain && then.grade == now.grade;
        if (!now.lost || told)
            continue;
        g_autofree char *what = grading->tell(now.before, now.now);
        g_autofree char *since = day_of(now.since);
        tell(comparison, now.certain ? DIFF_ALARM : DIFF_UNCONFIRMED, mx, address,
             now.agree == 1
                 ? g_strdup_printf("%s, seen once, on %s", what, since)
                 : g_strdup_printf("%s, seen %u times since %s", what, now.agree, since));
    }
}

static void compare_certificates(const struct comparison *comparison, const struct finding *a,
                                 const struct finding *b)
{
    g_autofree char *until = b->not_after >= 0 ? day_of(b->not_after) : NULL;
    if (g_strcmp0(a->sha256, b->sha256) == 0) {
        if (b->sha256 && b->expired > 0 && a->expired == 0)
            tell(comparison, DIFF_CHANGE, b->mx, b->address,
                 g_strdup_printf("the certificate has expired, on %s", until));
        else if (b->sha256 && g_strcmp0(a->chain, b->chain) != 0)
            tell(comparison, DIFF_CHANGE, b->mx, b->address,
                 g_strdup_printf("the certificate is %s now (was %s)", b->chain, a->chain));
        return;
    }
    if (!a->sha256 || !b->sha256) {
        if (b->sha256 && finding_is_definite(a))
            tell(comparison, DIFF_CHANGE, b->mx, b->address,
                 g_strdup_printf("a certificate was added: %s, issued by %s, until %s", b->subject,
                                 b->issuer, until));
        return;
    }
    bool same_key = g_strcmp0(a->spki, b->spki) == 0;
    bool matches = g_strcmp0(a->dane, "ok") == 0 && g_strcmp0(b->dane, "ok") == 0;
    if (same_key || matches)
        tell(comparison, DIFF_RENEWAL, b->mx, b->address,
             g_strdup_printf("the certificate was renewed, %s, until %s",
                             same_key ? "with the same key" : "and DANE's records match it",
                             until));
    else if (g_strcmp0(a->issuer, b->issuer) == 0)
        tell(comparison, DIFF_CHANGE, b->mx, b->address,
             g_strdup_printf("another certificate with another key, until %s", until));
    else
        tell(comparison, DIFF_CHANGE, b->mx, b->address,
             g_strdup_printf("another certificate by another issuer, %s (was %s), until %s",
                             b->issuer, a->issuer, until));
}

/* What one address answered then and answers now, as far as it is no loss. */
static void compare_address(const struct comparison *comparison, const struct finding *a,
                            const struct finding *b)
{
    int was = grade_encryption(a), is = grade_encryption(b);
    if (was == 0 && is == 1)
        tell(comparison, DIFF_CHANGE, b->mx, b->address,
             g_strdup_printf("takes mail encrypted now, %s (was %s)", b->tls_version, a->state));
    else if ((was == UNKNOWN || is == UNKNOWN) && g_strcmp0(a->state, b->state) != 0)
        tell(comparison, DIFF_NOISE, b->mx, b->address,
             g_strdup_printf("%s (was %s)", b->state, a->state));
    else if (was == 0 && is == 0 && g_strcmp0(a->state, b->state) != 0)
        tell(comparison, DIFF_CHANGE, b->mx, b->address,
             g_strdup_printf("%s (was %s)", b->state, a->state));
    if (grade_version(a) != UNKNOWN && grade_version(b) > grade_version(a))
        tell(comparison, DIFF_CHANGE, b->mx, b->address,
             g_strdup_printf("%s (was %s)", b->tls_version, a->tls_version));
    if (was == 1 && is == 1 && a->tls_weak != b->tls_weak)
        tell(comparison, DIFF_CHANGE, b->mx, b->address,
             g_strdup(b->tls_weak > 0 ? "a weak key now" : "no weak key any more"));
    if (grade_dane(b) > grade_dane(a) ||
        (grade_dane(a) == grade_dane(b) && a->dane && b->dane && strcmp(a->dane, b->dane) != 0))
        tell(comparison, grade_dane(a) == UNKNOWN ? DIFF_NOISE : DIFF_CHANGE, b->mx, b->address,
             g_strdup_printf("DANE: %s (was %s)", b->dane, a->dane ? a->dane : "not known"));
    compare_certificates(comparison, a, b);
}

static const struct finding *find_place(const GPtrArray *findings, const char *mx,
                                        const char *address)
{
    for (guint i = 0; i < findings->len; i++) {
        const struct finding *one = findings->pdata[i];
        if (g_strcmp0(one->mx, mx) == 0 && (!address || g_strcmp0(one->address, address) == 0))
            return one;
    }
    return NULL;
}

/* MX hosts and addresses that one side has and the other has not. */
static void compare_places(const struct comparison *comparison, const GPtrArray *from,
                           const GPtrArray *to, bool gone)
{
    for (guint i = 0; i < from->len; i++) {
        const struct finding *one = from->pdata[i];
        if (!one->mx)
            continue;
        bool known = find_place(to, one->mx, NULL);
        if (!known && find_place(from, one->mx, NULL) == one)
            tell(comparison, DIFF_CHANGE, one->mx, NULL,
                 g_strdup(gone ? "is no MX any more" : "is a new MX"));
        else if (known && one->address && !find_place(to, one->mx, one->address))
            tell(comparison, DIFF_NOISE, one->mx, one->address,
                 g_strdup(gone ? "is no address of it any more" : "is a new address of it"));
    }
}

static void compare_domain(const struct comparison *comparison, const GPtrArray *then,
                           const GPtrArray *now)
{
    const struct finding *a = then->pdata[0], *b = now->pdata[0];
    bool had = a->mx, has = b->mx;
    if (!had && !has && strcmp(a->mx_state, b->mx_state) != 0)
        tell(comparison,
             grade_mail(a) == UNKNOWN || grade_mail(b) == UNKNOWN ? DIFF_NOISE : DIFF_CHANGE, NULL,
             NULL, g_strdup_printf("%s (was %s)", b->mx_state, a->mx_state));
    else if (had != has && grade_mail(has ? a : b) == UNKNOWN)
        tell(comparison, DIFF_NOISE, NULL, NULL,
             g_strdup_printf("%s (was %s)", b->mx_state, a->mx_state));
    else if (!had && has)
        tell(comparison, DIFF_CHANGE, NULL, NULL, g_strdup("takes mail now"));
    bool told = g_strcmp0(a->sts_mode, b->sts_mode) == 0 && g_strcmp0(a->sts, b->sts) == 0;
    if (!told) {
        bool failed =
            g_strcmp0(a->sts, "lookup-failed") == 0 || g_strcmp0(b->sts, "lookup-failed") == 0 ||
            g_strcmp0(b->sts, "fetch-failed") == 0 || g_strcmp0(a->sts, "fetch-failed") == 0;
        tell(comparison, failed ? DIFF_NOISE : DIFF_CHANGE, NULL, NULL,
             g_strdup_printf("MTA-STS: %s (was %s)", b->sts_mode ? b->sts_mode : b->sts,
                             a->sts_mode ? a->sts_mode : a->sts));
    }
    if (g_strcmp0(a->tlsrpt, b->tlsrpt) != 0)
        tell(comparison, DIFF_CHANGE, NULL, NULL,
             g_strdup_printf("TLSRPT: %s (was %s)", b->tlsrpt ? b->tlsrpt : "none",
                             a->tlsrpt ? a->tlsrpt : "none"));
}

static int by_class(const void *a, const void *b)
{
    const struct difference *left = *(struct difference *const *)a;
    const struct difference *right = *(struct difference *const *)b;
    int order = (int)left->class - (int)right->class;
    if (order == 0)
        order = g_strcmp0(left->mx, right->mx);
    return order ? order : g_strcmp0(left->address, right->address);
}

/* The last run up to UNTIL that looked at the domain: not every run looks at all, above all one
 * that was interrupted. */
static int64_t last_look(const struct story *story, int64_t until)
{
    int64_t last = until;
    for (guint i = 0; i < story->runs->len; i++) {
        const struct history_run *run = &g_array_index(story->runs, struct history_run, i);
        if (run->id <= until)
            last = run->id;
    }
    return last;
}

static void compare(struct history *history, const char *domain, int64_t a, int64_t b,
                    GPtrArray *out)
{
    struct story story;
    g_autoptr(GPtrArray) found = g_ptr_array_new();
    story_read(&story, history, domain, b);
    struct comparison comparison = {&story, a, b, domain, found};
    g_autoptr(GPtrArray) then = history_at(story.sightings, last_look(&story, a));
    g_autoptr(GPtrArray) now = history_at(story.sightings, b);
    if (then->len > 0 && now->len > 0) {
        compare_grades(&comparison, NULL, NULL, true);
        compare_domain(&comparison, then, now);
        compare_places(&comparison, then, now, true);
        compare_places(&comparison, now, then, false);
    }
    for (guint i = 0; then->len > 0 && i < now->len; i++) {
        const struct finding *one = now->pdata[i];
        if (!one->mx)
            continue;
        compare_grades(&comparison, one->mx, one->address, false);
        const struct finding *before = find_place(then, one->mx, one->address);
        if (before && before->address)
            compare_address(&comparison, before, one);
    }
    g_ptr_array_sort(found, by_class);
    for (guint i = 0; i < found->len; i++)
        g_ptr_array_add(out, found->pdata[i]);
    story_clear(&story);
}

GPtrArray *diff_runs(struct history *history, int64_t a, int64_t b)
{
    GPtrArray *differences = g_ptr_array_new_with_free_func(difference_free);
    g_autoptr(GPtrArray) domains = history_domains(history, b);
    for (guint i = 0; i < domains->len; i++)
        compare(history, domains->pdata[i], a, b, differences);
    return differences;
}
