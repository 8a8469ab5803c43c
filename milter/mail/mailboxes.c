/* SPDX-License-Identifier: BSD-2-Clause
 *
 * First the grammar: tokens (RFC 5322 3.2), then mailboxes and groups in one pass that never goes
 * back. What it meets and the grammar does not know makes the field invalid; what leaves it open
 * where an address begins or ends makes it malformed. An invalid field is then scanned for whatever
 * stands around an "@": as it is, without comments, with encoded words decoded, and, if it is
 * malformed, with all joined that white space and the like keep apart.
 */
#include "mail/mailboxes.h"

#include <string.h>

#include "base/siphash.h"
#include "mail/mimeword.h"

/* WORD is an atom, STRAY a character that has no place where it stands; others are themselves. */
enum token_type {
    END = 0,
    WORD = 'a',
    QUOTED = '"',
    LITERAL = 'l',
    STRAY = '?',
    DOT = '.',
    AT = '@',
    OPEN = '<',
    CLOSE = '>',
    COLON = ':',
    SEMICOLON = ';',
    COMMA = ',',
};

struct token {
    const char *text;
    guint32 length;
    bool apart; /* white space or a comment stands before it */
    char type;
};

struct field_reader {
    GArray *tokens;   /* of struct token */
    guint pos;        /* the token to be looked at */
    bool valid;       /* so far all is as RFC 5322 has it */
    bool in_group;    /* its ";" is still to come */
    GHashTable *seen; /* the addresses, borrowed */
    struct mailboxes *out;
};

static void mark_invalid(struct field_reader *r)
{
    r->valid = false;
}

static void mark_malformed(struct field_reader *r)
{
    r->valid = false;
    r->out->malformed = true;
}

/* ---- tokens ---- */

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is_control(char c)
{
    return (unsigned char)c < ' ' || c == 0x7f;
}

/* What ends an atom, and the bare local part or domain that a scan looks for. Bytes above 127 are
 * letters: RFC 6532, or a program that never heard of it. */
static bool is_special(char c)
{
    return c == ' ' || is_control(c) || strchr("<>()[],;:@\"\\", c) != NULL;
}

/* The end of the quoted string, comment or domain literal that begins at P; NULL if it has none. */
static const char *enclosed_end(const char *p, const char *end, char open, char close)
{
    unsigned depth = 0;
    for (; p < end; p++) {
        if (*p == '\\' && end - p > 1)
            p++;
        else if (*p == close && (open == close ? depth == 1 : --depth == 0))
            return p + 1;
        else if (*p == open)
            depth++;
    }
    return NULL;
}

static void add_token(struct field_reader *r, const char *text, const char *end, char type,
                      bool apart)
{
    struct token token = {text, (guint32)(end - text), apart, type};
    g_array_append_val(r->tokens, token);
}

static char last_type(const struct field_reader *r)
{
    return r->tokens->len > 0 ? g_array_index(r->tokens, struct token, r->tokens->len - 1).type
                              : END;
}

/* Each kind of enclosure that does not end is looked for once only: no text costs the square of
 * its length. */
static void read_tokens(struct field_reader *r, const char *p, const char *end)
{
    const struct {
        char open, close, type;
    } kinds[] = {{'(', ')', END}, {'"', '"', QUOTED}, {'[', ']', LITERAL}};
    bool unending[G_N_ELEMENTS(kinds)] = {false};
    bool apart = false;
    while (p < end) {
        const char *next = NULL;
        char type = END;
        for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
            if (*p != kinds[i].open || unending[i] || (*p == '[' && last_type(r) != AT))
                continue;
            next = enclosed_end(p, end, kinds[i].open, kinds[i].close);
            type = kinds[i].type;
            unending[i] = !next;
            if (!next)
                mark_malformed(r);
        }
        if (is_space(*p) || (next && type == END)) {
            p = next ? next : p + 1;
            apart = true;
            continue;
        }
        if (is_control(*p) || *p == '\\') {
            mark_malformed(r);
            p++;
            continue;
        }
        if (!next) {
            type = strchr(".@<>:;,", *p) ? *p : is_special(*p) ? STRAY : WORD;
            for (next = p + 1; type == WORD && next < end && *next != '.' && !is_special(*next);)
                next++;
        }
        if (type == STRAY)
            mark_invalid(r);
        add_token(r, p, next, type, apart);
        apart = false;
        p = next;
    }
}

