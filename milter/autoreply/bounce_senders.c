/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Who answers no human: patterns over local parts and the forms that VERP, BATV and SRS give them.
 */
#include "autoreply/bounce_senders.h"

#include <string.h>

#include "autoreply/evidence.h"
#include "base/text.h"
#include "mail/address.h"
#include "mail/mailboxes.h"

/* Tails of one local part that are taken off, and rewritings within each other that are undone. */
enum { VERP_TAILS_MAX = 16, REWRITINGS_MAX = 6 };

struct bounce_senders {
    GPtrArray *locals;    /* GPatternSpec over folded local parts */
    GPtrArray *words;     /* the same for those whose - may be _ or . (no-reply, no_reply) */
    GPtrArray *addresses; /* GPatternSpec over folded local@domain */
    bool null;            /* "<>" is in the list */
};

static char *fold(const char *text)
{
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    return g_utf8_casefold(valid, -1);
}

/* _ and . of a local part, and of the words it is compared with, as - */
static char *with_hyphens(const char *text)
{
    return g_strdelimit(g_strdup(text), "_.", '-');
}

static void add_pattern(GPtrArray *patterns, const char *pattern)
{
    g_ptr_array_add(patterns, g_pattern_spec_new(pattern));
}

static void add_word(struct bounce_senders *senders, const char *word, struct problems *problems,
                     const char *file, unsigned line)
{
    if (strcmp(word, "<>") == 0) {
        senders->null = true;
        return;
    }
    if (problems && word[strspn(word, "*?")] == '\0')
        problems_warning(problems, file, line,
                         "bounce_senders: \"%s\" matches every address; name the local parts that "
                         "no human reads",
                         word);
    g_autofree char *folded = fold(word);
    add_pattern(strchr(word, '@') ? senders->addresses : senders->locals, folded);
    /* what Majordomo, LISTSERV (owner-LIST) and ezmlm (LIST-return-17-bob=example.org) write where
     * Mailman has LIST-bounces */
    if (strcmp(folded, "*-bounces") == 0) {
        add_pattern(senders->locals, "owner-?*");
        add_pattern(senders->locals, "?*-return-*=*");
    }
    if (strpbrk(word, "*?@"))
        return;
    g_autofree char *hyphens = with_hyphens(folded);
    add_pattern(senders->words, hyphens);
    if (g_str_has_suffix(hyphens, "reply")) {
        g_autofree char *named = g_strconcat("?*-", hyphens, NULL); /* linshare-noreply */
        add_pattern(senders->words, named);
    }
}

struct bounce_senders *bounce_senders_new(const char *text, struct problems *problems,
                                          const char *file, unsigned line)
{
    const char *why = NULL;
    g_autoptr(GPtrArray) words = text_split_list(text, &why);
    if (!words) {
        if (problems)
            problems_error(problems, file, line, "bounce_senders: %s", why);
        return NULL;
    }
    struct bounce_senders *senders = g_new0(struct bounce_senders, 1);
    senders->locals = g_ptr_array_new_with_free_func((GDestroyNotify)g_pattern_spec_free);
    senders->words = g_ptr_array_new_with_free_func((GDestroyNotify)g_pattern_spec_free);
    senders->addresses = g_ptr_array_new_with_free_func((GDestroyNotify)g_pattern_spec_free);
    for (guint i = 0; i < words->len; i++)
        add_word(senders, words->pdata[i], problems, file, line);
    return senders;
}

void bounce_senders_free(struct bounce_senders *senders)
{
    if (!senders)
        return;
    g_ptr_array_unref(senders->locals);
    g_ptr_array_unref(senders->words);
    g_ptr_array_unref(senders->addresses);
    g_free(senders);
}

static bool any_pattern(const GPtrArray *patterns, const char *text)
{
    for (guint i = 0; i < patterns->len; i++)
        if (g_pattern_spec_match_string(patterns->pdata[i], text))
            return true;
    return false;
}

