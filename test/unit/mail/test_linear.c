/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Every reader of header fields takes steps in proportion to what it reads.
 */
#include <string.h>

#include "mail/addrlist.h"
#include "mail/mailboxes.h"
#include "mail/mimeparam.h"
#include "mail/mimeword.h"
#include "steps.h"

enum { SIZE = 15000 };

static void read_mailboxes(const char *text, size_t size)
{
    struct mailboxes mailboxes;
    mailboxes_read(text, size, &mailboxes);
    mailboxes_clear(&mailboxes);
}

static void read_mimeword(const char *text, size_t size)
{
    g_autoptr(GString) out = g_string_new(NULL);
    mimeword_decode_field("Subject", text, size, out);
}

static void read_mimeparam(const char *text, size_t size)
{
    g_ptr_array_unref(mimeparam_all(text, size, "charset"));
}

static void read_addrlist(const char *text, size_t size)
{
    g_autoptr(GPtrArray) entries = addrlist_parse(text, size);
    for (guint i = 0; i < entries->len; i++)
        g_free(addrlist_display_name(entries->pdata[i]));
}

static const char *const address_pieces[] = {
    "<",      "(",       "\"",     "\\\"",    "[",         "@[",   "a@[", "@",      "\"@",
    "\"a\"@", "a@b",     "<a@b> ", ".",       ",",         "a.",   ":",   "a:",     ";",
    "()",     "(a)@",    "<@a:",   "<@a,",    "=?",        "a\n ", "'@",  "<@>",    "<\"",
    "<@ ",    "=?a?q?@", "<<",     "<a@b>,<", "=?a?q?b?=", ")",    ">",   "a@b.c,",
};
static const char *const word_pieces[] = {
    "(",          ")", "\"", "\\",  "<",       ">",   ",",      ";",
    ":",          "@", "a",  " ",   "=?",      "?=",  "=?x?q?", "?=\n =?utf-8?q?",
    "=?utf-8?b?", "?", "=",  "/",   "a'b'%41", "*0=", "*0*=",   "charset",
    "charset=",   "[", "]",  "\n ", "-",
};

static const struct steps_row readers[] = {
    {"mailboxes", read_mailboxes, address_pieces, G_N_ELEMENTS(address_pieces), SIZE},
    {"addrlist", read_addrlist, address_pieces, G_N_ELEMENTS(address_pieces), SIZE},
    {"mimeword", read_mimeword, word_pieces, G_N_ELEMENTS(word_pieces), SIZE},
    {"mimeparam", read_mimeparam, word_pieces, G_N_ELEMENTS(word_pieces), SIZE},
};

/* What has been found worst, and one sign or two over and over. */
static void test_worst(void)
{
    static const struct {
        steps_reader *read;
        const char *unit;
    } rows[] = {
        {read_mimeparam, ";("},
        {read_mimeword, "=?x?q?"},
        {read_addrlist, "<"},
        {read_addrlist, "a:"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        steps_check_linear("worst", rows[i].read, "", rows[i].unit, 48000);
    for (size_t i = 0; i < G_N_ELEMENTS(address_pieces); i++) {
        steps_check_linear("mailboxes", read_mailboxes, "", address_pieces[i], 48000);
        steps_check_linear("addrlist", read_addrlist, "", address_pieces[i], 16000);
    }
}

static void test_made(void)
{
    steps_check_made(readers, G_N_ELEMENTS(readers));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/linear/worst", test_worst);
    g_test_add_func("/linear/made", test_made);
    return g_test_run();
}
