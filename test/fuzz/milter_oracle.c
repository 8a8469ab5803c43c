/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The numbers of the protocol stand here again, as its documents have them.
 */
#include "milter_oracle.h"

#include <glib.h>
#include <string.h>

/* Commands that have an answer, and the flag that takes it away. */
static const struct {
    char letter;
    uint32_t silence;
} answered[] = {
    {'O', 0},       {'C', 0x1000}, {'H', 0x2000},  {'M', 0x4000},  {'R', 0x8000}, {'T', 0x10000},
    {'U', 0x20000}, {'L', 0x80},   {'N', 0x40000}, {'B', 0x80000}, {'E', 0},
};

void milter_oracle_said(struct milter_oracle *oracle, char letter, const unsigned char *data,
                        size_t length)
{
    g_assert(!oracle->closed);
    milter_oracle_settled(oracle);
    for (size_t i = 0; i < G_N_ELEMENTS(answered); i++)
        if (answered[i].letter == letter && !(oracle->steps & answered[i].silence))
            oracle->asked = letter;
    if (letter == 'O' && length >= 12 && !oracle->agreed) {
        uint32_t words[3];
        memcpy(words, data, sizeof words);
        oracle->offered_actions = g_ntohl(words[1]);
        oracle->offered_steps = g_ntohl(words[2]);
    }
}

static void negotiated(struct milter_oracle *oracle, const unsigned char *data, size_t length)
{
    uint32_t words[3];
    g_assert(!oracle->agreed && length >= sizeof words);
    memcpy(words, data, sizeof words);
    oracle->actions = g_ntohl(words[1]);
    oracle->steps = g_ntohl(words[2]);
    oracle->agreed = true;
    g_assert(g_ntohl(words[0]) >= 2 && g_ntohl(words[0]) <= 6);
    g_assert((oracle->actions & ~oracle->offered_actions) == 0);
    g_assert((oracle->steps & ~oracle->offered_steps) == 0);
    /* Lists of macros: a number and a string each, the one for the end of the header with that for
     * the end of the message. */
    unsigned seen = 0;
    const unsigned char *at = data + sizeof words, *end = data + length;
    g_assert(at == end || oracle->actions & 0x100);
    while (at < end) {
        g_assert(end - at > 4 && at[0] == 0 && at[1] == 0 && at[2] == 0 && at[3] < 7);
        g_assert(!(seen & 1u << at[3]));
        seen |= 1u << at[3];
        at = memchr(at + 4, '\0', (size_t)(end - at - 4));
        g_assert(at);
        at++;
    }
    g_assert(!(seen & 1u << 5) == !(seen & 1u << 6));
}

/* One line, or several that have the same codes (RFC 5321 4.2.1), none of more than 512 octets
 * with its CRLF; two percent signs are one. */
static void check_reply(const char *reply, size_t length)
{
    g_assert(strlen(reply) == length);
    g_auto(GStrv) lines = g_strsplit(reply, "\r\n", -1);
    for (char **line = lines; *line; line++) {
        size_t octets = strlen("\r\n");
        g_assert((**line == '4' || **line == '5') && strncmp(*line, reply, 3) == 0);
        g_assert((*line)[3] == (line[1] ? '-' : ' '));
        g_assert(!lines[1] || strncmp(*line + 4, reply + 4, strcspn(reply + 4, " ")) == 0);
        for (const char *p = *line; *p; p++, octets++) {
            g_assert(*p >= ' ' && *p <= '~');
            if (*p == '%')
                g_assert(*++p == '%');
        }
        g_assert(octets <= 512);
    }
}

/* Which letter may answer which command, and what a change needs. */
static void one(struct milter_oracle *oracle, char letter, const unsigned char *data, size_t length)
{
    static const struct {
        char letter;
        uint32_t action;
    } changes[] = {{'m', 0x10}, {'b', 0x2}, {'i', 0x1}, {'q', 0x20}};
    for (size_t i = 0; i < G_N_ELEMENTS(changes); i++) {
        if (changes[i].letter != letter)
            continue;
        g_assert(oracle->asked == 'E' && oracle->actions & changes[i].action);
        g_assert(letter == 'b' || (length > 0 && data[length - 1] == '\0'));
        g_assert(length <= 65535 || letter != 'b');
        return;
    }
    g_assert(oracle->asked);
    if (letter == 'p') {
        g_assert(oracle->asked == 'E' || oracle->postfix);
        return;
    }
    if (letter == 'O') {
        g_assert(oracle->asked == 'O');
        negotiated(oracle, data, length);
    } else if (letter == 'y') {
        g_assert(strchr("MRE", oracle->asked) && length > 4);
        check_reply((const char *)data, length - 1);
    } else if (letter == 's') {
        g_assert(oracle->asked == 'B' && oracle->steps & 0x400);
    } else {
        g_assert(letter == 'c' || letter == 't');
        g_assert(letter != 't' || oracle->asked != 'U');
    }
    oracle->asked = 0;
}

void milter_oracle_heard(struct milter_oracle *oracle, const unsigned char *bytes, size_t length)
{
    while (length > 0) {
        g_assert(length >= 5);
        size_t size =
            (size_t)bytes[0] << 24 | (size_t)bytes[1] << 16 | (size_t)bytes[2] << 8 | bytes[3];
        g_assert(size >= 1 && size <= length - 4);
        one(oracle, (char)bytes[4], bytes + 5, size - 1);
        bytes += 4 + size;
        length -= 4 + size;
    }
}

void milter_oracle_settled(const struct milter_oracle *oracle)
{
    g_assert(oracle->closed || !oracle->asked);
}
