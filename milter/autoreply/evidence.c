/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Evidence for the guard's answers.
 */
#include "autoreply/evidence.h"

#include <string.h>

#include "base/text.h"

static void free_piece(void *data)
{
    struct autoreply_evidence *piece = data;
    g_free(piece->mark);
    g_free(piece->part);
    g_free(piece);
}

GPtrArray *autoreply_evidence_new(void)
{
    return g_ptr_array_new_with_free_func(free_piece);
}

/* Cuts before escaping, so that neither a character nor an escape is split. */
static char *make_mark(const char *seen)
{
    g_autofree char *head = g_strndup(seen, AUTOREPLY_MARK_MAX);
    g_autofree char *valid = g_utf8_make_valid(head, -1);
    if (strlen(seen) > AUTOREPLY_MARK_MAX) {
        char *cut = valid;
        while (strlen(cut) > AUTOREPLY_MARK_MAX - 3)
            *g_utf8_find_prev_char(cut, cut + strlen(cut)) = '\0';
        g_autofree char *longer = g_strconcat(cut, "...", NULL);
        return text_escape(longer);
    }
    return text_escape(g_strstrip(valid));
}

struct autoreply_evidence *autoreply_evidence_add(GPtrArray *evidence,
                                                  enum autoreply_question question,
                                                  const char *kind, const char *mark,
                                                  const char *part, unsigned line)
{
    if (!evidence || evidence->len >= AUTOREPLY_EVIDENCE_MAX)
        return NULL;
    struct autoreply_evidence *piece = g_new0(struct autoreply_evidence, 1);
    piece->question = question;
    piece->kind = kind;
    piece->mark = make_mark(mark ? mark : "");
    piece->part = g_strdup(part);
    piece->line = line;
    g_ptr_array_add(evidence, piece);
    return piece;
}

char *autoreply_evidence_format(const struct autoreply_evidence *piece)
{
    static const char *const questions[] = {
        [AUTOREPLY_IS_AUTOREPLY] = "auto-reply",
        [AUTOREPLY_TO_BOUNCE_SENDER] = "bounce sender",
        [AUTOREPLY_QUOTES] = "quotes",
    };
    GString *out = g_string_new(NULL);
    g_string_printf(out, "%s: %s", questions[piece->question], piece->kind);
    if (piece->part)
        g_string_append_printf(out, " in part %s", piece->part);
    if (piece->line)
        g_string_append_printf(out, " at line %u", piece->line);
    if (piece->share > 0)
        g_string_append_printf(out, " (%d%% of the text)", (int)(piece->share * 100 + 0.5));
    if (*piece->mark)
        g_string_append_printf(out, ": %s", piece->mark);
    return g_string_free(out, FALSE);
}