/* ---- what is found ---- */

static bool has_room(struct field_reader *r)
{
    r->out->truncated |= r->out->addresses->len + r->out->bare->len >= MAILBOXES_MAX;
    return !r->out->truncated;
}

/* Takes over ADDRESS. Line ends, which an encoded word may hold, are shown by no reader. */
static void add_address(struct field_reader *r, char *address)
{
    char *out = address;
    for (const char *in = address; *in; in++)
        if (*in != '\r' && *in != '\n')
            *out++ = *in;
    *out = '\0';
    /* A NUL cuts it off, in a field that is malformed for that. */
    if (!strchr(address, '@') || g_hash_table_contains(r->seen, address) || !has_room(r)) {
        g_free(address);
    } else {
        g_ptr_array_add(r->out->addresses, address);
        g_hash_table_add(r->seen, address);
    }
}

static const struct token *token_at(const struct field_reader *r, guint pos)
{
    return &g_array_index(r->tokens, struct token, pos);
}

static char type_at(const struct field_reader *r, guint pos)
{
    return pos < r->tokens->len ? token_at(r, pos)->type : (char)END;
}

static bool is_word_at(const struct field_reader *r, guint pos)
{
    return type_at(r, pos) == WORD || type_at(r, pos) == QUOTED;
}

static void append_unfolded(const char *text, size_t length, GString *out)
{
    for (size_t i = 0; i < length; i++)
        if (!strchr("\r\n", text[i]))
            g_string_append_c(out, text[i]);
}

/* Adds ADDRESS as readers know it: Outlook puts single quotes around addresses, and what seems to
 * be one across the parts of an encoded word is found where that is decoded. */
static void add_reading(struct field_reader *r, const char *address, size_t length)
{
    if (length > 2 && address[0] == '\'' && address[length - 1] == '\'') {
        address++;
        length -= 2;
    }
    if (!g_str_has_prefix(address, "=?") || address[length - 1] != '=') {
        add_address(r, g_strndup(address, length));
        return;
    }
    unsigned marks = 0;
    for (size_t i = 0; i < length; i++)
        marks += address[i] == '?';
    if (marks >= 4 && address[length - 2] == '?') {
        mark_invalid(r);
        return;
    }
    /* Not an encoded word: Python's reader drops such signs, others leave them. */
    mark_malformed(r);
    add_address(r, g_strndup(address, length));
}

/* The address of the tokens from BEGIN to END. Another one sees who decodes encoded words wherever
 * they stand, where the local part is such a word; and, where it has parts, who drops a dot behind
 * a quoted one, as Dovecot and Email::Address::XS do. */
static void add_tokens(struct field_reader *r, guint begin, guint end)
{
    g_autoptr(GString) address = g_string_new(NULL), dropped = g_string_new(NULL);
    for (guint i = begin; i < end; i++) {
        const struct token *token = token_at(r, i);
        append_unfolded(token->text, token->length, address);
        if (token->type != DOT || i == begin || type_at(r, i - 1) != QUOTED)
            append_unfolded(token->text, token->length, dropped);
    }
    add_reading(r, address->str, address->len);
    add_reading(r, dropped->str, dropped->len);
    /* Postfix makes "Boss <boss"@lab.test of a bracket that does not close. */
    const char *angle = strrchr(address->str, '<');
    if (angle) {
        g_autoptr(GString) inner = g_string_new(angle + 1);
        g_string_replace(inner, "\"", "", 0);
        if (inner->str[0] != '@')
            add_reading(r, inner->str, inner->len);
    }
    if (!strstr(address->str, "=?"))
        return;
    g_autoptr(GString) decoded = g_string_new(NULL);
    mimeword_decode(address->str, address->len, decoded);
    /* With the whole of it inside a word nothing of an address may be left. */
    if (strlen(decoded->str) == decoded->len && strchr(decoded->str, '@') &&
        !g_string_equal(decoded, address))
        add_reading(r, decoded->str, decoded->len);
}

