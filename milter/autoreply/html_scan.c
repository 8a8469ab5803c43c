/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A scanner for the HTML of mail clients.
 */
#include "html_scan.h"

#include <stdbool.h>
#include <string.h>

enum { NAME_LENGTH_MAX = 16, ENTITY_MAX = 10, PRE_KINDS = 5 };

/* What an element does to the text in it. */
enum quoting {
    QUOTING_NONE,
    QUOTING_INSIDE, /* what it holds is quoted */
    QUOTING_TAIL,   /* it begins the original, which runs to the end of the document */
};

struct element {
    char name[NAME_LENGTH_MAX];
    unsigned name_length;
    bool quotes, keeps_lines;
};

struct scanner {
    const char *source, *end, *p;
    struct html *html;
    struct element open[HTML_DEPTH_MAX];
    unsigned depth;
    unsigned overflow; /* open elements beyond HTML_DEPTH_MAX */
    unsigned quoted;   /* depth from 1 of the element that quotes; 0: none */
    bool tail;
    bool pending; /* the last find has no text yet */
    unsigned line;
    bool line_open;               /* the current line of the text has begun */
    bool space;                   /* white space waits for the next word */
    unsigned pre;                 /* open elements that keep lines as they are in the source */
    unsigned pre_open[PRE_KINDS]; /* of them, those that do by their name */
    bool pre_loose;               /* so does one that is not on the stack, up to the next block */
    const char *rule;             /* a <hr> after which no text has come */
    bool no_comment_end;          /* there is none from here on */
};

/* --- text --- */

static void end_line(struct scanner *s)
{
    if (s->line_open)
        g_string_append_c(s->html->text, '\n');
    s->line_open = false;
    s->space = false;
}

static void put_text(struct scanner *s, const char *at, const char *bytes, size_t length)
{
    if (!s->line_open) {
        struct html_line line = {(size_t)(at - s->source), (size_t)(at - s->source), s->line};
        g_array_append_val(s->html->lines, line);
        if (s->quoted || s->tail)
            g_string_append(s->html->text, "> ");
        s->line_open = true;
    } else if (s->space) {
        g_string_append_c(s->html->text, ' ');
    }
    s->space = false;
    s->pending = false;
    s->rule = NULL;
    g_string_append_len(s->html->text, bytes, (gssize)length);
    g_array_index(s->html->lines, struct html_line, s->html->lines->len - 1).end =
        (size_t)(s->p - s->source);
}

static gunichar named_entity(const char *name, size_t length)
{
    static const struct {
        const char *name;
        gunichar value;
    } entities[] = {
        {"lt", '<'},      {"gt", '>'},      {"amp", '&'},     {"quot", '"'},    {"nbsp", ' '},
        {"apos", '\''},   {"auml", 0xe4},   {"ouml", 0xf6},   {"uuml", 0xfc},   {"Auml", 0xc4},
        {"Ouml", 0xd6},   {"Uuml", 0xdc},   {"szlig", 0xdf},  {"eacute", 0xe9}, {"egrave", 0xe8},
        {"agrave", 0xe0}, {"oacute", 0xf3}, {"aacute", 0xe1}, {"iacute", 0xed}, {"ntilde", 0xf1},
        {"ccedil", 0xe7}, {"atilde", 0xe3}, {"otilde", 0xf5}, {"aring", 0xe5},  {"oslash", 0xf8},
        {"aelig", 0xe6},  {"raquo", 0xbb},  {"laquo", 0xab},  {"ecirc", 0xea},  {"rsquo", 0x2019},
        {"colon", ':'},   {"mdash", '-'},   {"ndash", '-'},   {"Agrave", 0xc0}, {"commat", '@'},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(entities); i++)
        if (strlen(entities[i].name) == length && memcmp(entities[i].name, name, length) == 0)
            return entities[i].value;
    return 0;
}

