/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Reads values of fields, a line each in hexadecimal digits, and prints for each a line of JSON:
 * what gatepost reads there, and what GMime does in its strict and in its loose mode.
 */
#include <gmime/gmime.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mail/mailboxes.h"

static char *from_hex(const char *line)
{
    GString *out = g_string_new(NULL);
    for (; g_ascii_isxdigit(line[0]) && g_ascii_isxdigit(line[1]); line += 2)
        g_string_append_c(
            out, (char)(g_ascii_xdigit_value(line[0]) * 16 + g_ascii_xdigit_value(line[1])));
    return g_string_free(out, FALSE);
}

/* A string of JSON; bytes stand for the character of that number. */
static void put(const char *text, const char *separator)
{
    printf("%s\"", separator);
    for (; *text; text++)
        printf("\\u%04x", (unsigned char)*text);
    printf("\"");
}

static void put_all(const char *title, const GPtrArray *texts)
{
    printf("\"%s\":[", title);
    for (guint i = 0; i < texts->len; i++)
        put(texts->pdata[i], i ? "," : "");
    printf("]");
}

static void gather(InternetAddressList *list, GPtrArray *found)
{
    for (int i = 0; list && i < internet_address_list_length(list); i++) {
        InternetAddress *address = internet_address_list_get_address(list, i);
        if (INTERNET_ADDRESS_IS_GROUP(address))
            gather(internet_address_group_get_members(INTERNET_ADDRESS_GROUP(address)), found);
        else if (internet_address_mailbox_get_addr(INTERNET_ADDRESS_MAILBOX(address)))
            g_ptr_array_add(found, g_strdup(internet_address_mailbox_get_addr(
                                       INTERNET_ADDRESS_MAILBOX(address))));
    }
}

static void read_with_gmime(const char *value, GMimeRfcComplianceMode mode, const char *title)
{
    g_autoptr(GPtrArray) found = g_ptr_array_new_with_free_func(g_free);
    GMimeParserOptions *options = g_mime_parser_options_new();
    g_mime_parser_options_set_address_compliance_mode(options, mode);
    InternetAddressList *list = internet_address_list_parse(options, value);
    gather(list, found);
    printf(",");
    put_all(title, found);
    if (list)
        g_object_unref(list);
    g_mime_parser_options_free(options);
}

int main(void)
{
    char *line = NULL;
    size_t size = 0;
    g_mime_init();
    while (getline(&line, &size, stdin) > 0) {
        g_autofree char *value = from_hex(line);
        struct mailboxes mailboxes;
        mailboxes_read(value, strlen(value), &mailboxes);
        printf("{");
        put_all("addresses", mailboxes.addresses);
        printf(",");
        put_all("bare", mailboxes.bare);
        printf(",\"malformed\":%s", mailboxes.malformed ? "true" : "false");
        read_with_gmime(value, GMIME_RFC_COMPLIANCE_STRICT, "gmime strict");
        read_with_gmime(value, GMIME_RFC_COMPLIANCE_LOOSE, "gmime loose");
        printf("}\n");
        mailboxes_clear(&mailboxes);
    }
    free(line);
    g_mime_shutdown();
    return 0;
}
