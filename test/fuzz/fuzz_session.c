/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Whole sessions, with any macros, addresses and headers. The input is a script: a line is a
 * letter and its argument.
 *
 *   N name=value  a macro     C address      connect     H name   HELO    M path   MAIL
 *   R path        RCPT        h Name: value  header      B text   body    E, A, X  end, abort,
 * close
 *
 * Whatever is played, an outsider who has neither a sound login nor a verified certificate relays
 * nothing; what that means is worked out here once more, by other means than the engine's.
 */
#include <glib.h>
#include <string.h>
#include <strings.h>

#include "policy/waiting.h"

enum { LINES_MAX = 200 };

struct player {
    struct engine *engine;
    struct session *session;
    struct waiting waiting;
    GHashTable *macros;
};

static const char *get_macro(void *context, const char *name)
{
    return g_hash_table_lookup(context, name);
}

static void on_event(void *data, const struct event *event)
{
    (void)data;
    if (event->reply) {
        g_assert(event->reply[0] == '4' || event->reply[0] == '5');
        g_assert(event->reply[4] == event->reply[0]);
        for (const char *p = event->reply; *p; p++)
            g_assert(*p >= ' ' && *p <= '~');
    }
}

static void on_message(void *data, enum engine_level level, const char *text)
{
    (void)data, (void)level, (void)text;
}

static struct snapshot *load(const char *text)
{
    struct problems *problems = problems_new();
    struct snapshot *snapshot =
        snapshot_build(settings_parse(text, strlen(text), "c", problems), NULL, problems);
    problems_free(problems);
    g_assert_nonnull(snapshot);
    return snapshot;
}

/* Three sites, made once; none trusts a network. */
static struct engine *engine_number(unsigned number)
{
    static struct engine *engines[3];
    static const char *const texts[] = {
        "mynetworks =\nlocal_domains = lab.test\nrule_files =\n",
        "mynetworks =\nlocal_domains = lab.test\nrule_files =\ndelay_checks = no\n"
        "relay_clientcerts = inline:{alice=x}\nsender_login_maps = inline:{bob@lab.test=bob}\n"
        "client_restrictions = check_client_access inline:{203.0.113=permit, a.test=OK}\n"
        "recipient_restrictions = check_recipient_access inline:{lab.test=OK, far.test=OK}\n",
        "mynetworks =\nlocal_domains = lab.test\nrule_files =\nrecipient_delimiter = +-\n"
        "untrusted_listeners = onion\nautoreply_guard = strip\nheader_limit = 4k\n"
        "message_restrictions = guard_autoreply reject_from_login_mismatch reject_spam\n",
    };
    struct engine_hooks hooks = {.event = on_event, .message = on_message};
    number %= G_N_ELEMENTS(texts);
    if (!engines[number])
        engines[number] = engine_new(load(texts[number]), &hooks);
    return engines[number];
}

/* Whether PATH can only be at home: no domain or lab.test, and nothing in the local part that an
 * MTA might take for a route. */
static gboolean surely_local(const char *path)
{
    g_autofree char *text = g_strstrip(g_strdup(path));
    size_t length = strlen(text);
    char *start = text;
    if (length > 1 && text[0] == '<' && text[length - 1] == '>') {
        text[length - 1] = '\0';
        start++;
    }
    g_strstrip(start);
    while (*start == '@' && strchr(start, ':'))
        start = strchr(start, ':') + 1;
    char *at = strrchr(start, '@');
    if (at) {
        *at++ = '\0';
        length = strlen(at);
        while (length > 0 && at[length - 1] == '.')
            at[--length] = '\0';
        if (strcasecmp(at, "lab.test") != 0)
            return FALSE;
    }
    return !strpbrk(start, "%!@");
}

static gboolean is_outsider(const struct player *player)
{
    return !g_hash_table_contains(player->macros, "{auth_authen}") &&
           !g_hash_table_contains(player->macros, "{cert_subject}");
}

static void check_accepted(const struct player *player, const char *path)
{
    const struct session_answer *answer = session_get_answer(player->session);
    gboolean local_mail = session_facts(player->session)->without_smtp;
    if (answer->action == SESSION_CONTINUE && is_outsider(player) && !local_mail)
        g_assert(surely_local(path));
}

static void play(struct player *player, char letter, char *rest)
{
    struct macro_source macros = {.get = get_macro, .context = player->macros};
    const char *argv[] = {rest, NULL};
    char *equals = strchr(rest, '='), *colon = strchr(rest, ':');
    struct ipaddr address;
    struct connection connection = {.host = rest,
                                    .address = ipaddr_parse(rest, &address) ? &address : NULL};
    switch (letter) {
    case 'N':
        if (equals)
            g_hash_table_insert(player->macros, g_strndup(rest, (gsize)(equals - rest)),
                                g_strdup(equals + 1));
        break;
    case 'C':
        session_free(player->session);
        player->session = session_new(player->engine, &player->waiting.waker);
        session_connect(player->session, &connection, &macros);
        break;
    case 'H':
        session_helo(player->session, rest, &macros);
        break;
    case 'M':
        session_mail(player->session, argv, &macros);
        break;
    case 'R':
        session_rcpt(player->session, argv, &macros);
        check_accepted(player, rest);
        break;
    case 'h':
        if (colon) {
            *colon = '\0';
            session_header(player->session, rest, colon + 1);
        }
        break;
    case 'B':
        session_end_of_header(player->session);
        session_body(player->session, rest, strlen(rest));
        break;
    case 'E':
        session_end_of_message(player->session, &macros);
        break;
    case 'A':
        session_abort(player->session);
        break;
    default:
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    struct player player = {.engine = engine_number(data[0]),
                            .macros =
                                g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free)};
    waiting_init(&player.waiting);
    player.session = session_new(player.engine, &player.waiting.waker);
    g_autofree char *text = g_strndup((const char *)data + 1, size - 1);
    g_auto(GStrv) lines = g_strsplit(text, "\n", LINES_MAX);
    for (char **line = lines; *line; line++)
        if (**line)
            play(&player, **line, *line + 1);
    session_free(player.session);
    waiting_clear(&player.waiting);
    g_hash_table_unref(player.macros);
    return 0;
}
