/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A conversation. Its table of commands is libmilter's table of states: what comes out of order
 * ends the message under way and is taken as if it followed HELO; what fits nowhere ends it all.
 */
#include "conversation.h"

#include <string.h>

#include "agreement.h"
#include "changes.h"
#include "checks/check.h"
#include "macros.h"
#include "mta/reply_line.h"

enum {
    OLDEST = 2, /* of the protocol's versions */
    NEWEST = 6,
    SPEECH_MOST = 64 * 1024, /* bytes said at a time */
};

/* A session that waits without a deadline is asked again after this at the latest, us. */
#define LONGEST_WAIT (10 * G_TIME_SPAN_SECOND)

/* What has been said. */
enum place { NEW, NEGOTIATED, GREETED, MAIL, RCPT, DATA, HEADER, END_OF_HEADER, BODY };
#define AT(place) (1u << (place))

struct command;

struct conversation {
    struct engine *engine;
    struct waker waker;
    struct session *session;
    struct macros macros;
    uint32_t steps, actions; /* that were agreed on */
    size_t packet_most;
    enum place place;
    const struct command *pending; /* that has not been answered yet; NULL: none is */
    bool connected;                /* the client is known */
    bool postfix;
    bool wants_body; /* the rest of the body */
    bool in_message;
    bool macros_ahead; /* of a MAIL to come, whatever ends before it */
    bool at_end;       /* the end of the message has been told to the session */
    size_t bytes;      /* of the message so far */
    enum session_step step;
    struct changes changes;
    const char *fault;
};

struct command {
    char letter;
    unsigned from; /* AT() of all places where it may come */
    enum place to;
    uint32_t silence; /* the step by which its answer was negotiated away */
    enum conversation_state (*take)(struct conversation *conversation,
                                    const struct wire_packet *packet, GByteArray *out);
};

struct conversation *conversation_new(struct engine *engine, const struct waker *waker)
{
    struct conversation *conversation = g_new0(struct conversation, 1);
    conversation->engine = engine;
    conversation->waker = *waker;
    conversation->packet_most = WIRE_DATA_MAX;
    return conversation;
}

void conversation_free(struct conversation *conversation)
{
    if (!conversation)
        return;
    changes_clear(&conversation->changes);
    session_free(conversation->session);
    macros_forget(&conversation->macros, MACROS_CONNECT);
    g_free(conversation);
}

static enum conversation_state over(struct conversation *conversation, const char *fault)
{
    conversation->fault = fault;
    return CONVERSATION_OVER;
}

static bool in_silence(const struct conversation *conversation)
{
    return conversation->steps & conversation->pending->silence;
}

/* The final answer to the pending command, unless it was negotiated away. */
static enum conversation_state answer(struct conversation *conversation, char letter,
                                      GByteArray *out)
{
    if (!in_silence(conversation))
        wire_put(out, letter, NULL, 0);
    conversation->pending = NULL;
    return CONVERSATION_LISTENS;
}

/* The same with a text; in the MTA's own words if it cannot be said. */
static enum conversation_state answer_reply(struct conversation *conversation, const char *line,
                                            GByteArray *out)
{
    struct mta_reply reply;
    if (!mta_reply_parse(line, &reply)) {
        engine_message(conversation->engine, ENGINE_WARNING,
                       "cannot reply \"%s\": refused for now in the MTA's own words", line);
        return answer(conversation, 't', out);
    }
    if (!in_silence(conversation)) {
        g_autoptr(GString) text = g_string_new(NULL);
        for (unsigned i = 0; i < reply.count; i++)
            g_string_append_printf(text, "%s%s%c%s%s%s", i > 0 ? "\r\n" : "", reply.code,
                                   i + 1 < reply.count ? '-' : ' ', reply.enhanced,
                                   *reply.enhanced ? " " : "", reply.texts[i]);
        wire_put(out, 'y', text->str, text->len + 1);
    }
    conversation->pending = NULL;
    return CONVERSATION_LISTENS;
}