static gunichar numeric_entity(const char *digits, size_t length)
{
    char buffer[ENTITY_MAX + 1] = {0};
    memcpy(buffer, digits, MIN(length, ENTITY_MAX));
    bool hex = buffer[0] == 'x' || buffer[0] == 'X';
    guint64 value = g_ascii_strtoull(buffer + (hex ? 1 : 0), NULL, hex ? 16 : 10);
    return value >= 0x20 && value <= 0x10ffff && g_unichar_validate((gunichar)value)
               ? (gunichar)value
               : ' ';
}

/* At an ampersand: puts the character meant and moves on; a lone ampersand is itself. */
static void put_entity(struct scanner *s)
{
    const char *at = s->p, *name = s->p + 1;
    size_t length = 0;
    while (name + length < s->end && length < ENTITY_MAX &&
           (g_ascii_isalnum(name[length]) || name[length] == '#'))
        length++;
    gunichar c = 0;
    if (length > 1 && name[0] == '#')
        c = numeric_entity(name + 1, length - 1);
    else if (length > 0)
        c = named_entity(name, length);
    if (!c) {
        s->p++;
        put_text(s, at, "&", 1);
        return;
    }
    s->p = name + length + (name + length < s->end && name[length] == ';' ? 1 : 0);
    if (c == ' ' || c == 0xa0) {
        s->space = s->line_open;
        return;
    }
    char utf8[6];
    put_text(s, at, utf8, (size_t)g_unichar_to_utf8(c, utf8));
}

static void put_blank(struct scanner *s)
{
    if (*s->p == '\n')
        s->line++;
    if ((s->pre || s->pre_loose) && *s->p == '\n')
        end_line(s);
    else
        s->space = s->line_open;
    s->p++;
}

static void put_word(struct scanner *s)
{
    const char *at = s->p;
    while (s->p < s->end && *s->p != '<' && *s->p != '&' && !g_ascii_isspace(*s->p))
        s->p++;
    put_text(s, at, at, (size_t)(s->p - at));
}

/* --- tags --- */

struct tag {
    const char *start; /* its < */
    char name[NAME_LENGTH_MAX];
    unsigned name_length;
    bool closing;
    char *attributes; /* folded ASCII, between the blanks that stand around values */
};

static bool is_html_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\f' || c == '\r';
}

/* The end of the tag whose name ends before P: past its >. As in browsers (HTML 13.2.5.32 ff.) a
 * quote hides a > only where a value begins, behind "="; a value without end within HTML_TAG_MAX
 * hides nothing, so that no lone quote swallows what a reader may see. */
static const char *tag_end(const char *p, const char *end)
{
    const char *limit = p + MIN(end - p, HTML_TAG_MAX), *q = p;
    bool named = false; /* an attribute's name stands before */
    while (q < limit && *q != '>') {
        char c = *q++;
        if (c != '=' || !named) {
            named = c != '/' && (named || !is_html_space(c));
            continue;
        }
        named = false;
        while (q < limit && is_html_space(*q))
            q++;
        if (q < limit && (*q == '"' || *q == '\'')) {
            const char *close = memchr(q + 1, *q, (size_t)(limit - q - 1));
            if (!close)
                break;
            q = close + 1;
        }
        while (q < limit && *q != '>' && !is_html_space(*q) && *q != '/')
            q++;
    }
    if (q < limit && *q == '>')
        return q + 1;
    const char *close = memchr(p, '>', (size_t)(end - p));
    return close ? close + 1 : end;
}

static bool in_list(const char *const *list, const struct tag *tag)
{
    for (; *list; list++)
        if (strcmp(*list, tag->name) == 0)
            return true;
    return false;
}

static bool is_block(const struct tag *tag)
{
    static const char *const names[] = {
        "p",         "div",      "br",     "tr",         "li",      "h1",     "h2",      "h3",
        "h4",        "h5",       "h6",     "blockquote", "table",   "hr",     "ul",      "ol",
        "pre",       "dt",       "dd",     "section",    "article", "header", "footer",  "center",
        "title",     "fieldset", "body",   "details",    "summary", "main",   "aside",   "nav",
        "address",   "form",     "figure", "figcaption", "caption", "dl",     "listing", "xmp",
        "plaintext", "textarea", NULL};
    return in_list(names, tag);
}

