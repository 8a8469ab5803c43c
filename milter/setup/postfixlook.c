/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What would go wrong with the Postfix that is there: an inspection a row.
 */
#include <stdlib.h>
#include <string.h>

#include "base/ipaddr.h"
#include "mtatime.h"
#include "reach.h"
#include "postfixfacts.h"

/* Calls EACH for every service of master.cf. */
static void each_service(struct postfix_setup *setup,
                         void (*each)(struct postfix_setup *setup,
                                      const struct postconf_service *service))
{
    for (guint i = 0; i < setup->postconf->services->len; i++)
        each(setup, setup->postconf->services->pdata[i]);
}

/* What a service says itself of a parameter; NULL: nothing. */
static const char *own(const struct postconf_service *service, const char *name)
{
    return g_hash_table_lookup(service->overrides, name);
}

/* Whether a service asks milters: smtpd for clients, cleanup for programs of this machine. */
static bool asks(const struct postfix_setup *setup, const struct postconf_service *service)
{
    enum postfix_shown shown = postfix_shown(setup, service);
    return shown == POSTFIX_SHOWN || shown == POSTFIX_OTHERS_ONLY ||
           strcmp(service->command, "cleanup") == 0;
}

/* The socket */

static void look_at_chroot(struct postfix_setup *setup)
{
    if (!setup->path || setup->milter[strlen("unix:")] != '/')
        return;
    for (guint i = 0; i < setup->postconf->services->len; i++) {
        const struct postconf_service *service = setup->postconf->services->pdata[i];
        if (!service->chroot || !asks(setup, service))
            continue;
        const char *queue = postfix_get(setup, "queue_directory");
        setup_warn(setup->task,
                   "%s/%s runs chrooted in %s and cannot see %s: set milter_socket = "
                   "unix:%s/gatepost/milter.sock in gatepost.conf (make that folder first, owned "
                   "by gatepost's user), or inet:PORT@127.0.0.1, and run this again",
                   service->name, service->type, queue, setup->milter, queue);
        return;
    }
}

static void look_at_reach(struct postfix_setup *setup)
{
    const char *owner = postfix_get(setup, "mail_owner");
    if (!setup->path)
        return;
    g_autofree char *why =
        reach_fault(setup->task->settings, setup->path, *owner ? owner : "postfix", NULL);
    if (why)
        setup_warn(setup->task, "%s", why);
}

/* Lists of milters */

/* Calls EACH for the values of a parameter in main.cf and where a service that asks milters has
 * one of its own. */
static void each_value(struct postfix_setup *setup, const char *name,
                       void (*each)(struct postfix_setup *setup, const char *where,
                                    const char *value))
{
    each(setup, name, postfix_get(setup, name));
    for (guint i = 0; i < setup->postconf->services->len; i++) {
        const struct postconf_service *service = setup->postconf->services->pdata[i];
        if (!own(service, name) || !asks(setup, service))
            continue;
        g_autofree char *where = g_strdup_printf("%s/%s/%s", service->name, service->type, name);
        each(setup, where, own(service, name));
    }
}

/* Calls EACH for the option NAME of gatepost where it has one: { gatepost's socket, NAME=VALUE }.
 */
static void each_option(struct postfix_setup *setup, const char *name,
                        void (*each)(struct postfix_setup *setup, const char *where,
                                     const char *value))
{
    static const char *const lists[] = {"smtpd_milters", "non_smtpd_milters"};
    g_autoptr(GPtrArray) wheres = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GPtrArray) values = g_ptr_array_new();
    for (size_t n = 0; n < G_N_ELEMENTS(lists); n++) {
        g_ptr_array_add(wheres, g_strdup(lists[n]));
        g_ptr_array_add(values, (char *)postfix_get(setup, lists[n]));
        for (guint i = 0; i < setup->postconf->services->len; i++) {
            const struct postconf_service *service = setup->postconf->services->pdata[i];
            if (!own(service, lists[n]))
                continue;
            g_ptr_array_add(wheres,
                            g_strdup_printf("%s/%s/%s", service->name, service->type, lists[n]));
            g_ptr_array_add(values, (char *)own(service, lists[n]));
        }
    }
    for (guint i = 0; i < values->len; i++) {
        g_autoptr(GPtrArray) words = setup_words(values->pdata[i]);
        for (guint n = 0; n < words->len; n++) {
            struct postfix_milter milter;
            postfix_milter_init(&milter, words->pdata[n]);
            const char *value = milter.options ? g_hash_table_lookup(milter.options, name) : NULL;
            g_autofree char *where = g_strdup_printf("%s: %s", (char *)wheres->pdata[i], name);
            if (value && postfix_is_gatepost(setup, milter.socket))
                each(setup, where, value);
            postfix_milter_clear(&milter);
        }
    }
}

