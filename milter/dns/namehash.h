/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A hash of names with a key of this process: strangers choose the names that are asked, and must
 * not be able to choose names that fall into one place of a table.
 *
 * Threads: pure, once the key was drawn at the first call.
 */
#ifndef MILTER_DNS_NAMEHASH_H
#define MILTER_DNS_NAMEHASH_H

#include <glib.h>

/* For g_hash_table_new: the hash of a NUL-terminated string. */
guint dns_name_hash(gconstpointer text);

#endif
