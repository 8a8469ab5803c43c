/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the DNS said to one question. Four outcomes are kept apart: there are records, the name has
 * none of this type, the name does not exist, and nobody can tell. Only the last may get better by
 * asking again; it is never read as "no".
 *
 * Threads: immutable; the reference count may be used by any thread.
 */
#ifndef DNS_ANSWER_H
#define DNS_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ipaddr.h"

/* RFC 1035 3.1: 255 octets on the wire are 253 characters of text. */
#define DNS_NAME_MAX  253
#define DNS_LABEL_MAX 63

/* Most records of an answer that are kept; a list answers with a handful. */
#define DNS_RECORDS_MAX 256
/* Most bytes of all TXT strings of an answer that are kept. */
#define DNS_TEXT_MAX 4096
/* Most bytes of a TLSA record: a whole certificate. A longer record is malformed. */
#define DNS_TLSA_MAX 8192
/* RFC 1034 sets no limit to a chain of aliases; resolvers give up at about this length. */
#define DNS_CNAME_MAX 16
/* Longest that an answer is believed, whatever its TTL says. */
#define DNS_TTL_MAX 86400
/* The same for "there is none" (RFC 2308 5 recommends one to three hours). */
#define DNS_NEGATIVE_TTL_MAX 3600

enum dns_type {
    DNS_A = 1,
    DNS_NS = 2,
    DNS_PTR = 12,
    DNS_MX = 15,
    DNS_TXT = 16,
    DNS_AAAA = 28,
    DNS_SRV = 33,
    DNS_TLSA = 52,
};

enum dns_state {
    DNS_PENDING,  /* no answer yet */
    DNS_ANSWERED, /* there are records */
    DNS_NO_DATA,  /* the name exists, but has no record of this type */
    DNS_NO_NAME,  /* the name does not exist (NXDOMAIN) */
    DNS_FAILED,   /* cannot tell; see enum dns_failure */
};

enum dns_failure {
    DNS_FAIL_NONE,
    DNS_FAIL_TIMEOUT, /* no server answered in time */
    DNS_FAIL_SERVFAIL,
    DNS_FAIL_REFUSED,
    DNS_FAIL_FORMERR,
    DNS_FAIL_NOTIMP,
    DNS_FAIL_RCODE,   /* any other response code */
    DNS_FAIL_NETWORK, /* no server can be reached, or each of several failed */
    DNS_FAIL_GARBAGE, /* an answer that is malformed, or a circle of aliases */
    DNS_FAIL_NAME,    /* not a name that can be asked */
    DNS_FAIL_BUSY,    /* too many questions under way */
    DNS_FAIL_STOPPED, /* the resolver is being stopped */
};

struct dns_mx {
    unsigned preference;
    char *host; /* as sent, other than printable bytes as '?'; "" for the root (RFC 7505) */
};

/* RFC 2782 */
struct dns_srv {
    unsigned priority, weight, port;
    char *target; /* as struct dns_mx has a host */
};

/* RFC 6698 2.1; what the numbers mean is for those who use them. */
struct dns_tlsa {
    unsigned usage, selector, matching;
    uint8_t *data;
    size_t length; /* DNS_TLSA_MAX at most */
};

struct dns_answer {
    enum dns_type type;
    enum dns_state state; /* never DNS_PENDING */
    enum dns_failure failure;
    unsigned ttl;             /* seconds, within the limits above; 0: not to be kept */
    int64_t latency_us;       /* from the question to the answer */
    int64_t received_at;      /* us of the monotonic clock */
    bool cut;                 /* there are more records, or there may be, than are kept */
    size_t count;             /* of the one array below that belongs to the type */
    struct ipaddr *addresses; /* A, AAAA; an IPv4 address mapped into IPv6 is IPv4 */
    struct dns_mx *mx;        /* MX, by preference */
    char **texts; /* TXT: a record's strings joined, NUL as '?'; otherwise as sent, unescaped */
    char **names; /* PTR, NS */
    struct dns_srv *srv;   /* SRV, by priority, of equals the greatest weight first */
    struct dns_tlsa *tlsa; /* TLSA */
    char **aliases;        /* what the name led to by CNAME, in order; the last has the records */
    size_t alias_count;    /* DNS_CNAME_MAX at most */
    bool authenticated;    /* the server says that DNSSEC covers all of it (AD, RFC 4035 3.2.3);
                            * it says so only to those who ask for it (DNS_ASK_AD), and is to be
                            * believed only where nobody on the way can write it */
    int references;
};

/* Another reference; returns ANSWER. Each is given back by dns_answer_unref (accepts NULL). */
const struct dns_answer *dns_answer_ref(const struct dns_answer *answer);
void dns_answer_unref(const struct dns_answer *answer);

/* An answer without records, to be filled; the caller owns a reference. */
struct dns_answer *dns_answer_new(enum dns_type type, enum dns_state state);

/* A failure as an answer; the caller owns a reference. */
struct dns_answer *dns_answer_failed(enum dns_type type, enum dns_failure failure);

/* "time-out", "server failure" ...: static text. */
const char *dns_failure_text(enum dns_failure failure);

/* Whether the records say that a domain accepts no mail: one MX alone, for the root (RFC 7505). */
bool dns_answer_is_null_mx(const struct dns_answer *answer);

/* Whether NAME may be asked: 1 to 253 characters (a trailing dot not counted) in labels of 1 to 63
 * letters, digits, '-' and '_'. */
bool dns_name_valid(const char *name);

#endif