/* Words alone, as an MTA makes a local part of them: Sendmail puts dots between them. false if
 * there are none. */
static bool add_bare(struct field_reader *r, guint begin, guint end)
{
    GString *bare = g_string_new(NULL);
    for (guint i = begin; i < end; i++) {
        const struct token *token = token_at(r, i);
        bool quoted = token->type == QUOTED;
        if (bare->len > 0 && bare->str[bare->len - 1] != '.')
            g_string_append_c(bare, '.');
        for (guint32 c = quoted; c < token->length - quoted; c++) {
            bool plain = !is_special(token->text[c]) && token->text[c] != '.';
            if (plain)
                g_string_append_c(bare, token->text[c]);
            else if (bare->len > 0 && bare->str[bare->len - 1] != '.' && token->text[c] != '\\')
                g_string_append_c(bare, '.');
        }
    }
    while (bare->len > 0 && bare->str[bare->len - 1] == '.')
        g_string_truncate(bare, bare->len - 1);
    bool found = bare->len > 0;
    if (found && has_room(r))
        g_ptr_array_add(r->out->bare, g_strdup(bare->str));
    g_string_free(bare, TRUE);
    return found;
}

/* ---- the grammar ---- */

/* Where the local part begins that ends before END; END if there is none. It is not looked for
 * before BEGIN. Some providers gave out addresses with dots side by side or at the end: every
 * reader knows what is meant. */
static guint local_begin(struct field_reader *r, guint begin, guint end)
{
    guint pos = end, words = 0;
    for (bool word = false; pos > begin && !(word && is_word_at(r, pos - 1)); pos--) {
        word = is_word_at(r, pos - 1);
        words += word;
    }
    if (words > 0 && end - pos != 2 * words - 1)
        mark_invalid(r);
    return words > 0 ? pos : end;
}

/* Where the domain ends that begins at POS; POS if there is none. */
static guint domain_end(const struct field_reader *r, guint pos)
{
    if (type_at(r, pos) == LITERAL)
        return pos + 1;
    if (type_at(r, pos) != WORD)
        return pos;
    for (pos++; type_at(r, pos) == DOT && type_at(r, pos + 1) == WORD;)
        pos += 2;
    return pos;
}

static guint words_end(const struct field_reader *r, guint pos)
{
    while (is_word_at(r, pos) || type_at(r, pos) == DOT)
        pos++;
    return pos;
}

/* Past the route at POS ("@a,@b:", RFC 5322 4.4); POS if there is none. */
static guint route_end(const struct field_reader *r, guint pos)
{
    guint p = pos;
    bool found = false;
    for (;;) {
        while (type_at(r, p) == COMMA)
            p++;
        if (type_at(r, p) != AT || domain_end(r, p + 1) == p + 1)
            break;
        p = domain_end(r, p + 1);
        found = true;
    }
    return found && type_at(r, p) == COLON ? p + 1 : pos;
}

/* Some readers join the words that stand before or behind an address with it ("bo ss@lab.test"),
 * Sendmail with dots (its BlankSub). The words begin at RUN, the address at LOCAL, its "@" is AT.
 */
static void add_joined(struct field_reader *r, guint run, guint local, guint at, guint domain)
{
    guint end = domain;
    while (type_at(r, end) == WORD || type_at(r, end) == DOT)
        end++;
    const struct {
        guint begin, end;
    } stretches[] = {{run, domain}, {local, end}, {run, end}};
    static const char *const betweens[] = {"", "."};
    if (run == local && end == domain)
        return;
    for (size_t i = 0; i < G_N_ELEMENTS(stretches); i++)
        for (size_t k = 0; k < G_N_ELEMENTS(betweens); k++) {
            g_autoptr(GString) joined = g_string_new(NULL);
            for (guint pos = stretches[i].begin; pos < stretches[i].end; pos++) {
                const struct token *token = token_at(r, pos);
                bool inside = pos > stretches[i].begin && pos != at && pos != at + 1;
                if (inside && token->apart && token->type != DOT && type_at(r, pos - 1) != DOT)
                    g_string_append(joined, betweens[k]);
                append_unfolded(token->text, token->length, joined);
            }
            add_reading(r, joined->str, joined->len);
        }
}

