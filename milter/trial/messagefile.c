/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Reading message files.
 */
#include "trial/messagefile.h"

#include <string.h>
#include <unistd.h>

#include "base/wholefile.h"
#include "mail/mailboxes.h"
#include "mail/message.h"

/* What nobody writes to is an empty message. */
static bool read_path(const char *path, struct whole_file *file, char **why_r)
{
    enum whole_file_result result =
        strcmp(path, "-") == 0
            ? whole_file_read_open(STDIN_FILENO, WHOLE_FILE_STREAMS, MESSAGE_FILE_MAX, file)
            : whole_file_read(path, WHOLE_FILE_STREAMS, MESSAGE_FILE_MAX, file);
    if (result == WHOLE_FILE_READ)
        return true;
    if (result == WHOLE_FILE_UNWRITTEN)
        file->text = g_strdup("");
    else if (result == WHOLE_FILE_TOO_LARGE)
        *why_r = g_strdup_printf("longer than %zu MB", MESSAGE_FILE_MAX >> 20);
    else
        *why_r = g_strdup(whole_file_why(result));
    return result == WHOLE_FILE_UNWRITTEN;
}

/* Postfix makes a header field of an mbox's first line. */
static char *take_mailbox_line(const char *text)
{
    if (!g_str_has_prefix(text, "From "))
        return NULL;
    return g_strndup(text, strcspn(text, "\r\n"));
}

bool message_file_read(const char *path, struct message_file *message_r, char **why_r)
{
    *message_r = (struct message_file){0};
    struct whole_file file;
    if (!read_path(path, &file, why_r))
        return false;
    message_r->mailbox_line = take_mailbox_line(file.text);
    message_r->headers = header_list_new();
    size_t header = message_parse(file.text, file.length, message_r->headers);
    /* Lines end in CR LF when they come by SMTP. */
    GString *body = g_string_sized_new(file.length - header);
    for (const char *p = file.text + header, *end = file.text + file.length; p < end; p++) {
        if (*p == '\n' && (p == file.text || p[-1] != '\r'))
            g_string_append_c(body, '\r');
        g_string_append_c(body, *p);
    }
    message_r->body = body;
    g_free(file.text);
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

char *message_file_sender(const struct message_file *message)
{
    const struct header *header = header_list_first(message->headers, "Return-Path");
    if (header) {
        /* "<user@domain>", or the text alone. */
        g_autofree char *text = g_strstrip(g_strdup(header->value));
        char *open = strchr(text, '<');
        char *close = open ? strrchr(open, '>') : NULL;
        return close ? g_strndup(open + 1, (gsize)(close - open - 1)) : g_steal_pointer(&text);
    }
    header = header_list_first(message->headers, "From");
    if (!header)
        return NULL;
    struct mailboxes mailboxes;
    mailboxes_read(header->value, header->value_length, &mailboxes);
    char *first = mailboxes.addresses->len > 0 ? g_strdup(mailboxes.addresses->pdata[0]) : NULL;
    mailboxes_clear(&mailboxes);
    return first;
}
