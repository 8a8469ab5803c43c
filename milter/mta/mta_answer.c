/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Answers to the MTA.
 */
#include "mta_answer.h"

#include <string.h>

#include "base/text.h"
#include "connection.h"
#include "mta/reply_line.h"

#define TEMPORARY_FAILURE "451 4.3.0 Temporary failure; try again later"

/* Bytes of a hold's reason; it is for the MTA's log. */
enum { REASON_MAX = 200 };

static sfsistat give_reply(SMFICTX *context, const char *line)
{
    struct mta_reply reply;
    bool fine = mta_reply_parse(line, &reply) &&
                smfi_setreply(context, reply.code, *reply.enhanced ? reply.enhanced : NULL,
                              reply.text) == MI_SUCCESS;
    if (!fine) {
        connection_warn("cannot reply \"%s\": refused for now in the MTA's own words", line);
        return SMFIS_TEMPFAIL;
    }
    return reply.temporary ? SMFIS_TEMPFAIL : SMFIS_REJECT;
}

sfsistat answer_command(SMFICTX *context, const struct session_answer *answer)
{
    return answer->action == SESSION_REFUSE ? give_reply(context, answer->reply) : SMFIS_CONTINUE;
}

static sfsistat cannot(SMFICTX *context, const char *what)
{
    connection_warn("the MTA does not let gatepost %s: the message is refused for now", what);
    return give_reply(context, TEMPORARY_FAILURE);
}

/* Whether VALUE stays within its field: a line end must begin a continuation (RFC 5322 2.2.3). */
static bool stays_in_field(const char *value)
{
    for (const char *p = value; (p = strpbrk(p, "\r\n")); p++)
        if (*p == '\r' || (p[1] != ' ' && p[1] != '\t'))
            return false;
    return true;
}

/* Puts "Name: value" at PLACE from the top; the line was checked when the table was read, and is
 * checked again, since what is no header would end it. */
static bool insert_header(SMFICTX *context, const char *line, int place, bool leading_space)
{
    const char *colon = strchr(line, ':');
    if (!colon || colon == line || !stays_in_field(line))
        return false;
    g_autofree char *name = g_strndup(line, (gsize)(colon - line));
    const char *text = colon + 1 + strspn(colon + 1, " \t");
    g_autofree char *value = g_strconcat(leading_space ? " " : "", text, NULL);
    return smfi_insheader(context, place, g_strchomp(name), value) == MI_SUCCESS;
}

static bool wants_headers(const struct session_answer *answer)
{
    return answer->headers && answer->headers->len > 0;
}

static bool insert_headers(SMFICTX *context, const struct session_answer *answer,
                           bool leading_space)
{
    for (guint i = 0; i < answer->headers->len; i++)
        if (!insert_header(context, answer->headers->pdata[i], (int)i, leading_space))
            return false;
    return true;
}

static bool wants_changes(const struct session_answer *answer)
{
    return answer->changes && answer->changes->len > 0;
}

static bool change_headers(SMFICTX *context, const struct session_answer *answer,
                           bool leading_space)
{
    for (guint i = 0; i < answer->changes->len; i++) {
        const struct header_change *change = answer->changes->pdata[i];
        const char *text = change->value;
        if (text && !stays_in_field(text))
            return false;
        g_autofree char *value = text ? g_strconcat(leading_space ? " " : "", text, NULL) : NULL;
        if (smfi_chgheader(context, change->name, (int)change->index, value) != MI_SUCCESS)
            return false;
    }
    return true;
}

static bool wants_body(const struct session_answer *answer)
{
    return answer->body != NULL;
}

/* libmilter takes a body in pieces of any size, but its length as an int. */
static bool replace_body(SMFICTX *context, const struct session_answer *answer, bool leading_space)
{
    enum { PIECE = 65535 };
    const GString *body = answer->body;
    (void)leading_space;
    if (body->len == 0)
        return smfi_replacebody(context, (unsigned char *)(uintptr_t) "", 0) == MI_SUCCESS;
    for (gsize done = 0; done < body->len; done += PIECE) {
        gsize size = MIN((gsize)PIECE, body->len - done);
        if (smfi_replacebody(context, (unsigned char *)body->str + done, (int)size) != MI_SUCCESS)
            return false;
    }
    return true;
}

static bool wants_hold(const struct session_answer *answer)
{
    return answer->action == SESSION_HOLD;
}

static bool hold(SMFICTX *context, const struct session_answer *answer, bool leading_space)
{
    const char *reason = answer->hold && *answer->hold ? answer->hold : "held";
    g_autofree char *safe = text_reply_safe(reason, REASON_MAX);
    (void)leading_space;
    return smfi_quarantine(context, safe) == MI_SUCCESS;
}

/* What may be done to a message, in this order: whether ANSWER asks for it, and doing it. */
static const struct act {
    unsigned long action; /* that the MTA must allow */
    const char *words;
    bool (*wanted)(const struct session_answer *answer);
    bool (*run)(SMFICTX *context, const struct session_answer *answer, bool leading_space);
} acts[] = {
    {SMFIF_CHGHDRS, "change a header", wants_changes, change_headers},
    {SMFIF_CHGBODY, "replace a body", wants_body, replace_body},
    {SMFIF_ADDHDRS, "add a header", wants_headers, insert_headers},
    {SMFIF_QUARANTINE, "hold a message", wants_hold, hold},
};

sfsistat answer_message(SMFICTX *context, unsigned long actions, bool leading_space,
                        const struct session_answer *answer)
{
    if (answer->action == SESSION_REFUSE)
        return give_reply(context, answer->reply);
    for (const struct act *act = acts; act < acts + G_N_ELEMENTS(acts); act++)
        if (act->wanted(answer) &&
            !((actions & act->action) && act->run(context, answer, leading_space)))
            return cannot(context, act->words);
    return SMFIS_CONTINUE;
}
