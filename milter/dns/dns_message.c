/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The reader of DNS messages. Records are gathered first and judged afterwards, so that their order
 * does not matter. Bytes of a name that are not printable ASCII become '?': such a name equals none
 * that is ever asked.
 */
#include "dns_message.h"

#include <glib.h>
#include <stdlib.h>
#include <string.h>

enum {
    HEADER_SIZE = 12,
    TYPE_CNAME = 5,
    TYPE_SOA = 6,
    CLASS_IN = 1,
    FLAG_RESPONSE = 0x80,      /* in the third byte */
    FLAG_TRUNCATED = 0x02,     /* likewise */
    FLAG_AUTHENTICATED = 0x20, /* in the fourth */
    NAME_ROOM = 256,
};

struct message_reader {
    const uint8_t *data;
    size_t size;
    size_t at;
};

struct record {
    char *owner;
    unsigned type;
    unsigned ttl;
    size_t start; /* of the data, within the message */
    size_t length;
};

static bool read_u16(struct message_reader *in, unsigned *value_r)
{
    if (in->size - in->at < 2)
        return false;
    *value_r = (unsigned)in->data[in->at] << 8 | in->data[in->at + 1];
    in->at += 2;
    return true;
}

static bool read_u32(struct message_reader *in, uint32_t *value_r)
{
    unsigned high, low;
    if (!read_u16(in, &high) || !read_u16(in, &low))
        return false;
    *value_r = (uint32_t)high << 16 | low;
    return true;
}

static void append_label(char name[NAME_ROOM], size_t *used, const uint8_t *label, size_t length)
{
    if (*used > 0)
        name[(*used)++] = '.';
    for (size_t i = 0; i < length; i++) {
        bool plain = label[i] > ' ' && label[i] <= '~' && label[i] != '.' && label[i] != '\\';
        name[(*used)++] = plain ? g_ascii_tolower((char)label[i]) : '?';
    }
}

/* Reads a name as lower-case text without its trailing dot ("" for the root). A pointer must lead
 * to before the place where the reading of this part began, hence there can be no circle. */
static bool read_name(struct message_reader *in, char name[NAME_ROOM])
{
    size_t at = in->at, floor = in->at, used = 0;
    bool jumped = false;
    while (at < in->size) {
        unsigned length = in->data[at++];
        if (length == 0) {
            if (!jumped)
                in->at = at;
            name[used] = '\0';
            return true;
        }
        if (length >= 0xc0) {
            if (at >= in->size)
                return false;
            size_t target = (size_t)(length & 0x3f) << 8 | in->data[at++];
            if (!jumped)
                in->at = at;
            jumped = true;
            if (target >= floor)
                return false;
            at = floor = target;
        } else {
            if (length > DNS_LABEL_MAX || in->size - at < length ||
                used + length + 1 > DNS_NAME_MAX)
                return false;
            append_label(name, &used, in->data + at, length);
            at += length;
        }
    }
    return false;
}

static void record_clear(void *data)
{
    g_free(((struct record *)data)->owner);
}

static bool read_record(struct message_reader *in, struct record *record, bool *wanted_r)
{
    char owner[NAME_ROOM];
    unsigned class, length;
    uint32_t ttl;
    if (!read_name(in, owner) || !read_u16(in, &record->type) || !read_u16(in, &class) ||
        !read_u32(in, &ttl) || !read_u16(in, &length) || in->size - in->at < length)
        return false;
    /* RFC 2181 8: a TTL with its top bit set is zero */
    record->ttl = ttl > INT32_MAX ? 0 : ttl;
    record->start = in->at;
    record->length = length;
    in->at += length;
    *wanted_r = class == CLASS_IN;
    if (*wanted_r)
        record->owner = g_strdup(owner);
    return true;
}

