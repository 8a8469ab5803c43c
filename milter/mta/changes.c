/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What is to be done to a message.
 */
#include "changes.h"

#include <string.h>

#include "agreement.h"
#include "base/text.h"

/* Bytes of a hold's reason; it is for the MTA's log. */
enum { REASON_MAX = 200 };

/* Whether VALUE stays within its field: a line end must begin a continuation (RFC 5322 2.2.3). */
static bool stays_in_field(const char *value)
{
    for (const char *p = value; (p = strpbrk(p, "\r\n")); p++)
        if (*p == '\r' || (p[1] != ' ' && p[1] != '\t'))
            return false;
    return true;
}

static char *spaced(const struct changes *changes, const char *value)
{
    return g_strconcat(changes->leading_space ? " " : "", value, NULL);
}

/* The acts: each makes the change at DONE, false if there are no more. */

static bool change_header(struct changes *changes, struct change *change)
{
    const GPtrArray *list = changes->answer->changes;
    if (!list || changes->done >= list->len)
        return false;
    const struct header_change *wanted = list->pdata[changes->done++];
    change->kind = CHANGES_HEADER;
    change->name = wanted->name;
    change->index = wanted->index;
    if (wanted->value && !stays_in_field(wanted->value))
        change->kind = CHANGES_CANNOT;
    else if (wanted->value)
        change->value = changes->value = spaced(changes, wanted->value);
    return true;
}

/* An empty body is a piece, too. */
static bool replace_body(struct changes *changes, struct change *change)
{
    const GString *body = changes->answer->body;
    if (!body || (changes->done > 0 && changes->done >= body->len))
        return false;
    change->kind = CHANGES_BODY;
    change->data = body->str + changes->done;
    change->length = MIN((size_t)CHANGES_PIECE_MAX, body->len - changes->done);
    changes->done += MAX(change->length, 1);
    return true;
}

/* The line was checked when the table was read, and is checked again, since what is no header would
 * end it. */
static bool insert_header(struct changes *changes, struct change *change)
{
    const GPtrArray *lines = changes->answer->headers;
    if (!lines || changes->done >= lines->len)
        return false;
    change->index = (unsigned)changes->done;
    const char *line = lines->pdata[changes->done++];
    const char *colon = strchr(line, ':');
    change->kind = CHANGES_CANNOT;
    if (!colon || colon == line || !stays_in_field(line))
        return true;
    change->kind = CHANGES_INSERT;
    change->name = changes->name = g_strchomp(g_strndup(line, (gsize)(colon - line)));
    change->value = changes->value = spaced(changes, colon + 1 + strspn(colon + 1, " \t"));
    return true;
}

static bool hold(struct changes *changes, struct change *change)
{
    const struct session_answer *answer = changes->answer;
    if (answer->action != SESSION_HOLD || changes->done++ > 0)
        return false;
    change->kind = CHANGES_HOLD;
    change->value = changes->value =
        text_reply_safe(answer->hold && *answer->hold ? answer->hold : "held", REASON_MAX);
    return true;
}

static const struct act {
    uint32_t action; /* that the MTA must allow */
    const char *words;
    bool (*next)(struct changes *changes, struct change *change);
} acts[] = {
    {ACTION_CHANGE_HEADERS, "change a header", change_header},
    {ACTION_CHANGE_BODY, "replace a body", replace_body},
    {ACTION_ADD_HEADERS, "add a header", insert_header},
    {ACTION_QUARANTINE, "hold a message", hold},
};

void changes_begin(struct changes *changes, const struct session_answer *answer, uint32_t actions,
                   bool leading_space)
{
    *changes =
        (struct changes){.answer = answer, .actions = actions, .leading_space = leading_space};
}

void changes_clear(struct changes *changes)
{
    g_clear_pointer(&changes->name, g_free);
    g_clear_pointer(&changes->value, g_free);
}

enum changes_kind changes_next(struct changes *changes, struct change *change_r)
{
    *change_r = (struct change){.kind = CHANGES_DONE};
    changes_clear(changes);
    for (; changes->act < G_N_ELEMENTS(acts); changes->act++, changes->done = 0) {
        const struct act *act = &acts[changes->act];
        if (!act->next(changes, change_r))
            continue;
        change_r->words = act->words;
        if (!(changes->actions & act->action))
            change_r->kind = CHANGES_CANNOT;
        if (change_r->kind == CHANGES_CANNOT)
            changes->act = G_N_ELEMENTS(acts);
        return change_r->kind;
    }
    return CHANGES_DONE;
}
