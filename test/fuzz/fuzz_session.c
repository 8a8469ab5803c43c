/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Whole sessions, with any macros, addresses, headers, bodies and DNS. The input is a letter that
 * chooses the site, and a script, in which a line is a letter and its argument:
 *
 *   N name=value  a macro     C address      connect     H name   HELO    M path ...  MAIL
 *   R path ...    RCPT        h Name: value  header      B text   body    E, A        end, abort
 *   D seed        other DNS answers          S           the DNS falls silent
 *
 * A script is played twice: with DNS answers at once and the body in whole pieces, and with answers
 * that are waited for and the body in crumbs, some of them more than was asked for. Both times
 * session_oracle.c looks on, and both must lead to the same answers, unless a DNS list was set
 * aside (which of two questions it was asked before that depends on when the answers come). With
 * FUZZ_SHOW in the environment they are printed.
 */
#include <glib.h>
#include <stdlib.h>
#include <string.h>

#include "autoreply/bounce_memory.h"
#include "fake_resolver.h"
#include "session_oracle.h"

/* Of a script; and steps after which a session that was answered everything must be ready. */
enum { LINES_MAX = 200, WAITS_MAX = 20 };

struct player {
    struct engine *engine;
    struct session *session;
    struct oracle oracle;
    struct bounce_memory *memory;
    GHashTable *macros;
    bool slow; /* the second time */
    bool silent;
    bool list_fell; /* a DNS list was set aside */
    bool connected, in_message, in_body, wants_body;
    bool woken;
    GString *answers;
};

static const char *get_macro(void *context, const char *name)
{
    return g_hash_table_lookup(context, name);
}

static void on_event(void *data, const struct event *event)
{
    oracle_event(&((struct player *)data)->oracle, event);
}

static void on_message(void *data, enum engine_level level, const char *text)
{
    struct player *player = data;
    player->list_fell |= level == ENGINE_WARNING && strstr(text, "is set aside");
}

static void wake(void *data)
{
    ((struct player *)data)->woken = true;
}

/* Once all that was asked is answered, or the budget is spent, nobody waits any more. */
static void settle(struct player *player, enum session_step step)
{
    for (int i = 0; step == SESSION_WAIT; i++) {
        g_assert(i < WAITS_MAX);
        fake_resolver_answer();
        int64_t deadline = session_deadline(player->session);
        if (player->silent)
            fake_clock_advance(MAX(deadline - g_get_monotonic_time(), 0));
        else
            g_assert(player->woken);
        player->woken = false;
        step = session_resume(player->session);
    }
    fake_resolver_answer();
}

static void append_list(GString *out, const GPtrArray *lines)
{
    for (guint i = 0; lines && i < lines->len; i++)
        g_string_append_printf(out, "+%s\n", (const char *)lines->pdata[i]);
}

static void append_answer(struct player *player)
{
    const struct session_answer *answer = session_get_answer(player->session);
    GString *out = player->answers;
    g_string_append_printf(out, "%d %d %s %s %s\n", (int)answer->stage, (int)answer->action,
                           answer->check ? answer->check : "-", answer->reply ? answer->reply : "-",
                           answer->hold ? answer->hold : "-");
    append_list(out, answer->headers);
    for (guint i = 0; answer->changes && i < answer->changes->len; i++) {
        const struct header_change *change = answer->changes->pdata[i];
        g_string_append_printf(out, "~%s %u %s\n", change->name, change->index,
                               change->value ? change->value : "-");
    }
    if (answer->body)
        g_string_append_len(out, answer->body->str, (gssize)answer->body->len);
}

static void finish_step(struct player *player, enum session_step step)
{
    settle(player, step);
    oracle_check_step(&player->oracle, player->session);
    append_answer(player);
}

static void end_message(struct player *player)
{
    player->in_message = player->in_body = false;
    oracle_end_message(&player->oracle);
}

/* The steps, as an MTA would take them: what it would not send now is left out. */

static void play_macro(struct player *player, char *rest)
{
    char *equals = strchr(rest, '=');
    if (equals)
        g_hash_table_insert(player->macros, g_strndup(rest, (gsize)(equals - rest)),
                            g_strdup(equals + 1));
}

static void play_connect(struct player *player, char *rest)
{
    struct macro_source macros = {.get = get_macro, .context = player->macros};
    struct waker waker = {.wake = wake, .data = player};
    struct ipaddr address;
    bool known = ipaddr_parse(rest, &address);
    struct connection connection = {.host = rest, .address = known ? &address : NULL};
    session_free(player->session);
    player->session = session_new(player->engine, &waker);
    end_message(player);
    oracle_connect(&player->oracle, connection.address, get_macro, player->macros);
    player->connected = true;
    finish_step(player, session_connect(player->session, &connection, &macros));
    oracle_check_greeting(&player->oracle, player->session);
}

static void play_helo(struct player *player, char *rest)
{
    struct macro_source macros = {.get = get_macro, .context = player->macros};
    end_message(player);
    oracle_helo(&player->oracle, get_macro, player->macros);
    finish_step(player, session_helo(player->session, rest, &macros));
    oracle_check_greeting(&player->oracle, player->session);
}

static void play_mail(struct player *player, char *rest)
{
    struct macro_source macros = {.get = get_macro, .context = player->macros};
    g_auto(GStrv) argv = g_strsplit(rest, " ", 4);
    end_message(player);
    oracle_mail(&player->oracle, argv[0] ? argv[0] : "", get_macro, player->macros);
    finish_step(player, session_mail(player->session, (const char *const *)argv, &macros));
    oracle_check_mail(&player->oracle, player->session);
    player->in_message = session_get_answer(player->session)->action == SESSION_CONTINUE;
    if (!player->in_message)
        session_abort(player->session);
}

