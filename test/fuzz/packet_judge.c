/* SPDX-License-Identifier: BSD-2-Clause
 *
 * As with libmilter: macros count until their stage, or an earlier one, comes again, or what they
 * were sent for has ended; those sent for a MAIL to come outlive the message before it.
 */
#include "packet_judge.h"

#include <string.h>

static const char stages[] = "CHMRTEN";

static void forget(struct packet_judge *judge, char stage)
{
    for (size_t i = (size_t)(strchr(stages, stage) - stages); i < PACKET_STAGES; i++)
        g_clear_pointer(&judge->macros[i], g_byte_array_unref);
}

void packet_judge_clear(struct packet_judge *judge)
{
    forget(judge, 'C');
    oracle_clear(&judge->oracle);
    g_clear_pointer(&judge->path, g_free);
}

/* The string at *AT, which moves behind it; NULL when none ends before END. */
static const char *next(const char **at, const char *end)
{
    const char *text = *at, *stop = text < end ? memchr(text, '\0', (size_t)(end - text)) : NULL;
    *at = stop ? stop + 1 : end;
    return stop ? text : NULL;
}

/* {x} and x are the same macro. */
static bool same(const char *a, const char *b)
{
    char one[2] = {a[0] == '{' && a[1] && a[2] == '}' && !a[3] ? a[1] : '\0', '\0'};
    char other[2] = {b[0] == '{' && b[1] && b[2] == '}' && !b[3] ? b[1] : '\0', '\0'};
    return strcmp(*one ? one : a, *other ? other : b) == 0;
}

static const char *macro(void *context, const char *name)
{
    const struct packet_judge *judge = context;
    for (size_t i = PACKET_STAGES; i-- > 0;) {
        const GByteArray *text = judge->macros[i];
        bool any = text && text->len > 0;
        const char *at = any ? (const char *)text->data : "", *end = at + (any ? text->len : 0);
        const char *found, *value;
        while ((found = next(&at, end)) && (value = next(&at, end)))
            if (same(found, name))
                return value;
    }
    return NULL;
}

static void end_message(struct packet_judge *judge)
{
    if (!judge->ahead)
        forget(judge, 'M');
    judge->in_message = judge->judged = false;
    oracle_end_message(&judge->oracle);
}

static void take_macros(struct packet_judge *judge, const unsigned char *data, size_t length)
{
    const char *stage = length > 0 ? memchr(stages, data[0], PACKET_STAGES) : NULL;
    if (!stage)
        return;
    forget(judge, *stage);
    judge->macros[stage - stages] = g_byte_array_new();
    g_byte_array_append(judge->macros[stage - stages], data + 1, (guint)length - 1);
    judge->ahead |= *stage == 'M';
}

static void take_connect(struct packet_judge *judge, const char *at, const char *end)
{
    struct ipaddr address;
    bool known = false;
    if (next(&at, end) && at < end && (*at == '4' || *at == '6') && end - at > 3) {
        at += 3;
        const char *text = next(&at, end);
        known = text && ipaddr_parse(text, &address);
    }
    forget(judge, 'H');
    judge->connected = true;
    oracle_connect(&judge->oracle, known ? &address : NULL, macro, judge);
}

void packet_judge_said(struct packet_judge *judge, char letter, const unsigned char *data,
                       size_t length)
{
    const char *at = data ? (const char *)data : "", *end = at + length;
    bool client = judge->connected;
    judge->letter = strchr("CHMRE", letter) && (client || letter == 'C') ? letter : '\0';
    oracle_begin_step(&judge->oracle);
    if (letter == 'D') {
        take_macros(judge, data, length);
    } else if (letter == 'K') {
        end_message(judge);
        forget(judge, 'C');
        judge->connected = judge->ahead = false;
    } else if (letter == 'A' || (letter == 'H' && client)) {
        end_message(judge);
    }
    if (judge->letter == 'C') {
        take_connect(judge, at, end);
    } else if (judge->letter == 'H') {
        oracle_helo(&judge->oracle, macro, judge);
    } else if (judge->letter == 'M') {
        const char *path = next(&at, end);
        if (judge->in_message)
            end_message(judge);
        judge->ahead = false;
        judge->in_message = judge->judged = true;
        oracle_mail(&judge->oracle, path ? path : "", macro, judge);
    } else if (judge->letter == 'R') {
        const char *path = next(&at, end);
        g_free(judge->path);
        judge->path = g_strdup(path ? path : "");
    }
}

/* What ends with the step, whatever its answer was. */
static void end_step(struct packet_judge *judge, bool refused)
{
    bool silent = judge->steps & 0x4000;
    if (judge->letter == 'R')
        forget(judge, 'R');
    else if (judge->letter == 'E' || (judge->letter == 'M' && refused && !silent))
        end_message(judge);
    else if (judge->letter == 'M' && refused)
        judge->judged = false;
    judge->letter = '\0';
}

void packet_judge_session(struct packet_judge *judge, const struct session *session)
{
    struct oracle *oracle = &judge->oracle;
    char letter = judge->letter;
    if (!letter)
        return;
    bool refused = session_get_answer(session)->action == SESSION_REFUSE;
    if (letter == 'C' || letter == 'H') {
        oracle_check_step(oracle, session);
        oracle_check_greeting(oracle, session);
    } else if (letter == 'M') {
        oracle_check_step(oracle, session);
        oracle_check_mail(oracle, session);
    } else if (letter == 'R' && judge->judged) {
        oracle_check_step(oracle, session);
        oracle_check_rcpt(oracle, session, judge->path);
    } else if (letter == 'E' && judge->judged && oracle->accepted > 0) {
        oracle_check_step(oracle, session);
        oracle_check_message(oracle, session);
    }
    end_step(judge, refused);
}

void packet_judge_answer(struct packet_judge *judge, char letter)
{
    const struct oracle *oracle = &judge->oracle;
    if (judge->letter == 'R' && judge->judged && letter == 'c' && !oracle->site->monitor &&
        !oracle->without_smtp)
        oracle_check_accepted(oracle, judge->path);
    if (judge->letter)
        end_step(judge, letter == 'y' || letter == 't');
}
