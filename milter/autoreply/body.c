/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A bounded buffer for the body of a candidate.
 */
#include "autoreply/body.h"

void autoreply_body_init(struct autoreply_body *body, size_t limit)
{
    *body = (struct autoreply_body){.data = g_string_new(NULL),
                                    .limit = limit ? limit : AUTOREPLY_BODY_MAX};
}

void autoreply_body_clear(struct autoreply_body *body)
{
    if (body->data)
        g_string_free(body->data, TRUE);
    *body = (struct autoreply_body){0};
}

bool autoreply_body_feed(struct autoreply_body *body, const void *data, size_t size)
{
    size_t room = body->limit - body->data->len;
    if (size > room)
        body->truncated = true;
    g_string_append_len(body->data, data, (gssize)MIN(size, room));
    return body->data->len < body->limit;
}
