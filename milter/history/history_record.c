/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Rows as bytes.
 */
#include "history_record.h"

#include <string.h>

#include "base/text.h"

/* The first byte: as it comes from an event, and as the file has it. */
enum { VERSION_PLAIN = 1, VERSION_PACKED = 2 };

/* A text field of a row by its tag, for good: that of TAG is the one at TAG - 1. */
static const struct text_field {
    uint8_t tag;
    size_t offset;
} text_fields[] = {
    {1, offsetof(struct history_row, check)},
    {2, offsetof(struct history_row, reply)},
    {3, offsetof(struct history_row, text)},
    {4, offsetof(struct history_row, session)},
    {5, offsetof(struct history_row, mta_name)},
    {6, offsetof(struct history_row, mta_version)},
    {7, offsetof(struct history_row, client_addr)},
    {8, offsetof(struct history_row, client_name_macro)},
    {9, offsetof(struct history_row, client_ptr)},
    {10, offsetof(struct history_row, client_resolve)},
    {11, offsetof(struct history_row, client_port)},
    {12, offsetof(struct history_row, daemon_name)},
    {13, offsetof(struct history_row, daemon_port)},
    {14, offsetof(struct history_row, tls_version)},
    {15, offsetof(struct history_row, cipher)},
    {16, offsetof(struct history_row, cipher_bits)},
    {17, offsetof(struct history_row, verify)},
    {18, offsetof(struct history_row, cert_subject)},
    {19, offsetof(struct history_row, cert_issuer)},
    {20, offsetof(struct history_row, queue_id)},
    {21, offsetof(struct history_row, auth_type)},
    {22, offsetof(struct history_row, helo_auth_type)},
    {23, offsetof(struct history_row, auth_authen)},
    {24, offsetof(struct history_row, mail_mailer)},
    {25, offsetof(struct history_row, mail_host)},
    {26, offsetof(struct history_row, mail_addr)},
    {27, offsetof(struct history_row, client)},
    {28, offsetof(struct history_row, client_name)},
    {29, offsetof(struct history_row, reverse_name)},
    {30, offsetof(struct history_row, helo)},
    {31, offsetof(struct history_row, login)},
    {32, offsetof(struct history_row, sender)},
    {33, offsetof(struct history_row, sender_meant)},
    {34, offsetof(struct history_row, header)},
    {35, offsetof(struct history_row, profile)},
    {36, offsetof(struct history_row, ruleset)},
    {37, offsetof(struct history_row, entry)},
};

/* Other tags, for good as well. */
enum {
    TAG_NUMBERS = 100,
    TAG_PERMIT,
    TAG_RECIPIENT,
    TAG_DETAIL,
    TAG_ASKED,
    TAG_RULE,
    TAG_LIST,
    TAG_DOMAIN,
    TAG_ENTRY,
};

/* The order of TAG_NUMBERS; new ones go to the end. */
enum number {
    NUMBER_WHEN,
    NUMBER_ACTION,
    NUMBER_STAGE,
    NUMBER_FLAGS,
    NUMBER_MILLISECONDS,
    NUMBER_ANNOUNCED_SIZE,
    NUMBER_SIZE,
    NUMBER_SCORE,
    NUMBER_REQUIRED,
    NUMBER_THRESHOLD,
    NUMBER_HEADER_BYTES,
    NUMBER_HEADER_LINES,
    NUMBER_LEAST,
    NUMBER_MOST,
    NUMBERS
};

/* The bits of NUMBER_FLAGS; new ones go to the end. */
static const size_t flag_fields[] = {
    offsetof(struct history_row, monitor),        offsetof(struct history_row, has_address),
    offsetof(struct history_row, without_smtp),   offsetof(struct history_row, untrusted),
    offsetof(struct history_row, submission),     offsetof(struct history_row, login_in_clear),
    offsetof(struct history_row, smtputf8),       offsetof(struct history_row, saw_message),
    offsetof(struct history_row, nobody_to_tell), offsetof(struct history_row, header_cut),
    offsetof(struct history_row, scored),         offsetof(struct history_row, tagged),
    offsetof(struct history_row, refused),        offsetof(struct history_row, sender_malformed),
    offsetof(struct history_row, entries_cut),    offsetof(struct history_row, header_counted),
};

void history_row_init(struct history_row *row)
{
    *row = (struct history_row){0};
}

GStringChunk *history_row_memory(struct history_row *row)
{
    if (!row->memory)
        row->memory = g_string_chunk_new(256);
    return row->memory;
}

static void clear_recipient(void *data)
{
    struct history_recipient *recipient = data;
    if (recipient->asked)
        g_array_unref(recipient->asked);
}

