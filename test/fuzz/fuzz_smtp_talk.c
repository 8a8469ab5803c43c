/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What SMTP servers say: the first byte chooses how much comes at a time and how it ends. There is
 * an outcome, within bounds, whatever they say.
 */
#include <glib.h>
#include <stdint.h>
#include <string.h>

#include "smtp_talk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
    if (!holds)
        g_error("a bound does not hold");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct smtp_talk talk;
    if (size < 1)
        return 0;
    size_t step = 1 + (data[0] & 0x7f), at = 1;
    unsigned commands = 0;
    bool tls = false;
    smtp_talk_begin(&talk, "fuzz.example");
    for (enum smtp_step what; (what = smtp_talk_next(&talk)) != SMTP_DONE;) {
        if (what == SMTP_SEND) {
            check(++commands <= 3 && g_str_has_suffix(talk.command->str, "\r\n"));
            check(!g_str_has_prefix(talk.command->str, "MAIL"));
        } else if (what == SMTP_STARTTLS) {
            tls = true;
        } else if (at < size) {
            size_t count = MIN(step, size - at);
            smtp_talk_feed(&talk, (const char *)data + at, count);
            at += count;
        } else {
            smtp_talk_over(&talk, data[0] & 0x80);
        }
    }
    check(smtp_state_text(talk.state) != NULL && (talk.state == SMTP_OK) == tls);
    check(talk.text->len <= (SMTP_LINE_MAX + 1) * (SMTP_LINES_MAX + 2));
    check(talk.line->len <= SMTP_LINE_MAX);
    smtp_talk_end(&talk);
    return 0;
}
