/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The reader of DNS messages, byte by byte; the cache of what it reads.
 */
#include <glib.h>
#include <string.h>

#include "../../../milter/dns/cache.h"
#include "../../../milter/dns/dns_message.h"
#include "base/siphash.h"

/* A message in the making. */
struct packet {
    uint8_t data[4096];
    size_t size;
};

static void put(struct packet *packet, const void *bytes, size_t count)
{
    memcpy(packet->data + packet->size, bytes, count);
    packet->size += count;
}

static void put_u16(struct packet *packet, unsigned value)
{
    put(packet, (uint8_t[]){(uint8_t)(value >> 8), (uint8_t)value}, 2);
}

static void put_name(struct packet *packet, const char *name)
{
    g_auto(GStrv) labels = g_strsplit(name, ".", -1);
    for (unsigned i = 0; labels[i] && *labels[i]; i++) {
        uint8_t length = (uint8_t)strlen(labels[i]);
        put(packet, &length, 1);
        put(packet, labels[i], length);
    }
    put(packet, "", 1);
}

static void begin(struct packet *packet, unsigned rcode, unsigned answers, unsigned authority)
{
    packet->size = 0;
    put_u16(packet, 0x1234);
    put_u16(packet, 0x8180 | rcode);
    put_u16(packet, 1);
    put_u16(packet, answers);
    put_u16(packet, authority);
    put_u16(packet, 0);
    put_name(packet, "Name.Test"); /* at 12 */
    put_u16(packet, DNS_A);
    put_u16(packet, 1);
}

static void put_record(struct packet *packet, unsigned type, unsigned class, unsigned ttl,
                       const void *data, unsigned length)
{
    put(packet, "\xc0\x0c", 2);
    put_u16(packet, type);
    put_u16(packet, class);
    put_u16(packet, ttl >> 16);
    put_u16(packet, ttl & 0xffff);
    put_u16(packet, length);
    put(packet, data, length);
}

/* Reads a copy of exact size, so that reading too far is seen. */
static struct dns_answer *read_packet(const struct packet *packet)
{
    g_autofree uint8_t *copy = g_memdup2(packet->data, packet->size);
    return dns_message_read(copy, packet->size, "name.test.", DNS_A);
}

static void expect(const struct packet *packet, enum dns_state state, unsigned ttl, size_t count)
{
    struct dns_answer *answer = read_packet(packet);
    g_assert_cmpint(answer->state, ==, state);
    g_assert_cmpuint(answer->ttl, ==, ttl);
    g_assert_cmpuint(answer->count, ==, count);
    dns_answer_unref(answer);
}

static void test_addresses(void)
{
    struct packet packet;
    begin(&packet, 0, 4, 0);
    put_record(&packet, DNS_A, 1, 300, "\x7f\0\0\2", 4);
    put_record(&packet, DNS_A, 3, 5, "\x7f\0\0\3", 4); /* class CHAOS */
    put_record(&packet, DNS_TXT, 1, 5, "\1x", 2);
    put_record(&packet, DNS_A, 1, 200, "\x7f\0\0\4", 4);
    expect(&packet, DNS_ANSWERED, 200, 2);
    begin(&packet, 0, 1, 0);
    put_record(&packet, DNS_A, 1, 0x7fffffff, "\x7f\0\0\2", 4);
    expect(&packet, DNS_ANSWERED, DNS_TTL_MAX, 1);
    begin(&packet, 0, 1, 0);
    put_record(&packet, DNS_A, 1, 0xffffffff, "\x7f\0\0\2", 4);
    expect(&packet, DNS_ANSWERED, 0, 1);
}

static void put_soa(struct packet *packet, unsigned ttl, unsigned minimum)
{
    uint8_t soa[22] = {0};
    soa[18] = (uint8_t)(minimum >> 24);
    soa[19] = (uint8_t)(minimum >> 16);
    soa[20] = (uint8_t)(minimum >> 8);
    soa[21] = (uint8_t)minimum;
    put_record(packet, 6, 1, ttl, soa, sizeof soa);
}

