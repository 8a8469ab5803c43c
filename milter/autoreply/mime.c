/* SPDX-License-Identifier: BSD-2-Clause
 *
 * GMime, started once, bounded, with its text in UTF-8. Of parts and messages within each other
 * GMime's own parser takes apart 1024 levels; of groups in addresses, see below.
 */
#include "mime.h"

#include <string.h>

#include "mail/charset.h"
#include "mail/mimeparam.h"
#include "mime_fields.h"

/* What is looked at to tell whether a file without a type is a message. */
enum { SNIFF_MAX = 2048 };

void mime_start(void)
{
    static gsize started = 0;
    if (g_once_init_enter(&started)) {
        g_mime_init();
        g_once_init_leave(&started, 1);
    }
}

/* --- what would cost GMime too much --- */

/* GMime reads groups ("a: b: c:") within groups by recursion without a bound, at once, for every
 * message it meets: a megabyte of colons in an attached To: runs through any stack. Real fields
 * have one group, and a colon or two within addresses. */
enum { COLONS_MAX = 32 };

/* And it makes an object of a kilobyte for each part, of hundreds of bytes for each field, address
 * and parameter: a megabyte of the smallest ones takes two hundred. More of them than this in one
 * message are no longer seen as such, but as the text that they are. */
enum { PARTS_MAX = 1000, FIELDS_MAX = 10000, ITEMS_MAX = 5000 };

/* Boundaries that lines are compared with. */
enum { KNOWN_MAX = 20 };

struct budget {
    unsigned parts, fields, items; /* met so far */
};

enum field_kind { FIELD_OTHER, FIELD_ADDRESSES, FIELD_PARAMETERS };

static const struct {
    const char *name;
    enum field_kind kind;
} costly_fields[] = {
    {"from", FIELD_ADDRESSES},
    {"sender", FIELD_ADDRESSES},
    {"reply-to", FIELD_ADDRESSES},
    {"to", FIELD_ADDRESSES},
    {"cc", FIELD_ADDRESSES},
    {"bcc", FIELD_ADDRESSES},
    {"content-type", FIELD_PARAMETERS},
    {"content-disposition", FIELD_PARAMETERS},
};

/* The colon of the field that LINE begins, as far as one line tells; NULL: it begins none. */
static char *field_colon(char *line, const char *end)
{
    char *p = line;
    while (p < end && (unsigned char)*p > ' ' && *p != ':')
        p++;
    const char *name_end = p;
    while (p < end && (*p == ' ' || *p == '\t'))
        p++;
    return p < end && *p == ':' && name_end > line ? p : NULL;
}

static enum field_kind field_kind(const char *line, const char *colon)
{
    size_t length = (size_t)(colon - line);
    while (length > 0 && (line[length - 1] == ' ' || line[length - 1] == '\t'))
        length--;
    for (size_t i = 0; i < G_N_ELEMENTS(costly_fields); i++)
        if (strlen(costly_fields[i].name) == length &&
            g_ascii_strncasecmp(line, costly_fields[i].name, length) == 0)
            return costly_fields[i].kind;
    return FIELD_OTHER;
}

/* Blanks what is beyond its bound in a line of a field; *COLONS counts those of the field. Whether
 * a parameter went, which may have said what a part is. */
static bool tame_items(char *line, const char *end, enum field_kind kind, unsigned *colons,
                       struct budget *met)
{
    bool parameter = false;
    for (char *p = line; kind != FIELD_OTHER && p < end; p++) {
        met->items += *p == ';' || (*p == ',' && kind == FIELD_ADDRESSES);
        *colons += *p == ':' && kind == FIELD_ADDRESSES;
        if ((met->items > ITEMS_MAX && *p != '\n') || (*colons > COLONS_MAX && *p == ':')) {
            parameter |= kind == FIELD_PARAMETERS;
            *p = ' ';
        }
    }
    return parameter;
}

static void move_offsets(GArray *from, GArray *to)
{
    g_array_append_vals(to, from->data, from->len);
    g_array_set_size(from, 0);
}

