/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What is said on port 25: transcripts, fed whole and byte by byte.
 */
#include "smtp_talk.h"

#include <string.h>

/* Plays SERVER's bytes ("|": here its connection ends, "~": here the deadline is) to the machine, N
 * at a time, and returns what was said to it, commands joined by ",". */
static char *play(struct smtp_talk *talk, const char *server, size_t n)
{
    GString *said = g_string_new(NULL);
    const char *at = server;
    for (;;) {
        switch (smtp_talk_next(talk)) {
        case SMTP_SEND:
            g_string_append_printf(said, "%s%.*s", said->len ? "," : "",
                                   (int)(talk->command->len - 2), talk->command->str);
            break;
        case SMTP_STARTTLS:
            g_string_append(said, ",TLS");
            break;
        case SMTP_READ: {
            /* no more than a line: what is said before it was asked for is dropped */
            size_t line = strcspn(at, "|~\n");
            size_t count = MIN(line + (at[line] == '\n'), n);
            if (count > 0)
                smtp_talk_feed(talk, at, count);
            else
                smtp_talk_over(talk, *at == '~');
            at += count;
            break;
        }
        case SMTP_DONE:
            return g_string_free(said, FALSE);
        }
    }
}

static void test_transcripts(void)
{
    static const struct {
        const char *server;
        enum smtp_state state;
        const char *said, *reply, *keywords;
    } rows[] = {
        {"220 hi\r\n250-me\r\n250-STARTTLS\r\n250 SIZE 10\r\n220 go\r\n", SMTP_OK,
         "EHLO h,STARTTLS,TLS", "", "STARTTLS SIZE"},
        {"220-a\r\n220 b\r\n250 me\r\n221 bye\r\n", SMTP_NO_STARTTLS, "EHLO h,QUIT", "", ""},
        {"220 hi\n250-STARTTLS\n250 starttls\n454 no\n221 x\n", SMTP_STARTTLS_REFUSED,
         "EHLO h,STARTTLS,QUIT", "454 no", "STARTTLS"},
        /* a host that is called so offers nothing by it */
        {"220 hi\r\n250 STARTTLS\r\n221 x\r\n", SMTP_NO_STARTTLS, "EHLO h,QUIT", "", ""},
        {"220 hi\r\n250-x\r\n250 STARTTLSX\r\n221 x\r\n", SMTP_NO_STARTTLS, "EHLO h,QUIT", "",
         "STARTTLSX"},
        {"421 busy\r\n|", SMTP_BLOCKED, "QUIT", "421 busy", ""},
        {"554-go\r\n554 away\r\n221 x\r\n", SMTP_BLOCKED, "QUIT", "554-go away", ""},
        {"|", SMTP_BLOCKED, "", "", ""},
        {"220 hi\r\n|", SMTP_BLOCKED, "EHLO h", "", ""},
        {"220 hi\r\n502 what\r\n|", SMTP_BLOCKED, "EHLO h,QUIT", "502 what", ""},
        {"220 hi\r\n250-half", SMTP_BLOCKED, "EHLO h", "", ""},
        {"~", SMTP_TIMEOUT, "", "", ""},
        {"220-and\r\n~", SMTP_TIMEOUT, "", "220-and", ""},
        {"220 hi\r\n~", SMTP_TIMEOUT, "EHLO h", "", ""},
        {"220 hi\r\n250-x\r\n250 STARTTLS\r\n~", SMTP_TIMEOUT, "EHLO h,STARTTLS", "", "STARTTLS"},
        {"220 hi\r\n250-x\r\n250 STARTTLS\r\n|", SMTP_HANDSHAKE_FAILED, "EHLO h,STARTTLS", "",
         "STARTTLS"},
        {"SSH-2.0-OpenSSH\r\n", SMTP_BLOCKED, "", "SSH-2.0-OpenSSH", ""},
        {"220 hi\r\n250-a\r\n251 b\r\n", SMTP_BLOCKED, "EHLO h", "250-a b", ""},
        {"220 hi\r\n250-x\r\n250 STARTTLS\r\nnonsense\r\n", SMTP_STARTTLS_REFUSED,
         "EHLO h,STARTTLS", "nonsense", "STARTTLS"},
        {"22 x\r\n", SMTP_BLOCKED, "", "22 x", ""},
        {"220\r\n250\r\n221\r\n", SMTP_NO_STARTTLS, "EHLO h,QUIT", "", ""},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        for (size_t n = 1; n <= 2; n++) {
            struct smtp_talk talk;
            smtp_talk_begin(&talk, "h");
            g_autofree char *said = play(&talk, rows[i].server, n);
            g_test_message("row %zu, %zu bytes at a time", i, n);
            g_assert_cmpstr(smtp_state_text(talk.state), ==, smtp_state_text(rows[i].state));
            g_assert_cmpstr(said, ==, rows[i].said);
            g_assert_cmpstr(talk.reply->str, ==, rows[i].reply);
            g_assert_cmpstr(talk.keywords->str, ==, rows[i].keywords);
            smtp_talk_end(&talk);
        }
    }
}

