/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The talk with an SMTP server (RFC 5321, RFC 3207). No MAIL is ever sent, QUIT always.
 */
#include "smtp_talk.h"

#include <string.h>

enum stage { GREETING, EHLO, STARTTLS, TLS, LEAVING, OVER };

static const char *const state_texts[] = {
    [SMTP_OK] = "ok",           [SMTP_NO_STARTTLS] = "no-starttls",
    [SMTP_BLOCKED] = "blocked", [SMTP_STARTTLS_REFUSED] = "starttls-refused",
    [SMTP_TIMEOUT] = "timeout", [SMTP_HANDSHAKE_FAILED] = "handshake-failed",
    [SMTP_REFUSED] = "refused"};

const char *smtp_state_text(enum smtp_state state)
{
    return state_texts[state];
}

bool smtp_state_definite(const char *state, const char *reply, int tries)
{
    if (g_strcmp0(state, "starttls-refused") == 0)
        return reply && reply[0] == '5';
    return g_strcmp0(state, "ok") == 0 || g_strcmp0(state, "no-starttls") == 0 ||
           (g_strcmp0(state, "handshake-failed") == 0 && tries >= 2);
}

void smtp_talk_begin(struct smtp_talk *talk, const char *helo)
{
    *talk = (struct smtp_talk){.banner = g_string_new(NULL),
                               .keywords = g_string_new(NULL),
                               .reply = g_string_new(NULL),
                               .command = g_string_new(NULL),
                               .helo = g_strdup(helo),
                               .stage = GREETING,
                               .waiting = true,
                               .line = g_string_new(NULL),
                               .text = g_string_new(NULL)};
}

void smtp_talk_end(struct smtp_talk *talk)
{
    GString *strings[] = {talk->banner,  talk->keywords, talk->reply,
                          talk->command, talk->line,     talk->text};
    for (size_t i = 0; i < G_N_ELEMENTS(strings); i++)
        g_string_free(strings[i], TRUE);
    g_free(talk->helo);
}

/* With an outcome there is nothing to do but to take one's leave. */
static void settle(struct smtp_talk *talk, enum smtp_state state)
{
    talk->state = state;
    g_string_assign(talk->reply, talk->text->str);
    talk->waiting = false;
    talk->stage = LEAVING;
}

static void judge_greeting(struct smtp_talk *talk)
{
    /* without the code */
    g_string_assign(talk->banner, talk->text->len > 4 ? talk->text->str + 4 : "");
    if (talk->code / 100 == 2)
        talk->stage = EHLO;
    else
        settle(talk, SMTP_BLOCKED);
}

/* A reply is whole. */
static void judge(struct smtp_talk *talk)
{
    talk->waiting = false;
    switch ((enum stage)talk->stage) {
    case GREETING:
        judge_greeting(talk);
        break;
    case EHLO:
        if (talk->code / 100 != 2)
            settle(talk, SMTP_BLOCKED);
        else if (talk->starttls)
            talk->stage = STARTTLS;
        else
            settle(talk, SMTP_NO_STARTTLS);
        if (talk->state == SMTP_NO_STARTTLS)
            g_string_truncate(talk->reply, 0); /* the keywords say it */
        break;
    case STARTTLS:
        if (talk->code == 220)
            talk->stage = TLS;
        else
            settle(talk, SMTP_STARTTLS_REFUSED);
        break;
    case LEAVING:
        talk->stage = OVER;
        break;
    case TLS:
    case OVER:
        break;
    }
    g_string_truncate(talk->text, 0);
    talk->lines = 0;
    talk->code = 0;
}

/* The greeting line of EHLO's answer is no keyword. */
static void take_keyword(struct smtp_talk *talk, const char *text)
{
    size_t length = strcspn(text, " \t");
    if (talk->stage != EHLO || talk->lines == 1 || length == 0 || length > 64)
        return;
    g_autofree char *word = g_ascii_strup(text, (gssize)length);
    if (strcmp(word, "STARTTLS") == 0)
        talk->starttls = true;
    if (talk->keywords->len > 0)
        g_string_append_c(talk->keywords, ' ');
    g_string_append(talk->keywords, word);
}

static void nonsense(struct smtp_talk *talk)
{
    if (talk->stage == GREETING || talk->stage == EHLO)
        talk->state = SMTP_BLOCKED;
    else if (talk->stage == STARTTLS)
        talk->state = SMTP_STARTTLS_REFUSED;
    g_string_assign(talk->reply, talk->text->str);
    talk->stage = OVER;
}

/* "250-TEXT", "250 TEXT" or "250". All lines of a reply have the same code. */
static void take_line(struct smtp_talk *talk)
{
    const char *line = talk->line->str;
    bool coded = g_ascii_isdigit(line[0]) && g_ascii_isdigit(line[1]) && g_ascii_isdigit(line[2]) &&
                 (line[3] == '\0' || line[3] == ' ' || line[3] == '-');
    int code = coded ? (line[0] - '0') * 100 + (line[1] - '0') * 10 + line[2] - '0' : 0;
    if (talk->text->len > 0)
        g_string_append_c(talk->text, ' ');
    g_string_append(talk->text, talk->text->len > 0 && coded ? line + (line[3] ? 4 : 3) : line);
    if (!coded || ++talk->lines > SMTP_LINES_MAX || (talk->code && talk->code != code)) {
        nonsense(talk);
        return;
    }
    talk->code = code;
    take_keyword(talk, line[3] ? line + 4 : "");
    if (line[3] != '-')
        judge(talk);
}

void smtp_talk_feed(struct smtp_talk *talk, const char *bytes, size_t count)
{
    for (size_t i = 0; i < count && talk->stage != OVER; i++) {
        if (!talk->waiting) {
            /* Said before it was asked: before STARTTLS a matter of haste, behind it of forgery. */
            talk->early = talk->early || talk->stage == TLS;
            return;
        }
        if (bytes[i] == '\n') {
            if (talk->line->len > 0 && talk->line->str[talk->line->len - 1] == '\r')
                g_string_truncate(talk->line, talk->line->len - 1);
            take_line(talk);
            g_string_truncate(talk->line, 0);
        } else if (talk->line->len >= SMTP_LINE_MAX) {
            nonsense(talk);
        } else {
            g_string_append_c(talk->line, bytes[i] ? bytes[i] : '?');
        }
    }
}

void smtp_talk_over(struct smtp_talk *talk, bool timeout)
{
    if (talk->state == SMTP_UNKNOWN && talk->stage != TLS) {
        if (timeout)
            talk->state = SMTP_TIMEOUT;
        else
            talk->state = talk->stage == STARTTLS ? SMTP_HANDSHAKE_FAILED : SMTP_BLOCKED;
        g_string_assign(talk->reply, talk->text->str);
    }
    talk->stage = OVER;
}

static enum smtp_step say(struct smtp_talk *talk, const char *verb, const char *argument)
{
    g_string_printf(talk->command, "%s%s%s\r\n", verb, argument ? " " : "",
                    argument ? argument : "");
    talk->waiting = true;
    return SMTP_SEND;
}

enum smtp_step smtp_talk_next(struct smtp_talk *talk)
{
    if (talk->stage == OVER)
        return SMTP_DONE;
    if (talk->waiting)
        return SMTP_READ;
    if (talk->stage == EHLO)
        return say(talk, "EHLO", talk->helo);
    if (talk->stage == STARTTLS)
        return say(talk, "STARTTLS", NULL);
    if (talk->stage == LEAVING)
        return say(talk, "QUIT", NULL);
    talk->state = SMTP_OK;
    talk->stage = OVER;
    return SMTP_STARTTLS;
}
