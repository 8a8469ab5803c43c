/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Plays a transcript against the engine: SMTP sessions as a milter sees them, with the settings
 * in force, and prints what would be answered. The output is compared with a .ref file.
 *
 *   set NAME = VALUE      a line of gatepost.conf          section [listener X]    opens a section
 *   load                  puts the settings in force, prints what is wrong with them
 *   macro NAME VALUE      from now on the MTA sends it     unmacro NAME
 *   connect ADDR [NAME]   a new connection; "-" is none    helo, mail, rcpt, header, end, rset
 *   # comment             printed as it is
 */
#include <stdio.h>
#include <string.h>

#include "policy/settle.h"

struct player {
    GString *config;
    GHashTable *macros;
    struct engine *engine;
    struct session *session;
    const char *folder;
    struct waiting waiting;
};

static const char *get_macro(void *context, const char *name)
{
    return g_hash_table_lookup(context, name);
}

static struct macro_source macros_of(struct player *player)
{
    return (struct macro_source){.get = get_macro, .context = player->macros};
}

static void on_event(void *data, const struct event *event)
{
    const char *folder = data;
    g_autofree char *to = g_strjoinv(",", (char **)(void *)event->to);
    const char *permit = event->permits ? permits_main(event->permits) : NULL;
    g_autoptr(GString) entry = g_string_new(event->entry);
    g_autofree char *here = g_strconcat(":", folder, "/", NULL);
    g_string_replace(entry, here, ":", 0);
    printf("  log: %s %s check=%s to=%s%s%s%s%s%s%s%s\n", action_word(event->action),
           stage_name(event->stage), event->check ? event->check : "-", *to ? to : "-",
           event->text ? " text=" : "", event->text ? event->text : "",
           event->monitor ? " monitor" : "", permit ? " permit=" : "", permit ? permit : "",
           event->entry ? " entry=" : "", entry->str);
}

static void on_message(void *data, enum engine_level level, const char *text)
{
    (void)data;
    printf("  log: %s: %s\n", level == ENGINE_WARNING ? "warning" : "info", text);
}

static void print_answer(struct player *player, enum session_step step)
{
    session_settle(player->session, step, &player->waiting);
    static const char *const words[] = {"ok", "refuse", "hold"};
    const struct session_answer *answer = session_get_answer(player->session);
    printf("  %s", words[answer->action]);
    if (answer->reply)
        printf(" %s [%s]", answer->reply, answer->check);
    if (answer->hold && answer->action == SESSION_HOLD && !answer->reply)
        printf(" %s", answer->hold);
    printf("\n");
    for (guint i = 0; answer->headers && i < answer->headers->len; i++)
        printf("  + %s\n", (char *)answer->headers->pdata[i]);
    for (guint i = 0; answer->changes && i < answer->changes->len; i++) {
        const struct header_change *change = answer->changes->pdata[i];
        printf("  %c %s[%u]%s%s\n", change->value ? '=' : '-', change->name, change->index,
               change->value ? ": " : "", change->value ? change->value : "");
    }
    if (answer->body) {
        g_autofree char *body = g_strescape(answer->body->str, NULL);
        printf("  body: %s\n", body);
    }
}

static void do_set(struct player *player, char *rest)
{
    g_string_append_printf(player->config, "%s\n", rest);
}

static void do_load(struct player *player, char *rest)
{
    (void)rest;
    struct problems *problems = problems_new();
    struct settings *settings =
        settings_parse(player->config->str, player->config->len, "conf", problems);
    struct snapshot *snapshot = snapshot_build(settings, player->folder, problems);
    problems_print(problems, stdout);
    problems_free(problems);
    g_string_truncate(player->config, 0);
    session_free(player->session);
    player->session = NULL;
    engine_free(player->engine);
    player->engine = NULL;
    printf("  %s\n", snapshot ? "loaded" : "not loaded");
    struct engine_listener listener = {
        .event = on_event, .message = on_message, .data = (void *)player->folder};
    if (snapshot)
        player->engine = engine_new(snapshot, &listener);
}

static void do_macro(struct player *player, char *rest)
{
    char *value = strchr(rest, ' ');
    if (value)
        *value++ = '\0';
    g_hash_table_insert(player->macros, g_strdup(rest), g_strdup(value ? value : ""));
}

static void do_unmacro(struct player *player, char *rest)
{
    g_hash_table_remove(player->macros, rest);
}

static void set_macro(struct player *player, const char *name, const char *value)
{
    g_hash_table_insert(player->macros, g_strdup(name), g_strdup(value));
}

static void do_connect(struct player *player, char *rest)
{
    if (!player->engine) {
        printf("  no settings are in force\n");
        return;
    }
    char *name = strchr(rest, ' ');
    if (name)
        *name++ = '\0';
    struct ipaddr address = {0};
    bool known = ipaddr_parse(rest, &address);
    if (known) {
        set_macro(player, "{client_name}", name ? name : "unknown");
        set_macro(player, "{client_ptr}", name ? name : "unknown");
        set_macro(player, "{client_resolve}", name ? "OK" : "FAIL");
        if (!g_hash_table_contains(player->macros, "{client_port}"))
            set_macro(player, "{client_port}", "40000");
    }
    session_free(player->session);
    player->session = session_new(player->engine, &player->waiting.waker);
    struct connection connection = {.host = name ? name : rest, .address = known ? &address : NULL};
    struct macro_source macros = macros_of(player);
    print_answer(player, session_connect(player->session, &connection, &macros));
}