/* What comes in clear behind the reply to STARTTLS is somebody else's, and must not be read as said
 * over TLS. */
static void test_injection(void)
{
    struct smtp_talk talk;
    static const char greeting[] = "220 hi\r\n", ehlo[] = "250-x\r\n250 STARTTLS\r\n",
                      forged[] = "220 go\r\n250 forged\r\n";
    smtp_talk_begin(&talk, "h");
    smtp_talk_next(&talk);
    smtp_talk_feed(&talk, greeting, strlen(greeting));
    smtp_talk_next(&talk);
    smtp_talk_feed(&talk, ehlo, strlen(ehlo));
    smtp_talk_next(&talk);
    smtp_talk_feed(&talk, forged, strlen(forged));
    g_assert_true(talk.early);
    g_assert_cmpint(smtp_talk_next(&talk), ==, SMTP_STARTTLS);
    smtp_talk_end(&talk);
}

/* Somebody who sends without end is left. */
static void test_bounds(void)
{
    struct smtp_talk talk;
    smtp_talk_begin(&talk, "h");
    smtp_talk_next(&talk);
    for (unsigned i = 0; i < 2 * SMTP_LINE_MAX; i++)
        smtp_talk_feed(&talk, "2", 1);
    g_assert_cmpint(smtp_talk_next(&talk), ==, SMTP_DONE);
    g_assert_cmpint(talk.state, ==, SMTP_BLOCKED);
    smtp_talk_end(&talk);
    smtp_talk_begin(&talk, "h");
    smtp_talk_next(&talk);
    for (unsigned i = 0; i < 2 * SMTP_LINES_MAX; i++)
        smtp_talk_feed(&talk, "220-x\r\n", 7);
    g_assert_cmpint(smtp_talk_next(&talk), ==, SMTP_DONE);
    g_assert_cmpint(talk.state, ==, SMTP_BLOCKED);
    smtp_talk_end(&talk);
}

static void test_definite(void)
{
    g_assert_true(smtp_state_definite("ok", NULL, 1));
    g_assert_true(smtp_state_definite("no-starttls", NULL, 1));
    g_assert_true(smtp_state_definite("starttls-refused", "502 x", 1));
    g_assert_false(smtp_state_definite("starttls-refused", "454 x", 3));
    g_assert_false(smtp_state_definite("handshake-failed", NULL, 1));
    g_assert_true(smtp_state_definite("handshake-failed", NULL, 2));
    g_assert_false(smtp_state_definite("blocked", "554 x", 3));
    g_assert_false(smtp_state_definite("timeout", NULL, 3));
    g_assert_false(smtp_state_definite("refused", NULL, 3));
    g_assert_false(smtp_state_definite("servfail", NULL, 3));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/smtp_talk/transcripts", test_transcripts);
    g_test_add_func("/smtp_talk/injection", test_injection);
    g_test_add_func("/smtp_talk/bounds", test_bounds);
    g_test_add_func("/smtp_talk/definite", test_definite);
    return g_test_run();
}
