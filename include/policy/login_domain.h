/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Whose a bare login is, by settings that are not in force anywhere: for who looks back and must
 * not read rules and tables first.
 *
 * Threads: pure.
 */
#ifndef POLICY_LOGIN_DOMAIN_H
#define POLICY_LOGIN_DOMAIN_H

#include "settings/settings.h"

/* Whether who logs in by a local part alone owns it at DOMAIN (folded), on some listener of
 * SETTINGS: login_domains has the domain, or cannot tell. Relative paths are relative to BASE_DIR.
 */
bool login_domain_may_be(const struct settings *settings, const char *base_dir, const char *domain);

#endif
