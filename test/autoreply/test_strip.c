/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Strips every leak of the labelled collections: what is left must not quote, must not hold the
 * original's words, and must still hold the writer's own.
 */
#include <gmime/gmime.h>
#include <string.h>

#include "autoreply/judge.h"
#include "autoreply/quotation.h"
#include "autoreply/strip.h"
#include "message_set.h"

/* Words of the originals that the collections quote, and own words that replies begin with. */
static const char *const secrets[] = {
    "4.71", "380 thousand", "turnover", "chiffres secrets", "секрет", "売上", "bakr@partner.test"};
static const char *const own_words[] = {
    "I am out of the office until", "Away",    "OOO",     "Weg.",
    "Alice Archer, Example Ltd",    "Absent.", "Меня нет"};

static const char *get_new(void *context, const char *name, unsigned index)
{
    void **both = context;
    struct autoreply_headers *old = both[0];
    struct autoreply_stripped *stripped = both[1];
    const char *value = NULL;
    if (g_ascii_strcasecmp(name, "Content-Type") == 0)
        value = stripped->content_type;
    else if (g_ascii_strcasecmp(name, "Content-Transfer-Encoding") == 0)
        value = stripped->encoding;
    if (value)
        return index == 0 && *value ? value : NULL;
    return old->get(old->context, name, index);
}

static void append_part(GMimeObject *parent, GMimeObject *part, gpointer data)
{
    (void)parent;
    if (!GMIME_IS_PART(part))
        return;
    GMimeStream *memory = g_mime_stream_mem_new();
    GMimeDataWrapper *content = g_mime_part_get_content(GMIME_PART(part));
    if (content)
        g_mime_data_wrapper_write_to_stream(content, memory);
    GByteArray *bytes = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(memory));
    const char *charset = g_mime_object_get_content_type_parameter(part, "charset");
    char *text = charset && bytes->len ? g_convert((char *)bytes->data, bytes->len, "UTF-8",
                                                   charset, NULL, NULL, NULL)
                                       : NULL;
    if (text)
        g_string_append(data, text);
    else
        g_string_append_len(data, (char *)bytes->data, bytes->len);
    g_free(text);
    g_object_unref(memory);
}

/* All text of a message, decoded. */
static GString *all_text(const struct autoreply_headers *headers, const GString *body)
{
    const char *type = headers->get(headers->context, "Content-Type", 0);
    const char *encoding = headers->get(headers->context, "Content-Transfer-Encoding", 0);
    g_autofree char *whole =
        g_strdup_printf("Subject: x\nContent-Type: %s\nContent-Transfer-Encoding: %s\n\n",
                        type ? type : "text/plain", encoding ? encoding : "8bit");
    GString *source = g_string_new(whole);
    g_string_append_len(source, body->str, (gssize)body->len);
    GMimeStream *stream = g_mime_stream_mem_new_with_buffer(source->str, source->len);
    GMimeParser *parser = g_mime_parser_new_with_stream(stream);
    GMimeMessage *message = g_mime_parser_construct_message(parser, NULL);
    GString *out = g_string_new(NULL);
    append_part(NULL, g_mime_message_get_mime_part(message), out);
    g_mime_message_foreach(message, append_part, out);
    g_object_unref(message);
    g_object_unref(parser);
    g_object_unref(stream);
    g_string_free(source, TRUE);
    return out;
}

static void check(struct set_message *message)
{
    struct autoreply_headers headers = set_message_headers(message);
    struct autoreply_body body;
    autoreply_body_init(&body, 0);
    autoreply_body_feed(&body, message->body->str, message->body->len);
    bool quotes = set_quotes(&headers, body.data->str, body.data->len, NULL);
    struct autoreply_stripped stripped;
    set_strip(&headers, &body, NULL, 0, &stripped);
    g_assert_cmpint(stripped.changed, ==, quotes);
    if (stripped.changed) {
        void *both[] = {&headers, &stripped};
        struct autoreply_headers new = {get_new, both};
        GString *before = all_text(&headers, message->body);
        GString *after = all_text(&new, stripped.body);
        g_assert_false(set_quotes(&new, stripped.body->str, stripped.body->len, NULL));
        if (g_test_verbose())
            g_test_message("%s: %s\n%s|%s\n%s", message->name, stripped.removed,
                           stripped.content_type ? stripped.content_type : "-",
                           stripped.encoding ? stripped.encoding : "-", stripped.body->str);
        g_assert_cmpstr(stripped.removed, !=, "");
        for (size_t i = 0; i < G_N_ELEMENTS(secrets); i++)
            if (strstr(after->str, secrets[i]))
                g_error("%s: \"%s\" is still there:\n%s", message->name, secrets[i], after->str);
        for (size_t i = 0; i < G_N_ELEMENTS(own_words); i++)
            if (strstr(before->str, own_words[i]) && !strstr(after->str, own_words[i]))
                g_error("%s: own words \"%s\" are lost", message->name, own_words[i]);
        g_string_free(before, TRUE);
        g_string_free(after, TRUE);
    }
    autoreply_stripped_clear(&stripped);
    autoreply_body_clear(&body);
}

static void test_file(const void *path)
{
    for (int crlf = 0; crlf < 2; crlf++) {
        g_autoptr(GPtrArray) set = message_set_read(path, crlf != 0);
        for (guint i = 0; i < set->len; i++) {
            struct set_message *message = set->pdata[i];
            if (message->is_autoreply)
                check(message);
        }
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_mime_init();
    for (int i = 1; i < argc; i++) {
        g_autofree char *base = g_path_get_basename(argv[i]);
        g_autofree char *path = g_strdup_printf("/autoreply/strip/%s", base);
        g_test_add_data_func(path, argv[i], test_file);
    }
    return g_test_run();
}