GArray *history_recipients_new(void)
{
    GArray *recipients = g_array_new(FALSE, FALSE, sizeof(struct history_recipient));
    g_array_set_clear_func(recipients, clear_recipient);
    return recipients;
}

static void clear_array(GArray **array)
{
    if (*array)
        g_array_unref(*array);
    *array = NULL;
}

void history_row_clear(struct history_row *row)
{
    clear_array(&row->recipients);
    clear_array(&row->details);
    clear_array(&row->entries);
    clear_array(&row->asked);
    clear_array(&row->rules);
    clear_array(&row->lists);
    clear_array(&row->domains);
    if (row->memory)
        g_string_chunk_free(row->memory);
    history_row_init(row);
}

char *history_row_listener(const struct history_row *row)
{
    if (row->daemon_name || !row->daemon_port)
        return g_strdup(row->daemon_name);
    return g_strconcat(":", row->daemon_port, NULL);
}

const char *history_row_permit(const struct history_row *row)
{
    struct permits permits = {0};
    memcpy(permits.by, row->permits, sizeof permits.by);
    return permits_main(&permits);
}

bool history_row_is_early(const struct history_row *row)
{
    return row->stage != STAGE_MESSAGE &&
           (row->action == ACTION_REJECT || row->action == ACTION_TEMPFAIL);
}

/* ---- packed texts ---- */

/* What most rows say, by its place, for good: new ones go to the end, up to COMMON_MAX. */
static const char *const common[] = {
    "permit_mynetworks",
    "permit_sasl_authenticated",
    "permit_tls_clientcerts",
    "reject_unauth_destination",
    "reject_dnsbl",
    "reject_spam",
    "guard_autoreply",
    "greylist",
    "check_limit",
    "reject_authenticated_sender_login_mismatch",
    "reject_unauthenticated_sender_login_mismatch",
    "check_client_access",
    "check_sender_access",
    "check_recipient_access",
    "check_helo_access",
    "reject_non_fqdn_helo_hostname",
    "reject_unknown_sender_domain",
    "reject_unknown_reverse_client_hostname",
    "permit_auth_destination",
    "permit",
    "unknown",
    "OK",
    "FAIL",
    "esmtp",
    "smtp",
    "local",
    "relay",
    "virtual",
    "lmtp",
    "smtpd",
    "25",
    "465",
    "587",
    "PLAIN",
    "LOGIN",
    "TLSv1.2",
    "TLSv1.3",
    "128",
    "256",
    "TLS_AES_256_GCM_SHA384",
    "TLS_AES_128_GCM_SHA256",
    "TLS_CHACHA20_POLY1305_SHA256",
    "ECDHE-RSA-AES256-GCM-SHA384",
    "ECDHE-RSA-AES128-GCM-SHA256",
    "ECDHE-ECDSA-AES256-GCM-SHA384",
    "127.0.0.2",
    "127.0.0.3",
    "127.0.0.4",
    "127.0.0.10",
    "127.0.0.11",
    "NO",
    "",
};
enum { COMMON_MAX = 64 };
G_STATIC_ASSERT(G_N_ELEMENTS(common) <= COMMON_MAX);

/* Codes of a packed text: none; written out behind it; one that the row had before, by its place;
 * a common one; a later one of the row. */
enum {
    CODE_NONE,
    CODE_LITERAL,
    CODE_EARLY,
    CODE_COMMON = 64,
    CODE_LATE = CODE_COMMON + COMMON_MAX,
    EARLY_MAX = CODE_COMMON - CODE_EARLY,
};

/* So many texts back the writer looks for one: a message may have any number of recipients. And
 * lists of texts, by their sums. */
enum { TEXTS_SEARCHED = 256, TEXT_LISTS = 128 };

/* Longest name and zone that are put together again: no name of the DNS is longer, and a record
 * that is broken must not ask for any amount of memory. */
enum { QUERY_MAX = 1024 };

/* ---- writing ---- */

/* Texts that are found by their sums: each leads to the one before it whose sum ends alike. */
struct known_text {
    const char *text;
    uint32_t sum;
    uint32_t before; /* its place, plus one; 0: it is the first */
};

/* Texts that were written out, borrowed. Of all that there were, COUNT, the last ones are known. */
struct written_texts {
    uint32_t count;
    uint32_t newest[TEXT_LISTS]; /* places, plus one; 0: none */
    struct known_text known[TEXTS_SEARCHED];
};

/* Where a record goes. PACKED: numbers have as many bytes as they need, and a text that was there
 * before is named by its place. */