/* Reads "<...>" and is behind it afterwards, or behind what of it can be understood. Returns
 * whether somebody is named. */
static bool read_angle(struct field_reader *r)
{
    guint begin = route_end(r, r->pos + 1);
    if (begin > r->pos + 1)
        for (guint more; (more = route_end(r, begin)) != begin; begin = more)
            mark_invalid(r); /* there is one route at most */
    guint end = words_end(r, begin), next = end;
    bool at = type_at(r, end) == AT;
    if (at)
        next = domain_end(r, end + 1);
    bool words = end > begin && local_begin(r, begin, end) == begin;
    bool address = words && at && next > end + 1;
    bool bare = words && !at; /* <boss> */
    bool empty = !at && end == r->pos + 1;
    if (address)
        add_tokens(r, begin, next);
    if (bare)
        add_bare(r, begin, end);
    char closing = type_at(r, next);
    bool closed = closing == CLOSE;
    bool ends = closing == END || closing == COMMA || closing == SEMICOLON;
    bool whole = closed ? address || bare || empty : address && ends;
    if (!closed || !address)
        mark_invalid(r);
    if (!whole)
        mark_malformed(r);
    r->pos = whole || address ? next + closed : r->pos + 1;
    return address || bare;
}

/* Reads one mailbox, the beginning of a group, or whatever stands up to the next separator. */
static void read_element(struct field_reader *r)
{
    guint begin = r->pos, run = r->pos; /* of the words that are not used yet */
    unsigned plain = 0, angles = 0;
    bool named = false;
    for (;;) {
        char type = type_at(r, r->pos);
        if (type == WORD || type == QUOTED || type == DOT) {
            r->pos++;
        } else if (type == AT) {
            guint local = local_begin(r, run, r->pos), domain = domain_end(r, r->pos + 1);
            if (local == r->pos || domain == r->pos + 1) {
                mark_malformed(r);
                run = ++r->pos;
                continue;
            }
            if (local > begin || plain + angles > 0)
                mark_invalid(r);
            add_tokens(r, local, domain);
            add_joined(r, run, local, r->pos, domain);
            plain++;
            named = true;
            run = r->pos = domain;
        } else if (type == OPEN) {
            if (plain + angles > 0 || type_at(r, run) == DOT || run > begin)
                mark_invalid(r);
            named |= read_angle(r);
            angles++;
            run = r->pos;
        } else if (type == COLON && !r->in_group && plain + angles == 0 && run == begin &&
                   is_word_at(r, begin)) {
            r->in_group = r->out->group = true;
            r->pos++;
            return;
        } else if (type == COLON || type == STRAY || type == CLOSE || type == LITERAL) {
            mark_invalid(r);
            run = ++r->pos;
        } else {
            break;
        }
    }
    if (!named) {
        mark_invalid(r);
        if (!add_bare(r, begin, r->pos) && angles == 0)
            mark_malformed(r);
    } else if (run < r->pos) {
        mark_invalid(r); /* words behind an address are a name */
    }
}

static void read_list(struct field_reader *r)
{
    bool separated = true;
    while (type_at(r, r->pos) != END) {
        switch (type_at(r, r->pos)) {
        case COMMA:
            r->pos++;
            separated = true;
            break;
        case SEMICOLON:
            if (!r->in_group)
                mark_invalid(r);
            separated = r->in_group = false;
            r->pos++;
            break;
        default:
            if (!separated)
                mark_invalid(r);
            read_element(r);
            separated = true; /* it ended at a separator, or behind a group's ":" */
            break;
        }
    }
    if (r->in_group)
        mark_invalid(r);
}

/* ---- other readings ---- */

