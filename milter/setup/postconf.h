/* SPDX-License-Identifier: BSD-2-Clause
 *
 * An installed Postfix's configuration, as its postconf(1) tells it. Nothing is changed.
 *
 * Threads: one thread at a time.
 */
#ifndef POSTCONF_H
#define POSTCONF_H

#include <glib.h>
#include <stdbool.h>

/* A line of master.cf. */
struct postconf_service {
    char *name;
    char *type;    /* "inet", "unix", "pass" */
    char *command; /* "smtpd" */
    bool chroot;
    GHashTable *overrides; /* of its -o options: name -> value */
};

struct postconf {
    GHashTable *parameters; /* name -> value, $name expanded */
    GPtrArray *services;    /* of struct postconf_service */
};

/* Asks postconf for NAMES (NULL behind the last) and all services. FOLDER: the configuration
 * directory, NULL: Postfix's own. NULL with *WHY_R (freed by the caller) if there is no Postfix, or
 * it cannot read its configuration. */
struct postconf *postconf_read(const char *folder, const char *const *names, char **why_r);

/* Accepts NULL. */
void postconf_free(struct postconf *postconf);

/* A parameter that was asked for; "" if it is empty or unknown. */
const char *postconf_get(const struct postconf *postconf, const char *name);

/* The value that holds for SERVICE: its own, else the parameter. */
const char *postconf_service_get(const struct postconf *postconf,
                                 const struct postconf_service *service, const char *name);

#endif
