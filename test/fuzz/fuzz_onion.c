/* SPDX-License-Identifier: BSD-2-Clause
 *
 * SRV and TLSA records, in an answer of the DNS: the first byte chooses which. What comes of them
 * is one line, and within bounds.
 */
#include <glib.h>
#include <stdint.h>
#include <string.h>

#include "../../milter/dns/dns_message.h"
#include "mx.h"
#include "onion.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
    if (!holds)
        g_error("a bound does not hold");
}

static void check_srv(const struct dns_answer *answer)
{
    struct onion_choice choice;
    onion_choose(answer, "smtptor", &choice);
    if (choice.next_hop)
        check(g_str_has_prefix(choice.next_hop, "smtptor:[") && !strpbrk(choice.next_hop, "\n ,"));
    for (const char *p = choice.remarks->str; *p; p = strchr(p, '\n') + 1)
        check(*p == '#' && strchr(p, '\n'));
    onion_choice_clear(&choice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    enum dns_type type = data[0] & 1 ? DNS_SRV : DNS_TLSA;
    struct dns_answer *answer = dns_message_read(data + 1, size - 1, "name.test", type);
    if (type == DNS_SRV)
        check_srv(answer);
    for (size_t i = 0; type == DNS_TLSA && i < answer->count; i++) {
        g_autofree char *text = mx_tlsa_text(&answer->tlsa[i]);
        check(strlen(text) < 200);
        mx_tlsa_usable(&answer->tlsa[i]);
    }
    dns_answer_unref(answer);
    g_autofree char *host = g_strndup((const char *)data + 1, size - 1);
    const char *why;
    onion_address_valid(host, &why);
    g_autofree char *line = onion_old_line(host, "name.test");
    check(!line || g_str_has_suffix(line, "\n"));
    return 0;
}