/* Mail that Postfix's cleanup(8) shows. */
static void do_local(struct player *player, char *rest)
{
    (void)rest;
    if (!player->engine)
        return;
    struct ipaddr address;
    ipaddr_parse("127.0.0.1", &address);
    g_hash_table_remove(player->macros, "{client_resolve}");
    set_macro(player, "{client_name}", "localhost");
    set_macro(player, "{client_port}", "0");
    session_free(player->session);
    player->session = session_new(player->engine, &player->waiting.waker);
    struct connection connection = {.host = "localhost", .address = &address};
    struct macro_source macros = macros_of(player);
    print_answer(player, session_connect(player->session, &connection, &macros));
    g_hash_table_remove(player->macros, "{client_port}");
}

static void do_helo(struct player *player, char *rest)
{
    struct macro_source macros = macros_of(player);
    print_answer(player, session_helo(player->session, rest, &macros));
}

static void do_mail(struct player *player, char *rest)
{
    g_auto(GStrv) argv = g_strsplit(rest, " ", -1);
    struct macro_source macros = macros_of(player);
    print_answer(player, session_mail(player->session, (const char *const *)(void *)argv, &macros));
}

static void do_rcpt(struct player *player, char *rest)
{
    const char *argv[] = {rest, NULL};
    struct macro_source macros = macros_of(player);
    print_answer(player, session_rcpt(player->session, argv, &macros));
}

static void do_header(struct player *player, char *rest)
{
    char *value = strchr(rest, ':');
    *value++ = '\0';
    session_header(player->session, rest, value);
}

/* The body follows the header; "\\n" in it is a line end. */
static void do_body(struct player *player, char *rest)
{
    g_autofree char *text = g_strcompress(rest);
    printf("  body %s\n", session_end_of_header(player->session) ? "wanted" : "not wanted");
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    g_autofree char *crlf = g_strjoinv("\r\n", lines);
    session_body(player->session, crlf, strlen(crlf));
}

/* "headers N SIZE": many header lines. */
static void do_headers(struct player *player, char *rest)
{
    unsigned count = 0, size = 0;
    if (sscanf(rest, "%u %u", &count, &size) != 2)
        return;
    g_autofree char *value = g_strnfill(size, 'x');
    for (unsigned i = 0; i < count; i++)
        session_header(player->session, "X", value);
}

static void do_end(struct player *player, char *rest)
{
    (void)rest;
    struct macro_source macros = macros_of(player);
    print_answer(player, session_end_of_message(player->session, &macros));
}

static void do_rset(struct player *player, char *rest)
{
    (void)rest;
    session_abort(player->session);
}

static const struct {
    const char *word;
    void (*run)(struct player *player, char *rest);
    bool needs_session;
} commands[] = {
    {"set", do_set, false},     {"section", do_set, false},     {"load", do_load, false},
    {"macro", do_macro, false}, {"unmacro", do_unmacro, false}, {"connect", do_connect, false},
    {"local", do_local, false}, {"helo", do_helo, true},        {"mail", do_mail, true},
    {"rcpt", do_rcpt, true},    {"header", do_header, true},    {"headers", do_headers, true},
    {"body", do_body, true},    {"end", do_end, true},          {"rset", do_rset, true},
};

static bool play_line(struct player *player, char *line)
{
    g_strchomp(line);
    printf("%s\n", line);
    if (line[0] == '#' || line[0] == '\0')
        return true;
    size_t length = strcspn(line, " ");
    char *rest = line[length] ? line + length + 1 : line + length;
    line[length] = '\0';
    for (size_t i = 0; i < G_N_ELEMENTS(commands); i++) {
        if (strcmp(commands[i].word, line) != 0)
            continue;
        if (commands[i].needs_session && !player->session)
            return false;
        commands[i].run(player, rest);
        return true;
    }
    fprintf(stderr, "no such command: %s\n", line);
    return false;
}

int main(int argc, char **argv)
{
    FILE *file = argc > 1 ? fopen(argv[1], "r") : NULL;
    if (!file) {
        fprintf(stderr, "usage: transcript FILE.in\n");
        return 64;
    }
    g_autofree char *folder = g_path_get_dirname(argv[1]);
    struct player player = {
        .config = g_string_new(NULL),
        .macros = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free),
        .folder = folder,
    };
    waiting_init(&player.waiting);
    setvbuf(stdout, NULL, _IOLBF, 0);
    char line[8192];
    bool good = true;
    while (good && fgets(line, sizeof line, file))
        good = play_line(&player, line);
    fclose(file);
    session_free(player.session);
    engine_free(player.engine);
    waiting_clear(&player.waiting);
    g_string_free(player.config, TRUE);
    g_hash_table_unref(player.macros);
    return good ? 0 : 1;
}
