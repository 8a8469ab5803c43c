/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Builds the message anew around its own words. The tree that GMime parsed is changed in place;
 * parts that are not touched are written as they came.
 */
#include "autoreply/strip.h"

#include <string.h>

#include "autoreply/quotation.h"
#include "mime.h"
#include "strip_text.h"
#include "text_scan.h"

struct rebuild {
    struct strip_context context;
    unsigned parts; /* left to be looked at */
    bool changed;
};

/* What becomes of an object: itself, NULL (it goes), or another one (with a reference). */
static GMimeObject *rebuild_object(struct rebuild *rebuild, GMimeObject *object, unsigned depth);

static GMimeObject *new_text(const char *text)
{
    GMimeTextPart *part = g_mime_text_part_new_with_subtype("plain");
    g_mime_text_part_set_charset(part, "utf-8");
    g_mime_text_part_set_text(part, text);
    g_mime_part_set_content_encoding(GMIME_PART(part), GMIME_CONTENT_ENCODING_8BIT);
    return GMIME_OBJECT(part);
}

/* Line ends as the transfer encoding wants them: within base64 a text has CRLF (RFC 2045 6.8);
 * elsewhere they are made when the body is written. */
static char *line_ends(const char *text, GMimeContentEncoding encoding)
{
    bool crlf = encoding == GMIME_CONTENT_ENCODING_BASE64;
    GString *out = g_string_sized_new(strlen(text) + 1);
    for (const char *p = text; *p; p++) {
        if (*p == '\r' && p[1] == '\n')
            continue;
        if (*p == '\n' && crlf)
            g_string_append_c(out, '\r');
        g_string_append_c(out, *p);
    }
    return g_string_free(out, FALSE);
}

static void rebuild_text(struct rebuild *rebuild, GMimeObject *part, enum mime_kind kind)
{
    struct mime_text text;
    mime_get_text(part, &text);
    bool html = mime_text_is_html(kind, &text);
    g_autofree char *own =
        kind == MIME_TEXT ? strip_plain(&rebuild->context, text.text, text.size) : NULL;
    if (html) {
        const char *left = own ? own : text.text;
        char *rest = strip_html(&rebuild->context, left, own ? strlen(own) : text.size);
        if (rest) {
            g_free(own);
            own = rest;
        }
    }
    if (own) {
        rebuild->changed = true;
        g_autofree char *ended = line_ends(own, g_mime_part_get_content_encoding(GMIME_PART(part)));
        mime_set_text(part, &text, ended);
    }
    mime_text_clear(&text);
}

static GMimeObject *drop(struct rebuild *rebuild, unsigned *count)
{
    (*count)++;
    rebuild->changed = true;
    return NULL;
}

static GMimeObject *rebuild_leaf(struct rebuild *rebuild, GMimeObject *object)
{
    enum mime_kind kind = mime_kind(object);
    switch (kind) {
    case MIME_MESSAGE:
    case MIME_RETURNED:
        return drop(rebuild, &rebuild->context.messages);
    case MIME_DOUBTFUL:
        return drop(rebuild, &rebuild->context.others);
    case MIME_TEXT:
    case MIME_HTML:
        rebuild_text(rebuild, object, kind);
        return object;
    case MIME_MULTIPART:
    case MIME_OTHER:
        break;
    }
    return object;
}

/* Text before the first part and after the last one; what quotes there goes. */
static void rebuild_around(struct rebuild *rebuild, GMimeMultipart *multipart)
{
    static const struct {
        const char *(*get)(GMimeMultipart *);
        void (*set)(GMimeMultipart *, const char *);
    } around[] = {{g_mime_multipart_get_prologue, g_mime_multipart_set_prologue},
                  {g_mime_multipart_get_epilogue, g_mime_multipart_set_epilogue}};
    for (size_t i = 0; i < G_N_ELEMENTS(around); i++) {
        const char *text = around[i].get(multipart);
        if (!text)
            continue;
        g_autofree char *valid = g_utf8_make_valid(text, -1);
        bool late =
            around[i].get == g_mime_multipart_get_epilogue && mime_has_late_parts(multipart);
        rebuild->context.others += late;
        g_autofree char *own =
            late ? g_strdup("") : strip_plain(&rebuild->context, valid, strlen(valid));
        if (!own)
            continue;
        rebuild->changed = true;
        around[i].set(multipart, *own ? own : NULL);
    }
}

