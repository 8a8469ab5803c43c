/* SPDX-License-Identifier: BSD-2-Clause
 *
 * From the default to every word of the restriction lists at once. All have the default
 * relay_restrictions: who may relay can be told from the outside.
 */
#include "session_sites.h"

#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>

/* A key for each kind of result that access(5) knows, and for what is none. */
#define RESULTS                                                                                    \
    "inline:{ok.test=OK, relay.test=RELAY, digits.test=12345, dunno.test=DUNNO,"                   \
    " reject.test=REJECT, {refuse.test=REJECT go %d away}, later.test=DEFER,"                      \
    " {dip.test=DEFER_IF_PERMIT perhaps}, {dir.test=DEFER_IF_REJECT perhaps},"                     \
    " {four.test=450 4.1.1 wait}, {five.test=550 5.1.1 no}, {odd.test=521 4.1.1 odd},"             \
    " {hold.test=HOLD look}, {warn.test=WARN see}, {info.test=INFO see},"                          \
    " {pre.test=PREPEND X-Seen: yes}, nonsense.test=BLORT, 203.0.113.66=HOLD,"                     \
    " {list.test=permit_sasl_authenticated reject_plaintext_session},"                             \
    " {loop.test=warn_if_reject reject}, 198.51.100=REJECT,"                                       \
    " {carol=PREPEND X-Login: carol}}"

#define ALL_WORDS                                                                                  \
    "client_restrictions = warn_if_reject reject_plaintext_session permit_inet_interfaces"         \
    " check_client_access " RESULTS " check_reverse_client_hostname_access " RESULTS               \
    " check_ccert_access " RESULTS " permit_dnswl_client wl.example=127.0.[0..255].[1..3]"         \
    " permit_rhswl_client wl.example reject_rbl_client bl.example reject_rhsbl_client "            \
    "dbl.example"                                                                                  \
    " reject_rhsbl_reverse_client dbl.example warn_if_reject reject_unknown_client_hostname"       \
    " warn_if_reject reject_unknown_reverse_client_hostname\n"                                     \
    "helo_restrictions = check_helo_access " RESULTS " reject_invalid_helo_hostname"               \
    " reject_non_fqdn_helo_hostname reject_unknown_helo_hostname reject_rhsbl_helo dbl.example\n"  \
    "sender_restrictions = reject_cleartext_auth reject_authenticated_sender_login_mismatch"       \
    " check_sasl_access " RESULTS " check_sender_access " RESULTS                                  \
    " reject_unauthenticated_sender_login_mismatch reject_known_sender_login_mismatch"             \
    " warn_if_reject reject_sender_login_mismatch reject_non_fqdn_sender"                          \
    " reject_unknown_sender_domain reject_rhsbl_sender dbl.example=127.0.1.[2..99]\n"              \
    "recipient_restrictions = check_recipient_access " RESULTS " reject_non_fqdn_recipient"        \
    " reject_unknown_recipient_domain reject_rhsbl_recipient dbl.example permit_tls_clientcerts"   \
    " permit_tls_all_clientcerts permit_mynetworks permit_sasl_authenticated reject_dnsbl"         \
    " permit_auth_destination\n"                                                                   \
    "message_restrictions = guard_autoreply check_header_access Subject " RESULTS                  \
    " check_from_access " RESULTS " reject_from_login_mismatch reject_dnsbl reject_spam\n"         \
    "dnsbl_sites = zen.example=127.0.0.[2..11]*3 bl.example*2 "                                    \
    "wl.example=127.0.[0..255].[1..3]*-2\n"                                                        \
    "rhsbl_sites = dbl.example=127.0.1.[2..99]*3/sender,helo,ptr,from,reply-to\n"                  \
    "hashbl_sites = ebl.example*5/sender,from,reply-to:sha1\n"                                     \
    "dnsbl_reply_map = inline:{zen.example=secret.example}\n"                                      \
    "sender_login_maps = inline:{bob@lab.test=bob, @lab.test=carol, far.test=nobody}\n"            \
    "sasl_local_realms = lab.test\nauth_mechanisms = PLAIN LOGIN EXTERNAL !CRAM-MD5\n"             \
    "relay_clientcerts = inline:{alice=x}\nrecipient_delimiter = +\n"

#define RULES                                                                                      \
    "header SPAM Subject =~ /spam/i\nscore SPAM 6\nheader WORSE Subject =~ /worse/\n"              \
    "score WORSE 12\nheader GOOD From:addr =~ /@ok\\.test$/\nscore GOOD -5\n"                      \
    "charset CYRILLIC koi8-r windows-1251\nscore CYRILLIC 5.5\n"                                   \
    "charset RAW in Subject,From raw8bit\nscript GREEK Greek >= 30%\n"                             \
    "dnsbl LISTED bl.example\nscore LISTED 4\nmeta BOTH SPAM && CYRILLIC\n"                        \
    "blocklist_from *@blocked.test\nwelcomelist_from *@friend.test\n"

