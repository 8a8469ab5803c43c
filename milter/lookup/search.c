/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Search orders. Each is a list of keys, tried one after the other.
 */
#include "lookup/search.h"

#include <string.h>
#include <strings.h>

#include "base/text.h"

struct table_list {
    GPtrArray *tables;
};

/* Which tables a key is for. */
enum scope {
    WHOLE,         /* all */
    PARTIAL,       /* a part of what is looked for: none with patterns */
    PATTERNS_ONLY, /* what could not be understood: those with patterns alone */
};

/* What is looked for in what, and where the value goes. */
struct search {
    const struct table_list *list;
    GString *value;
    GString *entry; /* NULL: nobody wants to know */
};

static void unref_table(void *table)
{
    table_unref(table);
}

struct table_list *table_list_open(const char *value, bool bare_path_is_texthash,
                                   const struct table_context *context)
{
    const char *why = NULL;
    g_autoptr(GPtrArray) words = text_split_list(value, &why);
    if (!words) {
        problems_error(context->problems, context->file, context->line, "%s: %s", value, why);
        return NULL;
    }
    struct table_list *list = g_new0(struct table_list, 1);
    list->tables = g_ptr_array_new_with_free_func(unref_table);
    for (unsigned i = 0; i < words->len; i++) {
        struct table *table = table_open(words->pdata[i], bare_path_is_texthash, context);
        if (table)
            g_ptr_array_add(list->tables, table);
    }
    if (list->tables->len < words->len) {
        table_list_free(list);
        return NULL;
    }
    return list;
}

void table_list_free(struct table_list *list)
{
    if (!list)
        return;
    g_ptr_array_unref(list->tables);
    g_free(list);
}

unsigned table_list_count(const struct table_list *list)
{
    return list->tables->len;
}

struct table *table_list_get(const struct table_list *list, unsigned index)
{
    return index < list->tables->len ? list->tables->pdata[index] : NULL;
}

char *table_list_names(const struct table_list *list)
{
    enum { LONGEST = 100 };
    GString *names = g_string_new(NULL);
    for (unsigned i = 0; i < list->tables->len && names->len <= LONGEST; i++)
        g_string_append_printf(names, "%s%s", i > 0 ? " " : "", table_name(list->tables->pdata[i]));
    if (names->len > LONGEST)
        g_string_append(g_string_truncate(names, LONGEST), "...");
    return g_string_free(names, FALSE);
}

static bool in_scope(const struct table *table, enum scope scope)
{
    return scope == WHOLE || table_is_pattern(table) == (scope == PATTERNS_ONLY);
}

static enum lookup_status ask(const struct search *search, const char *key, enum scope scope)
{
    GPtrArray *tables = search->list->tables;
    if (*key == '\0')
        return LOOKUP_MISS;
    for (unsigned i = 0; i < tables->len; i++) {
        if (!in_scope(tables->pdata[i], scope))
            continue;
        enum lookup_status status =
            table_find_entry(tables->pdata[i], key, search->value, search->entry);
        if (status == LOOKUP_HIT && search->value->len == 0)
            return LOOKUP_ERROR;
        if (status != LOOKUP_MISS)
            return status;
    }
    return LOOKUP_MISS;
}

/* Ends what begin() began: the value is handed out of a HIT alone. */
static enum lookup_status finish(struct search *search, enum lookup_status status, GString *value_r)
{
    if (status != LOOKUP_HIT)
        g_string_truncate(search->value, 0);
    if (status != LOOKUP_HIT && search->entry)
        g_string_truncate(search->entry, 0);
    if (!value_r)
        g_string_free(search->value, TRUE);
    return status;
}

/* A search has a buffer for the value, whether or not somebody wants it. */
static struct search begin(const struct table_list *list, GString *value_r, GString *entry_r)
{
    struct search search = {list, value_r ? value_r : g_string_new(NULL), entry_r};
    g_string_truncate(search.value, 0);
    if (entry_r)
        g_string_truncate(entry_r, 0);
    return search;
}

enum lookup_status table_list_find(const struct table_list *list, const char *key, GString *value_r,
                                   GString *entry_r)
{
    struct search search = begin(list, value_r, entry_r);
    return finish(&search, ask(&search, key, WHOLE), value_r);
}

static enum lookup_status ask_domain(const struct search *search, const char *domain)
{
    struct ipaddr address;
    size_t length = strlen(domain);
    enum lookup_status status = ask(search, domain, WHOLE);
    if (ipaddr_parse(domain, &address))
        return status;
    if (length > SEARCH_PARENT_MAX + 1)
        domain += length - SEARCH_PARENT_MAX - 2; /* what comes before the dot of the longest */
    while (status == LOOKUP_MISS && *domain && (domain = strchr(domain + 1, '.')))
        status = ask(search, ++domain, PARTIAL);
    return status;
}

static enum lookup_status ask_networks(const struct search *search, const struct ipaddr *address)
{
    char text[IPADDR_TEXT_MAX];
    ipaddr_format(address, text);
    char separator = address->family == IP_V4 ? '.' : ':';
    enum lookup_status status = ask(search, text, WHOLE);
    for (char *end; status == LOOKUP_MISS && (end = strrchr(text, separator));) {
        *end = '\0';
        status = ask(search, text, PARTIAL);
    }
    return status;
}

