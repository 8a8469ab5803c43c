/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The resolver: one thread talks to the DNS servers; everybody else asks and collects.
 *
 *     question = resolver_ask(resolver, "example.com", DNS_MX, waker);
 *     ... woken, or at a deadline of one's own: ...
 *     if (dns_question_state(question) != DNS_PENDING)
 *         answer = dns_question_answer(question);
 *     dns_question_drop(question);
 *
 * An asker learns by its waker that its answer is there: at most once per question, from the
 * resolver's thread; it may call any function of this header but resolver_free.
 *
 * No call here waits for the network. Equal questions that are under way at the same time are asked
 * once; answers and "there is none" are kept for their TTL in a bounded cache, failures are not
 * kept. A truncated answer is fetched over TCP. The servers must be trusted resolvers near by:
 * transaction numbers are random, but the source port is the same for all questions of a burst.
 *
 * Threads: all functions may be called by any thread; locks inside.
 */
#ifndef DNS_RESOLVER_H
#define DNS_RESOLVER_H

#include "base/problems.h"
#include "base/waker.h"
#include "dns/dns_answer.h"

struct resolver;
struct dns_question;

/* Most questions that wait for an answer; what is asked beyond is DNS_FAIL_BUSY at once. Half of
 * the transaction numbers, so that a free one is always found quickly. */
#define RESOLVER_UNDER_WAY_MAX 32768
/* Most servers of a list. */
#define RESOLVER_SERVERS_MAX 16

/* The defaults serve dnsbl_timeout = 5s with one server: a lost packet is asked again in time. */
#define RESOLVER_TIMEOUT_MS    1500
#define RESOLVER_TRIES         2
#define RESOLVER_CACHE_ENTRIES 50000
#define RESOLVER_CACHE_BYTES   (32u << 20)

/* How long nothing more is told after a failure was. */
#define RESOLVER_TELL_PAUSE (5 * G_TIME_SPAN_MINUTE)

struct resolver_options {
    unsigned timeout_ms;  /* of the first try; each round of tries doubles it; 0: the default */
    unsigned tries;       /* rounds over all servers; 0: the default */
    size_t cache_entries; /* 0: the default */
    size_t cache_bytes;   /* 0: the default */
};

/* Told when no server gives an answer any more, and when one does again; TEXT is for the log.
 * Called by the resolver's thread. */
struct resolver_listener {
    void (*event)(void *data, bool answers, const char *text); /* NULL: nobody */
    void *data;
};

struct resolver_counts {
    uint64_t asked;    /* questions of all askers */
    uint64_t sent;     /* those that went to a server */
    uint64_t repeated; /* those of them that went once more, for want of an answer in usual time */
    uint64_t cached;   /* those answered from the cache */
    uint64_t shared;   /* those that joined one under way */
    uint64_t failed;   /* those sent that came to DNS_FAILED */
    size_t under_way;  /* now */
    int64_t silent;    /* us for which no server has answered what was asked; 0: they answer */
    size_t cache_entries;
    size_t cache_bytes;
};

/* Whether SERVERS is a list of "ADDRESS", "ADDRESS:PORT", "[ADDRESS]:PORT" (dns_servers), separated
 * by commas or white space. Empty is the system's and fine. What is wrong goes to PROBLEMS. */
bool resolver_servers_valid(const char *servers, struct problems *problems, const char *file,
                            unsigned line);

/* What /etc/resolv.conf says of servers: its lines of servers and options in one text for
 * comparison. NULL if it cannot be read or names no server, as while it is written anew. The caller
 * frees it. */
char *resolver_system_servers(void);

/* Who is told of failures; before anything is asked. */
void resolver_set_listener(struct resolver *resolver, const struct resolver_listener *listener);

/* Starts a resolver and its thread. SERVERS as above (NULL or empty: those of /etc/resolv.conf,
 * read now); OPTIONS may be NULL. NULL with an error in PROBLEMS, which FILE and LINE are for. */
struct resolver *resolver_new(const char *servers, const struct resolver_options *options,
                              struct problems *problems, const char *file, unsigned line);

/* What answers instead of the DNS. ANSWER gives an answer, whose reference it gives away, or NULL:
 * there never will be one, so that whoever waits waits for ever. FRESH: not from a cache. NAME is
 * in lower case. Called by whoever asks. */
struct resolver_record {
    struct dns_answer *(*answer)(void *data, const char *name, enum dns_type type, bool fresh);
    void *data;
};

/* A resolver that asks nobody, and has no thread: for who plays again what was. */
struct resolver *resolver_new_recorded(const struct resolver_record *record);

/* Stops the thread and frees the resolver; questions under way fail (DNS_FAIL_STOPPED), and their
 * askers are woken before this returns. Questions and answers that are still held stay readable,
 * but nothing more may be asked. Not to be called by a wake function. */
void resolver_free(struct resolver *resolver);

/* What a question may ask for besides; bits. It is part of the question: an answer that was asked
 * for without them serves nobody who asks with them, nor the other way round. */
enum dns_ask {
    DNS_ASK_AD = 1, /* to be told whether DNSSEC covers the answer (dns_answer.authenticated) */
    DNS_ASK_CD = 2, /* the records even where DNSSEC says that they are forged: what fails without
                     * and is answered with it is "bogus"; never to be believed otherwise */
};

/* Asks for the records of NAME (see dns_name_valid, or "." for the root; anything else fails at
 * once). Never NULL; the caller gives the question back with dns_question_drop. When the answer is
 * known at once (cache, invalid name, too many questions) the state says so and nobody is woken. */
struct dns_question *resolver_ask(struct resolver *resolver, const char *name, enum dns_type type,
                                  struct waker waker);

/* The same with FLAGS of enum dns_ask. */
struct dns_question *resolver_ask_flags(struct resolver *resolver, const char *name,
                                        enum dns_type type, unsigned flags, struct waker waker);

/* The same, but never from the cache: for probes, which want to know how things are now. */
struct dns_question *resolver_ask_fresh(struct resolver *resolver, const char *name,
                                        enum dns_type type, struct waker waker);

/* One more question for the same answer, with a waker of its own, without asking again. */
struct dns_question *dns_question_share(struct dns_question *question, struct waker waker);

void resolver_counts(struct resolver *resolver, struct resolver_counts *counts_r);

/* Whether every server that is asked was on loopback when the resolver was started: between it and
 * this process nobody can write an AD bit. */
bool resolver_is_local(const struct resolver *resolver);

/* DNS_PENDING until the answer is there; then the answer's state. */
enum dns_state dns_question_state(const struct dns_question *question);

/* The answer, which lives as long as the question (or a reference of one's own); NULL while it is
 * pending. */
const struct dns_answer *dns_question_answer(const struct dns_question *question);

/* Whether the answer was there when the question was asked, so that nobody is woken for it. */
bool dns_question_immediate(const struct dns_question *question);

/* A number that all questions for one sending to the servers have in common, never 0. */
uint64_t dns_question_serial(const struct dns_question *question);

/* After this nobody is woken any more. A wake that is going on in the resolver's thread is waited
 * for, so no lock may be held that the wake function takes. The lookup itself goes on and fills the
 * cache. Calling it again does nothing. */
void dns_question_cancel(struct dns_question *question);

/* Cancels and frees the question; accepts NULL. */
void dns_question_drop(struct dns_question *question);

#endif
