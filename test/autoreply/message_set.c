/* SPDX-License-Identifier: BSD-2-Clause */
#include "message_set.h"

#include <string.h>

#include "autoreply/quotation.h"

static void free_field(void *data)
{
    struct set_field *field = data;
    g_free(field->name);
    g_free(field->value);
    g_free(field);
}

struct set_message *set_message_new(void)
{
    struct set_message *message = g_new0(struct set_message, 1);
    message->recipients = g_ptr_array_new_with_free_func(g_free);
    message->fields = g_ptr_array_new_with_free_func(free_field);
    message->body = g_string_new(NULL);
    return message;
}

void set_message_free(void *data)
{
    struct set_message *message = data;
    g_free(message->name);
    g_free(message->sender);
    g_ptr_array_unref(message->recipients);
    g_ptr_array_unref(message->fields);
    g_string_free(message->body, TRUE);
    g_free(message);
}

static void add_field(struct set_message *message, const char *line, size_t length)
{
    if ((line[0] == ' ' || line[0] == '\t') && message->fields->len > 0) {
        struct set_field *last = message->fields->pdata[message->fields->len - 1];
        g_autofree char *more = g_strndup(line, length);
        char *value = g_strconcat(last->value, "\n", more, NULL);
        g_free(last->value);
        last->value = value;
        return;
    }
    const char *colon = memchr(line, ':', length);
    if (!colon)
        return;
    struct set_field *field = g_new0(struct set_field, 1);
    field->name = g_strndup(line, (gsize)(colon - line));
    field->value = g_strndup(colon + 1, length - (gsize)(colon + 1 - line));
    g_ptr_array_add(message->fields, field);
}

void message_set_parse(struct set_message *message, const char *text)
{
    while (*text) {
        size_t length = strcspn(text, "\n");
        const char *next = text + length + (text[length] == '\n');
        if (length == 0) {
            g_string_append(message->body, next);
            return;
        }
        add_field(message, text, length);
        text = next;
    }
}

static void read_label(struct set_message *message, const char *line)
{
    g_auto(GStrv) words = g_strsplit(line, " ", -1);
    message->name = g_strdup(words[0]);
    message->is_autoreply = g_strv_contains((const char *const *)words, "auto=yes");
    message->to_bounce_sender = g_strv_contains((const char *const *)words, "bounce=yes");
    message->quotes_original = g_strv_contains((const char *const *)words, "quotes=yes");
}

static struct set_message *read_one(const char *text, bool crlf)
{
    struct set_message *message = set_message_new();
    g_auto(GStrv) head = g_strsplit(text, "\n", 20);
    read_label(message, head[0]);
    text = strchr(text, '\n') + 1;
    while (*text == '%') {
        size_t length = strcspn(text, "\n");
        g_autofree char *line = g_strndup(text, length);
        if (g_str_has_prefix(line, "%sender "))
            message->sender = g_strdup(line + 8);
        else if (g_str_has_prefix(line, "%rcpt "))
            g_ptr_array_add(message->recipients, g_strdup(line + 6));
        text += length + 1;
    }
    message_set_parse(message, text);
    if (crlf)
        g_string_replace(message->body, "\n", "\r\n", 0);
    return message;
}

GPtrArray *message_set_read(const char *path, bool crlf)
{
    GPtrArray *set = g_ptr_array_new_with_free_func(set_message_free);
    char *text = NULL;
    GError *error = NULL;
    g_file_get_contents(path, &text, NULL, &error);
    g_assert_no_error(error);
    g_auto(GStrv) parts = g_strsplit(text, "%% ", -1);
    g_assert_cmpstr(parts[0], ==, "");
    for (size_t i = 1; parts[i]; i++)
        g_ptr_array_add(set, read_one(parts[i], crlf));
    g_free(text);
    return set;
}

static const char *get_field(void *context, const char *name, unsigned index)
{
    struct set_message *message = context;
    for (guint i = 0; i < message->fields->len; i++) {
        struct set_field *field = message->fields->pdata[i];
        if (g_ascii_strcasecmp(field->name, name) == 0 && index-- == 0)
            return field->value;
    }
    return NULL;
}

struct autoreply_headers set_message_headers(struct set_message *message)
{
    return (struct autoreply_headers){get_field, message};
}

bool set_quotes(const struct autoreply_headers *headers, const char *body, size_t size,
                GPtrArray *evidence)
{
    struct autoreply_parsed *parsed = autoreply_parse(headers, body, size);
    bool quotes = quotation_find(parsed, evidence);
    autoreply_parsed_free(parsed);
    return quotes;
}

char *set_first_text(const struct autoreply_headers *headers, const char *body, size_t size)
{
    struct autoreply_parsed *parsed = autoreply_parse(headers, body, size);
    char *text = quotation_first_text(parsed);
    autoreply_parsed_free(parsed);
    return text;
}

bool set_repeats(struct bounce_memory *memory, const struct autoreply_headers *headers,
                 const char *body, size_t size, int64_t now, double *share_r, GPtrArray *evidence)
{
    struct autoreply_parsed *parsed = autoreply_parse(headers, body, size);
    bool repeats = bounce_memory_judge(memory, parsed, now, share_r, evidence);
    autoreply_parsed_free(parsed);
    return repeats;
}

void set_strip(const struct autoreply_headers *headers, const struct autoreply_body *body,
               struct bounce_memory *memory, int64_t now, struct autoreply_stripped *stripped_r)
{
    struct autoreply_parsed *parsed = autoreply_parse(headers, body->data->str, body->data->len);
    autoreply_strip(headers, parsed, body->truncated, memory, now, stripped_r);
    autoreply_parsed_free(parsed);
}
