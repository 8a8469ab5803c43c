/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What Sendmail receives and relays for, in gatepost.conf's words: class w (its own names), class
 * VirtHost (virtual domains), class R and RELAY in the access table (domains and networks that it
 * relays for). Sendmail itself is not asked: that may take a minute of DNS.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/ipaddr.h"
#include "base/text.h"
#include "compare.h"
#include "mail/hostname.h"
#include "ownaddress.h"
#include "sendmailfacts.h"
#include "smallfile.h"

/* Words that are printed; more belong into a file. */
enum { WORDS_MAX = 500 };

/* Always in mynetworks; IPv4's, then IPv6's. */
static const char *const loopback[] = {"127.0.0.0/8", "[::1]/128"};

struct sendmail_site {
    struct sendmail_setup *setup;
    GPtrArray *domains;  /* for local_domains */
    GPtrArray *networks; /* for mynetworks */
    GPtrArray *own;      /* for login_domains: class w alone */
    char *name;          /* what Sendmail calls itself, and adds to a bare address */
    bool quiet;          /* who checks has written local_domains himself */
    GPtrArray *named;    /* names of class R, which are those of clients as well */
    GPtrArray *clients;  /* names of clients that may relay by them */
    GPtrArray *users;    /* keys of recipients that the access table relays for */
    GPtrArray *senders;  /* keys of senders that may relay */
    bool below;          /* Sendmail relays for what is below its domains, too */
    bool virtual_below;  /* the same of virtual domains */
    bool certificates;   /* the access table relays by certificate */
    unsigned dropped;
};

/* Prints a line for gatepost.conf, or holds it against what that says. */
static void propose(const struct sendmail_setup *setup, enum setting id, const char *value)
{
    if (setup->task->check)
        compare_setting(setup->task, NULL, "Sendmail", id, value);
    else
        setup_print_setting(setup->task, "dnl ", "dnl # ", id, value);
}

static void add(struct sendmail_site *site, GPtrArray *list, const char *word)
{
    if (list->len < WORDS_MAX)
        setup_add_word(list, word);
    else
        site->dropped++;
}

/* The start of an address, as class R and the access table have it: "192.168.1", "IPv6:2001:db8".
 * Gives the network; NULL if it is none. The caller frees it. */
static char *network_of(const char *word)
{
    struct ipaddr address;
    char text[IPADDR_TEXT_MAX];
    bool six = g_ascii_strncasecmp(word, "IPv6:", strlen("IPv6:")) == 0;
    g_autofree char *start = g_strdup(six ? word + strlen("IPv6:") : word);
    char stop = six ? ':' : '.';
    size_t length = strlen(start);
    if (!*start || (!six && start[strspn(start, "0123456789.")]))
        return NULL;
    if (ipaddr_parse(start, &address)) {
        if (ipaddr_is_loopback(&address))
            return g_strdup(loopback[address.family == IP_V6]);
        ipaddr_format(&address, text);
        return g_strdup_printf(address.family == IP_V6 ? "[%s]" : "%s", text);
    }
    if (start[length - 1] == stop)
        start[length - 1] = '\0';
    unsigned parts = 1, all = six ? 8 : 4;
    for (const char *p = start; *p; p++)
        parts += *p == stop;
    if (parts >= all)
        return NULL;
    GString *whole = g_string_new(start);
    for (unsigned i = parts; i < all && !six; i++)
        g_string_append(whole, ".0");
    if (six)
        g_string_append(whole, "::");
    g_autofree char *full = g_string_free(whole, FALSE);
    if (!ipaddr_parse(full, &address))
        return NULL;
    ipaddr_format(&address, text);
    return six ? g_strdup_printf("[%s]/%u", text, parts * 16)
               : g_strdup_printf("%s/%u", text, parts * 8);
}

static void add_domain(struct sendmail_site *site, const char *word)
{
    struct ipaddr address;
    if (hostname_valid(word) || (word[0] == '[' && hostname_address_literal(word, &address)))
        add(site, site->domains, word);
}

/* What is below NAME. */
static void add_below(struct sendmail_site *site, const char *name)
{
    g_autofree char *below = g_strconcat(".", name, NULL);
    add(site, site->domains, below);
}

/* Sendmail relays for what is below such a domain, too, unless its .cf was made with
 * relay_hosts_only. */
