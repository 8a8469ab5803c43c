/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What no policy needs is negotiated away: most of a milter's cost is the round trip for each
 * answer.
 */
#include "agreement.h"

#include <glib.h>

uint32_t agreement_steps(const struct snapshot_needs *needs)
{
    uint32_t steps = STEP_NO_DATA | STEP_SILENT_HEADER | STEP_LEADING_SPACE | STEP_NO_UNKNOWN;
    steps |= needs->connect_answer ? 0 : STEP_SILENT_CONNECT;
    steps |= needs->helo_answer ? 0 : STEP_SILENT_HELO;
    steps |=
        needs->body ? STEP_SILENT_END_OF_HEADER | STEP_SKIP : STEP_NO_END_OF_HEADER | STEP_NO_BODY;
    if (!needs->mail_answer)
        steps |= STEP_SILENT_MAIL;
    if (!needs->header)
        steps |= STEP_NO_HEADERS;
    return steps;
}

const struct agreement_macros agreement_macros[AGREEMENT_MACRO_LISTS] = {
    {0, STAGE_CONNECT, false}, {1, STAGE_HELO, false},   {2, STAGE_MAIL, false},
    {3, STAGE_RCPT, false},    {4, STAGE_MESSAGE, true}, {5, STAGE_MESSAGE, false},
    {6, STAGE_MESSAGE, true},
};

const char *agreement_macro_list(const struct agreement_macros *row)
{
    static char *lists[STAGE_COUNT];
    if (row->nothing)
        return " ";
    if (g_once_init_enter(&lists[row->stage])) {
        char *list = facts_macro_list(row->stage);
        g_once_init_leave(&lists[row->stage], list ? list : g_strdup(""));
    }
    return lists[row->stage];
}