/* Whether LINE begins with one of BOUNDARIES, each with its "--". */
static bool begins_with_one(const char *line, const char *end, const GPtrArray *boundaries)
{
    for (guint i = 0; i < boundaries->len; i++) {
        size_t length = strlen(boundaries->pdata[i]);
        if ((size_t)(end - line) >= length && memcmp(line, boundaries->pdata[i], length) == 0)
            return true;
    }
    return false;
}

/* What is taken out of a message, and what that may mean. */
struct taming {
    GPtrArray *boundaries; /* in: those that are known, with "--" before them */
    GArray *doubts; /* out: size_t, offsets of lines that begin with "--": if one of them is a
                       boundary, another structure may have come of what was taken out */
};

/* Changes only what is beyond the bounds, bytes to blanks, in TEXT, the copy that is parsed. What
 * begins like a field or a boundary counts as one, wherever it is; known boundaries, and what is
 * below them up to the next empty line, are counted by themselves, that no long text takes their
 * room. */
static void tame(char *text, size_t size, struct taming *taming)
{
    g_autoptr(GArray) begun = g_array_new(FALSE, FALSE, sizeof(size_t)); /* since the empty line */
    const char *end = text + size;
    struct budget budgets[2] = {0};
    bool known = false;
    enum field_kind kind = FIELD_OTHER;
    unsigned colons = 0;
    for (char *line = text; line < end;) {
        char *next = memchr(line, '\n', (size_t)(end - line));
        next = next ? next + 1 : text + size;
        if (*line == '\n' || *line == '\r') {
            g_array_set_size(begun, 0);
            known = false;
        }
        bool dashes = next - line > 2 && line[0] == '-' && line[1] == '-';
        known |= dashes && begins_with_one(line, next, taming->boundaries);
        struct budget *met = &budgets[known];
        if (*line != ' ' && *line != '\t') {
            char *colon = field_colon(line, next);
            kind = colon ? field_kind(line, colon) : FIELD_OTHER;
            colons = 0;
            if (colon && ++met->fields > FIELDS_MAX) {
                move_offsets(begun, taming->doubts);
                *colon = ' ';
            }
            if (dashes) {
                size_t offset = (size_t)(line - text);
                bool kept = ++met->parts <= PARTS_MAX;
                g_array_append_val(kept ? begun : taming->doubts, offset);
                *line = kept ? '-' : ' ';
            }
        }
        if (tame_items(line, next, kind, &colons, met))
            move_offsets(begun, taming->doubts);
        line = next;
    }
}

static GMimeStream *tame_stream(const char *text, size_t size, struct taming *taming)
{
    GMimeStream *stream = g_mime_stream_mem_new_with_buffer(text, size);
    GByteArray *bytes = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(stream));
    g_array_set_size(taming->doubts, 0);
    if (size > 0)
        tame((char *)bytes->data, bytes->len, taming);
    return stream;
}

static void add_boundaries_of(GMimeObject *object, unsigned depth, GPtrArray *boundaries)
{
    if (depth >= MIME_DEPTH_MAX || !object || !GMIME_IS_MULTIPART(object))
        return;
    GMimeMultipart *multipart = GMIME_MULTIPART(object);
    const char *boundary = g_mime_multipart_get_boundary(multipart);
    if (boundary)
        g_ptr_array_add(boundaries, g_strconcat("--", boundary, NULL));
    int count = g_mime_multipart_get_count(multipart);
    for (int i = 0; i < count; i++)
        add_boundaries_of(g_mime_multipart_get_part(multipart, i), depth + 1, boundaries);
}

/* Whether another structure may have come of what was taken out of TEXT, whose parts are TOP's; and
 * the boundaries of these. Up to the first line of it that matters, what was parsed is what would
 * have been: the multipart of that line's boundary is in TOP. What is in attached messages, or
 * deeper than is looked at, counts as a quotation anyhow. */
static bool is_cut(GMimeObject *top, const char *text, size_t size, struct taming *taming)
{
    g_ptr_array_set_size(taming->boundaries, 0);
    if (taming->doubts->len == 0)
        return false;
    add_boundaries_of(top, 0, taming->boundaries);
    if (taming->boundaries->len > KNOWN_MAX)
        return true;
    for (guint i = 0; i < taming->doubts->len; i++)
        if (begins_with_one(text + g_array_index(taming->doubts, size_t, i), text + size,
                            taming->boundaries))
            return true;
    return false;
}

