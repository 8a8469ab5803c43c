/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Whether an MTA's user reaches gatepost's Unix socket, as permissions tell; ACLs and security
 * modules are not seen.
 *
 * Threads: one thread at a time (the user database is asked).
 */
#ifndef REACH_H
#define REACH_H

#include <glib.h>
#include <stdbool.h>
#include <sys/types.h>

#include "settings/settings.h"

/* Whether USER may connect to the socket PATH of SETTINGS. Where the socket does not exist yet,
 * milter_socket_mode and milter_socket_group tell what it will be. GROUP: the only one that an
 * MTA's process keeps, as Sendmail's with RunAsUser does; NULL: all groups of USER, as in Postfix.
 * NULL, or what is in the way and the remedy; the caller frees it. */
char *reach_fault(const struct settings *settings, const char *path, const char *user,
                  const char *group);

/* The first folder above PATH that others than its owner may write to, by the bits of MODE
 * (S_IWGRP, S_IWOTH); symbolic links are followed. NULL: none that exists. The caller frees it. */
char *reach_writable_folder(const char *path, mode_t mode);

#endif
