/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Judges every message of the labelled collections. A refusal of what is no leak fails at once; a
 * leak that is missed must be explained in the file "missed", and at most 2 in 100 may be.
 */
#include <locale.h>
#include <string.h>

#include "autoreply/evidence.h"
#include "autoreply/judge.h"
#include "message_set.h"

static unsigned leaks, missed, messages;
static GHashTable *explained; /* names in "missed" */

static void judge(struct set_message *message, size_t chunk,
                  struct autoreply_judgement *judgement_r)
{
    struct bounce_senders *senders = bounce_senders_new(BOUNCE_SENDERS_DEFAULT, NULL, "test", 0);
    struct autoreply_message question = {
        .headers = set_message_headers(message),
        .sender = message->sender,
        .recipients = (const char *const *)message->recipients->pdata,
        .recipient_count = message->recipients->len,
        .bounce_senders = senders,
    };
    struct autoreply_body body;
    autoreply_body_init(&body, 0);
    for (size_t i = 0; i < message->body->len; i += chunk)
        autoreply_body_feed(&body, message->body->str + i, MIN(chunk, message->body->len - i));
    struct autoreply_parsed *parsed =
        autoreply_parse(&question.headers, body.data->str, body.data->len);
    autoreply_judge(&question, parsed, body.truncated, judgement_r);
    autoreply_parsed_free(parsed);
    /* what the header clears must be cleared by the whole too, or mail would be let through unread
     */
    if (autoreply_leaks(judgement_r))
        g_assert_true(autoreply_needs_body(&question));
    autoreply_body_clear(&body);
    bounce_senders_free(senders);
}

static void show(const struct set_message *message, const struct autoreply_judgement *judgement)
{
    g_test_message("%s: auto=%d bounce=%d quotes=%d", message->name, judgement->is_autoreply,
                   judgement->to_bounce_sender, judgement->quotes_original);
    for (guint i = 0; i < judgement->evidence->len; i++) {
        g_autofree char *line = autoreply_evidence_format(judgement->evidence->pdata[i]);
        g_test_message("    %s", line);
    }
}

static void check(struct set_message *message, size_t chunk)
{
    struct autoreply_judgement judgement;
    judge(message, chunk, &judgement);
    bool leak = message->is_autoreply && message->to_bounce_sender && message->quotes_original;
    bool known = g_hash_table_contains(explained, message->name);
    bool same = judgement.is_autoreply == message->is_autoreply &&
                judgement.to_bounce_sender == message->to_bounce_sender &&
                judgement.quotes_original == message->quotes_original;
    if (g_test_verbose() || (!same && !known))
        show(message, &judgement);
    if (autoreply_leaks(&judgement) && !leak)
        g_error("%s: refused, but it is no leak", message->name);
    if (!same && !known)
        g_test_fail_printf("%s: an answer differs from its label", message->name);
    if (same && known)
        g_test_fail_printf("%s: is in \"missed\", but is found", message->name);
    messages++;
    leaks += leak;
    missed += leak && !autoreply_leaks(&judgement);
    autoreply_judgement_clear(&judgement);
}

static void test_file(const void *path)
{
    static const size_t chunks[] = {65536, 7};
    for (size_t k = 0; k < G_N_ELEMENTS(chunks); k++) {
        g_autoptr(GPtrArray) set = message_set_read(path, k == 0);
        for (guint i = 0; i < set->len; i++)
            check(set->pdata[i], chunks[k]);
    }
}