static struct taming taming_new(void)
{
    return (struct taming){g_ptr_array_new_with_free_func(g_free),
                           g_array_new(FALSE, FALSE, sizeof(size_t))};
}

static void taming_clear(struct taming *taming)
{
    g_ptr_array_unref(taming->boundaries);
    g_array_unref(taming->doubts);
}

static GMimeMessage *parse_stream(GMimeStream *stream)
{
    GMimeParser *parser = g_mime_parser_new_with_stream(stream);
    GMimeMessage *message = g_mime_parser_construct_message(parser, NULL);
    g_object_unref(parser);
    return message;
}

/* --- the fields of parts, as they may be read --- */

static const char doubtful_key[] = "gatepost-doubtful";

static GMimeContentEncoding gmime_encoding(unsigned encoding)
{
    switch (encoding) {
    case MIME_BASE64:
        return GMIME_CONTENT_ENCODING_BASE64;
    case MIME_QUOTED_PRINTABLE:
        return GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE;
    case MIME_UUENCODE:
        return GMIME_CONTENT_ENCODING_UUENCODE;
    default:
        return GMIME_CONTENT_ENCODING_DEFAULT;
    }
}

static bool is_encoded(GMimeContentEncoding encoding)
{
    return encoding == GMIME_CONTENT_ENCODING_BASE64 ||
           encoding == GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE ||
           encoding == GMIME_CONTENT_ENCODING_UUENCODE;
}

/* Gives a part within the message the type and encoding that its fields may mean and GMime does not
 * read; one that may mean several is marked. */
static void reread_part(GMimeObject *part)
{
    GMimeHeaderList *list = g_mime_object_get_header_list(part);
    g_autoptr(GPtrArray) types = g_ptr_array_new_with_free_func(g_free);
    unsigned encodings = 0;
    for (int i = 0; i < g_mime_header_list_get_count(list); i++) {
        GMimeHeader *header = g_mime_header_list_get_header_at(list, i);
        bool type = g_ascii_strcasecmp(g_mime_header_get_name(header), "Content-Type") == 0;
        if (!type &&
            g_ascii_strcasecmp(g_mime_header_get_name(header), "Content-Transfer-Encoding") != 0)
            continue;
        const char *raw = g_mime_header_get_raw_value(header);
        g_autofree char *value = g_strstrip(g_strdelimit(g_strdup(raw ? raw : ""), "\r\n", ' '));
        if (type)
            mime_fields_type(types, value);
        else
            encodings |= mime_fields_encoding(value);
    }
    bool leaf = GMIME_IS_PART(part);
    if (types->len > 1 || (leaf && (encodings & (encodings - 1)) != 0)) {
        g_object_set_data(G_OBJECT(part), doubtful_key, part);
        return;
    }
    if (types->len == 1 && leaf) {
        GMimeContentType *type = g_mime_content_type_parse(NULL, types->pdata[0]);
        g_autofree char *meant = g_mime_content_type_get_mime_type(type), *now = mime_type(part);
        if (g_ascii_strcasecmp(meant, now) != 0)
            g_mime_object_set_content_type(part, type);
        g_object_unref(type);
    }
    GMimeContentEncoding meant = gmime_encoding(encodings);
    if (leaf && is_encoded(meant) && g_mime_part_get_content_encoding(GMIME_PART(part)) != meant) {
        GMimeDataWrapper *content = g_mime_part_get_content(GMIME_PART(part));
        g_mime_part_set_content_encoding(GMIME_PART(part), meant);
        if (content)
            g_mime_data_wrapper_set_encoding(content, meant);
    }
}

/* All parts that mime_walk may come to. */
static void reread(GMimeObject *object, unsigned depth, unsigned *left)
{
    if (!object || depth >= MIME_DEPTH_MAX || *left == 0)
        return;
    (*left)--;
    if (depth > 0)
        reread_part(object);
    if (!GMIME_IS_MULTIPART(object))
        return;
    int count = g_mime_multipart_get_count(GMIME_MULTIPART(object));
    for (int i = 0; i < count; i++)
        reread(g_mime_multipart_get_part(GMIME_MULTIPART(object), i), depth + 1, left);
}