struct sink {
    GString *out;
    bool packed;
    struct written_texts *texts; /* of a packed one */
    GStringChunk *memory;        /* of some of them; NULL: not needed so far */
};

static inline void put_raw(struct sink *sink, const void *bytes, size_t size)
{
    text_append(sink->out, bytes, size);
}

static void put_varint(GString *out, uint64_t number)
{
    char bytes[10];
    size_t count = 0;
    if (number < 0x80) { /* as most */
        g_string_append_c(out, (char)number);
        return;
    }
    for (; number >= 0x80; number >>= 7)
        bytes[count++] = (char)(number | 0x80);
    bytes[count++] = (char)number;
    text_append(out, bytes, count);
}

static void put_bytes(struct sink *sink, int64_t number)
{
    int64_t little = GINT64_TO_LE(number);
    put_raw(sink, &little, sizeof little);
}

static void put_number(struct sink *sink, int64_t number)
{
    if (sink->packed) /* small ones of either sign are short */
        put_varint(sink->out, (uint64_t)number << 1 ^ (uint64_t)(number >> 63));
    else
        put_bytes(sink, number);
}

static int64_t bits_of(double number)
{
    int64_t bits;
    memcpy(&bits, &number, sizeof bits);
    return bits;
}

/* The bytes the other way round: of most scores the last ones are nothing. */
static int64_t swapped(double number)
{
    return (int64_t)GUINT64_SWAP_LE_BE((uint64_t)bits_of(number));
}

/* Of ends and length: most texts of a row differ in these. */
static uint32_t sum_of(const char *text, size_t length)
{
    uint64_t head = 0, tail = 0;
    if (length >= sizeof head) {
        memcpy(&head, text, sizeof head);
        memcpy(&tail, text + length - sizeof tail, sizeof tail);
    } else {
        memcpy(&head, text, length);
        tail = head;
    }
    uint64_t mixed =
        (head ^ (tail + length) * UINT64_C(0x9e3779b97f4a7c15)) * UINT64_C(0xc2b2ae3d27d4eb4f);
    return (uint32_t)(mixed >> 32);
}

/* The place of a common text; -1: it is none. */
static int find_common(const char *text, uint32_t sum)
{
    static struct known_text known[COMMON_MAX];
    static uint32_t newest[TEXT_LISTS];
    static gsize made;
    if (g_once_init_enter(&made)) {
        for (uint32_t i = 0; i < G_N_ELEMENTS(common); i++) {
            uint32_t its = sum_of(common[i], strlen(common[i]));
            known[i] = (struct known_text){common[i], its, newest[its % TEXT_LISTS]};
            newest[its % TEXT_LISTS] = i + 1;
        }
        g_once_init_leave(&made, 1);
    }
    for (uint32_t place = newest[sum % TEXT_LISTS]; place > 0; place = known[place - 1].before)
        if (known[place - 1].sum == sum && strcmp(known[place - 1].text, text) == 0)
            return (int)place - 1;
    return -1;
}

/* By itself: a plain text, which mail's threads write, costs less without it. */
static G_GNUC_NO_INLINE void put_packed_text(struct sink *sink, const char *text)
{
    struct written_texts *texts = sink->texts;
    size_t length = strlen(text);
    uint32_t sum = sum_of(text, length), *newest = &texts->newest[sum % TEXT_LISTS];
    for (uint32_t place = *newest; place > 0 && place + TEXTS_SEARCHED > texts->count;) {
        const struct known_text *known = &texts->known[--place % TEXTS_SEARCHED];
        if (known->sum == sum && (known->text == text || strcmp(known->text, text) == 0)) {
            put_varint(sink->out,
                       place < EARLY_MAX ? CODE_EARLY + place : CODE_LATE + place - EARLY_MAX);
            return;
        }
        place = known->before;
    }
    int place = find_common(text, sum);
    if (place >= 0) {
        put_varint(sink->out, CODE_COMMON + (unsigned)place);
        return;
    }
    put_varint(sink->out, CODE_LITERAL);
    put_raw(sink, text, length + 1);
    texts->known[texts->count % TEXTS_SEARCHED] = (struct known_text){text, sum, *newest};
    *newest = ++texts->count;
}

/* Within a field: whether there is a text, and the text. */
static void put_text(struct sink *sink, const char *text)
{
    if (sink->packed && text) {
        put_packed_text(sink, text);
        return;
    }
    g_string_append_c(sink->out, text ? 1 : 0);
    if (text)
        put_raw(sink, text, strlen(text) + 1);
}

/* The place of the field's length, which end_field fills in. */
static inline size_t begin_field(struct sink *sink, uint8_t tag)
{
    const char bytes[5] = {(char)tag};
    put_raw(sink, bytes, sink->packed ? 2 : 5);
    return sink->out->len;
}