static void test_negative(void)
{
    struct packet packet;
    begin(&packet, 3, 0, 1);
    put_soa(&packet, 500, 60);
    expect(&packet, DNS_NO_NAME, 60, 0);
    begin(&packet, 0, 0, 1);
    put_soa(&packet, 50, 600);
    expect(&packet, DNS_NO_DATA, 50, 0);
    begin(&packet, 3, 0, 1);
    put_soa(&packet, 0x7fffffff, 0x7fffffff);
    expect(&packet, DNS_NO_NAME, DNS_NEGATIVE_TTL_MAX, 0);
    begin(&packet, 3, 0, 0);
    expect(&packet, DNS_NO_NAME, 0, 0);
    begin(&packet, 3, 0, 1);
    put_record(&packet, 6, 1, 60, "\0\0", 2);
    expect(&packet, DNS_NO_NAME, 0, 0);
}

/* Of an answer that was cut off, what is there counts; what is not there may have been behind it.
 */
static void test_truncated(void)
{
    enum { TRUNCATED = 2 };
    for (unsigned rcode = 0; rcode <= 3; rcode += 3) {
        struct packet packet;
        begin(&packet, rcode, 0, 1);
        put_soa(&packet, 500, 60);
        packet.data[2] |= TRUNCATED;
        expect(&packet, DNS_FAILED, 0, 0);
    }
    struct packet packet;
    begin(&packet, 0, 1, 0);
    put_record(&packet, DNS_A, 1, 300, "\x7f\0\0\2", 4);
    packet.data[2] |= TRUNCATED;
    struct dns_answer *answer = read_packet(&packet);
    g_assert_cmpint(answer->state, ==, DNS_ANSWERED);
    g_assert_true(answer->cut);
    dns_answer_unref(answer);
}

/* NXDOMAIN beside a record of the name that was asked contradicts itself: neither answer is
 * believed. Records of other names or types, and an alias that leads nowhere (RFC 6604), leave it
 * as it is. */
static void test_no_name_with_records(void)
{
    static const struct {
        unsigned type, class;
        const char *data;
        unsigned length;
        enum dns_state state;
    } rows[] = {
        {DNS_A, 1, "\x7f\0\0\2", 4, DNS_FAILED},  {DNS_A, 1, "\x7f\xff\xff\1", 4, DNS_FAILED},
        {DNS_A, 1, "\1\2", 2, DNS_FAILED},        {DNS_A, 3, "\x7f\0\0\2", 4, DNS_NO_NAME},
        {DNS_TXT, 1, "\1x", 2, DNS_NO_NAME},      {5, 1, "\1x\0", 3, DNS_NO_NAME},
        {DNS_MX, 1, "\0\1\1x\0", 5, DNS_NO_NAME},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        for (unsigned times = 1; times <= 3; times++) {
            struct packet packet;
            begin(&packet, 3, times, 1);
            for (unsigned n = 0; n < times; n++)
                put_record(&packet, rows[i].type, rows[i].class, 300, rows[i].data, rows[i].length);
            put_soa(&packet, 500, 60);
            expect(&packet, rows[i].state, rows[i].state == DNS_FAILED ? 0 : 60, 0);
        }
    }
}

/* Whatever is cut off, and wherever a name points: no answer, and no byte beyond the end read. */
static void test_malformed(void)
{
    struct packet packet;
    begin(&packet, 0, 2, 0);
    put_record(&packet, 5, 1, 60, "\1x\0", 3);
    put_record(&packet, DNS_A, 1, 300, "\x7f\0\0\2", 4);
    for (size_t whole = packet.size; packet.size-- > 0;) {
        struct dns_answer *answer = read_packet(&packet);
        g_assert_cmpint(answer->state, ==, DNS_FAILED);
        dns_answer_unref(answer);
        g_assert_cmpuint(packet.size, <, whole);
    }
    static const struct {
        const char *bytes;
        unsigned length;
    } targets[] = {{"\xc0\x1b", 2}, {"\xc0\xff", 2}, {"\xff\xff", 2}, {"\x3f", 1},
                   {"\1a\xc0", 3},  {"\x80\0", 2},   {"\1a", 2}};
    for (size_t i = 0; i < G_N_ELEMENTS(targets); i++) {
        begin(&packet, 0, 1, 0);
        put_record(&packet, 5, 1, 60, targets[i].bytes, targets[i].length);
        struct dns_answer *answer = read_packet(&packet);
        g_assert_cmpint(answer->failure, ==, DNS_FAIL_GARBAGE);
        dns_answer_unref(answer);
    }
    begin(&packet, 0, 1, 0); /* a query, not a response */
    put_record(&packet, DNS_A, 1, 300, "\x7f\0\0\2", 4);
    packet.data[2] &= 0x7f;
    expect(&packet, DNS_FAILED, 0, 0);
}