/* The section's COUNT records of class IN; NULL when one of them is malformed. */
static GArray *read_section(struct message_reader *in, unsigned count)
{
    g_autoptr(GArray) records = g_array_new(FALSE, FALSE, sizeof(struct record));
    g_array_set_clear_func(records, record_clear);
    for (unsigned i = 0; i < count; i++) {
        struct record record = {0};
        bool wanted;
        if (!read_record(in, &record, &wanted))
            return NULL;
        if (wanted)
            g_array_append_val(records, record);
    }
    return g_steal_pointer(&records);
}

/* How long "there is none" holds: the lesser of the SOA's TTL and its minimum (RFC 2308 3, 5); 0
 * without an SOA. */
static unsigned negative_ttl(const struct message_reader *in, const GArray *authority)
{
    for (unsigned i = 0; i < authority->len; i++) {
        const struct record *record = &g_array_index(authority, struct record, i);
        if (record->type != TYPE_SOA)
            continue;
        struct message_reader soa = {in->data, record->start + record->length, record->start};
        char name[NAME_ROOM];
        uint32_t minimum;
        if (!read_name(&soa, name) || !read_name(&soa, name) || soa.size - soa.at < 20)
            return 0;
        soa.at += 16;
        if (!read_u32(&soa, &minimum))
            return 0;
        return MIN(MIN(record->ttl, minimum), DNS_NEGATIVE_TTL_MAX);
    }
    return 0;
}

static const struct record *find_cname(const GArray *records, const char *owner)
{
    for (unsigned i = 0; i < records->len; i++) {
        const struct record *record = &g_array_index(records, struct record, i);
        if (record->type == TYPE_CNAME && strcmp(record->owner, owner) == 0)
            return record;
    }
    return NULL;
}

/* Follows aliases from NAME, which becomes the last name of the chain. false for a chain that is
 * malformed, a circle or too long. */
static bool follow(struct dns_answer *answer, const struct message_reader *in,
                   const GArray *records, char name[NAME_ROOM])
{
    const struct record *alias;
    while ((alias = find_cname(records, name))) {
        struct message_reader target = {in->data, alias->start + alias->length, alias->start};
        if (answer->alias_count == DNS_CNAME_MAX || !read_name(&target, name))
            return false;
        if (!answer->aliases)
            answer->aliases = g_new0(char *, DNS_CNAME_MAX);
        answer->aliases[answer->alias_count++] = g_strdup(name);
        answer->ttl = MIN(answer->ttl, alias->ttl);
    }
    return true;
}

/* The data of one record, and what is left of DNS_TEXT_MAX for the answer. */
struct data {
    const uint8_t *bytes;
    size_t length;
    struct message_reader reader; /* the same within the message, which names point into */
    size_t *text_room;
};

static bool take_address(struct dns_answer *answer, struct data *data)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    struct ipaddr *address = &answer->addresses[answer->count];
    if (data->length != (answer->type == DNS_A ? 4 : 16))
        return false;
    *address = (struct ipaddr){.family = answer->type == DNS_A ? IP_V4 : IP_V6};
    memcpy(address->bytes, data->bytes, data->length);
    if (answer->type == DNS_AAAA && memcmp(data->bytes, mapped, sizeof mapped) == 0) {
        *address = (struct ipaddr){.family = IP_V4};
        memcpy(address->bytes, data->bytes + sizeof mapped, 4);
    }
    return true;
}

static bool take_text(struct dns_answer *answer, struct data *data)
{
    const uint8_t *p = data->bytes, *end = p + data->length;
    GString *text = g_string_new(NULL);
    while (p < end) {
        size_t length = *p++;
        if ((size_t)(end - p) < length) {
            g_string_free(text, TRUE);
            return false;
        }
        size_t taken = MIN(length, *data->text_room);
        answer->cut |= taken < length;
        for (size_t i = 0; i < taken; i++)
            g_string_append_c(text, p[i] ? (char)p[i] : '?');
        *data->text_room -= taken;
        p += length;
    }
    answer->texts[answer->count] = g_string_free(text, FALSE);
    return true;
}