/* Calls EACH for milter_NAME and the option NAME of gatepost. */
static void each_milter_value(struct postfix_setup *setup, const char *name,
                              void (*each)(struct postfix_setup *setup, const char *where,
                                           const char *value))
{
    g_autofree char *parameter = g_strconcat("milter_", name, NULL);
    each_value(setup, parameter, each);
    each_option(setup, name, each);
}

static void look_for_gatepost(struct postfix_setup *setup)
{
    if (!setup->task->check)
        return;
    if (postfix_place(setup, postfix_get(setup, "smtpd_milters")) == 0)
        setup_warn(setup->task, "smtpd_milters leaves gatepost (%s) out: mail passes unseen",
                   setup->milter);
}

/* Without gatepost anywhere nobody has set it up yet, and the lines printed do. */
static void look_at_programs(struct postfix_setup *setup)
{
    bool begun = setup->task->check || postfix_place(setup, postfix_get(setup, "smtpd_milters"));
    if (begun && postfix_place(setup, postfix_get(setup, "non_smtpd_milters")) == 0)
        setup_warn(setup->task,
                   "non_smtpd_milters leaves gatepost out: what programs of this machine submit "
                   "passes unseen");
    for (guint i = 0; i < setup->postconf->services->len; i++) {
        const struct postconf_service *service = setup->postconf->services->pdata[i];
        const char *options = own(service, "receive_override_options");
        const char *list = own(service, "non_smtpd_milters");
        if (strcmp(service->command, "pickup") == 0 && options &&
            postfix_has_word(options, "no_milters"))
            setup_warn(setup->task,
                       "%s/%s has receive_override_options = no_milters: what programs of this "
                       "machine submit passes unseen",
                       service->name, service->type);
        if (strcmp(service->command, "cleanup") == 0 && list && postfix_place(setup, list) == 0)
            setup_warn(setup->task,
                       "%s/%s has non_smtpd_milters of its own, which leave gatepost out",
                       service->name, service->type);
    }
}

/* After milter_socket was changed, say. */
static void look_at_strangers_of(struct postfix_setup *setup, const char *where, const char *value)
{
    g_autoptr(GPtrArray) words = setup_words(value);
    for (guint i = 0; i < words->len; i++)
        if (strstr(words->pdata[i], "gatepost") && postfix_place(setup, words->pdata[i]) == 0)
            setup_warn(setup->task,
                       "%s has %s, where gatepost does not listen: take it out, unless another "
                       "gatepost does",
                       where, (const char *)words->pdata[i]);
}

static void look_at_strangers(struct postfix_setup *setup)
{
    each_value(setup, "smtpd_milters", look_at_strangers_of);
    each_value(setup, "non_smtpd_milters", look_at_strangers_of);
}

static void look_at_order_of(struct postfix_setup *setup, const char *where, const char *value)
{
    if (postfix_place(setup, value) > 1)
        setup_warn(setup->task,
                   "%s: gatepost must stand before a DKIM signer, and so at the beginning", where);
}

static void look_at_order(struct postfix_setup *setup)
{
    each_value(setup, "smtpd_milters", look_at_order_of);
    each_value(setup, "non_smtpd_milters", look_at_order_of);
}

/* Services */

static void look_at_service(struct postfix_setup *setup, const struct postconf_service *service)
{
    enum postfix_shown shown = postfix_shown(setup, service);
    bool inner = postfix_is_inner(service);
    if (shown == POSTFIX_OTHERS_ONLY)
        setup_warn(setup->task,
                   "%s/%s has smtpd_milters of its own, which leave gatepost out: mail passes "
                   "unseen there",
                   service->name, service->type);
    if (shown == POSTFIX_NONE && !inner)
        setup_warn(setup->task, "%s/%s shows milters nothing (%s): mail passes unseen there",
                   service->name, service->type,
                   own(service, "smtpd_milters") ? "smtpd_milters of its own is empty"
                                                 : "receive_override_options = no_milters");
}

static void look_at_services(struct postfix_setup *setup)
{
    if (postfix_has_word(postfix_get(setup, "receive_override_options"), "no_milters"))
        setup_warn(setup->task,
                   "receive_override_options = no_milters in main.cf: all mail passes unseen");
    else
        each_service(setup, look_at_service);
}

static void look_at_maps_of(struct postfix_setup *setup, const char *where, const char *value)
{
    if (*value)
        setup_warn(setup->task,
                   "%s = %s: clients to which it gives DISABLE, or milters without gatepost, pass "
                   "unseen",
                   where, value);
}

