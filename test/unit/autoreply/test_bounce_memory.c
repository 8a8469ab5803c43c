/* SPDX-License-Identifier: BSD-2-Clause */
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

#include "autoreply/bounce_memory.h"
#include "autoreply/evidence.h"
#include "message_set.h"

static const char key[] = "the key of this installation";
enum { DAY = 24 * 3600, NOW = 1800000000 };

static const char bounce_header[] =
    "From: MAILER-DAEMON@x.test\n"
    "Content-Type: multipart/report; report-type=delivery-status; boundary=b";

static const char bounce_body[] =
    "--b\n\nThis is the mail system at host mail.example.com.\n\n"
    "<bakr@partner.test>: host mx.partner.test said: 550 user unknown\n"
    "--b\nContent-Type: message/delivery-status\n\nAction: failed\n"
    "--b\nContent-Type: message/rfc822\n\n"
    "Subject: figures\nContent-Transfer-Encoding: base64\n\n"
    /* "The turnover of the third quarter was 4.71 million euros, the loss was\n
     *  380 thousand. The bank has been told nothing of it so far.\n-- \n
     *  Alice Archer, Example Limited, Berlin" */
    "VGhlIHR1cm5vdmVyIG9mIHRoZSB0aGlyZCBxdWFydGVyIHdhcyA0LjcxIG1pbGxpb24gZXVyb3Ms\n"
    "IHRoZSBsb3NzIHdhcwozODAgdGhvdXNhbmQuIFRoZSBiYW5rIGhhcyBiZWVuIHRvbGQgbm90aGlu\n"
    "ZyBvZiBpdCBzbyBmYXIuCi0tIApBbGljZSBBcmNoZXIsIEV4YW1wbGUgTGltaXRlZCwgQmVybGlu\n"
    "\n--b--\n";

static void add(struct bounce_memory *memory, const char *header, const char *body, int64_t now)
{
    struct set_message *message = set_message_new();
    message_set_parse(message, header);
    struct autoreply_headers headers = set_message_headers(message);
    bounce_memory_add(memory, &headers, body, strlen(body), now);
    set_message_free(message);
}

static bool repeats(struct bounce_memory *memory, const char *header, const char *body, int64_t now,
                    double *share_r)
{
    struct set_message *message = set_message_new();
    message_set_parse(message, header);
    struct autoreply_headers headers = set_message_headers(message);
    g_autoptr(GPtrArray) evidence = autoreply_evidence_new();
    bool found = set_repeats(memory, &headers, body, strlen(body), now, share_r, evidence);
    g_assert_cmpint(evidence->len > 0, ==, found);
    set_message_free(message);
    return found;
}

static struct bounce_memory *filled(void)
{
    struct bounce_memory *memory = bounce_memory_new(key, sizeof key, 0);
    add(memory, bounce_header, bounce_body, NOW);
    return memory;
}

static const struct {
    const char *name, *header, *body;
    bool want;
} rows[] = {
    {"own words", "", "I am out of the office until the sixteenth of November.\n", false},
    {"pasted bare", "",
     "I am away.\n\nThe turnover of the third quarter was 4.71 million euros, the loss was\n"
     "380 thousand. The bank has been told nothing of it so far.\n",
     true},
    {"wrapped anew", "",
     "I am away.\n\nThe turnover of the\nthird quarter was 4.71 million\neuros, the loss was 380\n"
     "thousand. The bank has\nbeen told nothing of it so far.\n",
     true},
    {"as HTML", "Content-Type: text/html",
     "<p>Away</p><p>THE TURNOVER of the third quarter was <b>4.71 million</b> euros, the loss\n"
     "was 380 thousand. The bank has been told nothing of it so&nbsp;far.</p>",
     true},
    {"as quoted-printable", "Content-Transfer-Encoding: quoted-printable",
     "Away=\n.\n380 thousand=2E The bank has been told nothing=\n of it so far.\n", true},
    {"the report's text", "", "<bakr@partner.test>: host mx.partner.test said: 550 user unknown\n",
     true},
    {"a phrase of it", "", "4.71 million\n", false},
    {"a line in much else", "",
     "I am out of the office until the sixteenth of November and shall not read my mail.\n"
     "In urgent cases please call my colleague Bert Baker, who knows everything I know.\n"
     "Our office is closed between Christmas and New Year, as it has always been before.\n"
     "The bank has been told nothing of it so far\n"
     "Please do not send invoices to this address, but to the accounting department at once.\n",
     false},
    {"the signature alone", "", "Away.\nAlice Archer, Example Limited, Berlin\n", false},
};

