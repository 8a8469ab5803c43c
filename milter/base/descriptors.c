/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Standard descriptors that are closed.
 */
#include "base/descriptors.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

bool descriptors_take_standard(void)
{
    for (int place = STDIN_FILENO; place <= STDERR_FILENO; place++) {
        if (fcntl(place, F_GETFD) >= 0)
            continue;
        /* The lowest free one is taken. The wrong way round: nothing comes, nothing goes. */
        int got = open("/dev/null", place == STDIN_FILENO ? O_WRONLY : O_RDONLY);
        if (got != place) {
            if (got >= 0)
                close(got);
            return false;
        }
    }
    return true;
}
