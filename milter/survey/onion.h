/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Mail over onion services: which SRV record may be used, and the lines of a transport(5) map.
 *
 * Threads: all functions are pure.
 */
#ifndef SURVEY_ONION_H
#define SURVEY_ONION_H

#include <glib.h>
#include <stdbool.h>

#include "dns/dns_answer.h"

/* Whether HOST is an address of version 3 ("NAME.onion", NAME 56 characters of base 32) with the
 * right checksum; subdomains and version 2 are not. Else *WHY_R, static text. (Tor's
 * rend-spec-v3, "Encoding onion addresses".) */
bool onion_address_valid(const char *host, const char **why_r);

/* What a domain's SRV records come to. */
struct onion_choice {
    char *next_hop;   /* "smtptor:[NAME.onion]", with ":PORT" when it is not 25; NULL: none */
    GString *remarks; /* comment lines: other records, and why they do not count */
};

/* Chooses among the records (by priority, as an answer has them) for a transport SERVICE. The
 * caller clears CHOICE_R. */
void onion_choose(const struct dns_answer *answer, const char *service,
                  struct onion_choice *choice_r);
void onion_choice_clear(struct onion_choice *choice);

/* Whether SERVICE is a word that may stand before the colon of a transport. */
bool onion_service_valid(const char *service);

/* The old line of DOMAIN in the text of a map, with its line end; NULL: it has none. The caller
 * frees it. */
char *onion_old_line(const char *map, const char *domain);

#endif