static void look_at_maps(struct postfix_setup *setup)
{
    each_value(setup, "smtpd_milter_maps", look_at_maps_of);
}

static void look_at_proxy_of(struct postfix_setup *setup, const char *where, const char *value)
{
    if (*value)
        setup_warn(setup->task,
                   "%s = %s: Postfix shows milters neither header nor body of what goes through a "
                   "proxy filter; give gatepost to the service behind it, or make it a "
                   "content_filter",
                   where, value);
}

static void look_at_proxy(struct postfix_setup *setup)
{
    each_value(setup, "smtpd_proxy_filter", look_at_proxy_of);
}

/* Where mail comes back from a filter behind the queue: a service of this machine alone that has
 * that filter switched off. Services that had it judged before must be there, too. */
static void look_at_reinjection(struct postfix_setup *setup)
{
    const char *filter = "";
    for (guint i = 0; i < setup->postconf->services->len && !*filter; i++) {
        const struct postconf_service *service = setup->postconf->services->pdata[i];
        if (postfix_shown(setup, service) == POSTFIX_SHOWN)
            filter = postconf_service_get(setup->postconf, service, "content_filter");
    }
    for (guint i = 0; i < setup->postconf->services->len && *filter; i++) {
        const struct postconf_service *service = setup->postconf->services->pdata[i];
        const char *list = postconf_service_get(setup->postconf, service, "smtpd_milters");
        if (strcmp(service->type, "inet") == 0 && postfix_is_inner(service) &&
            !*postconf_service_get(setup->postconf, service, "content_filter") &&
            postfix_shown(setup, service) == POSTFIX_SHOWN && postfix_place(setup, list) > 0)
            setup_warn(setup->task,
                       "%s/%s: what comes back there from content_filter = %s is judged again, "
                       "as mail of this machine: %s -P '%s/%s/smtpd_milters='",
                       service->name, service->type, filter, setup->command, service->name,
                       service->type);
    }
}

/* When gatepost does not answer */

static void look_at_action_of(struct postfix_setup *setup, const char *where, const char *value)
{
    if (g_ascii_strcasecmp(value, "accept") == 0)
        setup_warn(setup->task, "%s = accept lets mail pass unseen whenever gatepost is down",
                   where);
    else if (g_ascii_strcasecmp(value, "reject") == 0)
        setup_warn(setup->task, "%s = reject refuses mail for good whenever gatepost is down",
                   where);
}

static void look_at_action(struct postfix_setup *setup)
{
    each_milter_value(setup, "default_action", look_at_action_of);
}

static void look_at_timeout_of(struct postfix_setup *setup, const char *where, const char *value)
{
    unsigned least = setup_least_timeout(setup->task->settings);
    if (*value && mtatime_seconds(value) < least)
        setup_warn(setup->task, "%s = %s: gatepost may need %us (dnsbl_timeout and %us)", where,
                   value, least, SETUP_TIMEOUT_LEAST);
}

static void look_at_timeouts(struct postfix_setup *setup)
{
    static const char *const names[] = {"connect_timeout", "command_timeout", "content_timeout"};
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        each_milter_value(setup, names[i], look_at_timeout_of);
}

/* What gatepost is told */

static void look_at_protocol_of(struct postfix_setup *setup, const char *where, const char *value)
{
    int protocol = atoi(value);
    if (protocol > 0 && protocol < 6)
        setup_warn(setup->task,
                   "%s = %s is too old: gatepost cannot ask for the macros that it needs", where,
                   value);
}

static void look_at_protocol(struct postfix_setup *setup)
{
    each_milter_value(setup, "protocol", look_at_protocol_of);
}

static void look_at_name_of(struct postfix_setup *setup, const char *where, const char *value)
{
    if (!g_str_has_prefix(value, "Postfix"))
        setup_warn(setup->task,
                   "%s = %s: gatepost knows Postfix by it, and takes this for Sendmail: verified "
                   "client certificates count for nothing. It must begin with \"Postfix\"",
                   where, value);
}

static void look_at_name(struct postfix_setup *setup)
{
    each_value(setup, "milter_macro_v", look_at_name_of);
}

/* What Postfix knows itself it does not look up in milter_macro_defaults: what is not true of a
 * client that has not logged in, or shown a certificate, is said of him by these. */
