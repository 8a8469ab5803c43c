/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The secret of this installation: random bytes in a file that only the daemon's user may read.
 * What is kept under hashes of it tells a thief of the state alone nothing.
 *
 * Threads: one at a time; several processes may make the file at once, and then share one secret.
 */
#ifndef DAEMON_STATEKEY_H
#define DAEMON_STATEKEY_H

#include <stdbool.h>

#define STATE_KEY_SIZE 32

enum state_key_result {
    STATE_KEY_FOUND,
    STATE_KEY_MADE,     /* there was none */
    STATE_KEY_REPLACED, /* what was there was no key, or others could read it */
    STATE_KEY_LOST,     /* neither read nor written: good for this process alone */
};

/* Reads the key from the file PATH, or makes it, with mode 0600 and as a whole or not at all.
 * KEY_R is always filled. REPLACED and LOST say why in *WHY_R, owned by the caller. */
enum state_key_result state_key_get(const char *path, unsigned char key_r[STATE_KEY_SIZE],
                                    char **why_r);

/* A key of this process. */
void state_key_random(unsigned char key_r[STATE_KEY_SIZE]);

#endif