/* Whether what follows a delimiter is a VERP's tail: an address with = for @, or a number. */
static bool verp_tail(char delimiter, const char *tail)
{
    return delimiter == '+' || strchr(tail, '=') || g_ascii_isdigit(tail[0]);
}

static bool is_local(const struct bounce_senders *senders, const char *local)
{
    if (any_pattern(senders->locals, local))
        return true;
    g_autofree char *hyphens = with_hyphens(local);
    return any_pattern(senders->words, hyphens);
}

/* The local part itself, then what is left of it without each of the first VERP or subaddress tails
 * that it may have; names that are followed by one have few hyphens of their own. */
static bool local_or_verp(const struct bounce_senders *senders, const char *local)
{
    if (is_local(senders, local))
        return true;
    g_autofree char *base = g_strdup(local);
    unsigned tails = 0;
    for (size_t i = 1; i > 0 && base[i - 1] && base[i] && tails < VERP_TAILS_MAX; i++) {
        char delimiter = base[i];
        if ((delimiter != '-' && delimiter != '+' && delimiter != '_') ||
            !verp_tail(delimiter, local + i + 1))
            continue;
        tails++;
        base[i] = '\0';
        if (is_local(senders, base))
            return true;
        base[i] = delimiter;
    }
    return false;
}

/* What a rewriting hides in a local part: another one, with its domain where that is named. */
struct hidden {
    char *local, *domain; /* NULL: none */
};

/* Behind COUNT fields of TEXT, each ended by =; NULL: there are fewer. */
static const char *skip_fields(const char *text, unsigned count)
{
    for (; text && count > 0; count--) {
        text = strchr(text, '=');
        text = text ? text + 1 : NULL;
    }
    return text;
}

/* BATV: prvs=TAG=USER, and the older prvs=USER/TAG; Barracuda: btv1==TAG==USER; Microsoft:
 * msprvs1=TAG=USER; SRS: SRS0=HASH=TIME=DOMAIN=USER, and of a second forwarder
 * SRS1=HASH=FORWARDER==HASH=TIME=DOMAIN=USER, where SRS0 and SRS1 may be followed by + or - too,
 * and what follows FORWARDER= is what followed the SRS0. Sender-specified routing: USER%DOMAIN,
 * DOMAIN!USER, "USER@DOMAIN". */
static struct hidden hidden_in(const char *local)
{
    static const struct {
        const char *prefix;
        unsigned skip;       /* fields between prefix and user */
        const char *endings; /* what may follow the prefix */
        bool twice, domain;  /* SRS0 within; the field before the user is its domain */
    } rewritings[] = {
        {"prvs", 1, "=", false, false},    {"btv1=", 2, "=", false, false},
        {"msprvs1", 1, "=", false, false}, {"srs0", 3, "=+-", false, true},
        {"srs1", 2, "=+-", true, true},
    };
    struct hidden hidden = {NULL, NULL};
    for (size_t i = 0; i < G_N_ELEMENTS(rewritings); i++) {
        size_t length = strlen(rewritings[i].prefix);
        if (!g_str_has_prefix(local, rewritings[i].prefix) || !local[length] ||
            !strchr(rewritings[i].endings, local[length]))
            continue;
        const char *user = local + length + 1, *slash = strchr(user, '/');
        if (slash && i == 0) {
            hidden.local = g_strndup(user, (size_t)(slash - user));
            return hidden;
        }
        user = skip_fields(user, rewritings[i].skip);
        if (user && rewritings[i].twice)
            user = *user && strchr("=+-", *user) ? skip_fields(user + 1, 3) : NULL;
        if (!user)
            return hidden;
        hidden.local = g_strdup(user);
        const char *start = user - 1;
        while (rewritings[i].domain && start[-1] != '=')
            start--;
        if (rewritings[i].domain)
            hidden.domain = g_strndup(start, (size_t)(user - 1 - start));
        return hidden;
    }
    const char *bang = strrchr(local, '!');
    const char *mark = bang ? bang : local + strcspn(local, "%@");
    if (!*mark)
        return hidden;
    g_autofree char *before = g_strndup(local, (size_t)(mark - local));
    hidden.local = g_strdup(bang ? mark + 1 : before);
    hidden.domain = g_strdup(bang ? before : mark + 1);
    return hidden;
}

