/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The words of decisions.
 */
#include "facts/decision.h"

const char *stage_name(enum stage stage)
{
    static const char *const names[STAGE_COUNT] = {
        [STAGE_CONNECT] = "connect", [STAGE_HELO] = "helo",       [STAGE_MAIL] = "mail",
        [STAGE_RCPT] = "rcpt",       [STAGE_MESSAGE] = "message",
    };
    return names[stage];
}

const char *action_word(enum action action)
{
    static const char *const words[ACTION_COUNT] = {
        [ACTION_ACCEPT] = "accept", [ACTION_REJECT] = "reject", [ACTION_TEMPFAIL] = "tempfail",
        [ACTION_HOLD] = "hold",     [ACTION_WARN] = "warn",     [ACTION_INFO] = "info",
    };
    return words[action];
}

bool action_is_note(enum action action)
{
    return action == ACTION_WARN || action == ACTION_INFO;
}

enum action action_of_reply(const char *reply)
{
    return reply[0] == '4' ? ACTION_TEMPFAIL : ACTION_REJECT;
}