static inline void end_field(struct sink *sink, size_t begin)
{
    size_t size = sink->out->len - begin;
    uint32_t length = GUINT32_TO_LE((uint32_t)size);
    if (!sink->packed) {
        memcpy(sink->out->str + begin - 4, &length, 4);
        return;
    }
    char bytes[8];
    gssize count = 0;
    for (; size >= 0x80; size >>= 7)
        bytes[count++] = (char)(size | 0x80);
    sink->out->str[begin - 1] = count > 0 ? bytes[0] : (char)size;
    if (count > 0) {
        bytes[count++] = (char)size;
        g_string_insert_len(sink->out, (gssize)begin, bytes + 1, count - 1);
    }
}

static void put_asked(struct sink *sink, const GArray *asked)
{
    for (guint i = 0; asked && i < asked->len; i++) {
        const struct history_asked *one = &g_array_index(asked, struct history_asked, i);
        put_number(sink, one->result);
        put_text(sink, one->name);
        put_text(sink, one->argument);
        put_text(sink, one->reply);
    }
}

static void put_numbers(const struct history_row *row, struct sink *sink)
{
    int64_t flags = 0;
    for (size_t i = 0; i < G_N_ELEMENTS(flag_fields); i++)
        flags |= (int64_t) * (const bool *)((const char *)row + flag_fields[i]) << i;
    const int64_t numbers[NUMBERS] = {
        [NUMBER_WHEN] = row->when,
        [NUMBER_ACTION] = row->action,
        [NUMBER_STAGE] = row->stage,
        [NUMBER_FLAGS] = flags,
        [NUMBER_MILLISECONDS] =
            sink->packed ? (int64_t)(row->milliseconds * 1000 + 0.5) : bits_of(row->milliseconds),
        [NUMBER_ANNOUNCED_SIZE] = (int64_t)row->announced_size,
        [NUMBER_SIZE] = (int64_t)row->size,
        [NUMBER_SCORE] = sink->packed ? swapped(row->score) : bits_of(row->score),
        [NUMBER_REQUIRED] = sink->packed ? swapped(row->required) : bits_of(row->required),
        [NUMBER_THRESHOLD] = row->threshold,
        [NUMBER_HEADER_BYTES] = (int64_t)row->header_bytes,
        [NUMBER_HEADER_LINES] = (int64_t)row->header_lines,
        [NUMBER_LEAST] = sink->packed ? swapped(row->least) : bits_of(row->least),
        [NUMBER_MOST] = sink->packed ? swapped(row->most) : bits_of(row->most),
    };
    size_t begin = begin_field(sink, TAG_NUMBERS);
    for (int i = 0; i < NUMBERS; i++)
        put_number(sink, numbers[i]);
    end_field(sink, begin);
}

static void put_recipients(const struct history_row *row, struct sink *sink)
{
    for (guint i = 0; row->recipients && i < row->recipients->len; i++) {
        const struct history_recipient *one =
            &g_array_index(row->recipients, struct history_recipient, i);
        size_t begin = begin_field(sink, TAG_RECIPIENT);
        put_number(sink, one->action);
        put_text(sink, one->address);
        put_text(sink, one->meant);
        put_text(sink, one->check);
        put_text(sink, one->reply);
        put_text(sink, one->mailer);
        put_text(sink, one->host);
        put_text(sink, one->resolved);
        put_text(sink, one->entry);
        put_asked(sink, one->asked);
        end_field(sink, begin);
    }
}

/* The name that was asked: packed, what stands before the zone where it ends in that. */
static void put_query(struct sink *sink, const struct history_list *list)
{
    size_t length = strlen(list->query), zone = strlen(list->zone);
    bool ends = sink->packed && length < QUERY_MAX && length > zone + 1 &&
                list->query[length - zone - 1] == '.' &&
                strcmp(list->query + length - zone, list->zone) == 0;
    if (sink->packed)
        put_number(sink, ends);
    if (!ends) {
        put_text(sink, list->query);
        return;
    }
    if (!sink->memory)
        sink->memory = g_string_chunk_new(256);
    put_text(sink,
             g_string_chunk_insert_len(sink->memory, list->query, (gssize)(length - zone - 1)));
}

