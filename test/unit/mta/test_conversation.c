/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The conversation with an MTA: what is answered to what, by what was agreed on and by the order in
 * which it comes. Bytes and packets are looked at by test_wire.
 */
#include "conversation.h"

#include <string.h>

#include "changes.h"

/* SAYS: letters of packets; X is an R for somebody elsewhere. HEARS: for each of them the letters
 * of the answers; "-" if there is none, "!" when it is over. */
struct row {
    const char *title;
    uint32_t version, actions, steps; /* the MTA's offer */
    const char *says, *hears;
};

#define ALL 0x1fffff
static const struct row rows[] = {
    {"as Postfix speaks", 6, 0x1ff, ALL, "OCHMRXEAAMRE", "O - - - c y c - - - c c"},
    {"headers need no answer", 6, 0x1ff, ALL, "OCHMRLLE", "O - - - c - - c"},
    {"who offers nothing hears everything", 6, 0, 0, "OCHMRXTLNBEU", "O c c c c y c c c c c c"},
    {"version 2", 2, 0x3f, 0x7f, "OCHMRLE", "O c c c c c c"},
    {"no answer to HELO alone", 6, 0x1ff, 0x2000, "OCHMRE", "O c - c c c"},
    {"no answer to MAIL alone", 6, 0x1ff, 0x4000, "OCHMRE", "O c c - c c"},
    {"the body may be skipped, if it may", 6, 0x1ff, 0x400, "OCHMRBBE", "O c c c c c c c"},
    {"version 1", 1, 0x3f, 0x7f, "O", "!"},
    {"a version to come", 7, 0x1ff, ALL, "OCH", "O - -"},
    {"QUIT", 6, 0x1ff, ALL, "OCHMRQ", "O - - - c !"},
    {"QUIT at once", 6, 0x1ff, ALL, "Q", "!"},
    {"another client", 6, 0x1ff, ALL, "OCHMRKCHMX", "O - - - c - - - - y"},
    {"another client, and no CONNECT", 6, 0x1ff, 0, "OCHMRKHMRE", "O c c c c - t t t t"},
    {"no CONNECT", 6, 0x1ff, 0, "OHMRE", "O t t t t"},
    {"no CONNECT, and no answers", 6, 0x1ff, ALL, "OMRE", "O - t t"},
    {"no HELO", 6, 0x1ff, ALL, "OCMRE", "O - - c c"},
    {"ABORT at any time", 6, 0x1ff, 0, "AOACAHAMARA", "- O - c - c - c - !"},
    {"macros at any time", 6, 0x1ff, 0, "DODCDHDMDRDE", "- O - c - c - c - c - c"},
    {"UNKNOWN at any time", 6, 0x1ff, 0, "OUCUHUMURUE", "O c c c c c c c c c c"},
    {"a second MAIL aborts", 6, 0x1ff, ALL, "OCHMRLMRE", "O - - - c - - c c"},
    {"HELO aborts", 6, 0x1ff, ALL, "OCHMRHMRE", "O - - - c - - c c"},
    {"RCPT after the header", 6, 0x1ff, ALL, "OCHMRLR", "O - - - c - !"},
    {"a header after the body", 6, 0x1ff, 0, "OCHMRBL", "O c c c c c !"},
    {"the end without a recipient", 6, 0x1ff, ALL, "OCHME", "O - - - !"},
    {"RCPT without MAIL", 6, 0x1ff, ALL, "OCHR", "O - - !"},
    {"CONNECT twice", 6, 0x1ff, ALL, "OCC", "O - !"},
    {"a negotiation twice", 6, 0x1ff, ALL, "OO", "O !"},
    {"no negotiation", 6, 0x1ff, ALL, "C", "!"},
    {"no command", 6, 0x1ff, ALL, "OCZ", "O - !"},
    {"a held message", 6, 0x1ff, ALL, "OCHMhE", "O - - - c qc"},
    {"an MTA that cannot hold", 6, 0x1df, ALL, "OCHMhEMRE", "O - - - c y - c c"},
    {"a refusal in two lines, one answer", 6, 0x1ff, ALL, "OCHMlRlE", "O - - - y c y c"},
    {"a header for it", 6, 0x1ff, ALL, "OCHMpE", "O - - - c ic"},
};

#define TEN   "long words long words long words long words long words "
#define FIFTY TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN

static const char settings[] =
    "local_domains = lab.test\nrule_files =\nmynetworks =\n"
    "recipient_restrictions = check_recipient_access inline:{hold@lab.test=HOLD, "
    "{add@lab.test = PREPEND X-One: first}, {long@lab.test = REJECT 100% " FIFTY
    "of it}}\nmessage_restrictions =\n";

static void on_message(void *data, enum engine_level level, const char *text)
{
    (void)data, (void)level, (void)text;
}

static void wake(void *data)
{
    (void)data;
}

static struct engine *new_engine(void)
{
    struct engine_listener listener = {.message = on_message};
    struct problems *problems = problems_new();
    struct snapshot *snapshot =
        snapshot_build(settings_parse(settings, strlen(settings), "c", problems), NULL, problems);
    problems_print(problems, stderr);
    problems_free(problems);
    g_assert_nonnull(snapshot);
    return engine_new(snapshot, &listener);
}