static void play_rcpt(struct player *player, char *rest)
{
    struct macro_source macros = {.get = get_macro, .context = player->macros};
    const char *argv[] = {rest, NULL};
    if (!player->in_message || player->in_body)
        return;
    finish_step(player, session_rcpt(player->session, argv, &macros));
    oracle_check_rcpt(&player->oracle, player->session, rest);
}

/* An escape "\n" in the value is a fold. */
static void play_header(struct player *player, char *rest)
{
    char *colon = strchr(rest, ':');
    if (!player->in_message || player->in_body || !colon)
        return;
    *colon = '\0';
    g_auto(GStrv) lines = g_strsplit(colon + 1, "\\n", -1);
    g_autofree char *value = g_strjoinv("\n\t", lines);
    session_header(player->session, rest, value);
    *colon = ':';
}

static void feed(struct player *player, const char *text, size_t length)
{
    /* More than is wanted comes from MTAs that cannot skip, and changes nothing. */
    if (player->wants_body || player->slow)
        player->wants_body = session_body(player->session, text, length) && player->wants_body;
}

static void play_body(struct player *player, char *rest)
{
    if (!player->in_message)
        return;
    if (!player->in_body)
        player->wants_body = session_end_of_header(player->session);
    player->in_body = true;
    g_auto(GStrv) lines = g_strsplit(rest, "\\n", -1);
    g_autofree char *joined = g_strjoinv("\r\n", lines);
    g_autofree char *text = g_strconcat(joined, "\r\n", NULL);
    size_t length = strlen(text), crumb = player->slow ? 1 + length / 3 : length;
    for (size_t done = 0; done < length; done += crumb)
        feed(player, text + done, MIN(crumb, length - done));
}

static void play_end(struct player *player, char *rest)
{
    struct macro_source macros = {.get = get_macro, .context = player->macros};
    (void)rest;
    if (!player->in_message || player->oracle.accepted == 0)
        return;
    if (!player->in_body)
        session_end_of_header(player->session);
    finish_step(player, session_end_of_message(player->session, &macros));
    oracle_check_message(&player->oracle, player->session);
    session_abort(player->session);
    end_message(player);
}

static void play_abort(struct player *player, char *rest)
{
    (void)rest;
    session_abort(player->session);
    end_message(player);
}

static void play_dns(struct player *player, char *rest)
{
    (void)player;
    fake_resolver_seed(rest);
}

static void play_silence(struct player *player, char *rest)
{
    (void)rest;
    player->silent = true;
    fake_resolver_manner(FAKE_NEVER);
}

static const struct {
    char letter;
    bool session; /* needs one */
    void (*play)(struct player *player, char *rest);
} steps[] = {
    {'N', false, play_macro}, {'C', false, play_connect}, {'H', true, play_helo},
    {'M', true, play_mail},   {'R', true, play_rcpt},     {'h', true, play_header},
    {'B', true, play_body},   {'E', true, play_end},      {'A', true, play_abort},
    {'D', false, play_dns},   {'S', false, play_silence},
};

static void play_line(struct player *player, char letter, char *rest)
{
    for (size_t i = 0; i < G_N_ELEMENTS(steps); i++) {
        if (steps[i].letter != letter || (steps[i].session && !player->connected))
            continue;
        fake_clock_advance(1000);
        oracle_begin_step(&player->oracle);
        steps[i].play(player, rest);
    }
}

/* Plays SCRIPT at site NUMBER and returns all answers. *LIST_FELL_R may become true. */
static char *play(unsigned number, const char *script, bool slow, bool *list_fell_r)
{
    struct player player = {.slow = slow, .answers = g_string_new(NULL)};
    struct engine_listener listener = {.event = on_event, .message = on_message, .data = &player};
    struct engine_counters counters;
    fake_resolver_begin("", slow ? FAKE_LATER : FAKE_AT_ONCE);
    player.oracle.site = fuzz_site(number);
    player.macros = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    player.engine = engine_new(snapshot_ref(fuzz_site_policy(number)), &listener);
    player.memory = bounce_memory_new("key", 3, 1000);
    engine_set_bounce_memory(player.engine, player.memory);
    g_auto(GStrv) lines = g_strsplit(script, "\n", LINES_MAX);
    for (char **line = lines; *line; line++)
        if (**line)
            play_line(&player, **line, *line + 1);
    session_free(player.session);
    engine_get_counters(player.engine, &counters);
    g_assert(counters.open == 0);
    engine_free(player.engine);
    g_assert(fake_resolver_questions() == 0);
    bounce_memory_free(player.memory);
    oracle_clear(&player.oracle);
    g_hash_table_unref(player.macros);
    *list_fell_r |= player.list_fell;
    return g_string_free(player.answers, FALSE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    unsigned number = (data[0] - 'a') % 26u % FUZZ_SITES;
    g_autofree char *script = g_strndup((const char *)data + 1, size - 1);
    bool list_fell = false;
    g_autofree char *first = play(number, script, false, &list_fell);
    g_autofree char *second = play(number, script, true, &list_fell);
    if (getenv("FUZZ_SHOW"))
        g_printerr("%s", first);
    if (!list_fell && strcmp(first, second) != 0)
        g_error("with late answers and crumbs:\n%s\ninstead of\n%s", second, first);
    return 0;
}
