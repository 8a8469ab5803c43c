/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the settings say of the site, in the form that checks ask it: networks, domains, listeners,
 * logins. One for each listener section and one for the rest; part of a policy snapshot.
 *
 * Threads: immutable after it was built; tables and match lists lock themselves.
 */
#ifndef CHECKS_SITE_H
#define CHECKS_SITE_H

#include <glib.h>
#include <stdbool.h>

#include "base/ipaddr.h"
#include "dns/dnsbl_set.h"
#include "facts/facts.h"
#include "lookup/matchlist.h"
#include "lookup/search.h"

struct spam_site;
struct bounce_senders;
struct limit_site;

/* What is done with an auto-reply that quotes; in the order of the setting's words. */
enum guard_action { GUARD_REJECT, GUARD_STRIP, GUARD_TAG, GUARD_OFF };

struct site {
    struct match_list *mynetworks;
    struct match_list *local_domains; /* NULL: not set, so that nobody knows what is local */
    struct match_list *login_domains; /* where a bare login owns the address, and the MTA takes
                                         addresses apart; NULL: nobody knows */
    char *origin;                     /* what the MTA adds to a bare address; "": nobody knows */
    char *recipient_delimiter;
    GPtrArray *untrusted_listeners;       /* of char * */
    GPtrArray *submission_listeners;      /* of char * */
    struct table_list *sender_login_maps; /* NULL: empty */
    struct table_list *relay_clientcerts; /* NULL: empty */
    GPtrArray *sasl_local_realms;         /* of char * */
    unsigned auth_min_ssf;
    GPtrArray *auth_mechanisms;       /* of char *, "!NAME" forbids */
    struct dnsbl_set *dnsbl_weighted; /* dnsbl_sites, rhsbl_sites, hashbl_sites */
    struct dnsbl_set *dnsbl_zones;    /* what restrictions and rules name */
    unsigned dnsbl_early;             /* of enum dns_lists: lists that some restriction asks */
    int64_t dnsbl_threshold;
    int64_t max_visible_recipients;     /* 0: no limit */
    struct table_list *dnsbl_reply_map; /* NULL: empty */
    int64_t dns_budget;                 /* us that a connection may wait for DNS in all */
    int64_t store_budget;               /* us that one step may wait for the store */
    unsigned greylist_when;             /* enum greylist_when */
    int64_t greylist_delay, greylist_window, greylist_keep; /* ms */
    struct limit_site *limits;                              /* never NULL in a policy */
    struct spam_site *spam; /* NULL: reject_spam stands in no list */
    struct match_list *trusted_filters;
    struct table_list *recipient_profiles; /* NULL: empty */
    enum guard_action guard_action;
    struct bounce_senders *bounce_senders;
    GHashTable *class_names; /* the keys: names of restriction classes; not owned; NULL: none */
    bool suppress_autoreplies;
    struct ipaddr *interfaces; /* this machine's own addresses */
    size_t interface_count;
};

/* Frees what the site holds. */
void site_clear(struct site *site);

/* Sets facts->untrusted and facts->submission from what the MTA says of the listener. One that may
 * be untrusted counts as such: of which the MTA sends no name where a name is configured, no port
 * where a port is. A client whose address Postfix itself does not know is trusted on none. */
void site_judge_listener(const struct site *site, struct facts *facts);

/* The entry of untrusted_listeners that makes the listener untrusted only because the MTA does not
 * tell whether it is this one; NULL: none. */
const char *site_untold_listener(const struct site *site, const struct facts *facts);

/* The login as the site knows it: a realm of sasl_local_realms is cut off. NULL: no login name.
 * The caller frees it. */
char *site_login(const struct site *site, const struct facts *facts);

/* A login name or owner with a local realm cut off; the caller frees it. */
char *site_cut_realm(const struct site *site, const char *login);

/* What may be wrong with a login. */
enum login_fault { LOGIN_SOUND, LOGIN_NONE, LOGIN_CLEARTEXT, LOGIN_MECHANISM };

/* Whether there is a login, over TLS of auth_min_ssf bits at least, by a mechanism that
 * auth_mechanisms allows. A mechanism that the MTA does not name is allowed only if all are. */
enum login_fault site_login_fault(const struct site *site, const struct facts *facts);

/* Whether the client has a sound login with a name: only this counts for a permit. */
bool site_authenticated(const struct site *site, const struct facts *facts);

/* Asks once for the whole connection whether the client is one of mynetworks; what its files become
 * meanwhile counts for the next one. Behind site_judge_listener. */
void site_judge_client(const struct site *site, struct facts *facts);

/* Whether the client is one of mynetworks; never on an untrusted listener. ENTRY_R as that of
 * match_list_find_client. */
enum lookup_status site_in_mynetworks(const struct site *site, const struct facts *facts,
                                      GString *entry_r);

/* Whether mail of this session is the site's own: authenticated, from mynetworks (or so it may be,
 * when a table of theirs cannot tell), or without SMTP. */
bool site_is_outgoing(const struct site *site, const struct facts *facts);

/* Whether relay_clientcerts lists the verified certificate of the client, and in which entry
 * (table_find_entry); ENTRY_R may be NULL. */
enum lookup_status site_relay_certificate(const struct site *site, const struct facts *facts,
                                          GString *entry_r);

/* Whether the X-Spam fields that the client brings are this site's own affair: it may send from
 * here, or is one of trusted_filters. What cannot be told is no reason for trust. */
bool site_trusts_marks(const struct site *site, const struct facts *facts);

/* The sum from which reject_dnsbl refuses: that of the recipient's profile, of a whole message the
 * mildest (highest) among its recipients. */
int64_t site_dnsbl_threshold(const struct site *site, const struct facts *facts);

/* The most addresses that To: and Cc: may show together: that of the recipients' profiles, the
 * mildest among them; 0: no limit. */
int64_t site_max_visible_recipients(const struct site *site, const struct facts *facts);

/* The name that dnsbl_reply_map shows for the list ZONE, which the caller frees; NULL: its own.
 * *FAILED_R: the map cannot be asked, and ZONE may be a secret. */
char *site_shown_list(const struct site *site, const char *zone, bool *failed_r);

enum destination { DESTINATION_LOCAL, DESTINATION_REMOTE, DESTINATION_UNSET, DESTINATION_UNKNOWN };

/* Where mail for ADDRESS goes: to this site (local_domains, or no domain at all), elsewhere (routed
 * and malformed addresses too), not to be told as local_domains is not set, or as a table failed.
 */
enum destination site_destination(const struct site *site, const struct mail_address *address);

#endif