static bool take_mx(struct dns_answer *answer, struct data *data)
{
    char host[NAME_ROOM];
    unsigned preference;
    if (!read_u16(&data->reader, &preference) || !read_name(&data->reader, host))
        return false;
    answer->mx[answer->count] = (struct dns_mx){preference, g_strdup(host)};
    return true;
}

static bool take_name(struct dns_answer *answer, struct data *data)
{
    char name[NAME_ROOM];
    if (!read_name(&data->reader, name))
        return false;
    answer->names[answer->count] = g_strdup(name);
    return true;
}

static bool take_srv(struct dns_answer *answer, struct data *data)
{
    struct dns_srv srv;
    char target[NAME_ROOM];
    if (!read_u16(&data->reader, &srv.priority) || !read_u16(&data->reader, &srv.weight) ||
        !read_u16(&data->reader, &srv.port) || !read_name(&data->reader, target))
        return false;
    srv.target = g_strdup(target);
    answer->srv[answer->count] = srv;
    return true;
}

static bool take_tlsa(struct dns_answer *answer, struct data *data)
{
    if (data->length < 4 || data->length - 3 > DNS_TLSA_MAX)
        return false;
    answer->tlsa[answer->count] =
        (struct dns_tlsa){data->bytes[0], data->bytes[1], data->bytes[2],
                          g_memdup2(data->bytes + 3, data->length - 3), data->length - 3};
    return true;
}

static int by_preference(const void *a, const void *b)
{
    const struct dns_mx *left = a, *right = b;
    return (left->preference > right->preference) - (left->preference < right->preference);
}

static int by_priority(const void *a, const void *b)
{
    const struct dns_srv *left = a, *right = b;
    if (left->priority != right->priority)
        return left->priority < right->priority ? -1 : 1;
    return (left->weight < right->weight) - (left->weight > right->weight);
}

/* What there is to know of a type: how a record is read, where it goes, in which order it is. */
struct record_type {
    enum dns_type type;
    bool (*take)(struct dns_answer *answer, struct data *data);
    size_t array; /* where in struct dns_answer the array's pointer is */
    size_t size;  /* of an element */
    int (*order)(const void *a, const void *b); /* NULL: as sent */
};

#define ARRAY(member) offsetof(struct dns_answer, member), sizeof *((struct dns_answer *)0)->member

static const struct record_type record_types[] = {
    {DNS_A, take_address, ARRAY(addresses), NULL}, {DNS_AAAA, take_address, ARRAY(addresses), NULL},
    {DNS_MX, take_mx, ARRAY(mx), by_preference},   {DNS_NS, take_name, ARRAY(names), NULL},
    {DNS_PTR, take_name, ARRAY(names), NULL},      {DNS_SRV, take_srv, ARRAY(srv), by_priority},
    {DNS_TLSA, take_tlsa, ARRAY(tlsa), NULL},      {DNS_TXT, take_text, ARRAY(texts), NULL},
};

static const struct record_type *find_type(enum dns_type type)
{
    for (size_t i = 0; i < G_N_ELEMENTS(record_types); i++)
        if (record_types[i].type == type)
            return &record_types[i];
    return NULL;
}

/* Takes the records of NAME; false when one of them is malformed. */
static bool collect(struct dns_answer *answer, const struct record_type *type,
                    const struct message_reader *in, const GArray *records, const char *name)
{
    size_t text_room = DNS_TEXT_MAX;
    void **array = (void **)((char *)answer + type->array);
    *array = g_malloc0_n(MIN(records->len, DNS_RECORDS_MAX), type->size);
    for (unsigned i = 0; i < records->len; i++) {
        const struct record *record = &g_array_index(records, struct record, i);
        if (record->type != (unsigned)answer->type || strcmp(record->owner, name) != 0)
            continue;
        if (answer->count >= DNS_RECORDS_MAX) {
            answer->cut = true;
            return true;
        }
        struct data data = {in->data + record->start,
                            record->length,
                            {in->data, record->start + record->length, record->start},
                            &text_room};
        if (!type->take(answer, &data))
            return false;
        answer->count++;
        answer->ttl = MIN(answer->ttl, record->ttl);
    }
    if (type->order && answer->count > 1)
        qsort(*array, answer->count, type->size, type->order);
    return true;
}

