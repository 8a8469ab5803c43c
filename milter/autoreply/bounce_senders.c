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

struct bounce_senders {
    GPtrArray *locals;    /* GPatternSpec over folded local parts */
    GPtrArray *addresses; /* GPatternSpec over folded local@domain */
    bool null;            /* "<>" is in the list */
};

static char *fold(const char *text)
{
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    return g_utf8_casefold(valid, -1);
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
    g_ptr_array_add(strchr(word, '@') ? senders->addresses : senders->locals,
                    g_pattern_spec_new(folded));
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

/* The local part itself, then what is left of it without each possible VERP or subaddress tail. */
static bool local_or_verp(const struct bounce_senders *senders, const char *local)
{
    if (any_pattern(senders->locals, local))
        return true;
    g_autofree char *base = g_strdup(local);
    for (size_t i = strlen(base); i-- > 1;) {
        if ((base[i] != '-' && base[i] != '+') || !verp_tail(base[i], local + i + 1))
            continue;
        base[i] = '\0';
        if (any_pattern(senders->locals, base))
            return true;
    }
    return false;
}

/* The local part that a rewriting hides, or NULL. BATV: prvs=TAG=USER, and the older
 * prvs=USER/TAG; Barracuda: btv1==TAG==USER; Microsoft: msprvs1=TAG=USER;
 * SRS: SRS0=HASH=TIME=DOMAIN=USER. */
static const char *hidden_local(const char *local, char **copy_r)
{
    static const struct {
        const char *prefix;
        unsigned skip; /* fields between prefix and user, each ended by = */
    } rewritings[] = {
        {"prvs=", 1}, {"btv1==", 2}, {"msprvs1=", 1}, {"srs0=", 3}, {"srs0+", 3}, {"srs0-", 3},
    };
    *copy_r = NULL;
    for (size_t i = 0; i < G_N_ELEMENTS(rewritings); i++) {
        if (!g_str_has_prefix(local, rewritings[i].prefix))
            continue;
        const char *user = local + strlen(rewritings[i].prefix);
        const char *slash = strchr(user, '/');
        if (slash && i == 0)
            return *copy_r = g_strndup(user, (size_t)(slash - user));
        for (unsigned skip = rewritings[i].skip; user && skip > 0; skip--) {
            user = strchr(user, '=');
            user = user ? user + 1 : NULL;
        }
        return user;
    }
    return NULL;
}

static bool null_standin(const char *local, const char *domain)
{
    return !*local || strcmp(local, "<>") == 0 || strcmp(local, "mailer-daemon") == 0 ||
           (strcmp(local, "#") == 0 && strcmp(domain, "[]") == 0);
}

static bool match_parts(const struct bounce_senders *senders, const char *local_part,
                        const char *domain)
{
    g_autofree char *local = fold(local_part);
    if (senders->null && null_standin(local, domain))
        return true;
    if (local_or_verp(senders, local))
        return true;
    g_autofree char *address = g_strconcat(local, "@", domain, NULL);
    if (any_pattern(senders->addresses, address))
        return true;
    g_autofree char *copy = NULL;
    const char *hidden = hidden_local(local, &copy);
    return hidden && *hidden && local_or_verp(senders, hidden);
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

/* Compares what a field addresses: addresses, and words that stand there alone ("To: postmaster",
 * which an MTA completes). "To: undisclosed" names nobody, hence no null path either. */
static bool judge_field(const struct bounce_senders *senders, const char *value, const char *name,
                        GPtrArray *evidence)
{
    struct mailboxes mailboxes;
    g_autofree char *mark = NULL;
    mailboxes_read(value, strlen(value), &mailboxes);
    const GPtrArray *paths[] = {mailboxes.addresses, mailboxes.bare};
    for (size_t kind = 0; kind < G_N_ELEMENTS(paths); kind++)
        for (guint i = 0; i < paths[kind]->len && !mark; i++)
            if (bounce_senders_match(senders, paths[kind]->pdata[i]))
                mark = g_strdup_printf("%s: %s", name, (const char *)paths[kind]->pdata[i]);
    mailboxes_clear(&mailboxes);
    if (mark)
        autoreply_evidence_add(evidence, AUTOREPLY_TO_BOUNCE_SENDER, "header-recipient", mark, NULL,
                               0);
    return mark != NULL;
}

static bool judge_headers(const struct bounce_senders *senders,
                          const struct autoreply_headers *headers, GPtrArray *evidence)
{
    static const char *const names[] = {"To", "Cc"};
    bool found = false;
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        for (unsigned index = 0; index < AUTOREPLY_FIELDS_MAX; index++) {
            g_autofree char *value = autoreply_header_line(headers, names[i], index);
            if (!value)
                break;
            found |= judge_field(senders, value, names[i], evidence);
        }
    return found;
}

bool bounce_senders_judge(const struct bounce_senders *senders, const char *const *recipients,
                          size_t count, const struct autoreply_headers *headers,
                          GPtrArray *evidence)
{
    bool found = false;
    for (size_t i = 0; i < count; i++) {
        if (!bounce_senders_match(senders, recipients[i]))
            continue;
        found = true;
        autoreply_evidence_add(evidence, AUTOREPLY_TO_BOUNCE_SENDER, "recipient",
                               *recipients[i] ? recipients[i] : "<>", NULL, 0);
    }
    return judge_headers(senders, headers, evidence) || found;
}
