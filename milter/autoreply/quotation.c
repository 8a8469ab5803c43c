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
}

static bool search_part(void *context, GMimeObject *part, enum mime_kind kind, const char *path)
{
    struct search *search = context;
    struct mime_text text;
    g_autofree char *type = mime_type(part);
    switch (kind) {
    case MIME_TEXT:
        mime_get_text(part, &text);
        search_text(search, text.text, text.size, path);
        mime_text_clear(&text);
        break;
    case MIME_HTML:
        mime_get_text(part, &text);
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
    case MIME_OTHER:
        break;
    }
    return false;
}

bool quotation_find(const struct autoreply_headers *headers, const char *body, size_t size,
                    GPtrArray *evidence)
{
    struct search search = {.evidence = evidence};
    GMimeMessage *message = mime_parse(headers, body, size);
    if (!mime_walk(message, search_part, &search))
        found(&search, "nesting", "too many parts to look through", NULL, 0);
    g_object_unref(message);
    return search.found;
}

static bool take_first(void *context, GMimeObject *part, enum mime_kind kind, const char *path)
{
    char **first = context;
    (void)path;
    if (*first || (kind != MIME_TEXT && kind != MIME_HTML))
        return false;
    struct mime_text text;
    mime_get_text(part, &text);
    if (kind == MIME_HTML) {
        struct html html;
        html_scan(text.text, text.size, &html);
        *first = g_strdup(html.text->str);
        html_clear(&html);
    } else {
        *first = g_strdup(text.text);
    }
    mime_text_clear(&text);
    return false;
}

char *quotation_first_text(const struct autoreply_headers *headers, const char *body, size_t size)
{
    char *first = NULL;
    GMimeMessage *message = mime_parse(headers, body, size);
    mime_walk(message, take_first, &first);
    g_object_unref(message);
    return first ? first : g_strdup("");
}
