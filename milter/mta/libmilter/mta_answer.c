/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Answers to the MTA.
 */
#include "mta_answer.h"

#include "changes.h"
#include "connection.h"
#include "checks/check.h"
#include "mta/reply_line.h"

static bool set_reply(SMFICTX *context, struct mta_reply *reply)
{
    char *enhanced = *reply->enhanced ? reply->enhanced : NULL, *texts[MTA_REPLY_LINES] = {NULL};
    if (reply->count == 1)
        return smfi_setreply(context, reply->code, enhanced, reply->texts[0]) == MI_SUCCESS;
    for (unsigned i = 0; i < reply->count; i++)
        texts[i] = reply->texts[i];
    G_STATIC_ASSERT(MTA_REPLY_LINES == 4);
    return smfi_setmlreply(context, reply->code, enhanced, texts[0], texts[1], texts[2], texts[3],
                           NULL) == MI_SUCCESS;
}

static sfsistat give_reply(SMFICTX *context, const char *line)
{
    struct mta_reply reply;
    if (!mta_reply_parse(line, &reply) || !set_reply(context, &reply)) {
        connection_warn("cannot reply \"%s\": refused for now in the MTA's own words", line);
        return SMFIS_TEMPFAIL;
    }
    return reply.temporary ? SMFIS_TEMPFAIL : SMFIS_REJECT;
}

sfsistat answer_command(SMFICTX *context, const struct session_answer *answer)
{
    return answer->action == SESSION_REFUSE ? give_reply(context, answer->reply) : SMFIS_CONTINUE;
}

static bool carry_out(SMFICTX *context, const struct change *change)
{
    char *name = (char *)(uintptr_t)change->name, *value = (char *)(uintptr_t)change->value;
    switch (change->kind) {
    case CHANGES_HEADER:
        return smfi_chgheader(context, name, (int)change->index, value) == MI_SUCCESS;
    case CHANGES_BODY:
        return smfi_replacebody(context, (unsigned char *)(uintptr_t)change->data,
                                (int)change->length) == MI_SUCCESS;
    case CHANGES_INSERT:
        return smfi_insheader(context, (int)change->index, name, value) == MI_SUCCESS;
    case CHANGES_HOLD:
        return smfi_quarantine(context, value) == MI_SUCCESS;
    default:
        return false;
    }
}

sfsistat answer_message(SMFICTX *context, unsigned long actions, bool leading_space,
                        const struct session_answer *answer)
{
    if (answer->action == SESSION_REFUSE)
        return give_reply(context, answer->reply);
    struct changes changes;
    struct change change;
    bool fine = true;
    changes_begin(&changes, answer, (uint32_t)actions, leading_space);
    while (fine && changes_next(&changes, &change) != CHANGES_DONE)
        fine = carry_out(context, &change);
    if (!fine)
        connection_warn("the MTA does not let gatepost %s: the message is refused for now",
                        change.words);
    changes_clear(&changes);
    return fine ? SMFIS_CONTINUE : give_reply(context, REPLY_TEMPORARY_FAILURE);
}