enum lookup_status search_client(const struct table_list *list, const char *name,
                                 const struct ipaddr *address, GString *value_r, GString *entry_r)
{
    struct search search = begin(list, value_r, entry_r);
    enum lookup_status status = name ? ask_domain(&search, name) : LOOKUP_MISS;
    if (status == LOOKUP_MISS && address && address->family != IP_NONE)
        status = ask_networks(&search, address);
    return finish(&search, status, value_r);
}

enum lookup_status search_domain(const struct table_list *list, const char *domain,
                                 GString *value_r, GString *entry_r)
{
    struct search search = begin(list, value_r, entry_r);
    return finish(&search, ask_domain(&search, domain), value_r);
}

/* Whether a local part must be quoted in an address (RFC 5322 3.4.1; bytes above 127 may stand). */
static bool needs_quotes(const char *local)
{
    size_t length = strlen(local);
    if (length == 0 || local[0] == '.' || local[length - 1] == '.' || strstr(local, ".."))
        return true;
    for (const char *p = local; *p; p++)
        if (g_ascii_iscntrl(*p) || strchr(" ()<>@,;:\\\"[]", *p))
            return true;
    return false;
}

static char *quote(const char *local)
{
    GString *out = g_string_new("\"");
    for (const char *p = local; *p; p++) {
        if (*p == '"' || *p == '\\' || *p == '\r')
            g_string_append_c(out, '\\');
        g_string_append_c(out, *p);
    }
    g_string_append_c(out, '"');
    return g_string_free(out, FALSE);
}

/* LOCAL and what follows it, with the local part quoted if it must be, then as it is. */
static enum lookup_status ask_local(const struct search *search, const char *local,
                                    const char *suffix, enum scope scope)
{
    if (!local)
        return LOOKUP_MISS;
    enum lookup_status status = LOOKUP_MISS;
    if (needs_quotes(local)) {
        g_autofree char *quoted = quote(local);
        g_autofree char *key = g_strconcat(quoted, suffix, NULL);
        status = ask(search, key, scope);
    }
    g_autofree char *key = g_strconcat(local, suffix, NULL);
    return status == LOOKUP_MISS ? ask(search, key, scope) : status;
}

/* The parts of an address, and what may be asked of them. */
struct parts {
    const char *local;
    char *bare; /* NULL if there is no extension */
    const char *domain;
    bool domain_is_local;
};

/* First with the extension, for all tables if SCOPE says so, then without. */
static enum lookup_status ask_both(const struct search *search, const struct parts *parts,
                                   const char *suffix, enum scope scope)
{
    enum lookup_status status = ask_local(search, parts->local, suffix, scope);
    return status == LOOKUP_MISS ? ask_local(search, parts->bare, suffix, PARTIAL) : status;
}

static enum lookup_status ask_access(const struct search *search, const struct parts *parts)
{
    enum lookup_status status = LOOKUP_MISS;
    const char *domain = *parts->domain ? parts->domain : NULL;
    while (status == LOOKUP_MISS && domain && *domain) {
        status = ask(search, domain, PARTIAL);
        domain = strchr(domain + 1, '.');
        domain = domain ? domain + 1 : NULL;
    }
    return status == LOOKUP_MISS ? ask_both(search, parts, "@", PARTIAL) : status;
}

static enum lookup_status ask_login(const struct search *search, const struct parts *parts)
{
    enum lookup_status status = LOOKUP_MISS;
    if (*parts->domain == '\0')
        return status;
    if (parts->domain_is_local)
        status = ask_both(search, parts, "", PARTIAL);
    if (status != LOOKUP_MISS)
        return status;
    g_autofree char *at_domain = g_strconcat("@", parts->domain, NULL);
    return ask(search, at_domain, PARTIAL);
}

static enum lookup_status ask_profile(const struct search *search, const struct parts *parts)
{
    enum lookup_status status = LOOKUP_MISS;
    for (const char *p = *parts->domain ? parts->domain : NULL; p; p = strchr(p + 1, '.')) {
        status = ask(search, p, PARTIAL);
        if (status != LOOKUP_MISS)
            break;
    }
    return status;
}

static enum lookup_status ask_parts(const struct search *search, const struct parts *parts,
                                    enum search_order order)
{
    static enum lookup_status (*const orders[])(const struct search *, const struct parts *) = {
        [SEARCH_ACCESS] = ask_access,
        [SEARCH_LOGIN] = ask_login,
        [SEARCH_PROFILE] = ask_profile,
    };
    g_autofree char *suffix = *parts->domain ? g_strconcat("@", parts->domain, NULL) : g_strdup("");
    enum lookup_status status = ask_both(search, parts, suffix, WHOLE);
    return status == LOOKUP_MISS ? orders[order](search, parts) : status;
}

enum lookup_status search_address(const struct table_list *list, const struct mail_address *address,
                                  enum search_order order, const char *recipient_delimiter,
                                  bool domain_is_local, GString *value_r, GString *entry_r)
{
    struct search search = begin(list, value_r, entry_r);
    enum lookup_status status;
    if (address->null) {
        status = ask(&search, "<>", WHOLE);
    } else {
        status = address->malformed ? ask(&search, address->text, PATTERNS_ONLY) : LOOKUP_MISS;
        struct parts parts = {.local = address->local,
                              .bare = mail_local_bare(address->local, recipient_delimiter),
                              .domain = address->domain,
                              .domain_is_local = domain_is_local};
        if (status == LOOKUP_MISS)
            status = ask_parts(&search, &parts, order);
        g_free(parts.bare);
    }
    return finish(&search, status, value_r);
}