static void add_relayed(struct sendmail_site *site, const char *word)
{
    g_autofree char *network = network_of(word);
    if (network) {
        add(site, site->networks, network);
        return;
    }
    if (!hostname_valid(word))
        return;
    add(site, site->domains, word);
    if (site->below)
        add_below(site, word);
}

/* Class R: its names are those of clients as well. */
static void add_class_r(struct sendmail_site *site, const char *word)
{
    add_relayed(site, word);
    if (hostname_valid(word))
        add(site, site->named, word);
}

/* A virtual domain: whether what is below it is, too, says virtuser_entire_domain, or class R, when
 * it takes the whole class in. */
static void add_virtual(struct sendmail_site *site, const char *word)
{
    add_domain(site, word);
    if (site->virtual_below && hostname_valid(word))
        add_below(site, word);
}

/* Classes */

static void add_words(struct sendmail_site *site, const char *class,
                      void (*each)(struct sendmail_site *site, const char *word))
{
    const GPtrArray *words = site->setup->cf->words;
    for (guint i = 0; i < words->len; i++) {
        const struct sendmailcf_class *entry = words->pdata[i];
        if (strcmp(entry->name, class) == 0)
            each(site, entry->value);
    }
}

/* What a file's names and networks mean beside what gatepost reads there itself. */
static void add_file_lines(struct sendmail_site *site, const char *class, char **lines)
{
    for (char **line = lines; *line; line++) {
        g_autofree char *word = g_strndup(*line, strcspn(*line, "# \t"));
        bool relayed = strcmp(class, "R") == 0;
        g_autofree char *network = relayed ? network_of(word) : NULL;
        if (network)
            add(site, site->networks, network);
        if (network || !hostname_valid(word))
            continue;
        if (relayed)
            add(site, site->named, word);
        if (relayed ? site->below : strcmp(class, "VirtHost") == 0 && site->virtual_below)
            add_below(site, word);
    }
}

static void add_file(struct sendmail_site *site, const struct sendmailcf_class *entry)
{
    const char *why;
    g_auto(GStrv) lines = smallfile_lines(entry->value, &why);
    /* One that is absent is optional, or Sendmail itself tells; gatepost can read a large one. */
    if (!lines && site->setup->found && !g_file_test(entry->value, G_FILE_TEST_IS_REGULAR))
        return;
    if (!strpbrk(entry->value, " ,{}#$"))
        add(site, site->domains, entry->value);
    if (lines)
        add_file_lines(site, entry->name, lines);
}

static bool is_ours(const char *class)
{
    static const char *const classes[] = {"w", "VirtHost", "R"};
    for (size_t i = 0; i < G_N_ELEMENTS(classes); i++)
        if (strcmp(classes[i], class) == 0)
            return true;
    return false;
}

/* Sendmail's own name, which is always in class w. */
static void add_own_name(struct sendmail_site *site)
{
    const char *said = g_hash_table_lookup(site->setup->cf->macros, "j");
    char host[256] = "";
    if (gethostname(host, sizeof(host) - 1) != 0)
        host[0] = '\0';
    const char *name = said && hostname_valid(said) ? said : host;
    site->name = g_strdup(name);
    add_domain(site, name);
    if (!strchr(name, '.') && !site->quiet)
        setup_note(site->setup->task,
                   "this machine's name, \"%s\", has no domain: local_domains must have the name "
                   "that Sendmail calls itself, too",
                   name);
}

/* With relay_entire_domain: the domain that this machine is in, and all below. */
static void add_own_domain(struct sendmail_site *site)
{
    const struct sendmailcf *cf = site->setup->cf;
    const char *said = g_hash_table_lookup(cf->macros, "m");
    const char *dot = strchr(site->name, '.');
    const char *domain = said && hostname_valid(said) ? said : dot ? dot + 1 : "";
    if (!sendmailcf_has_rule(cf, "$* $=m") || !hostname_valid(domain))
        return;
    add(site, site->domains, domain);
    add_below(site, domain);
}

/* Sendmail on Linux counts its IPv4 addresses alone. */
static void add_literals(struct sendmail_site *site)
{
    const char *option = sendmailcf_option(site->setup->cf, "DontProbeInterfaces");
    if (g_ascii_strncasecmp(option, "t", 1) == 0)
        return;
    bool no_loopback = g_ascii_strcasecmp(option, "loopback") == 0;
    g_autoptr(GPtrArray) addresses = ownaddress_list();
    for (guint i = 0; i < addresses->len; i++) {
        const struct ipaddr *address = addresses->pdata[i];
        g_autofree char *literal = ownaddress_literal(address);
        if (address->family == IP_V4 && !(no_loopback && ipaddr_is_loopback(address)))
            add(site, site->domains, literal);
    }
}