#define PROFILES                                                                                   \
    "recipient_profiles = inline:{reads@lab.test=cyrillic, strict@lab.test=strict, "               \
    "lost@lab.test=nowhere}\n"
/* Sections come last. */
#define PROFILE_SECTIONS                                                                           \
    "[profile cyrillic]\nscore CYRILLIC = 0\n[profile strict]\nreject_score = 3\ntag_score = 1\n"

static const struct fuzz_site sites[FUZZ_SITES] = {
    {.settings = "mynetworks =\nlocal_domains = lab.test\n",
     .submission_name = "submission",
     .submission_port = "587"},
    {.settings =
         "mynetworks =\nlocal_domains = lab.test\ndelay_checks = no\n"
         "relay_clientcerts = inline:{alice=x}\nsender_login_maps = inline:{bob@lab.test=bob}\n"
         "client_restrictions = check_client_access inline:{203.0.113=permit, a.test=OK}\n"
         "helo_restrictions = check_helo_access " RESULTS "\n"
         "recipient_restrictions = check_recipient_access inline:{lab.test=OK, far.test=OK}\n",
     .knows_alice = true,
     .bob_owns = true},
    {.settings = "mynetworks =\nlocal_domains = lab.test\nrecipient_delimiter = +-\n"
                 "untrusted_listeners = onion :2526\nautoreply_guard = strip\nheader_limit = 4k\n"
                 "message_restrictions = guard_autoreply reject_from_login_mismatch reject_spam\n",
     .untrusted_name = "onion",
     .untrusted_port = "2526"},
    {.settings = "mynetworks =\nlocal_domains = lab.test .sub.test\n" ALL_WORDS,
     .rules = RULES,
     .knows_alice = true,
     .bob_owns = true},
    {.settings = "mynetworks =\nlocal_domains = lab.test\n" PROFILES PROFILE_SECTIONS,
     .rules = RULES},
    {.settings = "mode = monitor\nmynetworks =\nlocal_domains = lab.test\n" ALL_WORDS,
     .rules = RULES,
     .monitor = true,
     .knows_alice = true,
     .bob_owns = true},
    {.settings = "mynetworks = 192.0.2.0/24\nlocal_domains = lab.test\nautoreply_guard = tag\n"
                 "mixed_recipients = split\nuntrusted_listeners = onion\n"
                 "sender_login_maps = inline:{bob@lab.test=bob}\n" PROFILES PROFILE_SECTIONS,
     .rules = RULES,
     .trusts_network = true,
     .bob_owns = true,
     .untrusted_name = "onion"},
    {.settings = "mynetworks =\n", .nothing_local = true},
    {.settings = "mynetworks =\nlocal_domains = lab.test\nsubmission_listeners = post :2587\n"
                 "[listener onion]\ndelay_checks = no\nuntrusted_listeners = onion\n"
                 "client_restrictions = check_client_access " RESULTS "\n"
                 "[listener :2525]\nrecipient_restrictions = reject_non_fqdn_recipient permit\n"
                 "message_restrictions =\n",
     .submission_name = "post",
     .submission_port = "2587"},
};

const struct fuzz_site *fuzz_site(unsigned number)
{
    return &sites[number];
}

/* Rules are read from files alone: a temporary one serves while they are compiled. */
static char *write_rules(const char *rules)
{
    char *path = NULL;
    int fd = g_file_open_tmp("gatepost-fuzz-XXXXXX.cf", &path, NULL);
    g_assert(fd >= 0 && g_close(fd, NULL));
    g_assert(g_file_set_contents(path, rules, -1, NULL));
    return path;
}

struct snapshot *fuzz_site_policy(unsigned number)
{
    static struct snapshot *snapshots[FUZZ_SITES];
    if (snapshots[number])
        return snapshots[number];
    const struct fuzz_site *site = &sites[number];
    struct problems *problems = problems_new();
    char *rules = site->rules ? write_rules(site->rules) : NULL;
    g_autofree char *text =
        g_strdup_printf("rule_files = %s\n%s", rules ? rules : "", site->settings);
    snapshots[number] =
        snapshot_build(settings_parse(text, strlen(text), "site", problems), NULL, problems);
    if (!snapshots[number])
        problems_print(problems, stderr);
    g_assert(snapshots[number]);
    problems_free(problems);
    if (rules)
        g_remove(rules);
    g_free(rules);
    return snapshots[number];
}