/* Elements that keep lines; which of them TAG is, PRE_KINDS: none. */
static unsigned pre_kind(const struct tag *tag)
{
    static const char *const names[PRE_KINDS] = {"pre", "listing", "xmp", "plaintext", "textarea"};
    unsigned kind = 0;
    while (kind < PRE_KINDS && strcmp(names[kind], tag->name) != 0)
        kind++;
    return kind;
}

static bool keeps_lines(const struct tag *tag)
{
    return strstr(tag->attributes, "white-space:pre") ||
           strstr(tag->attributes, "white-space:break-spaces");
}

/* Counted by their own tags, however other elements are open around them. */
static void count_pre(struct scanner *s, const struct tag *tag)
{
    unsigned kind = pre_kind(tag);
    if (kind == PRE_KINDS || (tag->closing && s->pre_open[kind] == 0))
        return;
    if (tag->closing) {
        s->pre_open[kind]--;
        s->pre--;
    } else {
        s->pre_open[kind]++;
        s->pre++;
    }
}

/* Elements without end, or whose end tag may lack: not kept on the stack. */
static bool is_unclosed(const struct tag *tag)
{
    static const char *const names[] = {"br",    "hr",    "img",  "meta", "link", "input",
                                        "col",   "area",  "base", "wbr",  "p",    "li",
                                        "td",    "tr",    "th",   "dt",   "dd",   "option",
                                        "tbody", "thead", "o:p",  "html", "head", NULL};
    return in_list(names, tag);
}

static bool is_hidden_text(const struct tag *tag)
{
    static const char *const names[] = {"script", "style", "title", NULL};
    return in_list(names, tag);
}

static const struct quoting_row {
    const char *needle; /* in the folded attributes */
    const char *also;   /* and this too, NULL for none */
    enum quoting quoting;
    const char *kind;
} quoting_rows[] = {
    {"gmail_quote", NULL, QUOTING_INSIDE, "html-class"},
    {"gmail_attr", NULL, QUOTING_INSIDE, "html-class"},
    {"gmail_extra", NULL, QUOTING_INSIDE, "html-class"},
    {"divrplyfwdmsg", NULL, QUOTING_TAIL, "html-class"},
    {"olk_src_body_section", NULL, QUOTING_INSIDE, "html-class"},
    {"outlookmessageheader", NULL, QUOTING_TAIL, "html-class"},
    {"reference-message-container", NULL, QUOTING_INSIDE, "html-class"},
    {"ms-outlook-mobile-reference-message", NULL, QUOTING_INSIDE, "html-class"},
    {"moz-cite-prefix", NULL, QUOTING_INSIDE, "html-class"},
    {"moz-forward-container", NULL, QUOTING_INSIDE, "html-class"},
    {"moz-email-headers-table", NULL, QUOTING_TAIL, "html-class"},
    {"yahoo_quoted", NULL, QUOTING_INSIDE, "html-class"},
    {"zmail_extra", NULL, QUOTING_INSIDE, "html-class"},
    {"protonmail_quote", NULL, QUOTING_INSIDE, "html-class"},
    {"tutanota_quote", NULL, QUOTING_INSIDE, "html-class"},
    {"mailru-blockquote", NULL, QUOTING_INSIDE, "html-class"},
    {"class=iphone-quote", NULL, QUOTING_INSIDE, "html-class"},
    {"appleoriginalcontents", NULL, QUOTING_INSIDE, "html-class"},
    {"quoted-message", NULL, QUOTING_INSIDE, "html-class"},
    {"quotedmessage", NULL, QUOTING_INSIDE, "html-class"},
    {"quotedtext", NULL, QUOTING_INSIDE, "html-class"},
    {"original-message", NULL, QUOTING_INSIDE, "html-class"},
    {"originalmessage", NULL, QUOTING_INSIDE, "html-class"},
    {"type=cite", NULL, QUOTING_INSIDE, "html-class"},
    {"replyquote", NULL, QUOTING_INSIDE, "html-class"},
    {"gwquote", NULL, QUOTING_INSIDE, "html-class"},
    {"border-top:solid#e1e1e1", "padding:3.0pt", QUOTING_TAIL, "html-border"},
    {"border-top:solid#b5c4df", "padding:3.0pt", QUOTING_TAIL, "html-border"},
    {"border-top:1ptsolidrgb(225,225,225)", NULL, QUOTING_TAIL, "html-border"},
    {"border-top:1ptsolidrgb(181,196,223)", NULL, QUOTING_TAIL, "html-border"},
    {"border-top:1.0ptsolid#e1e1e1", NULL, QUOTING_TAIL, "html-border"},
    {"border-top-color:#b5c4df", NULL, QUOTING_TAIL, "html-border"},
    {"border-left:solidblue", NULL, QUOTING_INSIDE, "html-border"},
    {"border-left:", "solid#ccc", QUOTING_INSIDE, "html-border"},
    {"border-left:#ccc", NULL, QUOTING_INSIDE, "html-border"},
    {"border-left:", "solidrgb(204,204,204)", QUOTING_INSIDE, "html-border"},
    {"border-left:", "solid#1010ff", QUOTING_INSIDE, "html-border"},
    {"border-left:#000", "solid", QUOTING_INSIDE, "html-border"},
    {"border-left:", "solidblue", QUOTING_INSIDE, "html-border"},
};