/* The access table */

/* "To:example.org RELAY", "Connect:192.0.2 RELAY", "example.org RELAY" */
static void add_access_line(struct sendmail_site *site, const char *line)
{
    g_auto(GStrv) words = g_strsplit_set(line, " \t", -1);
    guint last = g_strv_length(words);
    if (g_ascii_strncasecmp(line, "Cert", 4) == 0)
        site->certificates = true;
    while (last > 1 && !*words[last - 1])
        last--;
    if (line[0] == '#' || last < 2 || g_ascii_strcasecmp(words[last - 1], "RELAY") != 0)
        return;
    const char *key = words[0];
    bool to = g_ascii_strncasecmp(key, "To:", 3) == 0;
    bool connect = g_ascii_strncasecmp(key, "Connect:", 8) == 0;
    bool from = g_ascii_strncasecmp(key, "From:", 5) == 0;
    key += to ? 3 : connect ? 8 : from ? 5 : 0;
    g_autofree char *network = network_of(key);
    if (from)
        add(site, site->senders, key);
    else if (network && !to)
        add(site, site->networks, network);
    else if (strchr(key, '@'))
        add(site, site->users, key);
    else if (!network && connect && hostname_valid(key))
        add(site, site->clients, key);
    else if (!network && !connect)
        add_relayed(site, key);
}

/* The text that the table was made of: "hash -T<TMPF> -o /etc/mail/access.db" has lost its name. */
static void add_access(struct sendmail_site *site)
{
    const char *why;
    const char *map = g_hash_table_lookup(site->setup->cf->maps, "access");
    const char *slash = map ? strstr(map, " /") : NULL;
    if (!map)
        return;
    g_autofree char *path = slash ? g_strdup(slash + 1) : g_strdup("");
    g_strstrip(g_strdelimit(path, "\"", ' '));
    if (g_str_has_suffix(path, ".db"))
        path[strlen(path) - strlen(".db")] = '\0';
    g_autofree char *built = g_strconcat(path, ".db", NULL);
    g_auto(GStrv) lines = *path ? smallfile_lines(path, &why) : NULL;
    if (!lines && *path && !g_file_test(path, G_FILE_TEST_EXISTS) &&
        !g_file_test(built, G_FILE_TEST_EXISTS))
        return; /* there is no such table at all: it is optional, or Sendmail itself tells */
    if (!lines)
        setup_warn(
            site->setup->task,
            "%s: the access table, %s, cannot be read here: whom it lets relay (RELAY) is not "
            "known; list the domains in local_domains and the networks in mynetworks",
            site->setup->path, *path ? path : map);
    for (char **line = lines; line && *line; line++)
        add_access_line(site, *line);
}

/* Doubts */

/* Whether a list of gatepost.conf's has a word that begins with PREFIX. */
static bool list_has(const struct setup_task *task, enum setting id, const char *prefix)
{
    g_autoptr(GPtrArray) words = setup_words(settings_get(task->settings, NULL, id)->text);
    for (guint i = 0; i < words->len; i++)
        if (g_str_has_prefix(words->pdata[i], prefix))
            return true;
    return false;
}

/* Names that mynetworks, checked, does not have. */
static char *lacking_clients(const struct sendmail_site *site, const GPtrArray *names)
{
    const struct setup_task *task = site->setup->task;
    g_autoptr(GPtrArray) rest = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < names->len; i++)
        if (!task->check || !list_has(task, SETTING_MYNETWORKS, names->pdata[i]))
            setup_add_word(rest, names->pdata[i]);
    return setup_join(rest);
}

