/* SPDX-License-Identifier: BSD-2-Clause
 *
 * No journal: built without libsystemd.
 */
#include "journal.h"

bool journal_is_built_in(void)
{
    return false;
}

bool journal_is_there(void)
{
    return false;
}

void journal_send(const GPtrArray *fields)
{
    (void)fields;
}
