/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Any header, with an envelope in its first two lines: the classifier and the bounce senders answer
 * in bounded time, and what they say can be shown.
 */
#include <stdlib.h>
#include <string.h>

#include "autoreply/evidence.h"
#include "autoreply/judge.h"
#include "message_set.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void show(const GPtrArray *evidence)
{
    for (guint i = 0; i < evidence->len; i++) {
        g_autofree char *line = autoreply_evidence_format(evidence->pdata[i]);
        if (!g_utf8_validate(line, -1, NULL) || strchr(line, '\n'))
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *text = g_strndup((const char *)data, size);
    g_auto(GStrv) lines = g_strsplit(text, "\n", 3);
    if (g_strv_length(lines) < 3)
        return 0;
    struct bounce_senders *senders = bounce_senders_new(BOUNCE_SENDERS_DEFAULT, NULL, "fuzz", 0);
    struct set_message *set = set_message_new();
    message_set_parse(set, lines[2]);
    const char *recipients[] = {lines[1]};
    struct autoreply_message message = {
        set_message_headers(set), lines[0], recipients, NULL, 1, senders, NULL, 0};
    g_autoptr(GPtrArray) evidence = autoreply_evidence_new();
    enum autoreply_class class = autoreply_classify(&message.headers, lines[0], evidence);
    g_autofree char *bounce =
        bounce_senders_find(senders, recipients, NULL, 1, &message.headers, evidence);
    show(evidence);
    if (autoreply_needs_body(&message) != (class != AUTOREPLY_NO && bounce != NULL))
        abort();
    /* a list out of the same bytes is refused or compiled, never worse */
    bounce_senders_free(bounce_senders_new(lines[2], NULL, "fuzz", 0));
    autoreply_is_bounce(&message.headers, lines[0]);
    set_message_free(set);
    bounce_senders_free(senders);
    return 0;
}