static void test_rows(void)
{
    struct bounce_memory *memory = filled();
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        double share = -1;
        bool found = repeats(memory, rows[i].header, rows[i].body, NOW + 60, &share);
        if (found != rows[i].want)
            g_error("%s: %d, share %.2f", rows[i].name, found, share);
        g_assert_true(share >= 0 && share <= 1);
    }
    bounce_memory_free(memory);
    bounce_memory_free(NULL);
}

static const char pasted[] = "The bank has been told nothing of it so far.\n"
                             "380 thousand. The bank has been told nothing of it so far.\n";

static void test_expiry(void)
{
    struct bounce_memory *memory = filled();
    g_assert_true(repeats(memory, "", pasted, NOW + BOUNCE_MEMORY_SECONDS, NULL));
    g_assert_false(repeats(memory, "", pasted, NOW + BOUNCE_MEMORY_SECONDS + 1, NULL));
    add(memory, bounce_header, bounce_body, NOW + 3 * DAY);
    g_assert_true(repeats(memory, "", pasted, NOW + 9 * DAY, NULL));
    bounce_memory_free(memory);
}

static void test_other_key(void)
{
    struct bounce_memory *memory = bounce_memory_new("other", 5, 0);
    g_assert_false(repeats(memory, "", pasted, NOW, NULL));
    bounce_memory_free(memory);
}

static void test_common(void)
{
    struct bounce_memory *memory = bounce_memory_new(key, sizeof key, 0);
    for (int i = 0; i < BOUNCE_MEMORY_COMMON; i++) {
        g_assert_cmpint(repeats(memory, "", pasted, NOW, NULL), ==, i > 0);
        add(memory, bounce_header, bounce_body, NOW);
    }
    g_assert_false(repeats(memory, "", pasted, NOW, NULL));
    bounce_memory_free(memory);
}

static void test_returned_autoreply(void)
{
    static const char body[] = "--b\n\nsorry, it bounced for some reason or other\n"
                               "--b\nContent-Type: message/rfc822\n\n"
                               "Subject: away\nAuto-Submitted: auto-replied\n\n"
                               "I am out of the office until the sixteenth of November.\n--b--\n";
    struct bounce_memory *memory = bounce_memory_new(key, sizeof key, 0);
    add(memory, bounce_header, body, NOW);
    g_assert_false(repeats(memory, "", "I am out of the office until the sixteenth of November.\n",
                           NOW, NULL));
    g_assert_true(repeats(memory, "", "sorry, it bounced for some reason or other\n", NOW, NULL));
    bounce_memory_free(memory);
}

static void test_plain_bounce(void)
{
    struct bounce_memory *memory = bounce_memory_new(key, sizeof key, 0);
    add(memory, "From: MAILER-DAEMON@x.test",
        "Hi. This is the qmail-send program.\n\n--- Below this line is a copy of the message.\n\n"
        "Return-Path: <a@b.test>\nSubject: x\nContent-Transfer-Encoding: quoted-printable\n\n"
        "The turnover of the third quarter was 4.71 million=20euros, and the loss=\n is secret.\n",
        NOW);
    g_assert_true(repeats(memory, "",
                          "The turnover of the third quarter was 4.71 million euros, and the loss "
                          "is secret.\n",
                          NOW, NULL));
    bounce_memory_free(memory);
}

static void test_full(void)
{
    struct bounce_memory *memory = bounce_memory_new(key, sizeof key, 100);
    for (int i = 0; i < 1000; i++) {
        g_autofree char *body =
            g_strdup_printf("this is the remembered line with the number %d of all\n", i);
        add(memory, "From: MAILER-DAEMON@x.test", body, NOW);
        g_assert_true(repeats(memory, "", body, NOW, NULL));
    }
    g_assert_cmpuint(bounce_memory_count(memory), ==, 100);
    g_assert_false(
        repeats(memory, "", "this is the remembered line with the number 1 of all\n", NOW, NULL));
    bounce_memory_free(memory);
}

