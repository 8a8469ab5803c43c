/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Any message: it is judged and stripped, what is stripped quotes no more, and a bounce that was
 * remembered is recognised.
 */
#include <stdlib.h>

#include "autoreply/evidence.h"
#include "autoreply/quotation.h"
#include "autoreply/strip.h"
#include "message_set.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct fields {
    struct autoreply_headers old;
    const struct autoreply_stripped *stripped;
};

static const char *get_new(void *context, const char *name, unsigned index)
{
    struct fields *fields = context;
    const char *value = NULL;
    if (g_ascii_strcasecmp(name, "Content-Type") == 0)
        value = fields->stripped->content_type;
    else if (g_ascii_strcasecmp(name, "Content-Transfer-Encoding") == 0)
        value = fields->stripped->encoding;
    if (value)
        return index == 0 && *value ? value : NULL;
    return fields->old.get(fields->old.context, name, index);
}

static void strip(const struct autoreply_headers *headers, const struct autoreply_body *body,
                  struct bounce_memory *memory)
{
    struct autoreply_stripped stripped;
    set_strip(headers, body, memory, 0, &stripped);
    if (stripped.changed) {
        struct fields fields = {*headers, &stripped};
        struct autoreply_headers new = {get_new, &fields};
        if (set_quotes(&new, stripped.body->str, stripped.body->len, NULL))
            abort();
    } else if (set_quotes(headers, body->data->str, body->data->len, NULL)) {
        abort();
    }
    autoreply_stripped_clear(&stripped);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *text = g_strndup((const char *)data, size);
    struct set_message *message = set_message_new();
    message_set_parse(message, text);
    struct autoreply_headers headers = set_message_headers(message);
    struct autoreply_body body;
    autoreply_body_init(&body, 0);
    /* NULs and all: behind the header as it came */
    size_t head = message->body->len < size ? size - message->body->len : 0;
    autoreply_body_feed(&body, data + head, size - head);
    struct bounce_memory *memory = bounce_memory_new("key", 3, 1000);
    strip(&headers, &body, NULL);
    bounce_memory_add(memory, &headers, body.data->str, body.data->len, 0);
    strip(&headers, &body, memory);
    g_autofree char *first = set_first_text(&headers, body.data->str, body.data->len);
    if (!g_utf8_validate(first, -1, NULL))
        abort();
    autoreply_body_clear(&body);
    bounce_memory_free(memory);
    set_message_free(message);
    return 0;
}