static enum quoting quoting_of(const struct tag *tag, const char **kind_r)
{
    static const char *const holders[] = {"div",     "span", "blockquote", "table", "body",
                                          "section", "font", "a",          "hr",    NULL};
    *kind_r = "blockquote";
    if (strcmp(tag->name, "blockquote") == 0 || strcmp(tag->name, "excerpt") == 0)
        return QUOTING_INSIDE;
    if (!in_list(holders, tag))
        return QUOTING_NONE;
    for (size_t i = 0; i < G_N_ELEMENTS(quoting_rows); i++) {
        const struct quoting_row *row = &quoting_rows[i];
        if (!strstr(tag->attributes, row->needle) ||
            (row->also && !strstr(tag->attributes, row->also)))
            continue;
        *kind_r = row->kind;
        return row->quoting;
    }
    return QUOTING_NONE;
}

static void begin_find(struct scanner *s, const struct tag *tag, const char *kind, bool tail)
{
    const char *start = tail && s->rule ? s->rule : tag->start;
    struct html_find find = {.kind = kind,
                             .start = (size_t)(start - s->source),
                             .end = (size_t)(s->end - s->source),
                             .line = s->line};
    g_strlcpy(find.mark, tag->start, MIN(sizeof find.mark, (size_t)(s->p - tag->start) + 1));
    /* never half a character at the cut */
    const char *bad = NULL;
    if (!g_utf8_validate(find.mark, -1, &bad))
        find.mark[bad - find.mark] = '\0';
    g_array_append_val(s->html->finds, find);
    s->pending = true;
}

static void end_find(struct scanner *s)
{
    struct html_find *find =
        &g_array_index(s->html->finds, struct html_find, s->html->finds->len - 1);
    find->end = (size_t)(s->p - s->source);
    if (s->pending) /* it held no text */
        g_array_set_size(s->html->finds, s->html->finds->len - 1);
    s->pending = false;
    s->quoted = 0;
}

static void push(struct scanner *s, const struct tag *tag, bool quotes)
{
    if (s->depth >= HTML_DEPTH_MAX) {
        s->overflow++;
        s->pre_loose |= keeps_lines(tag);
        return;
    }
    struct element *element = &s->open[s->depth++];
    memcpy(element->name, tag->name, sizeof element->name);
    element->name_length = tag->name_length;
    element->quotes = quotes;
    element->keeps_lines = keeps_lines(tag);
    s->pre += element->keeps_lines;
    if (quotes)
        s->quoted = s->depth;
}