/* Macros of a message are none of the next. */
static void end_message(struct conversation *conversation)
{
    if (!conversation->macros_ahead)
        macros_forget(&conversation->macros, MACROS_MAIL);
    conversation->in_message = conversation->at_end = false;
    conversation->wants_body = false;
    conversation->bytes = 0;
    if (conversation->place > GREETED)
        conversation->place = GREETED;
}

static void abort_message(struct conversation *conversation)
{
    if (conversation->session)
        session_abort(conversation->session);
    end_message(conversation);
}

/* What the session said to the pending command, now that it is ready. */
static enum conversation_state finish(struct conversation *conversation, GByteArray *out)
{
    const struct session_answer *said = session_get_answer(conversation->session);
    char letter = conversation->pending->letter;
    bool refused = said->action == SESSION_REFUSE && strchr("MRE", letter);
    if (letter == 'E' && !refused) {
        changes_begin(&conversation->changes, said, conversation->actions,
                      conversation->steps & STEP_LEADING_SPACE);
        return conversation_speak(conversation, out);
    }
    bool ends = letter == 'E' || (letter == 'M' && refused && !in_silence(conversation));
    enum conversation_state state =
        refused ? answer_reply(conversation, said->reply, out) : answer(conversation, 'c', out);
    if (letter == 'R')
        macros_forget(&conversation->macros, MACROS_RCPT);
    if (ends)
        end_message(conversation);
    return state;
}

static enum conversation_state settle(struct conversation *conversation, GByteArray *out)
{
    return conversation->step == SESSION_WAIT ? CONVERSATION_WAITS : finish(conversation, out);
}

enum conversation_state conversation_speak(struct conversation *conversation, GByteArray *out)
{
    struct changes *changes = &conversation->changes;
    struct change change;
    enum changes_kind kind;
    guint most = out->len + SPEECH_MOST;
    while ((kind = changes_next(changes, &change)) > CHANGES_CANNOT) {
        static const char letters[] = {[CHANGES_HEADER] = 'm',
                                       [CHANGES_BODY] = 'b',
                                       [CHANGES_INSERT] = 'i',
                                       [CHANGES_HOLD] = 'q'};
        size_t begun = wire_begin(out, letters[kind]);
        if (kind == CHANGES_BODY)
            g_byte_array_append(out, change.data, (guint)change.length);
        if (change.name) {
            wire_add_number(out, change.index);
            wire_add_string(out, change.name);
        }
        if (change.name || kind == CHANGES_HOLD)
            wire_add_string(out, change.value ? change.value : "");
        wire_end(out, begun);
        if (out->len >= most)
            return CONVERSATION_SPEAKS;
    }
    if (kind == CHANGES_CANNOT)
        engine_message(conversation->engine, ENGINE_WARNING,
                       "the MTA does not let gatepost %s: the message is refused for now",
                       change.words);
    changes_clear(changes);
    enum conversation_state state = kind == CHANGES_CANNOT
                                        ? answer_reply(conversation, REPLY_TEMPORARY_FAILURE, out)
                                        : answer(conversation, 'c', out);
    end_message(conversation);
    return state;
}

/* The commands */

static enum conversation_state take_negotiation(struct conversation *conversation,
                                                const struct wire_packet *packet, GByteArray *out)
{
    struct wire_cursor cursor = wire_strings(packet);
    uint32_t version, actions, steps;
    if (!wire_number(&cursor, &version) || !wire_number(&cursor, &actions) ||
        !wire_number(&cursor, &steps) || version < OLDEST)
        return over(conversation, "offers no version of the milter protocol from 2 on");
    conversation->session = session_new(conversation->engine, &conversation->waker);
    conversation->actions = AGREEMENT_ACTIONS & actions;
    conversation->steps = agreement_steps(session_needs(conversation->session)) & steps;
    if (steps & STEP_PACKETS_1M)
        conversation->packet_most = 1024 * 1024 - 1;
    else if (steps & STEP_PACKETS_256K)
        conversation->packet_most = 256 * 1024 - 1;
    size_t begun = wire_begin(out, 'O');
    wire_add_number(out, MIN(version, (uint32_t)NEWEST));
    wire_add_number(out, conversation->actions | (actions & ACTION_SET_MACROS));
    wire_add_number(out, conversation->steps | (steps & (STEP_PACKETS_1M | STEP_PACKETS_256K)));
    for (size_t i = 0; actions & ACTION_SET_MACROS && i < AGREEMENT_MACRO_LISTS; i++) {
        const char *list = agreement_macro_list(&agreement_macros[i]);
        wire_add_number(out, (uint32_t)agreement_macros[i].place);
        wire_add_string(out, list);
    }
    wire_end(out, begun);
    conversation->pending = NULL;
    return CONVERSATION_LISTENS;
}