static void test_one_huge_bounce(void)
{
    struct bounce_memory *memory = bounce_memory_new(key, sizeof key, 0);
    g_autoptr(GString) body = g_string_new(NULL);
    for (int i = 0; i < 20000; i++)
        g_string_append_printf(body, "a long enough line of text with the number %d in it\n", i);
    add(memory, "From: MAILER-DAEMON@x.test", body->str, NOW);
    g_assert_cmpuint(bounce_memory_count(memory), <=, BOUNCE_MEMORY_BOUNCE_MAX);
    bounce_memory_free(memory);
}

/* What is quoted is found behind any number of lines of one's own. */
static void test_hidden(void)
{
    struct bounce_memory *memory = bounce_memory_new(key, sizeof key, 0);
    g_autoptr(GString) secret = g_string_new(NULL), body = g_string_new(NULL);
    for (int i = 0; i < 20; i++)
        g_string_append_printf(secret, "the figure of department %d is not to be told\n", i);
    for (int i = 0; i < 30000; i++)
        g_string_append_printf(body, "a line of my own: %d\n", i);
    add(memory, "From: MAILER-DAEMON@x.test", secret->str, NOW);
    g_assert_false(repeats(memory, "", body->str, NOW, NULL));
    g_string_append(body, secret->str);
    g_assert_true(repeats(memory, "", body->str, NOW, NULL));
    bounce_memory_free(memory);
}

static char *temporary(void)
{
    g_autofree char *folder = g_dir_make_tmp("bounce-memory-XXXXXX", NULL);
    return g_build_filename(folder, "lines.db", NULL);
}

static void remove_temporary(struct state_file *file, char *path)
{
    g_autofree char *folder = g_path_get_dirname(path);
    state_file_free(file);
    g_autoptr(GDir) names = g_dir_open(folder, 0, NULL);
    const char *name;
    while ((name = g_dir_read_name(names))) {
        g_autofree char *whole = g_build_filename(folder, name, NULL);
        g_unlink(whole);
    }
    g_rmdir(folder);
    g_free(path);
}

static void test_file(void)
{
    char *path = temporary(), *why = NULL;
    struct state_file *file = state_file_new(path);
    struct bounce_memory *memory = filled();
    g_assert_true(bounce_memory_load(memory, file, NOW, &why));
    g_assert_true(bounce_memory_save(memory, file, NOW, &why));
    struct stat status;
    g_assert_cmpint(stat(path, &status), ==, 0);
    g_assert_cmpint(status.st_mode & 0777, ==, 0600);
    state_file_free(file); /* all of it is in the one file then */
    file = state_file_new(path);
    g_autofree char *content = NULL;
    gsize size;
    g_assert_true(g_file_get_contents(path, &content, &size, NULL));
    g_assert_null(g_strstr_len(content, (gssize)size, "turnover"));

    struct bounce_memory *second = bounce_memory_new(key, sizeof key, 0);
    g_assert_true(bounce_memory_load(second, file, NOW, &why));
    g_assert_cmpuint(bounce_memory_count(second), ==, bounce_memory_count(memory));
    g_assert_true(repeats(second, "", pasted, NOW, NULL));
    struct bounce_memory *late = bounce_memory_new(key, sizeof key, 0);
    g_assert_true(bounce_memory_load(late, file, NOW + 8 * DAY, &why));
    g_assert_cmpuint(bounce_memory_count(late), ==, 0);
    struct bounce_memory *foreign = bounce_memory_new("other", 5, 0);
    g_assert_true(bounce_memory_load(foreign, file, NOW, &why));
    g_assert_cmpuint(bounce_memory_count(foreign), ==, 0);
    g_assert_true(bounce_memory_save(foreign, file, NOW, &why));
    g_assert_true(bounce_memory_load(late, file, NOW, &why));
    g_assert_cmpuint(bounce_memory_count(late), ==, 0);
    g_assert_null(why);
    bounce_memory_free(memory);
    bounce_memory_free(second);
    bounce_memory_free(late);
    bounce_memory_free(foreign);
    remove_temporary(file, path);
}

