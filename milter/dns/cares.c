/* SPDX-License-Identifier: BSD-2-Clause
 *
 * c-ares, by version.
 */
#include "cares.h"

#include <string.h>

#include "base/ipaddr.h"
#include "base/system.h"
#include "servers.h"

struct ask {
    cares_answer_fn answer;
    void *data;
};

#if ARES_VERSION >= 0x012000
/* From 1.32 on a try waits for as long as answers took of late, 250 ms at least, whatever the time
 * that is asked for: more tries then, so that all together are not given up earlier. Each waits up
 * to twice as long as the one before, some less by chance. */
static void wait_as_long(struct ares_options *options)
{
    enum { LEAST_MS = 250 };
    int wanted_ms = options->timeout * ((1 << options->tries) - 1);
    while (LEAST_MS * ((1 << options->tries) - 1) * 3 / 4 < wanted_ms)
        options->tries++;
}
#endif

int cares_harmonize(struct ares_options *options)
{
#if ARES_VERSION >= 0x012000
    options->maxtimeout = options->timeout << (options->tries - 1);
    wait_as_long(options);
    options->qcache_max_ttl = 0;
    return ARES_OPT_MAXTIMEOUTMS | ARES_OPT_QUERY_CACHE;
#else
    (void)options;
    return 0;
#endif
}

int cares_set_servers(ares_channel ares, const GArray *servers)
{
    g_autoptr(GString) list = g_string_new(NULL);
    for (guint i = 0; i < servers->len; i++) {
        const struct dns_server *server = &g_array_index(servers, struct dns_server, i);
        char text[IPADDR_TEXT_MAX];
        ipaddr_format(&server->address, text);
        g_string_append_printf(list, server->address.family == IP_V4 ? "%s%s:%u" : "%s[%s]:%u",
                               i > 0 ? "," : "", text, server->port);
    }
    return ares_set_servers_ports_csv(ares, list->str);
}

#if ARES_VERSION >= 0x011c00

unsigned cares_count_servers(ares_channel ares, bool *loopback_r)
{
    char *list = ares_get_servers_csv(ares);
    g_auto(GStrv) servers = g_strsplit(list ? list : "", ",", -1);
    unsigned count = 0;
    *loopback_r = true;
    for (char **server = servers; *server; server++) {
        /* ADDRESS, ADDRESS:PORT or [ADDRESS]:PORT, and perhaps %INTERFACE */
        g_autofree char *text = g_strdup(**server == '[' ? *server + 1 : *server);
        char *end = **server == '[' ? strchr(text, ']') : strrchr(text, ':');
        if (end && (**server == '[' || strchr(text, ':') == end))
            *end = '\0';
        text[strcspn(text, "%")] = '\0';
        struct ipaddr address;
        *loopback_r = *loopback_r && ipaddr_parse(text, &address) && ipaddr_is_loopback(&address);
        count++;
    }
    ares_free_string(list);
    return count;
}

static void on_answer(void *data, ares_status_t status, size_t timeouts,
                      const ares_dns_record_t *record)
{
    struct ask *ask = data;
    unsigned char *message = NULL;
    size_t size = 0;
    if (record && ares_dns_write(record, &message, &size) != ARES_SUCCESS)
        status = ARES_EBADRESP;
    ask->answer(ask->data, (int)status, timeouts + 1, message, size);
    ares_free_string(message);
    g_free(ask);
}

static ares_status_t make_question(ares_dns_record_t **record, const char *name, int type,
                                   unsigned short flags, unsigned udp_size)
{
    ares_dns_rr_t *edns = NULL;
    ares_status_t status =
        ares_dns_record_create(record, 0, flags, ARES_OPCODE_QUERY, ARES_RCODE_NOERROR);
    if (status == ARES_SUCCESS)
        status = ares_dns_record_query_add(*record, name, (ares_dns_rec_type_t)type, ARES_CLASS_IN);
    if (status == ARES_SUCCESS && udp_size > 0)
        status = ares_dns_record_rr_add(&edns, *record, ARES_SECTION_ADDITIONAL, "",
                                        ARES_REC_TYPE_OPT, ARES_CLASS_IN, 0);
    if (edns)
        status = ares_dns_rr_set_u16(edns, ARES_RR_OPT_UDP_SIZE, (unsigned short)udp_size);
    return status;
}

static void send_question(ares_channel ares, const char *name, int type, bool ad, bool cd,
                          unsigned udp_size, struct ask *ask)
{
    ares_dns_record_t *record = NULL;
    unsigned flags = ARES_FLAG_RD | (ad ? ARES_FLAG_AD : 0) | (cd ? ARES_FLAG_CD : 0);
    ares_status_t status = make_question(&record, name, type, (unsigned short)flags, udp_size);
    if (status == ARES_SUCCESS) /* whose own failures are told by the callback, too */
        ares_send_dnsrec(ares, record, on_answer, ask, NULL);
    else
        on_answer(ask, status, 0, NULL);
    ares_dns_record_destroy(record);
}

#else

enum { CLASS_IN = 1, HEADER_AD = 0x20, HEADER_CD = 0x10 };

unsigned cares_count_servers(ares_channel ares, bool *loopback_r)
{
    struct ares_addr_port_node *nodes = NULL;
    unsigned count = 0;
    *loopback_r = true;
    if (ares_get_servers_ports(ares, &nodes) != ARES_SUCCESS)
        return 0;
    for (const struct ares_addr_port_node *node = nodes; node; node = node->next, count++) {
        struct ipaddr address = {.family = node->family == AF_INET ? IP_V4 : IP_V6};
        memcpy(address.bytes, &node->addr, node->family == AF_INET ? 4 : 16);
        *loopback_r = *loopback_r && ipaddr_is_loopback(&address);
    }
    ares_free_data(nodes);
    return count;
}

static void on_answer(void *data, int status, int timeouts, unsigned char *message, int size)
{
    struct ask *ask = data;
    ask->answer(ask->data, status, (size_t)timeouts + 1, message, size > 0 ? (size_t)size : 0);
    g_free(ask);
}

/* There is no word for AD and CD: the question is made by c-ares, marked here, and sent. The
 * question of an answer is found by number, name and type, so that two of one number do no harm. */
static void send_question(ares_channel ares, const char *name, int type, bool ad, bool cd,
                          unsigned udp_size, struct ask *ask)
{
    unsigned char *question = NULL;
    uint16_t number;
    int size = 0;
    system_random(&number, sizeof number);
    int status =
        ares_create_query(name, CLASS_IN, type, number, 1, &question, &size, (int)udp_size);
    if (status != ARES_SUCCESS) {
        on_answer(ask, status, 0, NULL, 0);
        return;
    }
    question[3] |= (unsigned char)((ad ? HEADER_AD : 0) | (cd ? HEADER_CD : 0));
    ares_send(ares, question, size, on_answer, ask);
    ares_free_string(question);
}

#endif

void cares_ask(ares_channel ares, const char *name, int type, bool ad, bool cd, unsigned udp_size,
               cares_answer_fn answer, void *data)
{
    size_t length = strlen(name);
    if (length >= 5 && g_ascii_strcasecmp(name + length - 5, "onion") == 0 &&
        (length == 5 || name[length - 6] == '.')) { /* RFC 7686 2: such names are never asked */
        answer(data, ARES_ENOTFOUND, 0, NULL, 0);
        return;
    }
    struct ask *ask = g_new(struct ask, 1);
    *ask = (struct ask){answer, data};
    send_question(ares, name, type, ad, cd, udp_size, ask);
}
