/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What would go wrong with the Sendmail that is there: an inspection a row.
 */
#include <string.h>

#include "setupsendmail.h"

void sendmaillook(struct sendmail_setup *setup)
{
    (void)setup;
}