static void look_at_macros_of(struct postfix_setup *setup, const char *where, const char *value)
{
    static const char *const believed[] = {
        "auth_authen", "auth_type",      "cert_subject", "cert_issuer", "verify",
        "tls_version", "cipher",         "cipher_bits",  "client_addr", "client_name",
        "client_ptr",  "client_resolve", "client_port",  "mail_addr",   "mail_mailer",
        "mail_host",   "rcpt_addr",      "rcpt_mailer",  "rcpt_host"};
    g_autoptr(GPtrArray) words = setup_words(value);
    for (guint i = 0; i < words->len; i++) {
        g_autofree char *name = g_strdup(words->pdata[i]);
        g_strstrip(g_strdelimit(name, "{}", ' '));
        name[strcspn(name, "= ")] = '\0';
        for (size_t n = 0; n < G_N_ELEMENTS(believed); n++)
            if (strcmp(name, believed[n]) == 0)
                setup_warn(setup->task,
                           "%s gives {%s} to every client that has none, and gatepost believes "
                           "it: take it out",
                           where, name);
    }
}

static void look_at_macros(struct postfix_setup *setup)
{
    each_value(setup, "milter_macro_defaults", look_at_macros_of);
}

static void look_for_listener(void *data, const char *name, const char *where)
{
    struct postfix_setup *setup = data;
    if (name[0] != ':' && !postfix_is_called(setup, name))
        setup_warn(setup->task, "%s: no service in master.cf has -o milter_macro_daemon_name=%s",
                   where, name);
}

static void look_for_listeners(struct postfix_setup *setup)
{
    setup_each_listener(setup->task->settings, look_for_listener, setup);
}

/* Others */

static bool is_yes(const struct postfix_setup *setup, const struct postconf_service *service,
                   const char *name)
{
    return postfix_is_yes(postconf_service_get(setup->postconf, service, name));
}

/* gatepost refuses what was sent after such a login, unless auth_min_ssf = 0. */
static void look_at_passwords_of(struct postfix_setup *setup,
                                 const struct postconf_service *service)
{
    const char *level = postconf_service_get(setup->postconf, service, "smtpd_tls_security_level");
    bool minds = settings_integer(setup->task->settings, postfix_section(setup, service),
                                  SETTING_AUTH_MIN_SSF) > 0;
    bool encrypts = g_ascii_strcasecmp(level, "encrypt") == 0 ||
                    is_yes(setup, service, "smtpd_enforce_tls") ||
                    is_yes(setup, service, "smtpd_tls_wrappermode") ||
                    is_yes(setup, service, "smtpd_tls_auth_only");
    if (minds && asks(setup, service) && is_yes(setup, service, "smtpd_sasl_auth_enable") &&
        !encrypts)
        setup_warn(setup->task,
                   "%s/%s: smtpd_tls_auth_only is not yes: clients may send passwords in clear "
                   "text, and gatepost then refuses their mail",
                   service->name, service->type);
}

static bool is_within(const struct ipnet *net, const struct ipnet *other)
{
    return net->prefix >= other->prefix && ipnet_contains(other, &net->address);
}

/* A network whose clients gatepost serves and Postfix does not is a mistake in one of the two.
 * Where Postfix's own list has files and tables, nobody can tell. */
static void look_at_networks(struct postfix_setup *setup)
{
    const struct setting_value *own = settings_get(setup->task->settings, NULL, SETTING_MYNETWORKS);
    if (!own->given)
        return;
    g_autoptr(GPtrArray) ours = setup_words(own->text);
    g_autoptr(GPtrArray) theirs = setup_words(postfix_get(setup, "mynetworks"));
    for (guint i = 0; i < ours->len; i++) {
        struct ipnet net, other;
        bool known = !ipnet_parse(ours->pdata[i], &net, NULL) || ipaddr_is_loopback(&net.address) ||
                     setup_holds_nobody(&net);
        for (guint n = 0; n < theirs->len && !known; n++)
            known = ipnet_parse(theirs->pdata[n], &other, NULL)
                        ? is_within(&net, &other)
                        : strpbrk(theirs->pdata[n], "/:") && *(char *)theirs->pdata[n] != '!';
        if (!known)
            setup_warn(setup->task,
                       "%s:%u: mynetworks has %s, which Postfix's own mynetworks lacks: take it "
                       "out, or add it there",
                       own->file, own->line, (const char *)ours->pdata[i]);
    }
}

static void look_at_passwords(struct postfix_setup *setup)
{
    each_service(setup, look_at_passwords_of);
}

/* Whether gatepost serves nobody there who has not logged in. */
static bool is_for_logins(const struct postfix_setup *setup, const struct postconf_service *service)
{
    g_autoptr(GPtrArray) words =
        setup_words(settings_get(setup->task->settings, NULL, SETTING_SUBMISSION_LISTENERS)->text);
    for (guint i = 0; i < words->len; i++)
        if (postfix_is_listener(setup, service, words->pdata[i]))
            return true;
    return false;
}