static GMimeMessage *parse_tamed(const char *head, const char *body, size_t size,
                                 struct taming *taming)
{
    GMimeStream *cat = g_mime_stream_cat_new();
    GMimeStream *first = g_mime_stream_mem_new_with_buffer(head, strlen(head));
    GMimeStream *second = tame_stream(body, size, taming);
    g_mime_stream_cat_add_source(GMIME_STREAM_CAT(cat), first);
    g_mime_stream_cat_add_source(GMIME_STREAM_CAT(cat), second);
    GMimeMessage *message = parse_stream(cat);
    g_object_unref(first);
    g_object_unref(second);
    g_object_unref(cat);
    return message;
}

/* The message under HEAD, its MIME fields. *CUT_R: it has parts, and may have others than these. */
static GMimeMessage *parse_under(const char *head, const char *body, size_t size, bool *cut_r)
{
    struct taming taming = taming_new();
    GMimeMessage *message = parse_tamed(head, body, size, &taming);
    *cut_r = is_cut(g_mime_message_get_mime_part(message), body, size, &taming);
    /* once more, now that it is known which lines are boundaries */
    if (*cut_r && taming.boundaries->len <= KNOWN_MAX) {
        g_object_unref(message);
        message = parse_tamed(head, body, size, &taming);
        *cut_r = is_cut(g_mime_message_get_mime_part(message), body, size, &taming);
    }
    taming_clear(&taming);
    unsigned left = MIME_PARTS_MAX + 1;
    reread(g_mime_message_get_mime_part(message), 0, &left);
    return message;
}

/* Adds to TYPES the readings of the multipart type VALUE, which is among them, by each boundary
 * that it names beside the one that GMime takes. */
static void add_boundaries(GPtrArray *types, const char *value)
{
    if (g_ascii_strncasecmp(value, "multipart/", strlen("multipart/")) != 0)
        return;
    GMimeContentType *type = g_mime_content_type_parse(NULL, value);
    const char *taken = g_mime_content_type_get_parameter(type, "boundary");
    g_autoptr(GPtrArray) boundaries = mimeparam_all(value, strlen(value), "boundary");
    for (guint i = 0; i < boundaries->len; i++) {
        if (g_strcmp0(boundaries->pdata[i], taken) == 0)
            continue;
        g_autofree char *escaped = g_strescape(boundaries->pdata[i], NULL);
        g_ptr_array_add(types, g_strdup_printf("multipart/mixed; boundary=\"%s\"", escaped));
    }
    g_object_unref(type);
}

/* The readings of all Content-Type fields, and of all Content-Transfer-Encoding fields: values. */
static void read_fields(const struct autoreply_headers *headers, GPtrArray *types,
                        GPtrArray *encodings)
{
    static const struct {
        enum mime_encoding encoding;
        const char *name;
    } names[] = {{MIME_IDENTITY, "8bit"},
                 {MIME_BASE64, "base64"},
                 {MIME_QUOTED_PRINTABLE, "quoted-printable"},
                 {MIME_UUENCODE, "x-uuencode"}};
    unsigned met = 0;
    for (unsigned i = 0; i < AUTOREPLY_FIELDS_MAX; i++) {
        g_autofree char *type = autoreply_header_line(headers, "Content-Type", i);
        g_autofree char *encoding = autoreply_header_line(headers, "Content-Transfer-Encoding", i);
        guint before = types->len;
        if (type)
            mime_fields_type(types, type);
        for (guint k = before, read = types->len; k < read; k++)
            add_boundaries(types, types->pdata[k]);
        unsigned found = encoding ? mime_fields_encoding(encoding) & ~met : 0;
        for (size_t k = 0; k < G_N_ELEMENTS(names); k++)
            if (found & names[k].encoding) {
                /* as it stands where GMime reads it so, so that it stays as it is */
                GMimeContentEncoding read = g_mime_content_encoding_from_string(encoding);
                bool known = names[k].encoding == MIME_IDENTITY
                                 ? read != GMIME_CONTENT_ENCODING_DEFAULT && !is_encoded(read)
                                 : read == gmime_encoding(names[k].encoding);
                g_ptr_array_add(encodings, g_strdup(known ? encoding : names[k].name));
            }
        met |= found;
    }
}