/* Whom the access table lets relay by what is no domain and no network. */
static void tell_access(const struct sendmail_site *site)
{
    struct setup_task *task = site->setup->task;
    const char *path = site->setup->path;
    g_autofree char *clients = lacking_clients(site, site->clients);
    g_autofree char *users = setup_join(site->users), *senders = setup_join(site->senders);
    bool by_recipient =
        task->check && list_has(task, SETTING_RELAY_RESTRICTIONS, "check_recipient_");
    bool by_sender = task->check && list_has(task, SETTING_RELAY_RESTRICTIONS, "check_sender_");
    if (*clients)
        setup_warn(
            task,
            "%s: the access table lets clients relay by name (%s), and gatepost refuses them: "
            "add their networks to mynetworks (or the names, for which whoever answers for "
            "the DNS of an address is trusted)",
            path, clients);
    /* Whole addresses are looked up there where _RELAY_FULL_ADDR_ is defined alone. */
    bool whole = sendmailcf_has_rule(site->setup->cf, "<+ To> $| <F:") ||
                 sendmailcf_has_rule(site->setup->cf, "access To:$1@$2");
    if (*users && whole && !by_recipient)
        setup_warn(task,
                   "%s: the access table relays for single recipients (%s), and gatepost refuses "
                   "them: put check_recipient_access with a table of them before "
                   "reject_unauth_destination in relay_restrictions",
                   path, users);
    if (*senders && sendmailcf_has_rule(site->setup->cf, "<! From>") && !by_sender)
        setup_warn(task,
                   "%s: the access table lets senders relay (%s, FEATURE(`relay_mail_from')), and "
                   "gatepost refuses them: anybody can claim such an address; let them log in",
                   path, senders);
    if (site->certificates && !settings_get(task->settings, NULL, SETTING_RELAY_CLIENTCERTS)->given)
        setup_warn(task,
                   "%s: the access table lets clients relay by certificate; gatepost will refuse "
                   "them unless relay_clientcerts lists their subjects",
                   path);
}

/* What the .cf was made with. */
static void tell_features(const struct sendmail_site *site)
{
    struct setup_task *task = site->setup->task;
    const struct sendmailcf *cf = site->setup->cf;
    const char *path = site->setup->path;
    g_autofree char *named = lacking_clients(site, site->named);
    g_autofree char *domains = setup_join(site->domains);
    /* What somebody has added of his own may be these domains. */
    bool is_covered = task->check && compare_has_own(task, SETTING_LOCAL_DOMAINS, domains);
    if (g_hash_table_lookup(cf->maps, "mxserved") && is_covered)
        setup_note(task,
                   "%s: FEATURE(`relay_based_on_MX'): nobody can tell here whether local_domains "
                   "has every domain whose MX is this machine",
                   path);
    else if (g_hash_table_lookup(cf->maps, "mxserved"))
        setup_warn(task,
                   "%s: FEATURE(`relay_based_on_MX'): Sendmail relays for every domain whose MX is "
                   "this machine, gatepost for those of local_domains alone: list them there",
                   path);
    if (sendmailcf_has_rule(cf, "$* $=m"))
        setup_warn(task,
                   "%s: FEATURE(`relay_entire_domain'): clients whose name is in this machine's "
                   "domain may relay, and gatepost refuses them: their networks belong in "
                   "mynetworks (its mail is in local_domains)",
                   path);
    if (sendmailcf_has_rule(cf, "FROM local"))
        setup_warn(task,
                   "%s: FEATURE(`relay_local_from'): whoever claims a local sender may relay, and "
                   "gatepost refuses him: let users log in",
                   path);
    if (*named)
        setup_note(
            task,
            "%s: clients named %s, or below, may relay by class R; gatepost knows clients by "
            "address: if there are any, add their networks to mynetworks",
            path, named);
}

/* Classes that a program or a map fills. Whoever has written something of his own into
 * local_domains may have what they hold there. */
static void tell_dynamic(const struct sendmail_site *site)
{
    struct setup_task *task = site->setup->task;
    const struct sendmailcf *cf = site->setup->cf;
    g_autofree char *domains = setup_join(site->domains);
    bool is_covered = task->check && compare_has_own(task, SETTING_LOCAL_DOMAINS, domains);
    for (guint i = 0; i < cf->dynamic->len; i++) {
        const struct sendmailcf_class *entry = cf->dynamic->pdata[i];
        if (!is_ours(entry->name))
            continue;
        if (is_covered)
            setup_note(task, "%s: class %s is filled by \"%s\": not compared with local_domains",
                       site->setup->path, entry->name, entry->value);
        else
            setup_warn(task,
                       "%s: class %s is filled by \"%s\", which gatepost does not ask: list its "
                       "names in local_domains, or in a file",
                       site->setup->path, entry->name, entry->value);
    }
}

static void tell(struct sendmail_site *site)
{
    tell_dynamic(site);
    tell_features(site);
    tell_access(site);
    if (site->dropped > 0 && !site->quiet)
        setup_warn(site->setup->task,
                   "%s: %u more domains and networks are not printed: keep them in a file "
                   "that local_domains or mynetworks name",
                   site->setup->path, site->dropped);
}