static struct dns_answer *read_type(struct packet *packet, enum dns_type type)
{
    packet->data[12 + 11 + 1] = (uint8_t)type; /* behind the name that is asked */
    return dns_message_read(packet->data, packet->size, "name.test.", type);
}

/* Types that not every milter asks for; what DNSSEC says; where a name led to. */
static void test_types(void)
{
    struct packet packet;
    begin(&packet, 0, 3, 0);
    put_record(&packet, DNS_SRV, 1, 60, "\0\2\0\1\0\x19\1b\0", 9);
    put_record(&packet, DNS_SRV, 1, 60, "\0\1\0\1\0\x19\1c\0", 9);
    put_record(&packet, DNS_SRV, 1, 60, "\0\1\0\5\0\x1a\1d\xc0\x0c", 10);
    struct dns_answer *answer = read_type(&packet, DNS_SRV);
    g_assert_cmpuint(answer->count, ==, 3);
    g_assert_cmpstr(answer->srv[0].target, ==, "d.name.test");
    g_assert_cmpuint(answer->srv[0].port, ==, 26);
    g_assert_cmpstr(answer->srv[1].target, ==, "c");
    g_assert_cmpuint(answer->srv[2].priority, ==, 2);
    g_assert_false(answer->authenticated);
    dns_answer_unref(answer);

    begin(&packet, 0, 1, 0);
    put_record(&packet, DNS_TLSA, 1, 60, "\3\1\1\xab\xcd", 5);
    packet.data[3] |= 0x20;
    answer = read_type(&packet, DNS_TLSA);
    g_assert_true(answer->authenticated);
    g_assert_cmpuint(answer->count, ==, 1);
    g_assert_cmpuint(answer->tlsa[0].usage, ==, 3);
    g_assert_cmpmem(answer->tlsa[0].data, answer->tlsa[0].length, "\xab\xcd", 2);
    dns_answer_unref(answer);

    begin(&packet, 0, 2, 0);
    put_record(&packet, 5, 1, 60, "\1x\xc0\x0c", 4);
    put_record(&packet, DNS_NS, 1, 60, "\0", 1);
    answer = read_type(&packet, DNS_NS);
    g_assert_cmpint(answer->state, ==, DNS_NO_DATA);
    g_assert_cmpuint(answer->alias_count, ==, 1);
    g_assert_cmpstr(answer->aliases[0], ==, "x.name.test");
    dns_answer_unref(answer);

    static const struct {
        enum dns_type type;
        const char *bytes;
        unsigned length;
    } bad[] = {{DNS_SRV, "\0\1\0\1\0\x19", 6},
               {DNS_SRV, "\0\1\0\1\0\x19\5b", 8},
               {DNS_SRV, "\0", 1},
               {DNS_TLSA, "\3\1\1", 3},
               {DNS_TLSA, "", 0},
               {DNS_NS, "", 0}};
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        begin(&packet, 0, 1, 0);
        put_record(&packet, bad[i].type, 1, 60, bad[i].bytes, bad[i].length);
        answer = read_type(&packet, bad[i].type);
        g_assert_cmpint(answer->failure, ==, DNS_FAIL_GARBAGE);
        dns_answer_unref(answer);
    }
}

