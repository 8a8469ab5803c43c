/* SPDX-License-Identifier: BSD-2-Clause
 *
 * TLS as it is: the handshake with whatever a server speaks, and what is to be said of its
 * certificates. Nothing is refused here for being old or weak: who refuses sees "no TLS" where
 * there is old TLS. The only file that knows OpenSSL.
 *
 * Threads: a context is made before there are threads and then used by any; a chain is immutable.
 */
#ifndef SURVEY_TLS_FACTS_H
#define SURVEY_TLS_FACTS_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "dns/dns_answer.h"

struct tls_context;
struct tls_chain;

/* CA_FILE: certificates to trust instead of the system's; NULL: the system's. The settings of
 * OpenSSL on this machine (openssl.cnf) are not read. NULL with *WHY_R (the caller's). */
struct tls_context *tls_context_new(const char *ca_file, char **why_r);
void tls_context_free(struct tls_context *context); /* accepts NULL */

/* The versions that are spoken, oldest first; TLS_VERSIONS of them. */
enum { TLS_VERSIONS = 4 };
const char *tls_version_name(unsigned index); /* "TLS 1.0" ... */
/* The place of a version's name; -1 for any other text. */
int tls_version_index(const char *name);

struct tls_facts {
    bool done;      /* the handshake went through */
    bool timeout;   /* it did not end in time */
    char *version;  /* "TLS 1.2" */
    char *cipher;   /* OpenSSL's name */
    int bits;       /* of the cipher */
    char *exchange; /* the temporary key: "X25519", "DH 512"; NULL: none */
    bool weak;      /* a key too small: of the exchange or of the certificate, refused or not */
    bool insecure_renegotiation; /* knows no RFC 5746 */
    char *error;                 /* what OpenSSL says when it is not done */
    struct tls_chain *chain;     /* what the server sent; NULL: nothing */
};

/* Makes TLS on the connected, non-blocking FD, for the server NAME (SNI), and says QUIT over it.
 * ONLY: the place of the only version to speak; -1: all. The caller clears FACTS_R. */
void tls_handshake(struct tls_context *context, int fd, const char *name, int only,
                   int64_t deadline, struct tls_facts *facts_r);
void tls_facts_clear(struct tls_facts *facts);

void tls_chain_free(struct tls_chain *chain);

struct tls_certificate {
    char *sha256;  /* of the certificate, hexadecimal */
    char *spki;    /* the same of its public key: what DANE's "1 1" matches */
    char *subject; /* RFC 2253 */
    char *issuer;
    char *names;         /* DNS names that it is for, in lower case, separated by blanks */
    char *key;           /* "RSA 2048", "EC 256", "Ed25519" */
    char *signature;     /* "sha256WithRSAEncryption" */
    int64_t from, until; /* seconds since 1970 */
    bool self_signed;
    bool weak;
    const char *chain; /* static: "trusted", "self-signed", "untrusted", "broken" ... */
};

/* Looks at the first certificate, and verifies the chain as of now (dates are facts apart: an
 * expired certificate of a known authority is "trusted"). The caller clears CERTIFICATE_R. */
void tls_chain_describe(struct tls_context *context, const struct tls_chain *chain,
                        struct tls_certificate *certificate_r);
void tls_certificate_clear(struct tls_certificate *certificate);

/* Whether the certificate is for the host NAME (RFC 6125, subject names alone where there is no
 * other). */
bool tls_chain_is_for(const struct tls_chain *chain, const char *name);

/* Whether one of the COUNT records, all usable, matches the chain (RFC 7672 3): *MATCHED_R is its
 * place. NAMES (NULL-terminated, the first is the base domain) are what a trust anchor's chain may
 * be for; usage 3 looks at neither names nor dates. false with *WHY_R, static text. */
bool tls_chain_dane(struct tls_context *context, const struct tls_chain *chain,
                    const struct dns_tlsa *records, size_t count, const char *const *names,
                    size_t *matched_r, const char **why_r);

/* SHA3-256 of the bytes; false if OpenSSL has none. */
bool tls_sha3_256(const uint8_t *bytes, size_t length, uint8_t digest_r[32]);

#endif