struct autoreply_parsed *autoreply_parse(const struct autoreply_headers *headers, const char *body,
                                         size_t size)
{
    mime_start();
    struct autoreply_parsed *parsed = g_new0(struct autoreply_parsed, 1);
    parsed->messages = g_ptr_array_new_with_free_func(g_object_unref);
    g_autoptr(GPtrArray) types = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GPtrArray) encodings = g_ptr_array_new_with_free_func(g_free);
    read_fields(headers, types, encodings);
    g_autofree char *disposition = autoreply_header_line(headers, "Content-Disposition", 0);
    for (guint t = 0; t < MAX(types->len, 1); t++)
        for (guint e = 0; e < MAX(encodings->len, 1); e++) {
            if (parsed->messages->len >= AUTOREPLY_READINGS_MAX) {
                parsed->more = true;
                return parsed;
            }
            /* no header at all is no message */
            g_autoptr(GString) head = g_string_new("Subject: x\nMIME-Version: 1.0\n");
            if (t < types->len)
                g_string_append_printf(head, "Content-Type: %s\n", (char *)types->pdata[t]);
            if (e < encodings->len)
                g_string_append_printf(head, "Content-Transfer-Encoding: %s\n",
                                       (char *)encodings->pdata[e]);
            if (disposition)
                g_string_append_printf(head, "Content-Disposition: %s\n", disposition);
            g_string_append_c(head, '\n');
            bool cut;
            g_ptr_array_add(parsed->messages, parse_under(head->str, body, size, &cut));
            parsed->more |= cut;
        }
    return parsed;
}

void autoreply_parsed_free(struct autoreply_parsed *parsed)
{
    if (!parsed)
        return;
    g_ptr_array_unref(parsed->messages);
    g_free(parsed);
}

GMimeMessage *mime_parse_whole(const char *text, size_t size)
{
    mime_start();
    struct taming taming = taming_new();
    GMimeStream *stream = tame_stream(text, size, &taming);
    taming_clear(&taming);
    GMimeMessage *message = parse_stream(stream);
    unsigned left = MIME_PARTS_MAX + 1;
    if (message)
        reread(g_mime_message_get_mime_part(message), 0, &left);
    g_object_unref(stream);
    return message;
}

char *mime_type(GMimeObject *part)
{
    return g_mime_content_type_get_mime_type(g_mime_object_get_content_type(part));
}

/* Whether DATA is base64 without padding, and nothing else but white space. */
static bool is_base64(const guint8 *data, guint length)
{
    guint digits = 0;
    for (guint i = 0; i < length; i++) {
        bool digit = g_ascii_isalnum(data[i]) || data[i] == '+' || data[i] == '/';
        if (!digit && !g_ascii_isspace(data[i]))
            return false;
        digits += digit;
    }
    return digits % 4 != 1;
}

/* Decodes base64 in place. Behind padding it begins anew, as where texts were encoded one by one:
 * GMime ends there, other readers go on. It ends where something else follows, as the footer of a
 * list or of a scanner. */
static void decode_base64(GByteArray *bytes)
{
    guint to = 0;
    for (guint from = 0; from < bytes->len;) {
        const guint8 *end = memchr(bytes->data + from, '=', bytes->len - from);
        guint length = (end ? (guint)(end - bytes->data) : bytes->len) - from;
        if (from > 0 && !is_base64(bytes->data + from, length))
            break;
        gint state = 0;
        guint save = 0;
        guint8 rest[3];
        to += (guint)g_base64_decode_step((const char *)bytes->data + from, length,
                                          bytes->data + to, &state, &save);
        guint more = (guint)g_base64_decode_step("==", 2, rest, &state, &save);
        memcpy(bytes->data + to, rest, more);
        to += more;
        from += length + 1;
    }
    g_byte_array_set_size(bytes, to);
}

