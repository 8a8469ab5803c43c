/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The store's part of the status.
 *
 * Threads: pure.
 */
#ifndef STATUS_STORE_H
#define STATUS_STORE_H

#include "store/store.h"

void status_store_write_text(const struct store_status *store, GString *out);

/* A member "store" of the object that is open. */
void status_store_write_json(const struct store_status *store, GString *out);

#endif
