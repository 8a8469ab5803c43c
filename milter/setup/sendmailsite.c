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
    bool relays_below;   /* class R or the access table names domains: those below count, too */
    bool certificates;   /* the access table relays by certificate */
    unsigned dropped;
};

/* Prints a line for gatepost.conf, or holds it against what that says. */
static void propose(const struct sendmail_setup *setup, enum setting id, const char *value)
{
    if (setup->task->check)
        compare_setting(setup->task, "Sendmail", id, value);
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

/* Sendmail relays for what is below such a domain, too, unless it was built with
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
    g_autofree char *below = g_strconcat(".", word, NULL);
    add(site, site->domains, word);
    add(site, site->domains, below);
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

/* The networks in a file of class R; its names are read by gatepost itself. */
static void add_file_networks(struct sendmail_site *site, char **lines)
{
    for (char **line = lines; *line; line++) {
        g_autofree char *word = g_strndup(*line, strcspn(*line, "# \t"));
        g_autofree char *network = network_of(word);
        if (network)
            add(site, site->networks, network);
        else if (hostname_valid(word))
            site->relays_below = true;
    }
}

static void add_file(struct sendmail_site *site, const struct sendmailcf_class *entry)
{
    const char *why;
    g_auto(GStrv) lines = smallfile_lines(entry->value, &why);
    /* One that is absent is optional, or Sendmail itself tells; gatepost can read a large one. */
    if (!lines && site->setup->found && !g_file_test(entry->value, G_FILE_TEST_IS_REGULAR))
        return;
    if (lines && strcmp(entry->name, "R") == 0)
        add_file_networks(site, lines);
    if (!strpbrk(entry->value, " ,{}#$"))
        add(site, site->domains, entry->value);
}

static bool is_ours(const char *class)
{
    static const char *const classes[] = {"w", "VirtHost", "R"};
    for (size_t i = 0; i < G_N_ELEMENTS(classes); i++)
        if (strcmp(classes[i], class) == 0)
            return true;
    return false;
}

static void add_files(struct sendmail_site *site)
{
    const struct sendmailcf *cf = site->setup->cf;
    for (guint i = 0; i < cf->files->len; i++) {
        const struct sendmailcf_class *entry = cf->files->pdata[i];
        if (is_ours(entry->name))
            add_file(site, entry);
    }
    for (guint i = 0; i < cf->dynamic->len; i++) {
        const struct sendmailcf_class *entry = cf->dynamic->pdata[i];
        if (is_ours(entry->name) && !site->quiet)
            setup_warn(site->setup->task,
                       "%s: class %s is filled by \"%s\", which gatepost does not ask: list its "
                       "names in local_domains, or in a file",
                       site->setup->path, entry->name, entry->value);
    }
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
    key += to ? 3 : connect ? 8 : 0;
    g_autofree char *network = network_of(key);
    if (network && !to)
        add(site, site->networks, network);
    else if (!network && !connect && !strchr(key, '@'))
        add_relayed(site, key);
}

/* The text that the table was made of. */
static void add_access(struct sendmail_site *site)
{
    const char *why;
    const char *map = g_hash_table_lookup(site->setup->cf->maps, "access");
    const char *slash = map ? strrchr(map, ' ') : NULL;
    if (!slash || slash[1] != '/')
        return;
    g_auto(GStrv) lines = smallfile_lines(slash + 1, &why);
    for (char **line = lines; line && *line; line++)
        add_access_line(site, *line);
}

static void tell(struct sendmail_site *site)
{
    struct setup_task *task = site->setup->task;
    if (site->relays_below && !site->quiet)
        setup_note(task,
                   "%s: Sendmail relays to what is below the domains of class R as well; "
                   "gatepost takes the names in a file as they are: add .DOMAIN for these",
                   site->setup->path);
    const struct settings *settings = task->settings;
    if (site->certificates && !settings_get(settings, NULL, SETTING_RELAY_CLIENTCERTS)->given)
        setup_warn(task,
                   "%s: the access table lets clients relay by certificate; gatepost will refuse "
                   "them unless relay_clientcerts lists their subjects",
                   site->setup->path);
    if (site->dropped > 0 && !site->quiet)
        setup_warn(task,
                   "%s: %u more domains and networks are not printed: keep them in a file "
                   "that local_domains or mynetworks name",
                   site->setup->path, site->dropped);
}

/* Logins are told as they were typed; a user may type the realm that he is looked up in. */
static void propose_realm(const struct sendmail_setup *setup)
{
    const char *realm = sendmailcf_option(setup->cf, "AuthRealm");
    if (hostname_valid(realm))
        propose(setup, SETTING_SASL_LOCAL_REALMS, realm);
}

/* user+detail is user's wherever "+" is an operator. */
static void propose_delimiter(const struct sendmail_setup *setup)
{
    if (strchr(sendmailcf_option(setup->cf, "OperatorChars"), '+'))
        propose(setup, SETTING_RECIPIENT_DELIMITER, "+");
}

/* Class w, in words and files: there Sendmail takes addresses apart, and a user is the same at each
 * of its domains. What there is to tell is told of all domains. */
static void collect_own(const struct sendmail_site *all)
{
    struct sendmail_site site = {
        .setup = all->setup, .domains = all->own, .networks = all->own, .quiet = true};
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
    add_words(site, "VirtHost", add_domain);
    add_own_name(site);
    add_files(site);
    add_literals(site);
    collect_own(site);
    add_words(site, "R", add_relayed);
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
    propose_delimiter(setup);
    propose_realm(setup);
}

void sendmailsite(struct sendmail_setup *setup)
{
    struct setup_task *task = setup->task;
    bool given = settings_get(task->settings, NULL, SETTING_LOCAL_DOMAINS)->given;
    struct sendmail_site site = {.setup = setup,
                                 .domains = g_ptr_array_new_with_free_func(g_free),
                                 .networks = g_ptr_array_new_with_free_func(g_free),
                                 .own = g_ptr_array_new_with_free_func(g_free),
                                 .quiet = task->check && given};
    collect(&site);
    propose_all(&site);
    tell(&site);
    g_ptr_array_unref(site.domains);
    g_ptr_array_unref(site.networks);
    g_ptr_array_unref(site.own);
    g_free(site.name);
}
