/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Restrictions asked one at a time, without sessions, sockets or files: a row is what is known of a
 * client and its message, and what the restriction says of it.
 */
#ifndef TEST_CHECKS_H
#define TEST_CHECKS_H

#include "checks/check.h"
#include "store/store.h"

/* What the MTA tells; NULL: nothing of the kind. The client is 203.0.113.9, without a name. */
struct situation {
    const char *client, *name, *ptr, *resolve;
    const char *listener; /* "smtp" if NULL */
    const char *helo, *sender, *recipient;
    const char *login, *mechanism; /* PLAIN */
    const char *tls;               /* bits of the cipher */
    const char *subject;           /* of a verified certificate */
    const char *header;            /* "Name: value" lines: the message is in */
    const char *body;              /* behind them */
    const char *size;              /* what MAIL says of it: "SIZE=5000" */
    /* a recipient a digit, each the place of its profile; NULL: the recipient has none */
    const char *profiles;
    bool local; /* came without SMTP */
    bool smtputf8;
};

struct check_row {
    const char *restriction; /* as in a list, its argument behind it */
    struct situation situation;
    /* "-" nothing, "permit", a reply, "cannot tell: WHY", "more: RESTRICTIONS of SUBJECT"; then
     * what there is of " hold: TEXT", " prepend: LINE", " drop: FIELD N", " change: FIELD N VALUE",
     * " defer_if_permit: REPLY", " defer_if_reject: REPLY", " warn: TEXT", " info: TEXT" */
    const char *says;
};

/* What restrictions ask beside the facts and their tables. */
struct surroundings {
    void (*furnish)(struct site *site); /* adds to the site of all rows; NULL: nothing */
    struct store *store;                /* NULL: nothing is counted */
    struct resolver *resolver;          /* NULL: the DNS is not asked; answers are waited for */
    struct dnsbl_state *lists;
    struct bounce_memory *memory; /* NULL: none is kept */
};

/* The site that rows are asked on: mynetworks 192.0.2.0/24, local_domains lab.test and .sub.test,
 * logins bob (bob@lab.test, sales@lab.test) and carol (carol@lab.test), the listeners onion
 * (untrusted) and submission, auth_min_ssf 128, max_visible_recipients 3. */
void check_rows(const struct check_row *rows, size_t count);

/* The same with SURROUNDINGS. Where they furnish the site, a row says what is told the log, too,
 * and what the message is charged: " KEY=VALUE", " charges: N". */
void check_rows_in(const struct surroundings *surroundings, const struct check_row *rows,
                   size_t count);

#endif