static void put_answers(const struct history_row *row, struct sink *sink)
{
    for (guint i = 0; row->lists && i < row->lists->len; i++) {
        const struct history_list *one = &g_array_index(row->lists, struct history_list, i);
        size_t begin = begin_field(sink, TAG_LIST);
        put_number(sink, one->kind);
        put_number(sink, one->place);
        put_number(sink, one->verdict);
        put_number(sink, one->reason);
        put_number(sink, one->weight);
        put_number(sink, one->weighted);
        put_query(sink, one);
        put_text(sink, one->zone);
        put_text(sink, one->what);
        put_text(sink, one->codes);
        end_field(sink, begin);
    }
    for (guint i = 0; row->domains && i < row->domains->len; i++) {
        const struct history_domain *one = &g_array_index(row->domains, struct history_domain, i);
        size_t begin = begin_field(sink, TAG_DOMAIN);
        put_number(sink, one->kind);
        put_number(sink, one->result);
        put_text(sink, one->name);
        end_field(sink, begin);
    }
}

/* Of a packed one all tags below TAG_NUMBERS are texts, and have no length. */
static void put_texts(const struct history_row *row, struct sink *sink)
{
    for (size_t i = 0; i < G_N_ELEMENTS(text_fields); i++) {
        const char *text =
            *(const char *const *)(const void *)((const char *)row + text_fields[i].offset);
        if (text && sink->packed) {
            g_string_append_c(sink->out, (char)text_fields[i].tag);
            put_text(sink, text);
        } else if (text) {
            size_t begin = begin_field(sink, text_fields[i].tag);
            put_raw(sink, text, strlen(text) + 1);
            end_field(sink, begin);
        }
    }
}

static void put_row(const struct history_row *row, struct sink *sink)
{
    g_string_append_c(sink->out, sink->packed ? VERSION_PACKED : VERSION_PLAIN);
    put_numbers(row, sink);
    put_texts(row, sink);
    for (int kind = 0; kind < LIST_COUNT; kind++) {
        if (!row->permits[kind])
            continue;
        size_t begin = begin_field(sink, TAG_PERMIT);
        put_number(sink, kind);
        put_text(sink, row->permits[kind]);
        put_text(sink, row->permit_entries[kind]);
        end_field(sink, begin);
    }
    put_recipients(row, sink);
    for (guint i = 0; row->details && i < row->details->len; i++) {
        const struct history_detail *one = &g_array_index(row->details, struct history_detail, i);
        size_t begin = begin_field(sink, TAG_DETAIL);
        put_text(sink, one->key);
        put_text(sink, one->value);
        end_field(sink, begin);
    }
    for (guint i = 0; row->entries && i < row->entries->len; i++) {
        size_t begin = begin_field(sink, TAG_ENTRY);
        put_text(sink, g_array_index(row->entries, const char *, i));
        end_field(sink, begin);
    }
    if (row->asked && row->asked->len > 0) {
        size_t begin = begin_field(sink, TAG_ASKED);
        put_asked(sink, row->asked);
        end_field(sink, begin);
    }
    for (guint i = 0; row->rules && i < row->rules->len; i++) {
        const struct history_rule *one = &g_array_index(row->rules, struct history_rule, i);
        size_t begin = begin_field(sink, TAG_RULE);
        put_number(sink, sink->packed ? swapped(one->score) : bits_of(one->score));
        put_text(sink, one->name);
        end_field(sink, begin);
    }
    put_answers(row, sink);
}

void history_record_write(const struct history_row *row, GString *out)
{
    put_row(row, &(struct sink){.out = out});
}

void history_record_pack(const struct history_row *row, GString *out)
{
    struct written_texts texts;
    struct sink sink = {.out = out, .packed = true, .texts = &texts};
    texts.count = 0;
    memset(texts.newest, 0, sizeof texts.newest);
    put_row(row, &sink);
    if (sink.memory)
        g_string_chunk_free(sink.memory);
}

/* ---- reading ---- */

/* What is left of a field, or of the whole. GOOD is false once something was missing. */
struct cursor {
    const char *at, *end;
    bool good;
    GPtrArray *texts;        /* of a packed record: those that were met so far; NULL: it is plain */
    struct history_row *row; /* whose memory has what is put together */
};

static uint64_t get_varint(struct cursor *cursor)
{
    uint64_t number = 0;
    for (unsigned shift = 0; cursor->at < cursor->end && shift < 64; shift += 7) {
        uint8_t byte = (uint8_t)*cursor->at++;
        number |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            return number;
    }
    cursor->good = false;
    return 0;
}

static int64_t get_number(struct cursor *cursor)
{
    int64_t little = 0;
    if (cursor->texts) {
        uint64_t number = get_varint(cursor);
        return (int64_t)(number >> 1 ^ (~(number & 1) + 1));
    }
    if (cursor->end - cursor->at < (ptrdiff_t)sizeof little) {
        cursor->good = false;
        return 0;
    }
    memcpy(&little, cursor->at, sizeof little);
    cursor->at += sizeof little;
    return GINT64_FROM_LE(little);
}