/* Whether gatepost.conf has certificates for a service; NULL: for all. */
static bool knows_certificates(const struct postfix_setup *setup,
                               const struct postconf_service *service)
{
    return settings_get(setup->task->settings, service ? postfix_section(setup, service) : NULL,
                        SETTING_RELAY_CLIENTCERTS)
        ->given;
}

static void look_at_logins_of(struct postfix_setup *setup, const struct postconf_service *service)
{
    /* a certificate that may relay is as good as a login */
    bool certificates = knows_certificates(setup, service);
    if (asks(setup, service) && strcmp(service->command, "smtpd") == 0 &&
        is_for_logins(setup, service) && !is_yes(setup, service, "smtpd_sasl_auth_enable") &&
        !(certificates && (is_yes(setup, service, "smtpd_tls_ask_ccert") ||
                           is_yes(setup, service, "smtpd_tls_req_ccert"))))
        setup_warn(
            setup->task,
            "%s/%s: smtpd_sasl_auth_enable is not yes: nobody can log in there, and gatepost "
            "refuses whoever has not (submission_listeners)",
            service->name, service->type);
}

static void look_at_logins(struct postfix_setup *setup)
{
    each_service(setup, look_at_logins_of);
}

/* Postfix knows certificates by their fingerprints, which no milter is told. SERVICE NULL: main.cf.
 */
static void look_at_certificates_of(struct postfix_setup *setup,
                                    const struct postconf_service *service)
{
    static const char name[] = "relay_clientcerts";
    const char *table = service ? own(service, name) : postfix_get(setup, name);
    g_autofree char *where =
        service ? g_strdup_printf("%s/%s/%s", service->name, service->type, name) : g_strdup(name);
    if (table && *table && (!service || asks(setup, service)) &&
        !knows_certificates(setup, service))
        setup_warn(setup->task,
                   "%s = %s: Postfix knows these clients by fingerprint, gatepost by the common "
                   "name of a verified certificate, and will refuse them unless its own "
                   "relay_clientcerts lists that",
                   where, table);
}

static void look_at_certificates(struct postfix_setup *setup)
{
    look_at_certificates_of(setup, NULL);
    each_service(setup, look_at_certificates_of);
}

static void look_at_instances(struct postfix_setup *setup)
{
    const char *folders = postfix_get(setup, "multi_instance_directories");
    if (*folders)
        setup_note(setup->task,
                   "multi_instance_directories = %s: these were not looked at; give each to "
                   "--mta-config",
                   folders);
}

/* It is for trials, and easily forgotten. */
static void look_at_softness_of(struct postfix_setup *setup, const char *where, const char *value)
{
    if (postfix_is_yes(value))
        setup_note(setup->task,
                   "%s = %s: what gatepost refuses for good, Postfix answers with 4xx, and senders "
                   "try for days",
                   where, value);
}

static void look_at_softness(struct postfix_setup *setup)
{
    each_value(setup, "soft_bounce", look_at_softness_of);
}

static void look_at_domains(struct postfix_setup *setup)
{
    setup_look_at_domains(setup->task);
}

void postfixlook(struct postfix_setup *setup)
{
    static const struct {
        const char *what;
        void (*look)(struct postfix_setup *setup);
    } rows[] = {
        {"permissions of the socket", look_at_reach},
        {"chroot", look_at_chroot},
        {"gatepost is a milter", look_for_gatepost},
        {"mail without SMTP", look_at_programs},
        {"services with milters of their own", look_at_services},
        {"clients with milters of their own", look_at_maps},
        {"proxy filters", look_at_proxy},
        {"filters behind the queue", look_at_reinjection},
        {"order of milters", look_at_order},
        {"sockets of gatepost's that are not", look_at_strangers},
        {"what happens without gatepost", look_at_action},
        {"time-outs", look_at_timeouts},
        {"protocol", look_at_protocol},
        {"Postfix by name", look_at_name},
        {"macros by default", look_at_macros},
        {"names of listeners", look_for_listeners},
        {"domains", look_at_domains},
        {"certificates", look_at_certificates},
        {"passwords", look_at_passwords},
        {"logins", look_at_logins},
        {"networks", look_at_networks},
        {"refusals made soft", look_at_softness},
        {"instances", look_at_instances},
    };
    for (size_t i = 0; setup->postconf && i < G_N_ELEMENTS(rows); i++)
        rows[i].look(setup);
}
