/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Postfix's restriction lists, as gatepost could have them. Postfix's own stay in force beside
 * gatepost and are asked first, so that all of it is a proposal, and printed as remarks.
 */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "checks/check.h"
#include "policy/restriction_list.h"
#include "postfixfacts.h"

/* A list of Postfix's that is taken apart. */
struct division {
    const struct postfix_setup *setup;
    enum restriction_list_kind kind;
    const GPtrArray *classes; /* of char *: smtpd_restriction_classes */
    GPtrArray *moves;         /* of char *: what gatepost can serve, in its order */
    GPtrArray *stays;         /* of char *: "WORD (why)" */
};

static const struct {
    const char *postfix;
    enum restriction_list_kind kind;
} lists[] = {{"smtpd_client_restrictions", LIST_CLIENT},
             {"smtpd_helo_restrictions", LIST_HELO},
             {"smtpd_sender_restrictions", LIST_SENDER},
             {"smtpd_relay_restrictions", LIST_RELAY},
             {"smtpd_recipient_restrictions", LIST_RECIPIENT}};

/* Whether the word behind one that gatepost does not serve is its argument. */
static bool takes(const char *word, const char *next)
{
    bool takes_any = g_str_has_prefix(word, "check_") || strcmp(word, "sleep") == 0;
    return next && (strchr(next, ':') || next[0] == '/' ||
                    (takes_any && !restriction_find(next) && !restriction_not_served(next)));
}

/* Why the restriction ROW with ARGUMENT cannot be taken over; NULL: it can. */
static const char *obstacle(const struct division *division, const struct restriction *row,
                            const char *argument)
{
    if (row->argument == ARGUMENT_TABLE && !postfix_can_read(argument))
        return "gatepost cannot read this table";
    if (strcmp(row->name, "check_ccert_access") == 0)
        return "Postfix compares fingerprints, which no milter is told";
    if (strcmp(row->name, "permit_tls_clientcerts") == 0 &&
        !settings_get(division->setup->task->settings, NULL, SETTING_RELAY_CLIENTCERTS)->given)
        return "Postfix knows the certificates by fingerprint; see relay_clientcerts";
    return NULL;
}

/* One restriction, whose words begin at INDEX: moves or stays, below PREFIX ("warn_if_reject ").
 * The index behind it. */
static guint divide_one(struct division *division, const GPtrArray *words, guint index,
                        const char *prefix)
{
    const char *word = words->pdata[index];
    const char *next = index + 1 < words->len ? words->pdata[index + 1] : NULL;
    const struct restriction *row = restriction_find(word);
    bool is_class =
        g_ptr_array_find_with_equal_func((GPtrArray *)division->classes, word, g_str_equal, NULL);
    bool is_table = !row && !is_class && strchr(word, ':');
    bool has_argument = row ? row->argument != ARGUMENT_NONE : !is_table && takes(word, next);
    g_autofree char *text = g_strconcat(prefix, word, has_argument && next ? " " : "",
                                        has_argument && next ? next : "", NULL);
    const char *why = NULL;
    if (is_class)
        why = NULL;
    else if (is_table)
        why = postfix_can_read(word) ? NULL : "gatepost cannot read this table";
    else if (!row)
        why = restriction_not_served(word) ? restriction_not_served(word)
                                           : "gatepost does not know it";
    else
        why = has_argument && !next ? "its argument is missing" : obstacle(division, row, next);
    if (why)
        g_ptr_array_add(division->stays, g_strdup_printf("%s (%s)", text, why));
    else
        g_ptr_array_add(division->moves, g_strdup(text));
    return index + 1 + (has_argument && next ? 1 : 0);
}

static void divide(struct division *division, const char *value)
{
    g_autoptr(GPtrArray) words = setup_words(value);
    division->moves = g_ptr_array_new_with_free_func(g_free);
    division->stays = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < words->len;) {
        bool warns =
            g_ascii_strcasecmp(words->pdata[i], "warn_if_reject") == 0 && i + 1 < words->len;
        i = divide_one(division, words, i + warns, warns ? "warn_if_reject " : "");
    }
}

static void division_clear(struct division *division)
{
    g_ptr_array_unref(division->moves);
    g_ptr_array_unref(division->stays);
}

/* Whether WORD is in gatepost's own default list, or says the same as one there. */
static bool is_default(const struct division *division, const char *word)
{
    const char *text = setting_row(restriction_list_setting(division->kind))->default_text;
    g_autoptr(GPtrArray) words = setup_words(text ? text : "");
    return strcmp(word, "defer_unauth_destination") == 0 ||
           (division->kind == LIST_RECIPIENT && strcmp(word, "reject_unauth_destination") == 0) ||
           g_ptr_array_find_with_equal_func(words, word, g_str_equal, NULL);
}

/* Whether it would do more than the default does. */
static bool adds(const struct division *division)
{
    for (guint i = 0; i < division->moves->len; i++)
        if (!is_default(division, division->moves->pdata[i]))
            return true;
    return false;
}

/* Adds the words of gatepost's default that are not in the list: what keeps senders honest before
 * it, as far as it permits nobody; the rest behind, unless it ends in a word that always decides.
 */
