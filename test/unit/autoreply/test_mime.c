/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the smallest parts, fields, addresses and parameters may make GMime build.
 */
#include "mime.h"

#include <string.h>

#define HEAD   "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n"
#define REPORT HEAD "--b\nContent-Type: message/rfc822\n\n"

static GMimeObject *first_part(GMimeMessage *message)
{
    GMimeObject *whole = g_mime_message_get_mime_part(message);
    return g_mime_multipart_get_part(GMIME_MULTIPART(whole), 0);
}

static GMimeMessage *attached(GMimeMessage *message)
{
    return g_mime_message_part_get_message(GMIME_MESSAGE_PART(first_part(message)));
}

static int count_parts(GMimeMessage *message)
{
    return g_mime_multipart_get_count(GMIME_MULTIPART(g_mime_message_get_mime_part(message)));
}

static int count_fields(GMimeMessage *message)
{
    return g_mime_header_list_get_count(g_mime_object_get_header_list(first_part(message)));
}

static int count_recipients(GMimeMessage *message)
{
    return internet_address_list_length(g_mime_message_get_to(attached(message)));
}

static int count_parameters(GMimeMessage *message)
{
    GMimeContentType *type = g_mime_object_get_content_type(first_part(message));
    return g_mime_param_list_length(g_mime_content_type_get_parameters(type));
}

/* A message of HEAD, COUNT times EACH and TAIL, and how many of them GMime finds: all (least), or
 * no more than a bound (most). */
static const struct {
    const char *name, *head, *each, *tail;
    unsigned count;
    int (*found)(GMimeMessage *message);
    int least, most;
} rows[] = {
    {"parts of a large message", HEAD, "--b\n\nx\n", "", 900, count_parts, 900, 900},
    {"parts without end", HEAD, "--b\n\n", "", 200000, count_parts, 1, 1000},
    {"fields of a large message", HEAD "--b\n", "x: y\n", "\n", 5000, count_fields, 5000, 5000},
    {"fields without end", HEAD "--b\n", "a:\n", "\n", 300000, count_fields, 1, 10000},
    {"many recipients", REPORT "To: ", "a@b.example,\n ", "c@d\n\n", 2000, count_recipients, 2001,
     2001},
    {"recipients without end", REPORT "To: ", "a@b,", "c@d\n\n", 250000, count_recipients, 1, 5001},
    {"recipients without end, folded", REPORT "To: ", "a@b,\n ", "c@d\n\n", 160000,
     count_recipients, 1, 5001},
    {"parameters without end", HEAD "--b\nContent-Type: text/plain; ", "a=b;", "\n\n", 250000,
     count_parameters, 1, 5001},
};

static void test_row(const void *data)
{
    size_t row = GPOINTER_TO_SIZE(data);
    g_autoptr(GString) text = g_string_new(rows[row].head);
    for (unsigned i = 0; i < rows[row].count; i++)
        g_string_append(text, rows[row].each);
    g_string_append(text, rows[row].tail);
    GMimeMessage *message = mime_parse_whole(text->str, text->len);
    g_assert_nonnull(message);
    int found = rows[row].found(message);
    g_assert_cmpint(found, >=, rows[row].least);
    g_assert_cmpint(found, <=, rows[row].most);
    g_object_unref(message);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *path = g_strconcat("/mime/", rows[i].name, NULL);
        g_test_add_data_func(path, GSIZE_TO_POINTER(i), test_row);
    }
    return g_test_run();
}