/* Fills in the outcome from the two sections; false for what cannot be trusted: among it "there is
 * no such name" with a record of that very name, which is neither a listing nor a sound "no". */
static bool judge(struct dns_answer *answer, const struct message_reader *in, const GArray *records,
                  const GArray *authority, char name[NAME_ROOM], bool exists)
{
    const struct record_type *type = find_type(answer->type);
    answer->ttl = DNS_TTL_MAX;
    if (!type || !follow(answer, in, records, name) || !collect(answer, type, in, records, name))
        return false;
    if (answer->count > 0 && !exists)
        return false;
    if (answer->count > 0) {
        answer->state = DNS_ANSWERED;
        return true;
    }
    answer->state = exists ? DNS_NO_DATA : DNS_NO_NAME;
    answer->ttl = MIN(answer->ttl, negative_ttl(in, authority));
    return true;
}

static enum dns_failure rcode_failure(unsigned rcode)
{
    static const enum dns_failure failures[] = {DNS_FAIL_NONE, DNS_FAIL_FORMERR, DNS_FAIL_SERVFAIL,
                                                DNS_FAIL_NONE, DNS_FAIL_NOTIMP,  DNS_FAIL_REFUSED};
    return rcode < G_N_ELEMENTS(failures) ? failures[rcode] : DNS_FAIL_RCODE;
}

/* Reads header and question; the name asked, in lower case, comes back in NAME. */
static bool read_head(struct message_reader *in, enum dns_type type, char name[NAME_ROOM],
                      unsigned counts[4])
{
    unsigned asked_type, class;
    if (in->size < HEADER_SIZE || !(in->data[2] & FLAG_RESPONSE))
        return false;
    in->at = 4;
    for (unsigned i = 0; i < 4; i++)
        if (!read_u16(in, &counts[i]))
            return false;
    return counts[0] == 1 && read_name(in, name) && read_u16(in, &asked_type) &&
           read_u16(in, &class) && asked_type == (unsigned)type && class == CLASS_IN;
}

static bool same_name(const char *plain, const char *asked)
{
    size_t length = strlen(asked);
    if (length > 0 && asked[length - 1] == '.')
        length--;
    return strlen(plain) == length && g_ascii_strncasecmp(plain, asked, length) == 0;
}

struct dns_answer *dns_message_read(const uint8_t *data, size_t size, const char *name,
                                    enum dns_type type)
{
    struct message_reader in = {data, size, 0};
    unsigned counts[4];
    char current[NAME_ROOM];
    if (!read_head(&in, type, current, counts) || !same_name(current, name))
        return dns_answer_failed(type, DNS_FAIL_GARBAGE);
    unsigned rcode = data[3] & 0x0f;
    if (rcode_failure(rcode) != DNS_FAIL_NONE)
        return dns_answer_failed(type, rcode_failure(rcode));
    g_autoptr(GArray) records = read_section(&in, counts[1]);
    g_autoptr(GArray) authority = records ? read_section(&in, counts[2]) : NULL;
    struct dns_answer *answer = dns_answer_failed(type, DNS_FAIL_NONE);
    if (!authority || !judge(answer, &in, records, authority, current, rcode == 0)) {
        dns_answer_unref(answer);
        return dns_answer_failed(type, DNS_FAIL_GARBAGE);
    }
    /* Cut off even over TCP: what is not in it may have been behind it. */
    bool truncated = data[2] & FLAG_TRUNCATED;
    if (truncated && answer->state != DNS_ANSWERED) {
        dns_answer_unref(answer);
        return dns_answer_failed(type, DNS_FAIL_GARBAGE);
    }
    answer->cut |= truncated;
    answer->authenticated = data[3] & FLAG_AUTHENTICATED;
    return answer;
}
