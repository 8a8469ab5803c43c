/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Does it quote? Walks the parts and asks the scanner that fits each.
 */
#include "autoreply/quotation.h"

#include <string.h>

#include "autoreply/evidence.h"
#include "html_scan.h"
#include "mime.h"
#include "text_scan.h"

struct search {
    GPtrArray *evidence;
    bool found;
};

static void found(struct search *search, const char *kind, const char *mark, const char *path,
                  unsigned line)
{
    search->found = true;
    autoreply_evidence_add(search->evidence, AUTOREPLY_QUOTES, kind, mark, path, line);
}

static void search_text(struct search *search, const char *text, size_t size, const char *path)
{
    g_autoptr(GArray) finds = text_scan(text, size);
    for (guint i = 0; i < finds->len; i++) {
        const struct text_find *find = &g_array_index(finds, struct text_find, i);
        found(search, find->kind, find->mark, path, find->first + 1);
    }
}

static void search_html(struct search *search, const struct mime_text *text, const char *path)
{
    struct html html;
    html_scan(text->text, text->size, &html);
    for (guint i = 0; i < html.finds->len; i++) {
        const struct html_find *find = &g_array_index(html.finds, struct html_find, i);
        found(search, find->kind, find->mark, path, find->line);
    }
    g_autoptr(GArray) finds = text_scan(html.text->str, html.text->len);
    for (guint i = 0; i < finds->len; i++) {
        const struct text_find *find = &g_array_index(finds, struct text_find, i);
        /* the scanner itself set the marks before what its elements quote */
        if (html.finds->len > 0 && strcmp(find->kind, "quote-mark") == 0)
            continue;
        unsigned line = find->first < html.lines->len
                            ? g_array_index(html.lines, struct html_line, find->first).line
                            : 0;
        found(search, find->kind, find->mark, path, line);
    }
    html_clear(&html);
}

/* What stands before the first and after the last part is shown by no client that knows MIME, but
 * sent all the same. */
static void search_around(struct search *search, GMimeMultipart *multipart, const char *path)
{
    const char *texts[] = {g_mime_multipart_get_prologue(multipart),
                           g_mime_multipart_get_epilogue(multipart)};
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        if (!texts[i])
            continue;
        g_autofree char *valid = g_utf8_make_valid(texts[i], -1);
        search_text(search, valid, strlen(valid), path);
    }
    if (mime_has_late_parts(multipart))
        found(search, "doubtful", "parts behind the end of all", path, 0);
}

static bool search_part(void *context, GMimeObject *part, enum mime_kind kind, const char *path)
{
    struct search *search = context;
    struct mime_text text;
    g_autofree char *type = mime_type(part);
    switch (kind) {
    case MIME_TEXT:
    case MIME_HTML:
        mime_get_text(part, &text);
        if (kind == MIME_TEXT)
            search_text(search, text.text, text.size, path);
        if (mime_text_is_html(kind, &text))
            search_html(search, &text, path);
        mime_text_clear(&text);
        break;
    case MIME_MULTIPART:
        search_around(search, GMIME_MULTIPART(part), path);
        break;
    case MIME_MESSAGE:
        found(search, "attached-message", type, path, 0);
        break;
    case MIME_RETURNED:
        found(search, "returned-part", type, path, 0);
        break;
    case MIME_DOUBTFUL:
        found(search, "doubtful", type, path, 0);
        break;
    case MIME_OTHER:
        break;
    }
    return false;
}

bool quotation_find(const struct autoreply_parsed *parsed, GPtrArray *evidence)
{
    struct search search = {.evidence = evidence};
    for (guint i = 0; i < parsed->messages->len && !search.found; i++)
        if (!mime_walk(parsed->messages->pdata[i], search_part, &search))
            found(&search, "nesting", "too many parts to look through", NULL, 0);
    if (!search.found && parsed->more)
        found(&search, "doubtful", "too many ways to read it, or too much to look through", NULL,
              0);
    return search.found;
}

/* TEXT without the lines that quote. */
static char *own_lines(const char *text, size_t size)
{
    g_autoptr(GArray) finds = text_scan(text, size);
    GString *own = g_string_new(NULL);
    unsigned line = 0;
    for (guint i = 0; *text; line++) {
        const char *end = strchr(text, '\n');
        size_t length = end ? (size_t)(end - text) + 1 : strlen(text);
        while (i < finds->len && g_array_index(finds, struct text_find, i).last < line)
            i++;
        if (i >= finds->len || g_array_index(finds, struct text_find, i).first > line)
            g_string_append_len(own, text, (gssize)length);
        text += length;
    }
    return g_string_free(own, FALSE);
}

static bool take_first(void *context, GMimeObject *part, enum mime_kind kind, const char *path)
{
    char **first = context;
    (void)path;
    if (*first || (kind != MIME_TEXT && kind != MIME_HTML))
        return false;
    struct mime_text text;
    mime_get_text(part, &text);
    if (mime_text_is_html(kind, &text)) {
        struct html html;
        html_scan(text.text, text.size, &html);
        g_free(text.text);
        text.size = html.text->len;
        text.text = g_strdup(html.text->str);
        html_clear(&html);
    }
    *first = own_lines(text.text, text.size);
    if (!**first) { /* what is all quotation has but that to tell what it is */
        g_free(*first);
        *first = g_strdup(text.text);
    }
    mime_text_clear(&text);
    return false;
}

char *quotation_first_text(const struct autoreply_parsed *parsed)
{
    char *first = NULL;
    mime_walk(parsed->messages->pdata[0], take_first, &first);
    return first ? first : g_strdup("");
}