/* Raw bytes of a leaf, decoded from its transfer encoding, LIMIT of them at most. */
static GByteArray *leaf_bytes(GMimeObject *part, gint64 limit)
{
    GMimeDataWrapper *content =
        GMIME_IS_PART(part) ? g_mime_part_get_content(GMIME_PART(part)) : NULL;
    GMimeStream *memory = g_mime_stream_mem_new();
    g_mime_stream_mem_set_owner(GMIME_STREAM_MEM(memory), FALSE);
    GByteArray *bytes = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(memory));
    bool base64 =
        content && g_mime_data_wrapper_get_encoding(content) == GMIME_CONTENT_ENCODING_BASE64;
    if (base64) {
        GMimeStream *encoded = g_mime_data_wrapper_get_stream(content);
        g_mime_stream_reset(encoded);
        g_mime_stream_write_to_stream(encoded, memory);
        decode_base64(bytes);
    } else if (content) {
        g_mime_data_wrapper_write_to_stream(content, memory);
    }
    g_object_unref(memory);
    if (limit >= 0 && bytes->len > (guint)limit)
        g_byte_array_set_size(bytes, (guint)limit);
    return bytes;
}

static bool begins_as_message(GMimeObject *part)
{
    static const char *const fields[] = {
        "received:", "return-path:",  "from:",         "date:",         "message-id:", "subject:",
        "to:",       "mime-version:", "delivered-to:", "content-type:", "x-"};
    GByteArray *bytes = leaf_bytes(part, SNIFF_MAX);
    g_autofree char *text = g_strndup(bytes->len ? (const char *)bytes->data : "", bytes->len);
    g_byte_array_unref(bytes);
    g_autofree char *folded = g_ascii_strdown(text, -1);
    g_auto(GStrv) lines = g_strsplit(folded, "\n", 12);
    unsigned found = 0;
    for (size_t i = 0; lines[i] && i < 11; i++)
        for (size_t k = 0; k < G_N_ELEMENTS(fields); k++)
            if (g_str_has_prefix(lines[i], fields[k])) {
                found++;
                break;
            }
    return found >= 3;
}

static bool named_as_message(GMimeObject *part)
{
    const char *name = GMIME_IS_PART(part) ? g_mime_part_get_filename(GMIME_PART(part)) : NULL;
    if (!name)
        return false;
    g_autofree char *folded = g_ascii_strdown(name, -1);
    return g_str_has_suffix(folded, ".eml") || g_str_has_suffix(folded, ".msg") ||
           g_str_has_suffix(folded, ".mbox");
}

enum mime_kind mime_kind(GMimeObject *part)
{
    static const struct {
        const char *type, *subtype;
        enum mime_kind kind;
    } kinds[] = {
        {"text", "html", MIME_HTML},
        {"application", "xhtml+xml", MIME_HTML},
        {"text", "enriched", MIME_HTML}, /* RFC 1896: its <excerpt> is HTML's <blockquote> */
        {"text", "rfc822-headers", MIME_RETURNED},
        {"text", "calendar", MIME_OTHER},
        {"text", "x-vcard", MIME_OTHER},
        {"text", "vcard", MIME_OTHER},
        {"message", "external-body", MIME_OTHER},
        {"message", "disposition-notification", MIME_OTHER},
        {"message", "*", MIME_RETURNED},
        {"application", "vnd.ms-outlook", MIME_RETURNED},
        {"application", "mbox", MIME_RETURNED},
        {"application", "pkcs7-mime", MIME_DOUBTFUL}, /* a whole message, sealed */
        {"application", "x-pkcs7-mime", MIME_DOUBTFUL},
        {"application", "pgp-encrypted", MIME_DOUBTFUL},
    };
    if (g_object_get_data(G_OBJECT(part), doubtful_key))
        return MIME_DOUBTFUL;
    GMimeContentType *type = g_mime_object_get_content_type(part);
    if (g_mime_content_type_is_type(type, "multipart", "encrypted"))
        return MIME_DOUBTFUL; /* one thing: no part of it says anything without the others */
    if (GMIME_IS_MULTIPART(part))
        return MIME_MULTIPART;
    if (GMIME_IS_MESSAGE_PART(part))
        return MIME_MESSAGE;
    const char *smime = g_mime_content_type_get_parameter(type, "smime-type");
    if (smime && g_ascii_strcasecmp(smime, "certs-only") == 0 &&
        (g_mime_content_type_is_type(type, "application", "pkcs7-mime") ||
         g_mime_content_type_is_type(type, "application", "x-pkcs7-mime")))
        return MIME_OTHER; /* RFC 8551 3.8: no text in it */
    if (named_as_message(part))
        return MIME_RETURNED;
    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++)
        if (g_mime_content_type_is_type(type, kinds[i].type, kinds[i].subtype))
            return kinds[i].kind;
    if (g_mime_content_type_is_type(type, "text", "*"))
        return MIME_TEXT;
    if (g_mime_content_type_is_type(type, "application", "octet-stream") && begins_as_message(part))
        return MIME_RETURNED;
    return MIME_OTHER;
}

