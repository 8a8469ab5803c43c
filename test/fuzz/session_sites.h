/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The sites whose sessions are played: policies, and what can be said of each without asking it.
 */
#ifndef SESSION_SITES_H
#define SESSION_SITES_H

#include "policy/snapshot.h"

struct fuzz_site {
    const char *settings; /* gatepost.conf; rule_files is put before it */
    const char *rules;    /* the rule file; NULL: none */
    bool monitor;
    bool trusts_network; /* mynetworks is 192.0.2.0/24, else empty */
    bool knows_alice;    /* relay_clientcerts lists alice */
    bool bob_owns;       /* bob@lab.test belongs to bob alone, and weak logins are refused */
    bool nothing_local;  /* local_domains is not set */
    const char *untrusted_name, *untrusted_port;   /* of untrusted_listeners; NULL: none */
    const char *submission_name, *submission_port; /* of submission_listeners */
};

#define FUZZ_SITES 9

/* Site NUMBER, below FUZZ_SITES, and its policy, which is compiled once and stays. */
const struct fuzz_site *fuzz_site(unsigned number);
struct snapshot *fuzz_site_policy(unsigned number);

#endif