static void pop(struct scanner *s, const struct tag *tag)
{
    if (s->overflow > 0) {
        s->overflow--;
        return;
    }
    for (unsigned i = s->depth; i-- > 0;) {
        if (s->open[i].name_length != tag->name_length ||
            memcmp(s->open[i].name, tag->name, tag->name_length) != 0)
            continue;
        while (s->depth > i)
            s->pre -= s->open[--s->depth].keeps_lines;
        if (s->quoted > i && !s->tail)
            end_find(s);
        return;
    }
}

static void open_tag(struct scanner *s, const struct tag *tag)
{
    const char *kind;
    enum quoting quoting = s->quoted || s->tail || s->html->finds->len >= HTML_FINDS_MAX
                               ? QUOTING_NONE
                               : quoting_of(tag, &kind);
    if (quoting != QUOTING_NONE)
        begin_find(s, tag, kind, quoting == QUOTING_TAIL);
    s->tail |= quoting == QUOTING_TAIL || s->html->finds->len >= HTML_FINDS_MAX;
    if (strcmp(tag->name, "hr") == 0)
        s->rule = tag->start;
    bool unclosed = is_unclosed(tag) || (s->p - 2 >= tag->start && s->p[-2] == '/');
    if (!unclosed)
        push(s, tag, quoting == QUOTING_INSIDE);
    else if (quoting == QUOTING_INSIDE)
        end_find(s);
    s->pre_loose |= unclosed && keeps_lines(tag);
}

/* The attributes, lower case, without blanks and quotes: "style=border-left:1pxsolid". */
static char *fold_attributes(const char *p, const char *end)
{
    GString *out = g_string_new(" ");
    for (; p < end; p++)
        if (!g_ascii_isspace(*p) && *p != '"' && *p != '\'')
            g_string_append_c(out, g_ascii_tolower(*p));
    return g_string_free(out, FALSE);
}

static void skip_hidden(struct scanner *s, const struct tag *tag)
{
    while (s->p < s->end) {
        const char *next = memchr(s->p, '<', (size_t)(s->end - s->p));
        if (!next) {
            s->p = s->end;
            return;
        }
        if ((size_t)(s->end - next) > tag->name_length + 2 && next[1] == '/' &&
            g_ascii_strncasecmp(next + 2, tag->name, tag->name_length) == 0) {
            s->p = tag_end(next + 2, s->end);
            return;
        }
        s->p = next + 1;
    }
}

static void count_lines(struct scanner *s, const char *from)
{
    for (; from < s->p; from++)
        s->line += *from == '\n';
}

static void scan_tag(struct scanner *s)
{
    struct tag tag = {.start = s->p};
    const char *name = s->p + 1;
    if (*name == '/') {
        tag.closing = true;
        name++;
    }
    while (tag.name_length < NAME_LENGTH_MAX - 1 && name + tag.name_length < s->end &&
           (g_ascii_isalnum(name[tag.name_length]) || name[tag.name_length] == ':')) {
        tag.name[tag.name_length] = g_ascii_tolower(name[tag.name_length]);
        tag.name_length++;
    }
    s->p = tag_end(name + tag.name_length, s->end);
    tag.attributes = fold_attributes(name + tag.name_length, MIN(s->p, tag.start + HTML_TAG_MAX));
    bool cell = strcmp(tag.name, "td") == 0 || strcmp(tag.name, "th") == 0;
    if (is_block(&tag))
        end_line(s);
    else if (cell)
        s->space = s->line_open;
    s->pre_loose &= !cell && (!is_block(&tag) || strcmp(tag.name, "br") == 0);
    count_pre(s, &tag);
    if (tag.closing) {
        if (!is_unclosed(&tag))
            pop(s, &tag);
    } else if (is_hidden_text(&tag)) {
        skip_hidden(s, &tag);
    } else {
        open_tag(s, &tag);
    }
    g_free(tag.attributes);
    count_lines(s, tag.start);
}