/* Adds what stands around each "@" of TEXT, which ends with a NUL. */
static void scan(struct field_reader *r, const char *text, size_t length)
{
    const char *run = text, *quote = NULL, *quote_before = NULL;
    for (const char *p = text, *end = text + length; p < end; p++) {
        if (*p == '"') {
            quote_before = quote;
            quote = p;
        }
        if (*p == '@') {
            const char *local = quote_before && quote == p - 1 ? quote_before : run;
            const char *stop = p + 1;
            if (*stop == '[')
                stop = enclosed_end(stop, MIN(end, stop + 256), '[', ']');
            else
                while (stop < end && !is_special(*stop))
                    stop++;
            if (stop && stop > p + 1 && local < p) {
                g_autoptr(GString) address = g_string_new(NULL);
                append_unfolded(local, (size_t)(stop - local), address);
                add_reading(r, address->str, address->len);
            }
        }
        if (is_special(*p))
            run = p + 1;
    }
}

/* Scans the tokens without comments, and without the white space that may stand around "@" and
 * ".". In place of other white space BETWEEN is put; unless that is white space, all else that may
 * keep the parts of an address from each other goes too. */
static void scan_tokens(struct field_reader *r, const char *between)
{
    g_autoptr(GString) text = g_string_new(NULL);
    bool bare = *between != ' ';
    for (guint i = 0; i < r->tokens->len; i++) {
        const struct token *token = token_at(r, i);
        char before = i > 0 ? type_at(r, i - 1) : (char)END;
        bool close = token->type == AT || token->type == DOT || before == AT || before == DOT;
        if (token->apart && !close)
            g_string_append(text, between);
        for (guint32 c = 0; c < token->length; c++)
            if (!bare || !strchr("\"\\ \t\r\n", token->text[c]))
                g_string_append_c(text, token->text[c]);
    }
    scan(r, text->str, text->len);
}

/* Appends VALUE with each encoded word decoded for itself: some readers do not join those that
 * stand side by side. */
static void decode_each(const char *value, size_t length, GString *out)
{
    for (size_t i = 0; i < length;) {
        struct mimeword word;
        if (value[i] == '=' && mimeword_at(value + i, length - i, &word)) {
            g_string_append_c(out, ' ');
            mimeword_bytes(&word, out);
            g_string_append_c(out, ' ');
            i += word.length;
        } else {
            g_string_append_c(out, value[i++]);
        }
    }
}

static void scan_all(struct field_reader *r, const char *value, size_t length)
{
    g_autoptr(GString) raw = g_string_new_len(value, (gssize)length);
    scan(r, raw->str, raw->len);
    scan_tokens(r, " ");
    if (r->out->malformed) {
        scan_tokens(r, "");
        scan_tokens(r, "."); /* Sendmail's BlankSub */
    }
    if (!g_strstr_len(value, (gssize)length, "=?"))
        return;
    g_autoptr(GString) decoded = g_string_new(NULL);
    mimeword_decode_field("From", value, length, decoded);
    scan(r, decoded->str, decoded->len);
    g_string_truncate(decoded, 0);
    decode_each(value, length, decoded);
    scan(r, decoded->str, decoded->len);
}

void mailboxes_read(const char *value, size_t length, struct mailboxes *mailboxes_r)
{
    /* An MTA drops a NUL, or what is behind it. */
    *mailboxes_r = (struct mailboxes){
        .malformed = memchr(value, '\0', length) != NULL,
        .addresses = g_ptr_array_new_with_free_func(g_free),
        .bare = g_ptr_array_new_with_free_func(g_free),
    };
    struct field_reader r = {
        .tokens = g_array_new(FALSE, FALSE, sizeof(struct token)),
        .valid = !mailboxes_r->malformed,
        .seen = g_hash_table_new(siphash_string, g_str_equal),
        .out = mailboxes_r,
    };
    read_tokens(&r, value, value + length);
    read_list(&r);
    if (!r.valid)
        scan_all(&r, value, length);
    g_hash_table_unref(r.seen);
    g_array_unref(r.tokens);
}

void mailboxes_clear(struct mailboxes *mailboxes)
{
    g_clear_pointer(&mailboxes->addresses, g_ptr_array_unref);
    g_clear_pointer(&mailboxes->bare, g_ptr_array_unref);
    *mailboxes = (struct mailboxes){0};
}