static char *complete(const struct division *division)
{
    const char *text = setting_row(restriction_list_setting(division->kind))->default_text;
    g_autoptr(GPtrArray) defaults = setup_words(text ? text : "");
    g_autoptr(GPtrArray) whole = g_ptr_array_new_with_free_func(g_free);
    guint next = 0;
    for (; next < defaults->len; next++) {
        const struct restriction *row = restriction_find(defaults->pdata[next]);
        if (row->traits & TRAIT_PERMITS)
            break;
        setup_add_word(whole, row->name);
    }
    bool ends = false;
    for (guint i = 0; i < division->moves->len; i++) {
        const struct restriction *row = restriction_find(division->moves->pdata[i]);
        ends = ends || (row && row->traits & TRAIT_ALWAYS);
        setup_add_word(whole, division->moves->pdata[i]);
    }
    for (; !ends && next < defaults->len; next++)
        setup_add_word(whole, defaults->pdata[next]);
    return setup_join(whole);
}

static void print_stays(const struct division *division, const char *where)
{
    for (guint i = 0; i < division->stays->len; i++)
        postfix_print_remark("%s: leave %s", where, (const char *)division->stays->pdata[i]);
}

/* A value is printed unless it could be taken for more than a line. */
static void print_proposal(const char *name, const char *value)
{
    if (setup_is_one_line(value))
        printf("#%s =%s%s\n", name, *value ? " " : "", value);
}

static void print_list(const struct postfix_setup *setup, const GPtrArray *classes, size_t list,
                       const char *where, const char *value, bool always)
{
    struct division division = {.setup = setup, .kind = lists[list].kind, .classes = classes};
    divide(&division, value);
    g_autofree char *whole = complete(&division);
    if (always || adds(&division))
        print_proposal(restriction_list_name(division.kind), whole);
    print_stays(&division, where);
    division_clear(&division);
}

/* Classes, whose names and values are parameters of the site's own. */

static void print_classes(const struct postfix_setup *setup, const GPtrArray *classes)
{
    g_autofree char *why = NULL;
    g_autofree char *names = setup_join(classes);
    g_autoptr(GPtrArray) asked = g_ptr_array_new();
    for (guint i = 0; i < classes->len; i++)
        g_ptr_array_add(asked, classes->pdata[i]);
    g_ptr_array_add(asked, NULL);
    struct postconf *values =
        classes->len ? postconf_read(setup->task->folder, (const char *const *)asked->pdata, &why)
                     : NULL;
    if (!values)
        return;
    print_proposal("restriction_classes", names);
    for (guint i = 0; i < classes->len; i++) {
        struct division division = {.setup = setup, .kind = LIST_RECIPIENT, .classes = classes};
        divide(&division, postconf_get(values, classes->pdata[i]));
        g_autofree char *text = setup_join(division.moves);
        print_proposal(classes->pdata[i], text);
        print_stays(&division, classes->pdata[i]);
        division_clear(&division);
    }
    postconf_free(values);
}

/* Services */

/* What main.cf has for all must not fall upon a service whose own list is another: on a submission
 * service, say, it would refuse who sends from home. */
static void print_service(const struct postfix_setup *setup, const GPtrArray *classes,
                          const struct postconf_service *service, GPtrArray *told)
{
    const char *own_name = g_hash_table_lookup(service->overrides, "milter_macro_daemon_name");
    enum postfix_shown shown = postfix_shown(setup, service);
    bool begun = false;
    if (shown == POSTFIX_NO_SMTPD || shown == POSTFIX_NONE)
        return;
    g_autofree char *name = own_name ? g_strdup(own_name) : postfix_name_for(service);
    bool is_told = g_ptr_array_find_with_equal_func(told, name, g_str_equal, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(lists); i++) {
        const char *own = g_hash_table_lookup(service->overrides, lists[i].postfix);
        if (!own || !setup_is_one_line(name))
            continue;
        g_autofree char *where =
            g_strdup_printf("%s/%s/%s", service->name, service->type, lists[i].postfix);
        if (is_told) {
            postfix_print_remark("%s: [listener %s] is above; give this service a name of its own "
                                 "(milter_macro_daemon_name) if its lists are others",
                                 where, name);
            continue;
        }
        if (!begun)
            printf("#[listener %s]\n", name);
        begun = true;
        print_list(setup, classes, i, where, own, true);
    }
    if (begun)
        setup_add_word(told, name);
}

void postfixlists_print(const struct postfix_setup *setup)
{
    static const char *const left[] = {"smtpd_data_restrictions", "smtpd_end_of_data_restrictions"};
    g_autoptr(GPtrArray) classes = setup_words(postfix_get(setup, "smtpd_restriction_classes"));
    g_autoptr(GPtrArray) told = g_ptr_array_new_with_free_func(g_free);
    printf("\n# Postfix's own restriction lists stay in force, and are asked before gatepost: "
           "nothing\n"
           "# need be moved. These could be, to be judged, tried and logged with the rest; a list\n"
           "# that is set takes the place of gatepost's default, whose words are in it.\n");
    print_classes(setup, classes);
    for (size_t i = 0; i < G_N_ELEMENTS(lists); i++)
        print_list(setup, classes, i, lists[i].postfix, postfix_get(setup, lists[i].postfix),
                   false);
    for (size_t i = 0; i < G_N_ELEMENTS(left); i++)
        if (*postfix_get(setup, left[i]))
            postfix_print_remark("%s: leave all of it (a milter cannot refuse at DATA)", left[i]);
    for (guint i = 0; i < setup->postconf->services->len; i++)
        print_service(setup, classes, setup->postconf->services->pdata[i], told);
}