/* CONNECT: the host name, a letter for the family, and unless that is unknown ("U") a port of two
 * bytes and an address. */
static enum conversation_state take_connect(struct conversation *conversation,
                                            const struct wire_packet *packet, GByteArray *out)
{
    struct wire_cursor cursor = wire_strings(packet);
    const char *host = wire_string(&cursor);
    char family = host && cursor.at < cursor.end ? *cursor.at++ : '\0';
    struct ipaddr address;
    struct connection client = {.host = host};
    if (family == '4' || family == '6') {
        cursor.at += MIN(2, cursor.end - cursor.at);
        const char *text = wire_string(&cursor);
        bool is_colon = text && strchr(text, ':');
        if (!text || !ipaddr_parse(text, &address) || is_colon != (family == '6'))
            return over(conversation, "tells of a client whose address is none");
        client.address = &address;
    } else if (family != 'U' && family != 'L') {
        return over(conversation, "tells of a client without an address family");
    }
    struct macro_source macros = macros_source(&conversation->macros);
    macros_forget(&conversation->macros, MACROS_HELO);
    conversation->connected = true;
    conversation->step = session_connect(conversation->session, &client, &macros);
    conversation->postfix = session_facts(conversation->session)->mta == MTA_POSTFIX;
    return settle(conversation, out);
}

static enum conversation_state take_helo(struct conversation *conversation,
                                         const struct wire_packet *packet, GByteArray *out)
{
    struct wire_cursor cursor = wire_strings(packet);
    const char *name = wire_string(&cursor);
    if (!name)
        return over(conversation, "sends a HELO that does not end");
    end_message(conversation);
    struct macro_source macros = macros_source(&conversation->macros);
    conversation->step = session_helo(conversation->session, name, &macros);
    return settle(conversation, out);
}

/* The words of MAIL or RCPT, NULL behind them; NULL if there are none or the last has no end. They
 * live as long as the packet; the caller frees the array. */
static const char **words_of(const struct wire_packet *packet)
{
    struct wire_cursor cursor = wire_strings(packet);
    g_autoptr(GPtrArray) words = g_ptr_array_new();
    const char *word;
    while ((word = wire_string(&cursor)))
        g_ptr_array_add(words, (gpointer)(uintptr_t)word);
    if (words->len == 0 || cursor.at != cursor.end)
        return NULL;
    g_ptr_array_add(words, NULL);
    return (const char **)g_ptr_array_steal(words, NULL);
}

static enum conversation_state take_mail(struct conversation *conversation,
                                         const struct wire_packet *packet, GByteArray *out)
{
    g_autofree const char **words = words_of(packet);
    if (!words)
        return over(conversation, "sends a MAIL that does not end");
    struct macro_source macros = macros_source(&conversation->macros);
    conversation->in_message = true;
    conversation->macros_ahead = false;
    conversation->bytes = 0;
    conversation->step = session_mail(conversation->session, words, &macros);
    return settle(conversation, out);
}

static enum conversation_state take_rcpt(struct conversation *conversation,
                                         const struct wire_packet *packet, GByteArray *out)
{
    g_autofree const char **words = words_of(packet);
    if (!words)
        return over(conversation, "sends a RCPT that does not end");
    struct macro_source macros = macros_source(&conversation->macros);
    conversation->step = session_rcpt(conversation->session, words, &macros);
    return settle(conversation, out);
}

