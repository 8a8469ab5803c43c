/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a message's score means to the profiles of its recipients, and what is done to its header.
 */
#include <string.h>

#include "checks.h"
#include "checks/spam.h"

#define HEADER "From: A <a@far.test>\n"
#define ONE    .sender = "<a@far.test>", .recipient = "<bob@lab.test>"

/* The places of profiles: 0 none, 1 "strict", 2 "lax". */
static const struct {
    const char *name;
    double tag_score, reject_score;
} profiles[] = {{NULL, 5, 8}, {"strict", 1, 5}, {"lax", 8, 100}};

static const char rules[] = "header OFFER Subject =~ /offer/\n"
                            "score OFFER 2.5\n"
                            "header MONEY Subject =~ /money/\n"
                            "score MONEY 5\n"
                            "header FRIEND From =~ /friend/\n"
                            "score FRIEND -5\n"
                            "header SLOW X-Slow =~ /^\\s*(a|aa)+$/\n"
                            "score SLOW 5\n";

static void add_rules(struct site *site)
{
    struct problems *problems = problems_new();
    struct spam_site *spam = site->spam = g_new0(struct spam_site, 1);
    spam->ruleset = ruleset_load_text("rules.cf", rules, strlen(rules), NULL, problems);
    g_assert_cmpuint(problems_errors(problems), ==, 0);
    problems_free(problems);
    spam->profiles = g_ptr_array_new();
    spam->rule_zones = g_array_new(FALSE, FALSE, sizeof(unsigned));
    for (size_t i = 0; i < G_N_ELEMENTS(profiles); i++) {
        struct spam_profile *profile = g_new0(struct spam_profile, 1);
        profile->name = g_strdup(profiles[i].name);
        profile->tag_score = profiles[i].tag_score;
        profile->reject_score = profiles[i].reject_score;
        g_ptr_array_add(spam->profiles, profile);
    }
}

#define TAGGED(score, required, tests)                                                             \
    " prepend: X-Spam-Flag: YES prepend: X-Spam-Score: " score                                     \
    " prepend: X-Spam-Status: Yes, score=" score " required=" required " tests=" tests

static const struct check_row scores[] = {
    {"reject_spam", {ONE, .header = HEADER "Subject: hello"}, "-"},
    {"reject_spam", {ONE, .header = HEADER "Subject: an offer"}, "-"},
    /* at the very score */
    {"reject_spam", {ONE, .header = HEADER "Subject: money"}, "-" TAGGED("5.0", "5.0", "MONEY")},
    {"reject_spam",
     {ONE, .header = HEADER "Subject: an offer of money"},
     "-" TAGGED("7.5", "5.0", "MONEY,OFFER")},
    {"reject_spam", {ONE, .header = "From: a@friend.test\nSubject: money"}, "-"},
    /* what came with it is another filter's, and goes; the last first */
    {"reject_spam",
     {ONE, .header = HEADER "X-Spam-Flag: NO\nX-Spam-Flag: NO\nx-spam-level: *"},
     "- drop: X-Spam-Flag 2 drop: X-Spam-Flag 1 drop: X-Spam-Level 1"},
    {"reject_spam", {ONE}, "-"}, /* the message is not there yet */
};

static const struct check_row profile[] = {
    {"reject_spam",
     {ONE, .profiles = "1", .header = HEADER "Subject: an offer"},
     "-" TAGGED("2.5", "1.0", "OFFER")},
    {"reject_spam",
     {ONE, .profiles = "1", .header = HEADER "Subject: money"},
     "550 5.7.1 Message refused: spam score 5.0 (MONEY)" TAGGED("5.0", "1.0", "MONEY")},
    {"reject_spam", {ONE, .profiles = "2", .header = HEADER "Subject: an offer of money"}, "-"},
    /* of several recipients the most lenient counts, in whatever order they were named */
    {"reject_spam", {ONE, .profiles = "12", .header = HEADER "Subject: money"}, "-"},
    {"reject_spam", {ONE, .profiles = "21", .header = HEADER "Subject: money"}, "-"},
    {"reject_spam",
     {ONE, .profiles = "1101", .header = HEADER "Subject: money"},
     "-" TAGGED("5.0", "5.0", "MONEY")},
    {"reject_spam",
     {ONE, .profiles = "111", .header = HEADER "Subject: money"},
     "550 5.7.1 Message refused: spam score 5.0 (MONEY)" TAGGED("5.0", "1.0", "MONEY")},
};

