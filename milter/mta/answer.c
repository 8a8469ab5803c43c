/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Answers to the MTA.
 */
#include "answer.h"

#include <string.h>

#include "base/text.h"
#include "connection.h"
#include "mta/reply.h"

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

static bool insert_headers(SMFICTX *context, const GPtrArray *headers, bool leading_space)
{
    for (guint i = 0; headers && i < headers->len; i++)
        if (!insert_header(context, headers->pdata[i], (int)i, leading_space))
            return false;
    return true;
}

static bool change_headers(SMFICTX *context, const GPtrArray *changes, bool leading_space)
{
    for (guint i = 0; changes && i < changes->len; i++) {
        const struct header_change *change = changes->pdata[i];
        const char *text = change->value;
        if (text && !stays_in_field(text))
            return false;
        g_autofree char *value = text ? g_strconcat(leading_space ? " " : "", text, NULL) : NULL;
        if (smfi_chgheader(context, change->name, (int)change->index, value) != MI_SUCCESS)
            return false;
    }
    return true;
}

/* libmilter takes a body in pieces of any size, but its length as an int. */
static bool replace_body(SMFICTX *context, const GString *body)
{
    enum { PIECE = 65535 };
    if (body->len == 0)
        return smfi_replacebody(context, (unsigned char *)(uintptr_t) "", 0) == MI_SUCCESS;
    for (gsize done = 0; done < body->len; done += PIECE) {
        gsize size = MIN((gsize)PIECE, body->len - done);
        if (smfi_replacebody(context, (unsigned char *)body->str + done, (int)size) != MI_SUCCESS)
            return false;
    }
    return true;
}

static bool hold(SMFICTX *context, const char *reason)
{
    g_autofree char *safe = text_reply_safe(reason && *reason ? reason : "held", REASON_MAX);
    return smfi_quarantine(context, safe) == MI_SUCCESS;
}

sfsistat answer_message(SMFICTX *context, unsigned long actions, bool leading_space,
                        const struct session_answer *answer)
{
    if (answer->action == SESSION_REFUSE)
        return give_reply(context, answer->reply);
    bool headers = answer->headers && answer->headers->len > 0;
    bool changes = answer->changes && answer->changes->len > 0;
    if (changes &&
        (!(actions & SMFIF_CHGHDRS) || !change_headers(context, answer->changes, leading_space)))
        return cannot(context, "change a header");
    if (answer->body && (!(actions & SMFIF_CHGBODY) || !replace_body(context, answer->body)))
        return cannot(context, "replace a body");
    if (headers &&
        (!(actions & SMFIF_ADDHDRS) || !insert_headers(context, answer->headers, leading_space)))
        return cannot(context, "add a header");
    if (answer->action == SESSION_HOLD &&
        (!(actions & SMFIF_QUARANTINE) || !hold(context, answer->hold)))
        return cannot(context, "hold a message");
    return SMFIS_CONTINUE;
}
