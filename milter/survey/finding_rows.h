/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a survey finds out about one address of one MX of one domain, a row a fact:
 *
 *     FINDING(member, name, kind, traits)
 *
 * NAME is the column's in CSV; a point in it makes an object in JSON. KIND: TEXT; LIST, words with
 * blanks between them; NUMBER; BOOL, 0 or 1; TIME, seconds since 1970. A text that is not known is
 * NULL, a number -1. TRAITS: KEY, one of the three that say what the finding is about; PASSING, may
 * differ from run to run without anything having changed; CERTIFICATE, kept once for a certificate;
 * 0.
 *
 * A new fact is a row here, a line where it is found out, and one in gatepostctl(8).
 */
FINDING(domain, "domain", TEXT, KEY)
FINDING(mx_state, "mx_state", TEXT, 0)
FINDING(mx, "mx", TEXT, KEY)
FINDING(mx_reason, "mx_reason", TEXT, PASSING)
FINDING(preference, "preference", NUMBER, 0)
FINDING(mx_alias, "mx_alias", TEXT, 0)
FINDING(mx_dnssec, "mx_dnssec", BOOL, 0)
FINDING(address, "address", TEXT, KEY)
FINDING(state, "state", TEXT, 0)
FINDING(tries, "tries", NUMBER, PASSING)
FINDING(asked_as, "asked_as", TEXT, PASSING)
FINDING(reply, "reply", TEXT, PASSING)
FINDING(banner, "banner", TEXT, PASSING)
FINDING(keywords, "keywords", LIST, PASSING)
FINDING(tls_version, "tls.version", TEXT, 0)
FINDING(tls_cipher, "tls.cipher", TEXT, PASSING)
FINDING(tls_bits, "tls.bits", NUMBER, PASSING)
FINDING(tls_exchange, "tls.key_exchange", TEXT, PASSING)
FINDING(tls_weak, "tls.weak_key", BOOL, 0)
FINDING(tls_renegotiation, "tls.secure_renegotiation", BOOL, 0)
FINDING(tls_versions, "tls.versions", LIST, PASSING)
FINDING(tls_error, "tls.error", TEXT, PASSING)
FINDING(sha256, "certificate.sha256", TEXT, 0)
FINDING(spki, "certificate.spki_sha256", TEXT, CERTIFICATE)
FINDING(subject, "certificate.subject", TEXT, CERTIFICATE)
FINDING(names, "certificate.names", LIST, CERTIFICATE)
FINDING(issuer, "certificate.issuer", TEXT, CERTIFICATE)
FINDING(not_before, "certificate.not_before", TIME, CERTIFICATE)
FINDING(not_after, "certificate.not_after", TIME, CERTIFICATE)
FINDING(key, "certificate.key", TEXT, CERTIFICATE)
FINDING(signature, "certificate.signature", TEXT, CERTIFICATE)
FINDING(self_signed, "certificate.self_signed", BOOL, CERTIFICATE)
FINDING(chain, "certificate.chain", TEXT, 0)
FINDING(expired, "certificate.expired", BOOL, 0)
FINDING(name_matches, "certificate.name_matches", BOOL, 0)
FINDING(dane, "dane.state", TEXT, 0)
FINDING(dane_record, "dane.record", TEXT, 0)
FINDING(dane_base, "dane.name", TEXT, 0)
FINDING(dane_reason, "dane.reason", TEXT, PASSING)
FINDING(sts, "mta_sts.state", TEXT, 0)
FINDING(sts_id, "mta_sts.id", TEXT, 0)
FINDING(sts_mode, "mta_sts.mode", TEXT, 0)
FINDING(sts_max_age, "mta_sts.max_age", NUMBER, 0)
FINDING(sts_covered, "mta_sts.mx_covered", BOOL, 0)
FINDING(sts_reason, "mta_sts.reason", TEXT, PASSING)
FINDING(tlsrpt, "tlsrpt", LIST, 0)