static enum conversation_state take_nothing(struct conversation *conversation,
                                            const struct wire_packet *packet, GByteArray *out)
{
    (void)packet;
    return answer(conversation, 'c', out);
}

static enum conversation_state take_header(struct conversation *conversation,
                                           const struct wire_packet *packet, GByteArray *out)
{
    struct wire_cursor cursor = wire_strings(packet);
    const char *name = wire_string(&cursor), *value = wire_string(&cursor);
    if (!value)
        return over(conversation, "sends a header that does not end");
    conversation->bytes += packet->length;
    if (conversation->steps & STEP_LEADING_SPACE) {
        session_header_sized(conversation->session, name, (size_t)(value - name) - 1, value,
                             (size_t)(cursor.at - value) - 1);
    } else {
        g_autofree char *spaced = g_strconcat(" ", value, NULL);
        session_header(conversation->session, name, spaced);
    }
    return answer(conversation, 'c', out);
}

static enum conversation_state take_end_of_header(struct conversation *conversation,
                                                  const struct wire_packet *packet, GByteArray *out)
{
    (void)packet;
    conversation->wants_body = session_end_of_header(conversation->session);
    return answer(conversation, 'c', out);
}

/* An MTA that cannot be told to skip goes on sending, for nothing. */
static void feed(struct conversation *conversation, const struct wire_packet *packet)
{
    if (!conversation->wants_body || packet->length == 0)
        return;
    conversation->bytes += packet->length;
    conversation->wants_body = session_body(conversation->session, packet->data, packet->length);
}

static enum conversation_state take_body(struct conversation *conversation,
                                         const struct wire_packet *packet, GByteArray *out)
{
    feed(conversation, packet);
    bool skip = !conversation->wants_body && conversation->steps & STEP_SKIP;
    return answer(conversation, skip ? 's' : 'c', out);
}

/* The step of a message's end, or going on with it: at once, or by a thread that has time. */
static enum conversation_state judge(struct conversation *conversation, GByteArray *out)
{
    if (conversation->bytes >= CONVERSATION_LARGE)
        return CONVERSATION_WORKS;
    conversation_work(conversation);
    return conversation_worked(conversation, out);
}

static enum conversation_state take_end_of_message(struct conversation *conversation,
                                                   const struct wire_packet *packet,
                                                   GByteArray *out)
{
    feed(conversation, packet);
    return judge(conversation, out);
}

void conversation_work(struct conversation *conversation)
{
    struct macro_source macros = macros_source(&conversation->macros);
    conversation->step = conversation->at_end
                             ? session_resume(conversation->session)
                             : session_end_of_message(conversation->session, &macros);
    conversation->at_end = true;
}

enum conversation_state conversation_worked(struct conversation *conversation, GByteArray *out)
{
    return settle(conversation, out);
}

enum conversation_state conversation_resume(struct conversation *conversation, GByteArray *out)
{
    if (conversation->at_end)
        return judge(conversation, out);
    conversation->step = session_resume(conversation->session);
    return settle(conversation, out);
}

#define TOLD (AT(RCPT) | AT(DATA) | AT(HEADER))
#define READ (TOLD | AT(END_OF_HEADER) | AT(BODY))
#define EVER (READ | AT(NEGOTIATED) | AT(GREETED) | AT(MAIL))