struct walk {
    mime_visitor *visit;
    void *context;
    unsigned left;
};

static bool walk_object(struct walk *walk, GMimeObject *object, const char *path, unsigned depth);

static bool walk_object(struct walk *walk, GMimeObject *object, const char *path, unsigned depth)
{
    if (!object)
        return true;
    if (depth >= MIME_DEPTH_MAX || walk->left == 0)
        return false;
    walk->left--;
    enum mime_kind kind = mime_kind(object);
    if (kind == MIME_MULTIPART) {
        walk->visit(walk->context, object, kind, *path ? path : "0");
        GMimeMultipart *multipart = GMIME_MULTIPART(object);
        int count = g_mime_multipart_get_count(multipart);
        bool whole = true;
        for (int i = 0; i < count && walk->left > 0; i++) {
            g_autofree char *child =
                *path ? g_strdup_printf("%s.%d", path, i + 1) : g_strdup_printf("%d", i + 1);
            whole &= walk_object(walk, g_mime_multipart_get_part(multipart, i), child, depth + 1);
        }
        return whole && (walk->left > 0 || count == 0);
    }
    const char *name = *path ? path : "1";
    if (!walk->visit(walk->context, object, kind, name) || kind != MIME_MESSAGE)
        return true;
    GMimeMessage *inner = g_mime_message_part_get_message(GMIME_MESSAGE_PART(object));
    return !inner || walk_object(walk, g_mime_message_get_mime_part(inner), name, depth + 1);
}

bool mime_walk(GMimeMessage *message, mime_visitor *visit, void *context)
{
    struct walk walk = {visit, context, MIME_PARTS_MAX + 1};
    return walk_object(&walk, g_mime_message_get_mime_part(message), "", 0);
}

bool mime_has_late_parts(GMimeMultipart *multipart)
{
    const char *boundary = g_mime_multipart_get_boundary(multipart);
    const char *epilogue = g_mime_multipart_get_epilogue(multipart);
    if (!boundary || !epilogue)
        return false;
    g_autofree char *begin = g_strconcat("\n--", boundary, NULL);
    g_autofree char *text = g_strconcat("\n", epilogue, NULL);
    for (const char *p = text; (p = strstr(p, begin));) {
        p += strlen(begin);
        if (*p != '-') /* its end may be said twice */
            return true;
    }
    return false;
}

/* The iconv name of a charset that PART declares, NULL if it declares none that is known. A name
 * with a slash would reach into iconv's own options. */
static const char *declared_charset(GMimeObject *part)
{
    const char *given = g_mime_object_get_content_type_parameter(part, "charset");
    g_autofree char *name = given ? g_strstrip(g_strdup(given)) : NULL;
    if (!name || !*name || strlen(name) >= CHARSET_NAME_MAX)
        return NULL;
    for (const char *p = name; *p; p++)
        if (!g_ascii_isalnum(*p) && !strchr("-_.:", *p))
            return NULL;
    return g_mime_charset_iconv_name(name);
}

static char *try_convert(const GByteArray *bytes, const char *charset, gsize *size_r)
{
    return g_convert(bytes->len ? (const char *)bytes->data : "", bytes->len, "UTF-8", charset,
                     NULL, size_r, NULL);
}

