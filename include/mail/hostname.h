/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Host names and address literals as HELO and addresses carry them (RFC 1123 2.1, RFC 5321
 * 4.1.3), with the tolerance that Postfix's checks have.
 *
 * Threads: all functions are pure.
 */
#ifndef MAIL_HOSTNAME_H
#define MAIL_HOSTNAME_H

#include <stdbool.h>

#include "base/ipaddr.h"

/* Letters, digits, hyphen (not at a label's ends) and underscore, labels of 1..63, at most 255 in
 * all, not all numeric: Postfix's valid_hostname(). No trailing dot. */
bool hostname_valid(const char *name);

/* The same where UTF-8 labels are allowed too (SMTPUTF8). */
bool hostname_valid_utf8(const char *name);

/* NAME in the DNS's own letters (RFC 5891), ASCII as it is; the caller frees it. NULL if there is
 * no such form. Any bytes may be asked: GLib's g_hostname_to_ascii, which this checks for, reads
 * past the end of what is not valid UTF-8. */
char *hostname_to_ascii(const char *name);

/* Reads "[192.0.2.1]" or "[IPv6:2001:db8::1]", as it is written (ipaddr_parse_written); false if
 * TEXT is no such literal. */
bool hostname_address_literal(const char *text, struct ipaddr *address_r);

/* Whether TEXT is an IP address in Postfix's eyes (valid_hostaddr), which HELO is held against:
 * more than inet_pton(3) reads ("1.2.3.04", "1:2:3"), and less ("0.1.2.3"). */
bool hostname_is_address(const char *text);

/* The same in brackets, IPv6 behind its tag (valid_mailhost_literal). */
bool hostname_is_literal(const char *text);

/* Whether the last label is a number, so that it can only be an address or a mistake. */
bool hostname_ends_in_number(const char *name);

#endif
