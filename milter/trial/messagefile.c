/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Reading message files.
 */
#include "trial/messagefile.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "mail/mailboxes.h"
#include "mail/message.h"

static bool read_stream(FILE *stream, GString *text, char **why_r)
{
    char buffer[65536];
    size_t count;
    while ((count = fread(buffer, 1, sizeof buffer, stream)) > 0) {
        if (text->len + count > MESSAGE_FILE_MAX) {
            *why_r = g_strdup_printf("longer than %zu MB", MESSAGE_FILE_MAX >> 20);
            return false;
        }
        g_string_append_len(text, buffer, (gssize)count);
    }
    if (ferror(stream))
        *why_r = g_strdup(g_strerror(errno));
    return !ferror(stream);
}

static bool read_path(const char *path, GString *text, char **why_r)
{
    if (strcmp(path, "-") == 0)
        return read_stream(stdin, text, why_r);
    FILE *stream = fopen(path, "rb");
    if (!stream) {
        *why_r = g_strdup(g_strerror(errno));
        return false;
    }
    bool good = read_stream(stream, text, why_r);
    fclose(stream);
    return good;
}

/* Postfix makes a header field of an mbox's first line. */
static char *take_mailbox_line(const GString *text)
{
    if (!g_str_has_prefix(text->str, "From "))
        return NULL;
    return g_strndup(text->str, strcspn(text->str, "\r\n"));
}

/* Lines end in CR LF when they come by SMTP. */
static GString *take_body(const GString *text, size_t start)
{
    GString *body = g_string_sized_new(text->len - start);
    for (const char *p = text->str + start, *end = text->str + text->len; p < end; p++) {
        if (*p == '\n' && (p == text->str || p[-1] != '\r'))
            g_string_append_c(body, '\r');
        g_string_append_c(body, *p);
    }
    return body;
}

bool message_file_read(const char *path, struct message_file *message_r, char **why_r)
{
    *message_r = (struct message_file){0};
    GString *text = g_string_new(NULL);
    if (!read_path(path, text, why_r)) {
        g_string_free(text, TRUE);
        return false;
    }
    message_r->mailbox_line = take_mailbox_line(text);
    message_r->headers = header_list_new();
    size_t header = message_parse(text->str, text->len, message_r->headers);
    message_r->body = take_body(text, header);
    g_string_free(text, TRUE);
    return true;
}

void message_file_clear(struct message_file *message)
{
    header_list_free(message->headers);
    g_free(message->mailbox_line);
    if (message->body)
        g_string_free(message->body, TRUE);
    *message = (struct message_file){0};
}

/* "<user@domain>", or the text alone. */
static char *return_path(const struct header *header)
{
    g_autofree char *text = g_strstrip(g_strdup(header->value));
    char *open = strchr(text, '<');
    char *close = open ? strrchr(open, '>') : NULL;
    return close ? g_strndup(open + 1, (gsize)(close - open - 1)) : g_steal_pointer(&text);
}

char *message_file_sender(const struct message_file *message)
{
    const struct header *header = header_list_first(message->headers, "Return-Path");
    if (header)
        return return_path(header);
    header = header_list_first(message->headers, "From");
    if (!header)
        return NULL;
    struct mailboxes mailboxes;
    mailboxes_read(header->value, header->value_length, &mailboxes);
    char *first = mailboxes.addresses->len > 0 ? g_strdup(mailboxes.addresses->pdata[0]) : NULL;
    mailboxes_clear(&mailboxes);
    return first;
}