/* What may stand in the header of a person's mail, and in its text. */
static const struct {
    const char *sender, *fields, *text;
} persons[] = {
    {"<alice@example.com>", "", "What is this?"},
    {"<alice@example.com>", "In-Reply-To: <b1@x>\nReferences: <b1@x>\n", "What is this?"},
    {"<alice@example.com>", "In-Reply-To: <b1@x>\nUser-Agent: Mozilla Thunderbird\n",
     "I am out of the office until Monday. My automatic reply says:"},
    {"<alice@example.com>", "In-Reply-To: <b1@x>\n",
     "This is an automatic reply that I got. Ich bin im Urlaub, je suis absent."},
    {"<alice@example.com>",
     "In-Reply-To: <b1@x>\nUser-Agent: Mutt/2.2\nX-Auto-Response-Suppress: All\nPrecedence: bulk\n",
     "I am out of the office."},
    {"<alice@example.com>",
     "In-Reply-To: <b1@x>\nX-Mailer: Microsoft Outlook 16.0\nX-Auto-Response-Suppress: All\n",
     "I am out of the office."},
    {"<alice@example.com>", "In-Reply-To: <b1@x>\nThread-Topic: Autoresponse\n",
     "I am out of the office."},
    {"<alice@example.com>",
     "Received: from a by b; x\nX-Sieve: CMU Sieve 2.4\nIn-Reply-To: <b1@x>\n",
     "I am out of the office until Monday."},
    {"<alice@example.com>",
     "X-MS-Exchange-Inbox-Rules-Loop: a@b\nX-Mailer: Apple Mail (2.3)\nIn-Reply-To: <b1@x>\n",
     "I am out of the office until Monday."},
    {"<alice@example.com>", "X-Sieve: CMU Sieve 2.4\n", "I am on vacation, please look at this."},
    {"<alice@example.com>", "X-Sieve: Pigeonhole Sieve 0.5.19\nIn-Reply-To: <b1@x>\n",
     "Please look at this."},
    {"<alice@example.com>",
     "X-MS-Exchange-Inbox-Rules-Loop: alice@example.com\nIn-Reply-To: <b1@x>\n",
     "Please look at this."},
    {"<alice@example.com>",
     "Resent-From: Alice <alice@example.com>\nResent-Date: Mon, 2 Nov 2026 09:12:35 +0100\n"
     "Auto-Submitted: auto-replied\nX-Autoreply: yes\nPrecedence: bulk\nIn-Reply-To: <b1@x>\n",
     "I am out of the office."},
    {"<alice@example.com>",
     "Resent-From: alice@example.com\nAuto-Submitted: auto-generated\n"
     "X-Auto-Response-Suppress: All\nIn-Reply-To: <b1@x>\n",
     "I am out of the office."},
    {"<dev-bounces@lists.example.net>", "List-Id: <dev.lists.example.net>\nPrecedence: list\n",
     "I am out of the office."},
    {"<bounce-17@news.example.net>",
     "List-Unsubscribe: <https://x.test/u>\nPrecedence: bulk\nX-Auto-Response-Suppress: All\n",
     "I am out of the office."},
    {"<alice@example.com>", "List-Unsubscribe: <https://x.test/u>\nPrecedence: bulk\n",
     "I am out of the office."},
    {"<alice@example.com>",
     "In-Reply-To: <b1@x>\nThread-Index: AdX\nX-MS-Has-Attach:\nX-MS-TNEF-Correlator:\n"
     "X-OriginatorOrg: example.com\n",
     "I am out of the office."},
    {"<alice@example.com>",
     "In-Reply-To: <b1@x>\nX-MIMETrack: Serialize by Router on mail/Example\n"
     "X-Mailer: Lotus Notes Release 9.0.1\n",
     "I am out of the office."},
    {"<alice@example.com>", "In-Reply-To: <b1@x>\nAuto-Submitted: no\nPrecedence: bulk\n",
     "I am out of the office."},
};

/* Each subject of the file in each of them. */
static void test_persons(const void *path)
{
    g_autofree char *text = NULL;
    unsigned subjects = 0;
    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (size_t i = 0; lines[i]; i++) {
        if (!lines[i][0] || lines[i][0] == '#')
            continue;
        subjects++;
        for (size_t k = 0; k < G_N_ELEMENTS(persons); k++) {
            g_autofree char *source = g_strdup_printf(
                "From: Alice Archer <alice@example.com>\nTo: postmaster@example.com\n"
                "Subject: %s\n%s\n%s\n\nOn 2.11.2026 9:12 bob@example.com wrote:\n"
                "> I am out of the office until Monday.\n> This is an automatic reply.\n",
                lines[i], persons[k].fields, persons[k].text);
            struct set_message *message = set_message_new();
            message_set_parse(message, source);
            message->sender = g_strdup(persons[k].sender);
            g_ptr_array_add(message->recipients, g_strdup("<postmaster@example.com>"));
            g_ptr_array_add(message->recipients, NULL);
            g_ptr_array_set_size(message->recipients, 1);
            struct autoreply_judgement judgement;
            judge(message, 65536, &judgement);
            if (judgement.is_autoreply) {
                show(message, &judgement);
                g_test_fail_printf("\"%s\" with %s", lines[i], persons[k].fields);
            }
            g_assert_true(judgement.to_bounce_sender && judgement.quotes_original);
            autoreply_judgement_clear(&judgement);
            set_message_free(message);
        }
    }
    g_assert_cmpuint(subjects, >=, 60);
}

static void test_share(void)
{
    g_test_message("%u messages, %u leaks, %u missed", messages, leaks, missed);
    g_assert_cmpuint(messages, >=, 300); /* each is judged twice */
    g_assert_cmpuint(missed * 100, <=, leaks * 2);
}

static void read_explained(const char *path)
{
    g_autofree char *text = NULL;
    explained = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (size_t i = 0; lines[i]; i++)
        if (lines[i][0] && !strchr("# ", lines[i][0]))
            g_hash_table_add(explained, g_strndup(lines[i], strcspn(lines[i], ":")));
}

/* Arguments: the file of explained misses, people's subjects, then the collections. */
int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_cmpint(argc, >, 3);
    read_explained(argv[1]);
    g_test_add_data_func("/autoreply/persons", argv[2], test_persons);
    for (int i = 3; i < argc; i++) {
        g_autofree char *base = g_path_get_basename(argv[i]);
        g_autofree char *path = g_strdup_printf("/autoreply/%s", base);
        g_test_add_data_func(path, argv[i], test_file);
    }
    g_test_add_func("/autoreply/set_share", test_share);
    int result = g_test_run();
    g_hash_table_unref(explained);
    return result;
}