static const struct {
    char letter, sent;
    const char *data;
    size_t length;
} packets[] = {
#define PACKET(letter, sent, data)                                                                 \
    {                                                                                              \
        letter, sent, data, sizeof(data) - 1                                                       \
    }
    PACKET('C', 'C',
           "host\0004\x00\x19"
           "203.0.113.9\0"),
    PACKET('H', 'H', "x.example\0"),
    PACKET('M', 'M', "<a@far.test>\0SIZE=1\0"),
    PACKET('R', 'R', "<bob@lab.test>\0"),
    PACKET('X', 'R', "<x@remote.example>\0"),
    PACKET('h', 'R', "<hold@lab.test>\0"),
    PACKET('p', 'R', "<add@lab.test>\0"),
    PACKET('l', 'R', "<long@lab.test>\0"),
    PACKET('L', 'L', "Subject\0 x\0"),
    PACKET('B', 'B', "text\r\n"),
    PACKET('U', 'U', "FOO\0"),
    PACKET('D', 'D',
           "Mi\0"
           "ABC\0"),
};

static enum conversation_state say(struct conversation *conversation, const struct row *row,
                                   char letter, GByteArray *out)
{
    g_autoptr(GByteArray) offer = g_byte_array_new();
    struct wire_packet packet = {.letter = letter, .data = (const unsigned char *)""};
    wire_add_number(offer, row->version);
    wire_add_number(offer, row->actions);
    wire_add_number(offer, row->steps);
    if (letter == 'O') {
        packet.data = offer->data;
        packet.length = offer->len;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(packets); i++)
        if (packets[i].letter == letter)
            packet = (struct wire_packet){.letter = packets[i].sent,
                                          .data = (const unsigned char *)packets[i].data,
                                          .length = packets[i].length};
    enum conversation_state state = conversation_take(conversation, &packet, out);
    while (state == CONVERSATION_SPEAKS)
        state = conversation_speak(conversation, out);
    return state;
}

/* Adds the letters of the packets that OUT is. */
static void note(GString *heard, const GByteArray *out, enum conversation_state state)
{
    const unsigned char *bytes = out->data;
    size_t length = out->len;
    struct wire_input input = {.most = WIRE_DATA_MAX};
    struct wire_packet packet;
    if (heard->len > 0)
        g_string_append_c(heard, ' ');
    if (state == CONVERSATION_OVER)
        g_string_append_c(heard, '!');
    else if (length == 0)
        g_string_append_c(heard, '-');
    while (wire_take(&input, &bytes, &length, &packet) == WIRE_PACKET)
        g_string_append_c(heard, packet.letter);
    g_assert_cmpuint(length, ==, 0);
}

static void test_answers(gconstpointer data)
{
    const struct row *row = data;
    const struct waker waker = {.wake = wake};
    struct engine *engine = new_engine();
    struct conversation *conversation = conversation_new(engine, &waker);
    g_autoptr(GString) heard = g_string_new(NULL);
    enum conversation_state state = CONVERSATION_LISTENS;
    for (const char *letter = row->says; *letter && state != CONVERSATION_OVER; letter++) {
        g_autoptr(GByteArray) out = g_byte_array_new();
        state = say(conversation, row, *letter, out);
        note(heard, out, state);
    }
    g_assert_cmpstr(heard->str, ==, row->hears);
    conversation_free(conversation);
    engine_free(engine);
}

/* Several lines are one packet: what SMTP says, with percent signs doubled, and a NUL. */
static void test_lines(void)
{
    static const struct row row = {.version = 6, .actions = 0x1ff, .steps = ALL};
    const struct waker waker = {.wake = wake};
    struct engine *engine = new_engine();
    struct conversation *conversation = conversation_new(engine, &waker);
    g_autoptr(GByteArray) out = g_byte_array_new();
    for (const char *letter = "OCHMl"; *letter; letter++) {
        g_byte_array_set_size(out, 0);
        say(conversation, &row, *letter, out);
    }
    g_autoptr(GByteArray) expected = g_byte_array_new();
    /* 512 octets with CRLF and one percent sign: the next word goes on the next line. */
    g_autofree char *text =
        g_strdup("<long@lab.test>: Recipient address rejected: 100%% " FIFTY "of it");
    size_t first = 512 - strlen("550 5.7.1 \r\n") + strlen("%");
    while (text[first] != ' ')
        first--;
    g_autofree char *reply =
        g_strdup_printf("554-5.7.1 %.*s\r\n554 5.7.1 %s", (int)first, text, text + first + 1);
    wire_put(expected, 'y', reply, strlen(reply) + 1);
    g_assert_cmpmem(out->data, out->len, expected->data, expected->len);
    conversation_free(conversation);
    engine_free(engine);
}

/* A body of 20 MB is said in packets that an MTA takes, and nothing is lost. */
static void test_large_body(void)
{
    g_autoptr(GString) body = g_string_new(NULL);
    for (unsigned i = 0; body->len < 20 * 1024 * 1024; i++)
        g_string_append_printf(body, "line %u of a body\r\n", i);
    const struct session_answer answer = {.body = body};
    struct changes changes;
    struct change change;
    size_t done = 0;
    changes_begin(&changes, &answer, 0x1ff, true);
    while (changes_next(&changes, &change) == CHANGES_BODY) {
        g_assert_cmpuint(change.length, <=, 65535);
        g_assert_cmpmem(body->str + done, change.length, change.data, change.length);
        done += change.length;
    }
    g_assert_cmpint(change.kind, ==, CHANGES_DONE);
    g_assert_cmpuint(done, ==, body->len);
    changes_clear(&changes);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *path = g_strdup_printf("/conversation/%s", rows[i].title);
        g_test_add_data_func(path, &rows[i], test_answers);
    }
    g_test_add_func("/conversation/the lines of a reply", test_lines);
    g_test_add_func("/changes/large body", test_large_body);
    return g_test_run();
}
