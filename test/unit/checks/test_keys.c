/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What greylisting knows strangers by, and the words of a limit's key.
 */
#include <string.h>

#include "checks/greylist.h"
#include "checks/limit.h"

/* The group of a client, by its verified name and address. */
static const struct {
    const char *name, *address, *group;
} groups[] = {
    {"mx1.far.test", "203.0.113.9", "far.test"},
    {"MX1.Far.Test", "203.0.113.9", "far.test"},
    {"out-3.mail.example.com", "203.0.113.9", "mail.example.com"},
    /* what remains would be everybody's */
    {"example.com", "203.0.113.9", "203.0.113.0/24"},
    {"example.co.uk", "203.0.113.9", "203.0.113.0/24"},
    {"localhost", "203.0.113.9", "203.0.113.0/24"},
    {"host.", "203.0.113.9", "203.0.113.0/24"},
    {NULL, "203.0.113.9", "203.0.113.0/24"},
    {NULL, "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"},
    /* dial-up lines, forward and backward, with and without signs, padded, in hexadecimal */
    {"203-0-113-9.dsl.example.com", "203.0.113.9", "203.0.113.0/24"},
    {"9.113.0.203.dsl.example.com", "203.0.113.9", "203.0.113.0/24"},
    {"p203000113009.dip.example.com", "203.0.113.9", "203.0.113.0/24"},
    {"cb007109.ip.example.com", "203.0.113.9", "203.0.113.0/24"},
    {"203-0-113-90.dsl.example.com", "203.0.113.9", "dsl.example.com"},
    {"1203-0-113-9.dsl.example.com", "203.0.113.9", "dsl.example.com"},
    {"0003-0004-0005-0006.v6.example.com", "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"},
    {"3-4-5-6.v6.example.com", "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"},
};

static void test_groups(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(groups); i++) {
        struct ipaddr address;
        g_assert_true(ipaddr_parse(groups[i].address, &address));
        g_autofree char *group = greylist_group(groups[i].name, &address);
        g_test_message("%s [%s]", groups[i].name, groups[i].address);
        g_assert_cmpstr(group, ==, groups[i].group);
    }
}

/* A sender without what changes from message to message. */
static const struct {
    const char *sender, *folded;
} senders[] = {
    {"<Bob@far.test>", "bob@far.test"},
    {"<bob+news@far.test>", "bob@far.test"},
    {"<bounce-123-bob=lab.test@far.test>", "bounce-#-bob=lab.test@far.test"},
    {"<bounce-4711-bob=lab.test@far.test>", "bounce-#-bob=lab.test@far.test"},
    {"<msg-0a1b2c3d4e@far.test>", "msg-#@far.test"},
    {"<msg-deadbeef@far.test>", "msg-deadbeef@far.test"}, /* no digit in it: a word */
    {"<prvs=1234abcdef=bob@far.test>", "bob@far.test"},
    {"<SRS0=ab12=XY=orig.test=bob@fwd.test>", "orig.test=bob@fwd.test"},
    {"<a|b@far.test>", "a/b@far.test"}, /* what separates the parts of a mark */
};

static void test_senders(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(senders); i++) {
        struct mail_address address;
        mail_address_parse(senders[i].sender, &address);
        g_autofree char *folded = greylist_fold_sender(&address, "+");
        g_assert_cmpstr(folded, ==, senders[i].folded);
        mail_address_clear(&address);
    }
}

static const struct {
    const char *key;
    guint parts;     /* 0: it is no key */
    const char *why; /* what the reason holds */
} keys[] = {
    {"sasl_user", 1, NULL},
    {"sender+client/24", 2, NULL},
    {"SENDER + header:X-Site", 2, NULL},
    {"header:", 0, "\"header:\" is no part of a key"},
    {"header:a b", 0, "is no part of a key"},
    {"sender+", 0, "\"\" is no part of a key"},
    {"clinet", 0, "did you mean \"client\"?"},
};

static void test_keys(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(keys); i++) {
        g_autofree char *why = NULL;
        GArray *parts = limit_parts_parse(keys[i].key, &why);
        g_test_message("%s", keys[i].key);
        g_assert_cmpuint(parts ? parts->len : 0, ==, keys[i].parts);
        if (parts)
            g_array_unref(parts);
        else
            g_assert_nonnull(strstr(why, keys[i].why));
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/keys/groups", test_groups);
    g_test_add_func("/keys/senders", test_senders);
    g_test_add_func("/keys/limits", test_keys);
    return g_test_run();
}