/* A multipart/report without its report, or signed parts that changed, are none any more. */
static GMimeObject *retype(GMimeMultipart *multipart)
{
    GMimeContentType *type = g_mime_object_get_content_type(GMIME_OBJECT(multipart));
    if (g_mime_content_type_is_type(type, "multipart", "signed"))
        return g_object_ref(g_mime_multipart_get_part(multipart, 0));
    if (g_mime_content_type_is_type(type, "multipart", "report")) {
        g_autofree char *boundary = g_strdup(g_mime_multipart_get_boundary(multipart));
        GMimeContentType *mixed = g_mime_content_type_new("multipart", "mixed");
        g_mime_object_set_content_type(GMIME_OBJECT(multipart), mixed);
        g_object_unref(mixed);
        if (boundary)
            g_mime_multipart_set_boundary(multipart, boundary);
    }
    return GMIME_OBJECT(multipart);
}

static GMimeObject *rebuild_multipart(struct rebuild *rebuild, GMimeMultipart *multipart,
                                      unsigned depth)
{
    bool before = rebuild->changed;
    bool had_parts = g_mime_multipart_get_count(multipart) > 0;
    rebuild->changed = false;
    for (int i = 0; i < g_mime_multipart_get_count(multipart);) {
        GMimeObject *child = g_mime_multipart_get_part(multipart, i);
        GMimeObject *next = rebuild_object(rebuild, child, depth + 1);
        if (next == child) {
            i++;
            continue;
        }
        GMimeObject *old = next ? g_mime_multipart_replace(multipart, i, next)
                                : g_mime_multipart_remove_at(multipart, i);
        g_object_unref(old);
        if (next) {
            g_object_unref(next);
            i++;
        }
    }
    rebuild_around(rebuild, multipart);
    GMimeObject *result = GMIME_OBJECT(multipart);
    if (rebuild->changed && g_mime_multipart_get_count(multipart) == 0) {
        const char *own = g_mime_multipart_get_prologue(multipart);
        result = had_parts ? NULL : new_text(own ? own : "");
    } else if (rebuild->changed) {
        result = retype(multipart);
    }
    rebuild->changed |= before;
    return result;
}

static GMimeObject *rebuild_object(struct rebuild *rebuild, GMimeObject *object, unsigned depth)
{
    if (depth >= MIME_DEPTH_MAX || rebuild->parts == 0)
        return drop(rebuild, &rebuild->context.others);
    rebuild->parts--;
    return mime_kind(object) == MIME_MULTIPART
               ? rebuild_multipart(rebuild, GMIME_MULTIPART(object), depth)
               : rebuild_leaf(rebuild, object);
}

/* The last part of all, where a truncated body ends. */
static GMimeMultipart *last_holder(GMimeObject *object)
{
    GMimeMultipart *holder = NULL;
    for (unsigned depth = 0; depth < MIME_DEPTH_MAX && GMIME_IS_MULTIPART(object); depth++) {
        int count = g_mime_multipart_get_count(GMIME_MULTIPART(object));
        if (count == 0)
            break;
        holder = GMIME_MULTIPART(object);
        object = g_mime_multipart_get_part(holder, count - 1);
    }
    return holder;
}

/* Half an attachment helps nobody; the beginning of a text does. */
static void drop_cut_part(struct rebuild *rebuild, GMimeObject *top)
{
    GMimeMultipart *holder = last_holder(top);
    int last = holder ? g_mime_multipart_get_count(holder) - 1 : 0;
    rebuild->changed = true;
    if (last <= 0 || mime_kind(g_mime_multipart_get_part(holder, last)) != MIME_OTHER)
        return;
    g_object_unref(g_mime_multipart_remove_at(holder, last));
    rebuild->context.others++;
}

/* --- writing --- */

static GString *write_body(GMimeObject *object)
{
    GMimeStream *memory = g_mime_stream_mem_new();
    g_mime_object_write_content_to_stream(object, NULL, memory);
    GByteArray *bytes = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(memory));
    GString *out = g_string_sized_new(bytes->len + 64);
    for (guint i = 0; i < bytes->len; i++) {
        if (bytes->data[i] == '\n' && (i == 0 || bytes->data[i - 1] != '\r'))
            g_string_append_c(out, '\r');
        g_string_append_c(out, (char)bytes->data[i]);
    }
    g_object_unref(memory);
    return out;
}

static char *type_text(GMimeObject *object)
{
    g_autofree char *text =
        g_mime_content_type_encode(g_mime_object_get_content_type(object), NULL);
    GString *out = g_string_new(g_strstrip(text));
    g_string_replace(out, "\r\n", "\n", 0);
    return g_string_free(out, FALSE);
}

static const char *encoding_text(GMimeObject *object)
{
    const char *text = GMIME_IS_PART(object)
                           ? g_mime_content_encoding_to_string(
                                 g_mime_part_get_content_encoding(GMIME_PART(object)))
                           : NULL;
    return text ? text : "";
}

static void add_count(GString *out, unsigned count, const char *one, const char *many)
{
    if (count > 0)
        g_string_append_printf(out, "%s%u %s", out->len ? "; " : "", count,
                               count == 1 ? one : many);
}

