/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What an MTA, or anybody who reaches the socket, may say in the milter protocol. The input is a
 * letter that chooses the site, and lines (packet_script.h). Lines of the fuzzer's own are "> "
 * (the DNS falls silent) and "< " (the next packet's work is done while the peer has gone).
 * milter_oracle.c and session_oracle.c look on, with DNS answers at once and with such that are
 * waited for; the answers must be the same, unless a list was set aside, and as far as they go
 * where the peer has gone meanwhile.
 */
#include <stdlib.h>
#include <string.h>

#include "conversation.h"
#include "fake_resolver.h"
#include "milter_oracle.h"
#include "packet_judge.h"
#include "packet_script.h"
#include "session_sites.h"

enum { LINES_MAX = 300, WAITS_MAX = 50 };

struct player {
    struct engine *engine;
    struct conversation *conversation;
    enum conversation_state state;
    struct milter_oracle oracle;
    struct packet_judge judge;
    GByteArray *out;
    GByteArray *all; /* that was said */
    bool silent, woken, list_fell, vanishes;
};

static void wake(void *data)
{
    ((struct player *)data)->woken = true;
}

static void on_event(void *data, const struct event *event)
{
    oracle_event(&((struct player *)data)->judge.oracle, event);
}

static void on_message(void *data, enum engine_level level, const char *text)
{
    struct player *player = data;
    player->list_fell |= level == ENGINE_WARNING && strstr(text, "is set aside");
}

static void hear(struct player *player)
{
    milter_oracle_heard(&player->oracle, player->out->data, player->out->len);
    g_byte_array_append(player->all, player->out->data, player->out->len);
    g_byte_array_set_size(player->out, 0);
}

/* What is asked is answered, or its time ends, until the conversation listens, or is over. */
static void settle(struct player *player)
{
    struct conversation *conversation = player->conversation;
    for (int i = 0;; i++) {
        hear(player);
        switch (player->state) {
        case CONVERSATION_SPEAKS:
            player->state = conversation_speak(conversation, player->out);
            break;
        case CONVERSATION_WORKS:
            conversation_work(conversation);
            if (player->vanishes)
                return;
            player->state = conversation_worked(conversation, player->out);
            break;
        case CONVERSATION_WAITS:
            g_assert(i < WAITS_MAX);
            if (conversation_may_progress(conversation)) {
                conversation_progress(player->out);
                milter_oracle_heard(&player->oracle, player->out->data, player->out->len);
                g_byte_array_set_size(player->out, 0);
            }
            if (player->vanishes)
                return;
            fake_resolver_answer();
            if (player->silent)
                fake_clock_advance(
                    MAX(conversation_deadline(conversation) - g_get_monotonic_time(), 0));
            else
                g_assert(player->woken);
            player->woken = false;
            player->state = conversation_resume(conversation, player->out);
            break;
        default:
            return;
        }
    }
}

static void play_line(struct player *player, char letter, const char *rest)
{
    size_t length;
    if (letter == '>') {
        player->silent = true;
        fake_resolver_manner(FAKE_NEVER);
        return;
    }
    if (letter == '<') {
        player->vanishes = true;
        return;
    }
    g_autofree unsigned char *data = packet_script_data(rest, &length);
    if (length > conversation_packet_most(player->conversation))
        return;
    struct wire_packet packet = {.letter = letter, .data = data, .length = length};
    fake_clock_advance(1000);
    milter_oracle_said(&player->oracle, letter, data, length);
    packet_judge_said(&player->judge, letter, data, length);
    player->state = conversation_take(player->conversation, &packet, player->out);
    player->oracle.postfix = conversation_of_postfix(player->conversation);
    player->oracle.closed = player->state == CONVERSATION_OVER;
    settle(player);
    if (player->vanishes)
        return;
    milter_oracle_settled(&player->oracle);
    player->judge.steps = player->oracle.steps;
    if (player->state != CONVERSATION_OVER)
        packet_judge_session(&player->judge, conversation_session(player->conversation));
}

/* Says in *LIST_FELL_R and *GONE_R what there was, and leaves them as they are else. */
static GByteArray *play(unsigned number, char *const *lines, enum fake_manner manner,
                        bool *list_fell_r, bool *gone_r)
{
    struct player player = {.out = g_byte_array_new(), .all = g_byte_array_new()};
    struct engine_listener listener = {.event = on_event, .message = on_message, .data = &player};
    const struct waker waker = {.wake = wake, .data = &player};
    struct engine_counters counters;
    fake_resolver_begin("", manner);
    player.judge.oracle.site = fuzz_site(number);
    player.engine = engine_new(snapshot_ref(fuzz_site_policy(number)), &listener);
    player.conversation = conversation_new(player.engine, &waker);
    for (; *lines && player.state == CONVERSATION_LISTENS; lines++)
        if (**lines)
            play_line(&player, **lines, *lines + 1);
    conversation_free(player.conversation);
    engine_get_counters(player.engine, &counters);
    g_assert(counters.open == 0);
    engine_free(player.engine);
    g_assert(fake_resolver_questions() == 0);
    g_byte_array_unref(player.out);
    packet_judge_clear(&player.judge);
    *list_fell_r |= player.list_fell;
    *gone_r |= player.vanishes;
    return player.all;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    unsigned number = (data[0] - 'a') % 26u % FUZZ_SITES;
    g_autofree char *script = g_strndup((const char *)data + 1, size - 1);
    g_auto(GStrv) lines = g_strsplit(script, "\n", LINES_MAX);
    bool list_fell = false, gone = false;
    g_autoptr(GByteArray) first = play(number, lines, FAKE_AT_ONCE, &list_fell, &gone);
    g_autoptr(GByteArray) second = play(number, lines, FAKE_LATER, &list_fell, &gone);
    guint length = MIN(first->len, second->len);
    if (getenv("FUZZ_SHOW"))
        for (guint i = 0; i < first->len; i++)
            g_printerr(g_ascii_isprint(first->data[i]) ? "%c" : "\\x%02x", first->data[i]);
    g_assert(list_fell || gone || first->len == second->len);
    g_assert(list_fell || length == 0 || memcmp(first->data, second->data, length) == 0);
    return 0;
}
