/* SPDX-License-Identifier: BSD-2-Clause */
#include "autoreply/bounce_senders.h"
#include "autoreply/evidence.h"
#include "message_set.h"

static void check(const struct bounce_senders *senders, const char *path, bool want)
{
    if (bounce_senders_match(senders, path) != want)
        g_error("%s: not %d", path, want);
}

/* By the default list: senders of bounces and those that nobody reads, and persons. */
static const char *const no_persons[] = {
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
    /* no human reads them, whatever the hyphens, and whoever's they are */
    "<no_reply@x.test>",
    "<no.reply@x.test>",
    "<NO_REPLY+7@x.test>",
    "<do_not_reply@x.test>",
    "<do-not_reply@x.test>",
    "<linshare-noreply@x.test>",
    "<shop_no-reply@x.test>",
    "<team.noreply@x.test>",
    "<a-b-donotreply@x.test>",
    "<no-reply-77@x.test>",
    "<owner-dev@x.test>",
    "<OWNER-dev-list@x.test>",
    "<dev-return-17-bob=x.test@lists.test>",
    "<bounces_77@x.test>",
    "<prvs=1234567890=linshare-noreply@x.test>",
    /* second and further forwarders */
    "<SRS1=aaa=fwd.test==bbb=tt=c.test=mailer-daemon@fwd2.test>",
    "<srs1+aaa=fwd.test=+bbb=tt=c.test=postmaster@fwd2.test>",
    "<srs1-aaa=fwd.test=-bbb=tt=c.test=no-reply@fwd2.test>",
    "<SRS0+bbb=tt=c.test=bounces-7@fwd.test>",
    "<srs0=bbb=tt=c.test=prvs=1234567890=postmaster@fwd.test>",
    "<srs1=a=f.test==b=t=c.test=dev-bounces+bob=d.test@fwd2.test>",
    /* sender-specified routing */
    "<postmaster%far.test@x.test>",
    "<far.test!postmaster@x.test>",
    "<\"postmaster@far.test\"@x.test>",
    "<postmaster%far.test>",
    "far.test!postmaster",
    "<a.test!b.test!no_reply@x.test>",
    "<postmaster%b.test%c.test@x.test>",
};
static const char *const persons[] = {
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
    "<reply@x.test>",
    "<bob-reply@x.test>",
    "<noreplying@x.test>",
    "<bobnoreply@x.test>",
    "<owner@x.test>",
    "<owner-@x.test>",
    "<homeowner-dev@x.test>",
    "<dev-return-policy@x.test>",
    "<srs1=aaa=fwd.test==bbb=tt=c.test=bob@fwd2.test>",
    "<srs1=aaa=fwd.test=bbb=tt@fwd2.test>",
    "<srs1=a==@x.test>",
    "<srs1==@x.test>",
    "<srs1=postmaster@x.test>",
    "<srs0=postmaster=a=b=bob@x.test>",
    "<bob%postmaster@x.test>",
    "<postmaster!bob@x.test>",
    "<%@x.test>",
    "<!@x.test>",
    "<!!!%%%@@@@x.test>",
};

static void test_default(void)
{
    struct bounce_senders *senders = bounce_senders_new(BOUNCE_SENDERS_DEFAULT, NULL, "t", 0);
    for (size_t i = 0; i < G_N_ELEMENTS(no_persons); i++)
        check(senders, no_persons[i], true);
    for (size_t i = 0; i < G_N_ELEMENTS(persons); i++)
        check(senders, persons[i], false);
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
    check(senders, "<srs0=aaa=tt=bots.test=anyone@fwd.test>", true);
    check(senders, "<anyone%bots.test@fwd.test>", true);
    check(senders, "<srs0=aaa=tt=people.test=anyone@fwd.test>", false);
    check(senders, "<owner-dev@x.test>", false);
    check(senders, "<linshare-noreply@x.test>", false);
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
        {"To: x:;, postmaster@far.test", true},
        {"To: x:;postmaster@far.test", true},
        {"To: x: a@b.test; y: no_reply@far.test;", true},
        {"To: , postmaster@far.test", true},
        {"To: a@b.test,, postmaster@far.test", true},
        {"To: a@b.test postmaster@far.test", true},
        {"To: a@b.test; postmaster@far.test", true},
        {"To: <<postmaster@far.test>>", true},
        {"To: a@b.test <postmaster@far.test", true},
        {"To: postmaster@far.test>", true},
        {"To: postmaster@far.test <>", true},
        {"To: \"a <postmaster@far.test>", true},
        {"To: a@b.test, \"x\" y@z.test, owner-dev@lists.test", true},
        {"To: (a) postmaster@far.test (b)", true},
        {"To: (postmaster@far.test", true},
        {"To: (postmaster@far.test) a@b.test", false},
        {"To: \"postmaster@far.test\" <a@b.test>", false},
        {"To: x: a@b.test;", false},
    };
    struct bounce_senders *senders = bounce_senders_new(BOUNCE_SENDERS_DEFAULT, NULL, "t", 0);
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        struct set_message *message = set_message_new();
        message_set_parse(message, rows[i].header);
        struct autoreply_headers headers = set_message_headers(message);
        g_autoptr(GPtrArray) evidence = autoreply_evidence_new();
        g_autofree char *got = bounce_senders_find(senders, NULL, NULL, 0, &headers, evidence);
        if ((got != NULL) != rows[i].want)
            g_error("%s: %s", rows[i].header, got);
        g_assert_cmpint(evidence->len > 0, ==, rows[i].want);
        set_message_free(message);
    }
    bounce_senders_free(senders);
}

/* What a stranger can make as long as he likes; test_linear.c counts its steps. */
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
    g_assert_null(bounce_senders_find(senders, NULL, NULL, 0, &headers, NULL));
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