static char *describe(const struct strip_context *context, bool truncated)
{
    GString *out = g_string_new(NULL);
    add_count(out, context->lines, "quoted line", "quoted lines");
    add_count(out, context->elements, "quotation in HTML", "quotations in HTML");
    add_count(out, context->repeated, "line of a bounce", "lines of a bounce");
    add_count(out, context->messages, "attached message", "attached messages");
    add_count(out, context->others, "other part", "other parts");
    if (truncated)
        g_string_append_printf(out, "%sall beyond the first part", out->len ? "; " : "");
    return g_string_free(out, FALSE);
}

/* The fields of the stripped message over those of the original one. */
struct overlay {
    const struct autoreply_headers *below;
    const struct autoreply_stripped *stripped;
};

static const char *overlay_get(void *context, const char *name, unsigned index)
{
    const struct overlay *overlay = context;
    const char *type = overlay->stripped->content_type, *encoding = overlay->stripped->encoding;
    if (type && g_ascii_strcasecmp(name, "Content-Type") == 0)
        return index == 0 ? type : NULL;
    if (encoding && g_ascii_strcasecmp(name, "Content-Transfer-Encoding") == 0)
        return index == 0 && *encoding ? encoding : NULL;
    return overlay->below->get(overlay->below->context, name, index);
}

static bool still_quotes(const struct autoreply_headers *headers, struct bounce_memory *memory,
                         int64_t now, const struct autoreply_stripped *stripped)
{
    struct overlay overlay = {headers, stripped};
    struct autoreply_headers over = {overlay_get, &overlay};
    const GString *body = stripped->body;
    struct autoreply_parsed *parsed = autoreply_parse(&over, body->str, body->len);
    bool quotes = quotation_find(parsed, NULL) ||
                  (memory && bounce_memory_judge(memory, parsed, now, NULL, NULL));
    autoreply_parsed_free(parsed);
    return quotes;
}

/* The first reading that quotes, else the first. */
static GMimeMessage *worst_reading(const struct autoreply_parsed *parsed)
{
    for (guint i = 0; i < parsed->messages->len; i++) {
        struct autoreply_parsed one = {.messages = g_ptr_array_new()};
        g_ptr_array_add(one.messages, parsed->messages->pdata[i]);
        bool quotes = quotation_find(&one, NULL);
        g_ptr_array_unref(one.messages);
        if (quotes)
            return parsed->messages->pdata[i];
    }
    return parsed->messages->pdata[0];
}

void autoreply_strip(const struct autoreply_headers *headers, struct autoreply_parsed *parsed,
                     bool truncated, struct bounce_memory *memory, int64_t now,
                     struct autoreply_stripped *stripped_r)
{
    bool several = parsed->messages->len > 1;
    GMimeObject *top =
        g_mime_message_get_mime_part(several ? worst_reading(parsed) : parsed->messages->pdata[0]);
    struct rebuild rebuild = {.context = {.now = now}, .parts = MIME_PARTS_MAX};
    if (memory && bounce_memory_judge(memory, parsed, now, NULL, NULL))
        rebuild.context.memory = memory;
    *stripped_r = (struct autoreply_stripped){0};
    g_autofree char *old_type = type_text(top);
    g_autofree char *old_encoding = g_strdup(encoding_text(top));
    if (truncated)
        drop_cut_part(&rebuild, top);
    GMimeObject *own = rebuild_object(&rebuild, top, 0);
    GMimeObject *made = own == top ? NULL : own ? own : new_text("");
    if (rebuild.changed || parsed->more) {
        top = made ? made : top;
        g_autofree char *type = type_text(top);
        stripped_r->changed = true;
        stripped_r->body = write_body(top);
        if (several || strcmp(type, old_type) != 0)
            stripped_r->content_type = g_steal_pointer(&type);
        if (several || strcmp(encoding_text(top), old_encoding) != 0)
            stripped_r->encoding = g_strdup(encoding_text(top));
        stripped_r->removed = describe(&rebuild.context, truncated);
        /* what another reading would still find must not go either, though no field names it now */
        struct autoreply_stripped same_fields = {.body = stripped_r->body};
        if (still_quotes(headers, memory, now, stripped_r) ||
            (several && still_quotes(headers, memory, now, &same_fields))) {
            autoreply_stripped_clear(stripped_r);
            stripped_r->changed = true;
            stripped_r->body = g_string_new("");
            stripped_r->content_type = g_strdup("text/plain; charset=utf-8");
            stripped_r->encoding = g_strdup("8bit");
            stripped_r->removed = g_strdup("the whole text");
        }
    }
    g_clear_object(&made);
}

void autoreply_stripped_clear(struct autoreply_stripped *stripped)
{
    if (stripped->body)
        g_string_free(stripped->body, TRUE);
    g_free(stripped->content_type);
    g_free(stripped->encoding);
    g_free(stripped->removed);
    *stripped = (struct autoreply_stripped){0};
}