static void test_file_bound(void)
{
    char *path = temporary(), *why = NULL;
    struct state_file *file = state_file_new(path);
    struct bounce_memory *memory = bounce_memory_new(key, sizeof key, 50);
    for (int i = 0; i < 300; i++) {
        g_autofree char *body = g_strdup_printf("a remembered line with the number %d in it\n", i);
        add(memory, "From: MAILER-DAEMON@x.test", body, NOW + i);
        if (i % 40 == 0)
            g_assert_true(bounce_memory_save(memory, file, NOW + i, &why));
    }
    g_assert_true(bounce_memory_save(memory, file, NOW + 300, &why));
    struct bounce_memory *large = bounce_memory_new(key, sizeof key, 0);
    g_assert_true(bounce_memory_load(large, file, NOW + 300, &why));
    g_assert_cmpuint(bounce_memory_count(large), ==, 50);
    g_assert_true(
        repeats(large, "", "a remembered line with the number 299 in it\n", NOW + 300, NULL));
    bounce_memory_free(memory);
    bounce_memory_free(large);
    remove_temporary(file, path);
}

static void test_file_broken(void)
{
    char *path = temporary(), *why = NULL;
    struct state_file *file = state_file_new(path);
    struct bounce_memory *memory = filled();
    g_assert_true(g_file_set_contents(path,
                                      "this is no database at all, but long enough text "
                                      "to be taken for the head of one by nobody at all.",
                                      -1, NULL));
    g_assert_true(bounce_memory_load(memory, file, NOW, &why));
    g_autofree char *aside = state_file_put_aside(file), *content = NULL;
    g_assert_true(g_file_get_contents(aside, &content, NULL, NULL));
    g_assert_true(g_str_has_prefix(content, "this is no database"));
    g_assert_true(bounce_memory_save(memory, file, NOW, &why));
    struct bounce_memory *second = bounce_memory_new(key, sizeof key, 0);
    g_assert_true(bounce_memory_load(second, file, NOW, &why));
    g_assert_true(repeats(second, "", pasted, NOW, NULL));
    g_assert_null(why);
    struct state_file *nowhere = state_file_new("/nonexistent/folder/x.db");
    g_assert_false(bounce_memory_save(second, nowhere, NOW, &why));
    state_file_free(nowhere);
    g_assert_nonnull(strstr(why, "/nonexistent/folder/x.db"));
    g_free(why);
    bounce_memory_free(memory);
    bounce_memory_free(second);
    remove_temporary(file, path);
}

struct work {
    struct bounce_memory *memory;
    struct state_file *file;
    int number;
};

static void *hammer(void *data)
{
    struct work *work = data;
    for (int i = 0; i < 100; i++) {
        g_autofree char *body = g_strdup_printf(
            "thread %d adds a line with number %d to the bounces\n", work->number, i);
        add(work->memory, "From: MAILER-DAEMON@x.test", body, NOW);
        g_assert_true(repeats(work->memory, "", body, NOW, NULL));
        if (i % 25 == 0) {
            g_autofree char *why = NULL;
            g_assert_true(bounce_memory_save(work->memory, work->file, NOW, &why));
        }
    }
    return NULL;
}

static void test_threads(void)
{
    enum { THREADS = 16 };
    char *path = temporary();
    struct state_file *file = state_file_new(path);
    struct bounce_memory *memory = bounce_memory_new(key, sizeof key, 0);
    struct work work[THREADS];
    GThread *threads[THREADS];
    for (int i = 0; i < THREADS; i++) {
        work[i] = (struct work){memory, file, i};
        threads[i] = g_thread_new("hammer", hammer, &work[i]);
    }
    for (int i = 0; i < THREADS; i++)
        g_thread_join(threads[i]);
    g_assert_cmpuint(bounce_memory_count(memory), ==, THREADS * 100);
    bounce_memory_free(memory);
    remove_temporary(file, path);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/bounce_memory/rows", test_rows);
    g_test_add_func("/bounce_memory/expiry", test_expiry);
    g_test_add_func("/bounce_memory/other_key", test_other_key);
    g_test_add_func("/bounce_memory/common", test_common);
    g_test_add_func("/bounce_memory/returned_autoreply", test_returned_autoreply);
    g_test_add_func("/bounce_memory/plain_bounce", test_plain_bounce);
    g_test_add_func("/bounce_memory/full", test_full);
    g_test_add_func("/bounce_memory/one_huge_bounce", test_one_huge_bounce);
    g_test_add_func("/bounce_memory/hidden", test_hidden);
    g_test_add_func("/bounce_memory/file", test_file);
    g_test_add_func("/bounce_memory/file_bound", test_file_bound);
    g_test_add_func("/bounce_memory/file_broken", test_file_broken);
    g_test_add_func("/bounce_memory/threads", test_threads);
    return g_test_run();
}
