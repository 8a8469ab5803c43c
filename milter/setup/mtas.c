/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The MTAs there are.
 */
#include "setup/setup.h"

#include <string.h>

#include "setuppostfix.h"
#include "setupsendmail.h"

static const struct setup_mta mtas[] = {
    {"postfix", setup_postfix, false},
    {"sendmail", setup_sendmail, true},
};

const struct setup_mta *setup_find(const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(mtas); i++)
        if (strcmp(mtas[i].name, name) == 0)
            return &mtas[i];
    return NULL;
}