/* Class w, in words and files: there Sendmail takes addresses apart, and a user is the same at each
 * of its domains. What there is to tell is told of all domains. */
static void collect_own(const struct sendmail_site *all)
{
    struct sendmail_site site = {.setup = all->setup,
                                 .domains = all->own,
                                 .networks = all->own,
                                 .named = all->own,
                                 .quiet = true};
    const GPtrArray *files = all->setup->cf->files;
    add_words(&site, "w", add_domain);
    add_own_name(&site);
    for (guint i = 0; i < files->len; i++) {
        const struct sendmailcf_class *entry = files->pdata[i];
        if (strcmp(entry->name, "w") == 0)
            add_file(&site, entry);
    }
    add_literals(&site);
    g_free(site.name);
}

static void collect(struct sendmail_site *site)
{
    for (size_t i = 0; i < G_N_ELEMENTS(loopback); i++)
        add(site, site->networks, loopback[i]);
    add_words(site, "w", add_domain);
    add_words(site, "VirtHost", add_virtual);
    add_own_name(site);
    add_own_domain(site);
    const struct sendmailcf *cf = site->setup->cf;
    for (guint i = 0; i < cf->files->len; i++) {
        const struct sendmailcf_class *entry = cf->files->pdata[i];
        if (is_ours(entry->name))
            add_file(site, entry);
    }
    add_literals(site);
    collect_own(site);
    add_words(site, "R", add_class_r);
    add_access(site);
}

static void propose_all(const struct sendmail_site *site)
{
    struct sendmail_setup *setup = site->setup;
    g_autofree char *domains = setup_join(site->domains), *networks = setup_join(site->networks);
    g_autofree char *own = setup_join(site->own);
    if (!setup->task->check)
        printf("dnl\ndnl %s, without the \"dnl\"\n", setup->task->settings_file);
    if (!setup->task->check && !setup->found)
        printf("dnl # leave out those of the files that do not exist\n");
    propose(setup, SETTING_LOCAL_DOMAINS, domains);
    propose(setup, SETTING_LOGIN_DOMAINS, own);
    if (strchr(site->name, '.'))
        propose(setup, SETTING_ORIGIN, site->name);
    propose(setup, SETTING_MYNETWORKS, networks);
    /* user+detail is user's wherever "+" is an operator. */
    if (strchr(sendmailcf_option(setup->cf, "OperatorChars"), '+'))
        propose(setup, SETTING_RECIPIENT_DELIMITER, "+");
    /* Logins are told as they were typed; a user may type the realm that he is looked up in. */
    const char *realm = sendmailcf_option(setup->cf, "AuthRealm");
    if (hostname_valid(realm))
        propose(setup, SETTING_SASL_LOCAL_REALMS, realm);
}

/* Whether class R takes in the virtual domains. */
static bool takes_virtual(const struct sendmailcf *cf)
{
    for (guint i = 0; i < cf->words->len; i++) {
        const struct sendmailcf_class *entry = cf->words->pdata[i];
        if (strcmp(entry->name, "R") == 0 && strcmp(entry->value, "$={VirtHost}") == 0)
            return true;
    }
    return false;
}

void sendmailsite(struct sendmail_setup *setup)
{
    struct setup_task *task = setup->task;
    bool given = settings_get(task->settings, NULL, SETTING_LOCAL_DOMAINS)->given;
    const struct sendmailcf *cf = setup->cf;
    struct sendmail_site site = {.setup = setup, .quiet = task->check && given};
    GPtrArray **lists[] = {&site.domains, &site.networks, &site.own,    &site.named,
                           &site.clients, &site.users,    &site.senders};
    for (size_t i = 0; i < G_N_ELEMENTS(lists); i++)
        *lists[i] = g_ptr_array_new_with_free_func(g_free);
    site.below =
        !setup->found || !sendmailcf_has_rule(cf, "$=R") || sendmailcf_has_rule(cf, "$* $=R");
    site.virtual_below =
        sendmailcf_has_rule(cf, "@ $* $={VirtHost} . >") || (site.below && takes_virtual(cf));
    collect(&site);
    propose_all(&site);
    tell(&site);
    for (size_t i = 0; i < G_N_ELEMENTS(lists); i++)
        g_ptr_array_unref(*lists[i]);
    g_free(site.name);
}
