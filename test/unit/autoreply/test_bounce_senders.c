/* SPDX-License-Identifier: BSD-2-Clause */
#include "autoreply/bounce_senders.h"
#include "autoreply/evidence.h"
#include "message_set.h"

static void check(const struct bounce_senders *senders, const char *path, bool want)
{
    if (bounce_senders_match(senders, path) != want)
        g_error("%s: not %d", path, want);
}

static void test_default(void)
{
    static const char *const yes[] = {
        "",
        "<>",
        "postmaster",
        "<postmaster>",
        "POSTMASTER@x.test",
        "<mailer-daemon@x.test>",
        "<bounce@x.test>",
        "<bounces@x.test>",
        "<no-reply@x.test>",
        "<list-bounces@x.test>",
        "<list-bounces+a=b.test@x.test>",
        "<bounces+1-a=b.test@x.test>",
        "<bounce-77@x.test>",
        "<bounces-a=b.test@x.test>",
        "<prvs=1234567890=bob@x.test>",
        "<postmaster+x@x.test>",
        "<srs0=a=b=c.test=mailer-daemon@x.test>",
        "<@relay.test:postmaster@x.test>",
        "<\"post\\master\"@x.test>",
        "<btv1==abc==postmaster@x.test>",
        "#@[]",
        "<double-bounce@x.test>",
    };
    static const char *const no[] = {
        "bob",
        "<bob@x.test>",
        "<postmaste@x.test>",
        "<bouncer@x.test>",
        "<bob-bouncesx@x.test>",
        "<bob+bounces@x.test>",
        "<bob=postmaster@x.test>",
        "<noreply.bob@x.test>",
        "<bounce-team@x.test>",
        "<srs0=a=b=c.test=bob@x.test>",
        "<btv1==abc==bob@x.test>",
        "<bob@postmaster>",
        "<srs0=a@x.test>",
        "<btv1==@x.test>",
    };
    struct bounce_senders *senders = bounce_senders_new(BOUNCE_SENDERS_DEFAULT, NULL, "t", 0);
    for (size_t i = 0; i < G_N_ELEMENTS(yes); i++)
        check(senders, yes[i], true);
    for (size_t i = 0; i < G_N_ELEMENTS(no); i++)
        check(senders, no[i], false);
    bounce_senders_free(senders);
}

static void test_own_list(void)
{
    struct bounce_senders *senders =
        bounce_senders_new("robot, *@bots.test  GR\303\234SSE", NULL, "t", 0);
    check(senders, "<ROBOT@x.test>", true);
    check(senders, "<anyone@Bots.TEST>", true);
    check(senders, "<gr\303\274sse@x.test>", true);
    check(senders, "<>", false);
    check(senders, "<mailer-daemon@x.test>", false);
    check(senders, "<prvs=1234567890=robot@x.test>", true);
    check(senders, "<prvs=robot/1234567890@x.test>", true);
    bounce_senders_free(senders);
    senders = bounce_senders_new("", NULL, "t", 0);
    check(senders, "<postmaster@x.test>", false);
    bounce_senders_free(senders);
    bounce_senders_free(NULL);
}

static void test_problems(void)
{
    struct problems *problems = problems_new();
    g_assert_null(bounce_senders_new("a {b", problems, "f", 3));
    g_assert_cmpuint(problems_errors(problems), ==, 1);
    struct bounce_senders *senders = bounce_senders_new("* postmaster", problems, "f", 3);
    g_assert_nonnull(senders);
    g_assert_cmpuint(problems_warnings(problems), ==, 1);
    bounce_senders_free(senders);
    problems_free(problems);
}

static void test_header(void)
{
    static const struct {
        const char *header;
        bool want;
    } rows[] = {
        {"To: bob@x.test", false},
        {"To: \"postmaster\" <bob@x.test>", false},
        {"To: bob@x.test, Post <postmaster@x.test>", true},
        {"Cc: <MAILER-DAEMON@x.test>", true},
        {"To: group: a@b.test, noreply@b.test;", true},
        {"To: undisclosed-recipients:;", false},
        {"To:", false},
        {"To: bob@x.test\nTo: postmaster@x.test", true},
        {"To: bob@x.test,\n\tpostmaster@x.test", true},
        {"To: \xff\xfe<postmaster@x.test>", true},
        {"Bcc: postmaster@x.test", false},
    };
    struct bounce_senders *senders = bounce_senders_new(BOUNCE_SENDERS_DEFAULT, NULL, "t", 0);
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        struct set_message *message = set_message_new();
        message_set_parse(message, rows[i].header);
        struct autoreply_headers headers = set_message_headers(message);
        g_autoptr(GPtrArray) evidence = autoreply_evidence_new();
        bool got = bounce_senders_judge(senders, NULL, 0, &headers, evidence);
        if (got != rows[i].want)
            g_error("%s: %d", rows[i].header, got);
        g_assert_cmpint(evidence->len > 0, ==, rows[i].want);
        set_message_free(message);
    }
    bounce_senders_free(senders);
}

/* What a stranger can make as long as he likes costs a bounded time. */
static void test_hostile(void)
{
    struct bounce_senders *senders = bounce_senders_new(BOUNCE_SENDERS_DEFAULT, NULL, "t", 0);
    g_autofree char *dashes = g_strnfill(1000, '-');
    check(senders, dashes, false);
    g_autoptr(GString) header = g_string_new("To: ");
    for (int i = 0; i < 200000; i++)
        g_string_append(header, "a:(");
    struct set_message *message = set_message_new();
    message_set_parse(message, header->str);
    struct autoreply_headers headers = set_message_headers(message);
    gint64 start = g_get_monotonic_time();
    g_assert_false(bounce_senders_judge(senders, NULL, 0, &headers, NULL));
    g_assert_cmpint(g_get_monotonic_time() - start, <, 5 * G_USEC_PER_SEC);
    set_message_free(message);
    bounce_senders_free(senders);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/bounce_senders/default", test_default);
    g_test_add_func("/bounce_senders/own_list", test_own_list);
    g_test_add_func("/bounce_senders/problems", test_problems);
    g_test_add_func("/bounce_senders/header", test_header);
    g_test_add_func("/bounce_senders/hostile", test_hostile);
    return g_test_run();
}