/* By letter. */
static const struct command commands['Z' - 'A' + 1] = {
    ['O' - 'A'] = {'O', AT(NEW), NEGOTIATED, 0, take_negotiation},
    ['C' - 'A'] = {'C', AT(NEGOTIATED), GREETED, STEP_SILENT_CONNECT, take_connect},
    ['H' - 'A'] = {'H', AT(GREETED), GREETED, STEP_SILENT_HELO, take_helo},
    ['M' - 'A'] = {'M', AT(GREETED), MAIL, STEP_SILENT_MAIL, take_mail},
    ['R' - 'A'] = {'R', AT(MAIL) | AT(RCPT), RCPT, STEP_SILENT_RCPT, take_rcpt},
    ['T' - 'A'] = {'T', AT(RCPT), DATA, STEP_SILENT_DATA, take_nothing},
    ['L' - 'A'] = {'L', TOLD, HEADER, STEP_SILENT_HEADER, take_header},
    ['N' - 'A'] = {'N', TOLD, END_OF_HEADER, STEP_SILENT_END_OF_HEADER, take_end_of_header},
    ['B' - 'A'] = {'B', READ, BODY, STEP_SILENT_BODY, take_body},
    ['E' - 'A'] = {'E', READ, BODY, 0, take_end_of_message},
    ['U' - 'A'] = {'U', EVER, NEW, STEP_SILENT_UNKNOWN, take_nothing}, /* stays where it is */
};

static const struct command *find_command(char letter)
{
    const struct command *command = letter >= 'A' && letter <= 'Z' ? &commands[letter - 'A'] : NULL;
    return command && command->take ? command : NULL;
}

/* What needs no answer, ever; false: it is nothing of that kind. */
static bool take_aside(struct conversation *conversation, const struct wire_packet *packet,
                       enum conversation_state *state_r)
{
    *state_r = CONVERSATION_LISTENS;
    switch (packet->letter) {
    case 'Q':
        *state_r = over(conversation, NULL);
        return true;
    case 'A': /* takes nothing back of a message that has ended */
        abort_message(conversation);
        return true;
    case 'K': /* another client on the same connection; what was agreed on holds */
        abort_message(conversation);
        macros_forget(&conversation->macros, MACROS_CONNECT);
        conversation->connected = conversation->macros_ahead = false;
        conversation->place = MIN(conversation->place, NEGOTIATED);
        return true;
    case 'D':
        conversation->macros_ahead |= packet->length > 0 && packet->data[0] == 'M';
        if (!macros_take(&conversation->macros, packet))
            *state_r = over(conversation, "sends macros that do not end");
        return true;
    default:
        return false;
    }
}

enum conversation_state conversation_take(struct conversation *conversation,
                                          const struct wire_packet *packet, GByteArray *out)
{
    enum conversation_state state;
    if (take_aside(conversation, packet, &state))
        return state;
    const struct command *command = find_command(packet->letter);
    if (!command)
        return over(conversation, "says what is no command of the milter protocol");
    if (!(command->from & AT(conversation->place))) {
        if (conversation->place == NEW || !(command->from & AT(GREETED)))
            return over(conversation, "says what cannot come here");
        abort_message(conversation);
    }
    if (command->to != NEW)
        conversation->place = command->to;
    conversation->pending = command;
    /* The protocol allows MAIL without CONNECT, gatepost does not. */
    if (!conversation->connected && !strchr("OCU", command->letter)) {
        if (command->letter == 'E')
            end_message(conversation);
        return answer(conversation, 't', out);
    }
    return command->take(conversation, packet, out);
}

int64_t conversation_deadline(const struct conversation *conversation)
{
    int64_t latest = g_get_monotonic_time() + LONGEST_WAIT;
    int64_t deadline = session_deadline(conversation->session);
    return deadline ? MIN(deadline, latest) : latest;
}

bool conversation_may_progress(const struct conversation *conversation)
{
    return conversation->pending && !in_silence(conversation) &&
           (conversation->postfix || conversation->pending->letter == 'E');
}

void conversation_progress(GByteArray *out)
{
    wire_put(out, 'p', NULL, 0);
}

bool conversation_in_message(const struct conversation *conversation)
{
    return conversation->in_message;
}

bool conversation_of_postfix(const struct conversation *conversation)
{
    return conversation->postfix;
}

size_t conversation_packet_most(const struct conversation *conversation)
{
    return conversation->packet_most;
}

const struct session *conversation_session(const struct conversation *conversation)
{
    return conversation->session;
}

const char *conversation_fault(const struct conversation *conversation)
{
    return conversation->fault;
}