static const struct surroundings with_rules = {.furnish = add_rules};

static void test_scores(void)
{
    check_rows_in(&with_rules, scores, G_N_ELEMENTS(scores));
}

static void test_profiles(void)
{
    check_rows_in(&with_rules, profile, G_N_ELEMENTS(profile));
}

/* A pattern that is cut off may have been a hit: whose fate hangs on it can't be judged. */
static void test_cut_off(void)
{
    g_autofree char *many = g_strnfill(4000, 'a');
    g_autofree char *slow = g_strconcat(HEADER "X-Slow: ", many, "!", NULL);
    static const char warning[] = " warn: the pattern of rule SLOW takes too long and was cut off; "
                                  "a message whose fate depends on it is put off: write it without "
                                  "nested repetition";
    g_autofree char *untold = g_strdup_printf(
        "cannot tell: the rules take too long on a header of 2 fields and %zu bytes, and were cut "
        "off%s",
        strlen(slow) + 1, warning);
    g_autofree char *told = g_strconcat("-", warning, NULL);
    const struct check_row rows[] = {
        {"reject_spam", {ONE, .header = slow}, untold},
        /* five more make no difference there */
        {"reject_spam", {ONE, .profiles = "2", .header = slow}, told},
    };
    check_rows_in(&with_rules, rows, G_N_ELEMENTS(rows));
}

/* Many rules of long names: the field is folded before a line of 998 bytes, the reply is cut. */
enum { MANY = 40, FOLD = 28, TOLD_MAX = 300 };

static void name_rule(GString *out, unsigned number)
{
    g_string_append_printf(out, "RULE_WITH_A_NAME_OF_THIRTY_%03u", number);
}

static void add_many(struct site *site)
{
    add_rules(site);
    g_autoptr(GString) text = g_string_new(NULL);
    for (unsigned i = 1; i <= MANY; i++) {
        g_string_append(text, "header ");
        name_rule(text, i);
        g_string_append(text, " Subject =~ /many/\nscore ");
        name_rule(text, i);
        g_string_append(text, " 0.2\n");
    }
    struct problems *problems = problems_new();
    ruleset_unref(site->spam->ruleset);
    site->spam->ruleset = ruleset_load_text("many.cf", text->str, text->len, NULL, problems);
    g_assert_cmpuint(problems_errors(problems), ==, 0);
    problems_free(problems);
}

static void test_long(void)
{
    static const struct surroundings many = {.furnish = add_many};
    g_autoptr(GString) told = g_string_new(NULL), field = g_string_new(NULL);
    for (unsigned i = 1; i <= MANY; i++) {
        g_string_append(told, i == 1 ? "" : ", ");
        name_rule(told, i);
        g_string_append(field, i == 1 ? "" : i == FOLD ? ",\n\t" : ",");
        name_rule(field, i);
    }
    g_string_truncate(told, TOLD_MAX - strlen("..."));
    g_autofree char *refused = g_strdup_printf(
        "550 5.7.1 Message refused: spam score 8.0 (%s...) prepend: X-Spam-Flag: YES prepend: "
        "X-Spam-Score: 8.0 prepend: X-Spam-Status: Yes, score=8.0 required=5.0 tests=%s",
        told->str, field->str);
    const struct check_row rows[] = {
        {"reject_spam", {ONE, .header = HEADER "Subject: many"}, refused}};
    check_rows_in(&many, rows, G_N_ELEMENTS(rows));
}

static void test_find(void)
{
    struct site found = {0};
    add_rules(&found);
    g_assert_cmpint(spam_profile_find(found.spam, "strict"), ==, 1);
    g_assert_cmpint(spam_profile_find(found.spam, "lax"), ==, 2);
    g_assert_cmpint(spam_profile_find(found.spam, "Lax"), ==, -1);
    g_assert_cmpint(spam_profile_find(found.spam, ""), ==, -1);
    spam_site_free(found.spam);
    spam_site_free(NULL);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/spam/scores", test_scores);
    g_test_add_func("/spam/profiles", test_profiles);
    g_test_add_func("/spam/cut-off", test_cut_off);
    g_test_add_func("/spam/long", test_long);
    g_test_add_func("/spam/find", test_find);
    return g_test_run();
}