static void test_names(void)
{
    char label[64], name[300] = "";
    memset(label, 'a', 63);
    label[63] = '\0';
    g_assert_true(dns_name_valid("a"));
    g_assert_true(dns_name_valid("_a-b.C.9."));
    g_assert_true(dns_name_valid(label));
    static const char *const bad[] = {"", ".", "a..b", ".a", "a b", "a\\.b", "a/b", "\xc3\xbc"};
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++)
        g_assert_false(dns_name_valid(bad[i]));
    for (unsigned i = 0; i < 3; i++)
        strcat(strcat(name, label), ".");
    memset(label, 'b', 61);
    label[61] = '\0';
    strcat(name, label);
    g_assert_cmpuint(strlen(name), ==, 253);
    g_assert_true(dns_name_valid(name));
    g_assert_true(dns_name_valid(strcat(name, ".")));
    name[253] = 'b';
    g_assert_false(dns_name_valid(name));
}

static struct dns_answer *make_answer(unsigned ttl, unsigned texts)
{
    struct dns_answer *answer = dns_answer_failed(DNS_TXT, DNS_FAIL_NONE);
    answer->state = DNS_ANSWERED;
    answer->ttl = ttl;
    answer->count = texts;
    answer->texts = g_new0(char *, texts);
    for (unsigned i = 0; i < texts; i++)
        answer->texts[i] = g_strnfill(100, 'x');
    return answer;
}

static bool has(struct dns_cache *cache, const char *key, int64_t now)
{
    const struct dns_answer *answer = dns_cache_find(cache, key, now);
    dns_answer_unref(answer);
    return answer != NULL;
}

static void test_cache(void)
{
    struct dns_cache *cache = dns_cache_new(100, 100000);
    for (unsigned i = 0; i < 10000; i++) {
        g_autofree char *key = g_strdup_printf("key%u", i);
        struct dns_answer *answer = make_answer(60, i % 7);
        dns_cache_put(cache, key, answer, i);
        dns_answer_unref(answer);
        g_assert_true(has(cache, key, i));
        g_assert_true(i < 50 || has(cache, "key50", i));
        g_assert_cmpuint(dns_cache_entries(cache), <=, 100);
        g_assert_cmpuint(dns_cache_bytes(cache), <=, 100000);
    }
    g_assert_true(has(cache, "key50", 10000)); /* what is asked for stays */
    g_assert_false(has(cache, "key51", 10000));
    g_assert_true(has(cache, "key9999", 9999 + 60000000 - 1));
    g_assert_false(has(cache, "key9999", 9999 + 60000000));
    dns_cache_free(cache);
}

static void test_cache_bytes(void)
{
    struct dns_cache *cache = dns_cache_new(100, 20000);
    for (unsigned i = 0; i < 100; i++) {
        g_autofree char *key = g_strdup_printf("key%u", i);
        struct dns_answer *answer = make_answer(60, 20);
        dns_cache_put(cache, key, answer, 0);
        dns_answer_unref(answer);
        g_assert_cmpuint(dns_cache_bytes(cache), <=, 20000);
    }
    g_assert_cmpuint(dns_cache_entries(cache), >, 2);
    struct dns_answer *huge = make_answer(60, 250);
    dns_cache_put(cache, "huge", huge, 0);
    dns_answer_unref(huge);
    g_assert_cmpuint(dns_cache_entries(cache), ==, 0);
    dns_cache_free(cache);
}

/* The hash spreads names that differ little. */
static void test_hash(void)
{
    unsigned buckets[64] = {0};
    for (unsigned i = 0; i < 64000; i++) {
        g_autofree char *key = g_strdup_printf("%u.%u.0.192.bl.example", i % 256, i / 256);
        buckets[siphash_string(key) % 64]++;
    }
    for (unsigned i = 0; i < 64; i++) {
        g_assert_cmpuint(buckets[i], >, 800);
        g_assert_cmpuint(buckets[i], <, 1200);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/message/addresses", test_addresses);
    g_test_add_func("/message/negative", test_negative);
    g_test_add_func("/message/truncated", test_truncated);
    g_test_add_func("/message/no-name-with-records", test_no_name_with_records);
    g_test_add_func("/message/malformed", test_malformed);
    g_test_add_func("/message/types", test_types);
    g_test_add_func("/message/names", test_names);
    g_test_add_func("/message/cache", test_cache);
    g_test_add_func("/message/cache-bytes", test_cache_bytes);
    g_test_add_func("/message/hash", test_hash);
    return g_test_run();
}
