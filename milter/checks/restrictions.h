/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The functions behind the rows of restrictions.c, by file.
 */
#ifndef CHECKS_RESTRICTIONS_H
#define CHECKS_RESTRICTIONS_H

#include "checks/check.h"

/* basic.c */
enum check_result run_permit(struct check *check);
enum check_result run_reject(struct check *check);
enum check_result run_defer(struct check *check);
enum check_result run_defer_if_permit(struct check *check);
enum check_result run_defer_if_reject(struct check *check);
enum check_result run_reject_plaintext_session(struct check *check);

/* client.c */
enum check_result run_permit_mynetworks(struct check *check);
enum check_result run_permit_inet_interfaces(struct check *check);

/* login.c */
enum check_result run_permit_sasl_authenticated(struct check *check);
enum check_result run_reject_cleartext_auth(struct check *check);
enum check_result run_reject_sender_login_mismatch(struct check *check);
enum check_result run_reject_authenticated_sender_login_mismatch(struct check *check);
enum check_result run_reject_unauthenticated_sender_login_mismatch(struct check *check);
enum check_result run_reject_known_sender_login_mismatch(struct check *check);

/* certificate.c */
enum check_result run_permit_tls_clientcerts(struct check *check);
enum check_result run_permit_tls_all_clientcerts(struct check *check);

/* relay.c */
enum check_result run_permit_auth_destination(struct check *check);
enum check_result run_reject_unauth_destination(struct check *check);
enum check_result run_defer_unauth_destination(struct check *check);

/* access.c */
enum check_result run_check_client_access(struct check *check);
enum check_result run_check_reverse_client_hostname_access(struct check *check);
enum check_result run_check_helo_access(struct check *check);
enum check_result run_check_sender_access(struct check *check);
enum check_result run_check_recipient_access(struct check *check);
enum check_result run_check_sasl_access(struct check *check);
enum check_result run_check_ccert_access(struct check *check);

/* What a table says, and in which entry. Begins as {g_string_new(NULL), g_string_new(NULL)}. */
typedef struct {
    GString *value, *entry;
} access_answer;

void access_answer_clear(access_answer *answer);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(access_answer, access_answer_clear)

/* What a table's answer for SUBJECT (shown as "<SUBJECT>: CLASS rejected") means. */
enum check_result access_conclude(struct check *check, enum lookup_status status,
                                  const access_answer *answer, const char *subject,
                                  const char *class);

/* Of what tables say of several addresses, as one may be meant or another: a refusal counts before
 * restrictions, these before a permit. And whether a result leaves the others nothing to say. */
enum check_result access_stronger(enum check_result one, enum check_result other);
bool access_is_final(enum check_result result);

/* Work for what tables are asked about one message by one restriction, us: a pattern is bounded for
 * each text that it is tried on, and of these a stranger may send ten thousand. Beyond it nobody
 * can tell what TABLES (NULL: none) would say. */
#define TABLE_WORK_MAX G_USEC_PER_SEC
enum check_result access_tables_take_too_long(struct check *check, const struct table_list *tables);

/* What header_checks.c shares of it: the reply of a result whose text is all that is shown
 * (OTHERWISE if it is empty), an added line of a header made harmless, whether TEXT is one (NULL:
 * yes; else static text). The caller frees what is no const. */
char *access_plain_reply(const char *text, const char *otherwise);
char *access_header_line(const char *text);
const char *access_need_header(const char *text);

/* header_checks.c */
enum check_result run_header_checks(struct check *check);

/* content.c */
enum check_result run_check_header_access(struct check *check);
enum check_result run_check_from_access(struct check *check);
enum check_result run_reject_from_login_mismatch(struct check *check);

/* Refuses when ADDRESS, which the message claims as its CLASS ("From address"), is somebody
 * else's: login.c. */
enum check_result check_owner(struct check *check, const struct mail_address *address,
                              const char *class, bool allow_unknown);

/* Refuses a message some field of which holds more addresses than can be looked at: what is behind
 * them is not harmless for being many. */
enum check_result check_too_many_addresses(struct check *check);

/* visible.c */
enum check_result run_reject_unusable_from(struct check *check);
enum check_result run_reject_from_domain_mismatch(struct check *check);
enum check_result run_reject_visible_recipients(struct check *check);

/* dnslist.c */
enum check_result run_reject_dnsbl(struct check *check);
enum check_result run_reject_listed(struct check *check);
enum check_result run_permit_listed(struct check *check);

/* existence.c */
enum check_result run_reject_unknown_client_hostname(struct check *check);
enum check_result run_reject_unknown_reverse_client_hostname(struct check *check);
enum check_result run_reject_unknown_helo_hostname(struct check *check);
enum check_result run_reject_unknown_sender_domain(struct check *check);
enum check_result run_reject_unknown_recipient_domain(struct check *check);

/* guard.c, limit.c, greylist.c, spam.c */
enum check_result run_guard_autoreply(struct check *check);
enum check_result run_check_limit(struct check *check);
void ask_limit_ahead(struct check *check);
enum check_result run_greylist(struct check *check);
enum check_result run_reject_spam(struct check *check);

/* syntax.c */
enum check_result run_reject_invalid_helo_hostname(struct check *check);
enum check_result run_reject_non_fqdn_helo_hostname(struct check *check);
enum check_result run_reject_non_fqdn_sender(struct check *check);
enum check_result run_reject_non_fqdn_recipient(struct check *check);

/* Adds a deferral that takes effect when everything else permits; below warn_if_reject it is a
 * refusal at once, as in Postfix. The first one takes over REPLY. */
enum check_result check_take_deferral(struct check *check, char *reply);
enum check_result check_defer_if_permit(struct check *check, unsigned code, const char *dsn,
                                        const char *format, ...) G_GNUC_PRINTF(4, 5);

#endif
