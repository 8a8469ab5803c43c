/* SPDX-License-Identifier: BSD-2-Clause
 *
 * guard_autoreply: what it says of a message when all three questions are answered yes, and when
 * one is not. What the answers are: test/autoreply and the unit tests of autoreply/.
 */
#include "checks.h"

#include "autoreply/bounce_senders.h"

#define AWAY    "From: bob@lab.test\nSubject: Away\nAuto-Submitted: auto-replied"
#define HERE    .client = "192.0.2.7"
#define TO(who) .sender = "<bob@lab.test>", .recipient = "<" who ">"
#define ROBOT   TO("noreply@partner.example")
#define OWN     "I am away until Monday.\r\n"
#define QUOTES  OWN "\r\n> the secret figures\r\n"
#define EVIDENCE                                                                                   \
    " info: auto-reply quotes the original: auto-submitted recipient quote-mark part 1 line 3"
#define REFUSED                                                                                    \
    "550 5.7.1 Auto-reply to <noreply@partner.example> quotes the original message; send it "      \
    "without the quotation"

static const struct check_row rejects[] = {
    {"guard_autoreply",
     {HERE, ROBOT, .header = AWAY, .body = QUOTES},
     REFUSED EVIDENCE " autoreply=reject"},
    {"guard_autoreply",
     {.login = "bob", .tls = "256", ROBOT, .header = AWAY, .body = QUOTES},
     REFUSED EVIDENCE " autoreply=reject"},
    /* One of the three is not so. */
    {"guard_autoreply", {HERE, ROBOT, .header = "From: bob@lab.test", .body = QUOTES}, "-"},
    {"guard_autoreply", {HERE, TO("ann@far.test"), .header = AWAY, .body = QUOTES}, "-"},
    {"guard_autoreply", {HERE, ROBOT, .header = AWAY, .body = OWN}, "-"},
    /* It does not leave from here. */
    {"guard_autoreply", {ROBOT, .header = AWAY, .body = QUOTES}, "-"},
    {"guard_autoreply", {HERE, .listener = "onion", ROBOT, .header = AWAY, .body = QUOTES}, "-"},
    /* Nobody is there who could be told: it goes without the quotation. */
    {"guard_autoreply",
     {.local = true,
      .sender = "<>",
      .recipient = "<noreply@partner.example>",
      .header = AWAY,
      .body = QUOTES},
     "- prepend: X-Gatepost-Autoreply: quotation-removed; 1 quoted line" EVIDENCE
     " autoreply=strip"},
    /* Before the message is in. */
    {"guard_autoreply", {HERE, ROBOT}, "-"},
};

static const struct check_row strips[] = {
    {"guard_autoreply",
     {HERE, ROBOT, .header = AWAY, .body = QUOTES},
     "- prepend: X-Gatepost-Autoreply: quotation-removed; 1 quoted line" EVIDENCE
     " autoreply=strip"},
};

static const struct check_row tags[] = {
    {"guard_autoreply",
     {HERE, ROBOT, .header = AWAY, .body = QUOTES},
     "- prepend: X-Gatepost-Autoreply: quotes-original" EVIDENCE " autoreply=tag"},
};

static const struct check_row off[] = {
    {"guard_autoreply", {HERE, ROBOT, .header = AWAY, .body = QUOTES}, "-"},
};

static enum guard_action action;

static void furnish(struct site *site)
{
    site->guard_action = action;
    site->bounce_senders = bounce_senders_new(BOUNCE_SENDERS_DEFAULT, NULL, "test", 1);
}

#define TEST(rows, what)                                                                           \
    static void test_##rows(void)                                                                  \
    {                                                                                              \
        const struct surroundings in = {.furnish = furnish};                                       \
        action = what;                                                                             \
        check_rows_in(&in, rows, G_N_ELEMENTS(rows));                                              \
    }
TEST(rejects, GUARD_REJECT)
TEST(strips, GUARD_STRIP)
TEST(tags, GUARD_TAG)
TEST(off, GUARD_OFF)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/guard/rejects", test_rejects);
    g_test_add_func("/guard/strips", test_strips);
    g_test_add_func("/guard/tags", test_tags);
    g_test_add_func("/guard/off", test_off);
    return g_test_run();
}