static double double_of(const struct cursor *cursor, int64_t number)
{
    double value;
    uint64_t bits = (uint64_t)number;
    if (cursor->texts)
        bits = GUINT64_SWAP_LE_BE(bits);
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* A number that is the place of a word: nothing beyond LAST. */
static int get_word(struct cursor *cursor, int last)
{
    int64_t number = get_number(cursor);
    if (number >= 0 && number <= last)
        return (int)number;
    cursor->good = false;
    return 0;
}

static const char *get_text(struct cursor *cursor)
{
    if (!cursor->good || cursor->at >= cursor->end) {
        cursor->good = false;
        return NULL;
    }
    uint64_t code = cursor->texts ? get_varint(cursor) : (uint64_t)*cursor->at++;
    if (!cursor->good || code == CODE_NONE)
        return NULL;
    if (code == CODE_LITERAL || !cursor->texts) {
        const char *text = cursor->at;
        const char *end = memchr(text, '\0', (size_t)(cursor->end - text));
        if (!end) {
            cursor->good = false;
            return NULL;
        }
        cursor->at = end + 1;
        if (cursor->texts)
            g_ptr_array_add(cursor->texts, (void *)(uintptr_t)text);
        return text;
    }
    if (code >= CODE_COMMON && code < CODE_COMMON + G_N_ELEMENTS(common))
        return common[code - CODE_COMMON];
    uint64_t place = code < CODE_COMMON ? code - CODE_EARLY : code - CODE_LATE + EARLY_MAX;
    bool known = (code < CODE_COMMON || code >= CODE_LATE) && place < cursor->texts->len;
    cursor->good = known;
    return known ? cursor->texts->pdata[place] : NULL;
}

static void get_asked(struct cursor *cursor, GArray **asked_r)
{
    while (cursor->good && cursor->at < cursor->end) {
        struct history_asked one = {.result = (enum check_result)get_word(cursor, CHECK_WAIT)};
        one.name = get_text(cursor);
        one.argument = get_text(cursor);
        one.reply = get_text(cursor);
        if (!cursor->good || !one.name) {
            cursor->good = false;
            return;
        }
        if (!*asked_r)
            *asked_r = g_array_new(FALSE, FALSE, sizeof(struct history_asked));
        g_array_append_val(*asked_r, one);
    }
}

/* Appends an element to an array that is made when it is needed. */
static void append(GArray **array, const void *element, guint size)
{
    if (!*array)
        *array = g_array_new(FALSE, FALSE, size);
    g_array_append_vals(*array, element, 1);
}

static void get_numbers(struct cursor *cursor, struct history_row *row)
{
    int64_t numbers[NUMBERS] = {0};
    for (int i = 0; i < NUMBERS && cursor->at < cursor->end; i++)
        numbers[i] = get_number(cursor);
    row->when = numbers[NUMBER_WHEN];
    row->action = (enum action)numbers[NUMBER_ACTION];
    row->stage = (enum stage)numbers[NUMBER_STAGE];
    cursor->good &= numbers[NUMBER_ACTION] >= 0 && numbers[NUMBER_ACTION] < ACTION_COUNT &&
                    numbers[NUMBER_STAGE] >= 0 && numbers[NUMBER_STAGE] < STAGE_COUNT;
    row->milliseconds = cursor->texts ? (double)numbers[NUMBER_MILLISECONDS] / 1000
                                      : double_of(cursor, numbers[NUMBER_MILLISECONDS]);
    row->score = double_of(cursor, numbers[NUMBER_SCORE]);
    row->required = double_of(cursor, numbers[NUMBER_REQUIRED]);
    row->announced_size = (uint64_t)numbers[NUMBER_ANNOUNCED_SIZE];
    row->size = (uint64_t)numbers[NUMBER_SIZE];
    row->threshold = numbers[NUMBER_THRESHOLD];
    row->header_bytes = (uint64_t)numbers[NUMBER_HEADER_BYTES];
    row->header_lines = (uint64_t)numbers[NUMBER_HEADER_LINES];
    row->least = double_of(cursor, numbers[NUMBER_LEAST]);
    row->most = double_of(cursor, numbers[NUMBER_MOST]);
    for (size_t i = 0; i < G_N_ELEMENTS(flag_fields); i++)
        *(bool *)((char *)row + flag_fields[i]) = numbers[NUMBER_FLAGS] >> i & 1;
}

static void get_recipient(struct cursor *cursor, struct history_row *row)
{
    struct history_recipient one = {.action = (enum action)get_word(cursor, ACTION_COUNT - 1)};
    one.address = get_text(cursor);
    one.meant = get_text(cursor);
    one.check = get_text(cursor);
    one.reply = get_text(cursor);
    one.mailer = get_text(cursor);
    one.host = get_text(cursor);
    one.resolved = get_text(cursor);
    one.entry = get_text(cursor);
    get_asked(cursor, &one.asked);
    if (!row->recipients)
        row->recipients = history_recipients_new();
    append(&row->recipients, &one, sizeof one);
}

static void get_list(struct cursor *cursor, struct history_row *row)
{
    struct history_list one = {.kind = (enum dnsbl_kind)get_word(cursor, DNSBL_HASH)};
    one.place = (enum dnsbl_place)get_number(cursor);
    one.verdict = (enum dnsbl_verdict)get_word(cursor, DNSBL_UNKNOWN);
    one.reason = (enum dnsbl_reason)get_word(cursor, DNSBL_NO_TEST_ENTRY);
    one.weight = get_number(cursor);
    one.weighted = get_number(cursor) != 0;
    bool before_zone = cursor->texts && get_number(cursor) != 0;
    one.query = get_text(cursor);
    one.zone = get_text(cursor);
    one.what = get_text(cursor);
    one.codes = get_text(cursor);
    cursor->good &= one.query && one.zone;
    if (cursor->good && before_zone)
        cursor->good = strlen(one.query) + strlen(one.zone) < QUERY_MAX;
    if (cursor->good && before_zone) {
        g_autofree char *query = g_strconcat(one.query, ".", one.zone, NULL);
        one.query = g_string_chunk_insert(history_row_memory(cursor->row), query);
    }
    append(&row->lists, &one, sizeof one);
}

static void set_text(struct history_row *row, uint8_t tag, const char *text)
{
    if (tag > 0 && tag <= G_N_ELEMENTS(text_fields))
        *(const char **)(void *)((char *)row + text_fields[tag - 1].offset) = text;
}

static void get_field(struct history_row *row, uint8_t tag, struct cursor *cursor)
{
    int kind;
    const char *entry;
    struct history_detail detail;
    struct history_rule rule;
    struct history_domain domain;
    switch (tag) {
    case TAG_NUMBERS:
        get_numbers(cursor, row);
        return;
    case TAG_PERMIT:
        kind = get_word(cursor, LIST_COUNT - 1);
        row->permits[kind] = get_text(cursor);
        row->permit_entries[kind] = get_text(cursor);
        return;
    case TAG_RECIPIENT:
        get_recipient(cursor, row);
        return;
    case TAG_DETAIL:
        detail.key = get_text(cursor);
        detail.value = get_text(cursor);
        cursor->good &= detail.key != NULL;
        append(&row->details, &detail, sizeof detail);
        return;
    case TAG_ENTRY:
        entry = get_text(cursor);
        cursor->good &= entry != NULL;
        append(&row->entries, &entry, sizeof entry);
        return;
    case TAG_ASKED:
        get_asked(cursor, &row->asked);
        return;
    case TAG_RULE:
        rule.score = double_of(cursor, get_number(cursor));
        rule.name = get_text(cursor);
        cursor->good &= rule.name != NULL;
        append(&row->rules, &rule, sizeof rule);
        return;
    case TAG_LIST:
        get_list(cursor, row);
        return;
    case TAG_DOMAIN:
        domain.kind = (enum domaincheck_kind)get_word(cursor, DOMAINCHECK_HOST);
        domain.result = (enum domaincheck_result)get_word(cursor, DOMAINCHECK_CANNOT_TELL);
        domain.name = get_text(cursor);
        cursor->good &= domain.name != NULL;
        append(&row->domains, &domain, sizeof domain);
        return;
    default:
        break;
    }
    bool ends = cursor->at < cursor->end && cursor->end[-1] == '\0';
    cursor->good &= ends || tag >= TAG_NUMBERS;
    if (ends)
        set_text(row, tag, cursor->at);
}

/* One field; what is not known is passed over. */
static void read_field(struct history_row *row, struct cursor *all)
{
    uint8_t tag = (uint8_t)*all->at++;
    if (all->texts && tag < TAG_NUMBERS) {
        const char *text = get_text(all);
        if (text)
            set_text(row, tag, text);
        return;
    }
    uint64_t size = 0;
    if (all->texts) {
        size = get_varint(all);
    } else if (all->end - all->at >= 4) {
        uint32_t little;
        memcpy(&little, all->at, 4);
        size = GUINT32_FROM_LE(little);
        all->at += 4;
    } else {
        all->good = false;
    }
    if (!all->good || size > (uint64_t)(all->end - all->at)) {
        all->good = false;
        return;
    }
    struct cursor field = *all;
    field.end = all->at + size;
    get_field(row, tag, &field);
    all->good = field.good;
    all->at += size;
}

/* BYTES into ROW, which is empty but for its memory. */
static bool read_into(struct history_row *row_r, const char *bytes, size_t length)
{
    char version = length > 0 ? *bytes : 0;
    if (version != VERSION_PLAIN && version != VERSION_PACKED) {
        history_row_clear(row_r);
        return false;
    }
    g_autoptr(GPtrArray) texts = version == VERSION_PACKED ? g_ptr_array_sized_new(32) : NULL;
    struct cursor all = {bytes + 1, bytes + length, true, texts, row_r};
    while (all.good && all.at < all.end)
        read_field(row_r, &all);
    if (all.good)
        return true;
    history_row_clear(row_r);
    return false;
}

bool history_record_read(const void *bytes, size_t length, struct history_row *row_r)
{
    history_row_init(row_r);
    row_r->memory = g_string_chunk_new(length + 1);
    return read_into(row_r, g_string_chunk_insert_len(row_r->memory, bytes, (gssize)length),
                     length);
}

bool history_record_borrow(const void *bytes, size_t length, struct history_row *row_r)
{
    history_row_init(row_r);
    return read_into(row_r, bytes, length);
}

/* ---- all texts ---- */

typedef bool visit_text(void *data, const char *text);

static bool visit_all(const char *const *texts, size_t count, visit_text *visit, void *data)
{
    for (size_t i = 0; i < count; i++)
        if (texts[i] && !visit(data, texts[i]))
            return false;
    return true;
}

static bool visit_asked(const GArray *asked, visit_text *visit, void *data)
{
    bool more = true;
    for (guint i = 0; more && asked && i < asked->len; i++) {
        const struct history_asked *one = &g_array_index(asked, struct history_asked, i);
        const char *const texts[] = {one->name, one->argument, one->reply};
        more = visit_all(texts, G_N_ELEMENTS(texts), visit, data);
    }
    return more;
}

static bool visit_recipients(const struct history_row *row, visit_text *visit, void *data)
{
    bool more = true;
    for (guint i = 0; more && row->recipients && i < row->recipients->len; i++) {
        const struct history_recipient *one =
            &g_array_index(row->recipients, struct history_recipient, i);
        const char *const texts[] = {one->address, one->meant,  one->check, one->reply,
                                     one->entry,   one->mailer, one->host,  one->resolved};
        more = visit_all(texts, G_N_ELEMENTS(texts), visit, data) &&
               visit_asked(one->asked, visit, data);
    }
    return more;
}

static bool visit_answers(const struct history_row *row, visit_text *visit, void *data)
{
    bool more = true;
    for (guint i = 0; more && row->lists && i < row->lists->len; i++) {
        const struct history_list *one = &g_array_index(row->lists, struct history_list, i);
        const char *const texts[] = {one->query, one->zone, one->what, one->codes};
        more = visit_all(texts, G_N_ELEMENTS(texts), visit, data);
    }
    for (guint i = 0; more && row->domains && i < row->domains->len; i++)
        more =
            visit_all(&g_array_index(row->domains, struct history_domain, i).name, 1, visit, data);
    for (guint i = 0; more && row->rules && i < row->rules->len; i++)
        more = visit_all(&g_array_index(row->rules, struct history_rule, i).name, 1, visit, data);
    return more;
}

bool history_record_each_text(const struct history_row *row, visit_text *visit, void *data)
{
    bool more = true;
    for (size_t i = 0; more && i < G_N_ELEMENTS(text_fields); i++)
        more = visit_all(
            (const char *const *)(const void *)((const char *)row + text_fields[i].offset), 1,
            visit, data);
    more = more && visit_all(row->permits, LIST_COUNT, visit, data) &&
           visit_all(row->permit_entries, LIST_COUNT, visit, data) &&
           visit_recipients(row, visit, data) && visit_asked(row->asked, visit, data);
    for (guint i = 0; more && row->details && i < row->details->len; i++) {
        const struct history_detail *one = &g_array_index(row->details, struct history_detail, i);
        const char *const texts[] = {one->key, one->value};
        more = visit_all(texts, G_N_ELEMENTS(texts), visit, data);
    }
    for (guint i = 0; more && row->entries && i < row->entries->len; i++)
        more = visit_all(&g_array_index(row->entries, const char *, i), 1, visit, data);
    return more && visit_answers(row, visit, data);
}