/* The end of the comment that begins at P: "-->" or "--!>", and "<!-->" and "<!--->" are whole ones
 * (HTML 13.2.5.43 ff.). One without end is no comment here: a browser shows nothing of what follows
 * it, other readers do. */
static const char *comment_end(struct scanner *s)
{
    const char *p = s->p + 4;
    if (p < s->end && *p == '>')
        return p + 1;
    if (s->end - p >= 2 && p[0] == '-' && p[1] == '>')
        return p + 2;
    /* what was looked for in vain once is not there later either */
    while (!s->no_comment_end && (p = g_strstr_len(p, s->end - p, "--"))) {
        for (p += 2; p < s->end && *p == '-'; p++)
            ;
        if (p < s->end && *p == '>')
            return p + 1;
        if (s->end - p >= 2 && p[0] == '!' && p[1] == '>')
            return p + 2;
    }
    s->no_comment_end = true;
    return NULL;
}

/* A comment, or what browsers take for one up to the first >: declarations, processing
 * instructions, end tags without a name. Outlook's conditional comments hold styles. */
static void skip_markup(struct scanner *s)
{
    const char *from = s->p;
    bool comment = s->end - s->p >= 4 && memcmp(s->p, "<!--", 4) == 0;
    const char *end = comment ? comment_end(s) : memchr(s->p, '>', (size_t)(s->end - s->p));
    if (comment)
        end = end ? end : s->p + 4;
    else
        end = end ? end + 1 : s->end;
    s->p = end;
    count_lines(s, from);
}

static void scan_one(struct scanner *s)
{
    char next = *s->p == '<' && s->p + 1 < s->end ? s->p[1] : '\0';
    bool end_tag = next == '/' && s->p + 2 < s->end;
    if (g_ascii_isalpha(next) || (end_tag && g_ascii_isalpha(s->p[2]))) {
        scan_tag(s);
    } else if (next == '!' || next == '?' || end_tag) {
        skip_markup(s);
    } else if (*s->p == '<') {
        const char *at = s->p++;
        put_text(s, at, "<", 1);
    } else if (*s->p == '&') {
        put_entity(s);
    } else if (g_ascii_isspace(*s->p)) {
        put_blank(s);
    } else {
        put_word(s);
    }
}

static void scan_all(struct scanner *s, const char *source, size_t size, struct html *html)
{
    *html = (struct html){
        .text = g_string_new(NULL),
        .lines = g_array_new(FALSE, FALSE, sizeof(struct html_line)),
        .finds = g_array_new(FALSE, FALSE, sizeof(struct html_find)),
    };
    *s = (struct scanner){
        .source = source, .p = source, .end = source + size, .html = html, .line = 1};
}

void html_scan(const char *source, size_t size, struct html *html_r)
{
    struct scanner *s = g_new(struct scanner, 1);
    scan_all(s, source, size, html_r);
    while (s->p < s->end)
        scan_one(s);
    end_line(s);
    if ((s->quoted || s->tail) && s->pending && html_r->finds->len > 0)
        g_array_set_size(html_r->finds, html_r->finds->len - 1);
    g_free(s);
}

void html_clear(struct html *html)
{
    g_string_free(html->text, TRUE);
    g_array_unref(html->lines);
    g_array_unref(html->finds);
    *html = (struct html){0};
}

char *html_closers(const char *source, size_t size, size_t offset)
{
    struct html html;
    struct scanner *s = g_new(struct scanner, 1);
    scan_all(s, source, MIN(size, offset), &html);
    while (s->p < s->end)
        scan_one(s);
    GString *out = g_string_new(NULL);
    while (s->depth-- > 0)
        g_string_append_printf(out, "</%s>", s->open[s->depth].name);
    if (g_strstr_len(source, (gssize)MIN(size, 4096), "<html") ||
        g_strstr_len(source, (gssize)MIN(size, 4096), "<HTML"))
        g_string_append(out, "</html>");
    html_clear(&html);
    g_free(s);
    return g_string_free(out, FALSE);
}