static bool is_utf8_name(const char *charset)
{
    return g_ascii_strcasecmp(charset, "UTF-8") == 0 ||
           g_ascii_strcasecmp(charset, "US-ASCII") == 0;
}

/* Whether more characters beyond ASCII are UTF-8 than bytes are not: what was cut within a
 * character is; Latin-1 is not, whatever it says of itself. */
static bool is_mostly_utf8(const char *data, size_t size)
{
    size_t good = 0, bad = 0, used;
    if (charset_is_ascii(data, size)) /* as most are */
        return true;
    for (size_t i = 0; i < size; i += used) {
        int c = charset_utf8_next(data + i, size - i, &used);
        good += c >= 0x80;
        bad += c < 0;
    }
    return good > bad || bad == 0;
}

/* The text of BYTES that are not, or not wholly, in another charset than UTF-8, the DECLARED one
 * (NULL: none that is known). As readers show it: what is out of order becomes U+FFFD. */
static GString *read_leniently(const GByteArray *bytes, const char *declared,
                               const char **charset_r)
{
    const char *data = bytes->len ? (const char *)bytes->data : "";
    char name[CHARSET_NAME_MAX];
    bool foreign = declared && !is_utf8_name(declared) &&
                   (charset_is_ascii(data, bytes->len) || !charset_is_utf8(data, bytes->len));
    *charset_r = foreign ? declared : is_mostly_utf8(data, bytes->len) ? "UTF-8" : "ISO-8859-1";
    charset_canonical(*charset_r, strlen(*charset_r), name);
    GString *text = g_string_sized_new(bytes->len);
    charset_to_utf8(name, data, bytes->len, text);
    return text;
}

void mime_get_text(GMimeObject *part, struct mime_text *text_r)
{
    GByteArray *bytes = leaf_bytes(part, -1);
    const char *charset = declared_charset(part);
    gsize size = 0;
    *text_r = (struct mime_text){.charset = charset};
    if (charset && !is_utf8_name(charset))
        text_r->text = try_convert(bytes, charset, &size);
    if (!text_r->text) {
        GString *text = read_leniently(bytes, charset, &text_r->charset);
        size = text->len;
        text_r->text = g_string_free(text, FALSE);
    }
    text_r->size = size;
    for (size_t i = 0; i < size; i++) /* would end every string function's view */
        if (text_r->text[i] == '\0')
            text_r->text[i] = ' ';
    g_byte_array_unref(bytes);
}

bool mime_text_is_html(enum mime_kind kind, const struct mime_text *text)
{
    static const char *const begins[] = {"<html", "<!doctype html"};
    const char *p = text->text + strspn(text->text, " \t\r\n");
    if (g_str_has_prefix(p, "\xef\xbb\xbf"))
        p += strlen("\xef\xbb\xbf");
    for (size_t i = 0; i < G_N_ELEMENTS(begins); i++)
        if (kind == MIME_TEXT && g_ascii_strncasecmp(p, begins[i], strlen(begins[i])) == 0)
            return true;
    return kind == MIME_HTML;
}

void mime_text_clear(struct mime_text *text)
{
    g_free(text->text);
    *text = (struct mime_text){0};
}

void mime_set_text(GMimeObject *part, const struct mime_text *old, const char *text)
{
    gsize size = strlen(text);
    g_autofree char *converted = NULL;
    /* glibc's writer of ISO-2022-CN-EXT has overrun its buffer before: nobody mails in it */
    if (!is_utf8_name(old->charset) && !strstr(old->charset, "2022-CN") &&
        !strstr(old->charset, "2022-cn"))
        converted = g_convert(text, -1, old->charset, "UTF-8", NULL, &size, NULL);
    if (!converted) {
        size = strlen(text);
        if (!is_utf8_name(old->charset))
            g_mime_object_set_content_type_parameter(part, "charset", "utf-8");
    }
    GMimeStream *stream = g_mime_stream_mem_new_with_buffer(converted ? converted : text, size);
    GMimeDataWrapper *content =
        g_mime_data_wrapper_new_with_stream(stream, GMIME_CONTENT_ENCODING_DEFAULT);
    g_mime_part_set_content(GMIME_PART(part), content);
    g_object_unref(content);
    g_object_unref(stream);
}