static bool null_standin(const char *local, const char *domain)
{
    return !*local || strcmp(local, "<>") == 0 || strcmp(local, "mailer-daemon") == 0 ||
           (strcmp(local, "#") == 0 && strcmp(domain, "[]") == 0);
}

static bool match_parts(const struct bounce_senders *senders, const char *local_part,
                        const char *domain_part)
{
    g_autofree char *local = fold(local_part), *domain = g_strdup(domain_part);
    if (senders->null && null_standin(local, domain))
        return true;
    for (unsigned depth = 0; local && *local && depth < REWRITINGS_MAX; depth++) {
        g_autofree char *address = g_strconcat(local, "@", domain ? domain : domain_part, NULL);
        if (local_or_verp(senders, local) || any_pattern(senders->addresses, address))
            return true;
        struct hidden hidden = hidden_in(local);
        g_free(local);
        g_free(domain);
        local = hidden.local;
        domain = hidden.domain;
    }
    return false;
}

bool bounce_senders_match(const struct bounce_senders *senders, const char *path)
{
    struct mail_address address;
    mail_address_parse(path, &address);
    bool match = address.null ? senders->null
                              : match_parts(senders, address.local ? address.local : "",
                                            address.domain ? address.domain : "");
    mail_address_clear(&address);
    return match;
}

/* The first of what a field addresses that answers no human: whatever some reader takes for an
 * address, and words that stand there alone ("To: postmaster", which an MTA completes). "To:
 * undisclosed" names nobody, hence no null path either. The caller frees it; NULL: none. */
static char *find_in_field(const struct bounce_senders *senders, const char *value)
{
    struct mailboxes mailboxes;
    char *found = NULL;
    mailboxes_read(value, strlen(value), &mailboxes);
    const GPtrArray *paths[] = {mailboxes.addresses, mailboxes.bare};
    for (size_t kind = 0; kind < G_N_ELEMENTS(paths); kind++)
        for (guint i = 0; i < paths[kind]->len && !found; i++)
            if (bounce_senders_match(senders, paths[kind]->pdata[i]))
                found = g_strdup(paths[kind]->pdata[i]);
    mailboxes_clear(&mailboxes);
    return found;
}

char *bounce_senders_find(const struct bounce_senders *senders, const char *const *recipients,
                          const char *const *typed, size_t count,
                          const struct autoreply_headers *headers, GPtrArray *evidence)
{
    static const char *const names[] = {"To", "Cc"};
    char *first = NULL;
    for (size_t i = 0; i < count; i++) {
        const char *path = typed ? typed[i] : recipients[i];
        if (!bounce_senders_match(senders, recipients[i]) && !bounce_senders_match(senders, path))
            continue;
        struct mail_address address;
        mail_address_parse(path, &address);
        first = first ? first : g_strdup(address.text);
        mail_address_clear(&address);
        autoreply_evidence_add(evidence, AUTOREPLY_TO_BOUNCE_SENDER, "recipient",
                               *path ? path : "<>", NULL, 0);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        for (unsigned index = 0; index < AUTOREPLY_FIELDS_MAX; index++) {
            g_autofree char *value = autoreply_header_line(headers, names[i], index);
            if (!value)
                break;
            g_autofree char *found = find_in_field(senders, value);
            if (!found)
                continue;
            g_autofree char *mark = g_strdup_printf("%s: %s", names[i], found);
            autoreply_evidence_add(evidence, AUTOREPLY_TO_BOUNCE_SENDER, "header-recipient", mark,
                                   NULL, 0);
            first = first ? first : g_steal_pointer(&found);
        }
    return first;
}
