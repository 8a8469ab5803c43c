/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a row is found by. Texts are found by a hash (with a seed that the file holds, so that
 * nobody outside can make two meet; its bytes' order is the machine's, and the file's home is
 * there), and then compared.
 *
 * Threads: pure.
 */
#ifndef HISTORY_HISTORY_KEY_H
#define HISTORY_HISTORY_KEY_H

#include "base/siphash.h"
#include "history/history_reader.h"

/* The hash of a text, whatever its case. */
int64_t history_key_hash(const struct siphash_seed *seed, const char *text);

/* Where the file has the hash of a text that a row of DAY is found by. */
int64_t history_key_place(int64_t day, int64_t hash);

/* The hashes of all that ROW is found by, each once: of int64_t. Emptied first. A text that
 * history_fold spells otherwise is found by both, and an address with an extension, which any of
 * DELIMITERS begins, by the one without as well. */
void history_row_hashes(const struct history_row *row, const struct siphash_seed *seed,
                        const char *delimiters, GArray *hashes);

/* How the client is ordered: the family and the address's bytes. Its length; 0: there is none. */
#define HISTORY_CLIENT_MAX 17
size_t history_client_key(const struct ipaddr *address, unsigned char key_r[HISTORY_CLIENT_MAX]);
size_t history_row_client(const struct history_row *row, unsigned char key_r[HISTORY_CLIENT_MAX]);

/* Whether KEY means the row. */
bool history_key_means(const struct history_key *key, const struct history_row *row);

/* The day, UTC, since 1970. */
int64_t history_day(int64_t when);

#endif
