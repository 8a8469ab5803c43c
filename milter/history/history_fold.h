/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The one spelling of texts that mean the same: addresses, domains, logins.
 *
 * Threads: pure.
 */
#ifndef HISTORY_HISTORY_FOLD_H
#define HISTORY_HISTORY_FOLD_H

#include <glib.h>

/* A local part whose quotes are resolved, of LENGTH bytes, without its case, composed (NFC). Bytes
 * that are no UTF-8 stay as they are. The caller frees it. */
char *history_fold_local(const char *local, size_t length);

/* A domain of LENGTH bytes in the DNS's own letters (RFC 5891), lower case, without a trailing dot;
 * what has no such form without its case. The caller frees it. */
char *history_fold_domain(const char *domain, size_t length);

/* An address, domain or login in that spelling: "J\xc3\xb6rg"@B\xc3\xbccher.example and
 * j\xc3\xb6rg@xn--bcher-kva.example are one. NULL: TEXT is it already, but for the case of ASCII's
 * letters, as most are. The caller frees it. */
char *history_fold(const char *text);

#endif
