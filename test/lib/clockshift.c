/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Preloaded into a daemon under test: its wall clock is off by as many seconds as the file named by
 * CLOCKSHIFT_FILE says, a decimal number of fixed width that may be overwritten at any time. Other
 * clocks are left alone, as they are when somebody sets the real one; with CLOCKSHIFT_ALL the
 * monotonic one goes along, as if the time had truly passed.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum { WIDTH = 20 };

static const char *shown;
static int all;

__attribute__((constructor)) static void open_shift(void)
{
    const char *path = getenv("CLOCKSHIFT_FILE");
    all = getenv("CLOCKSHIFT_ALL") != NULL;
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    void *mapped = fd >= 0 ? mmap(NULL, WIDTH, PROT_READ, MAP_SHARED, fd, 0) : MAP_FAILED;
    if (mapped != MAP_FAILED)
        shown = mapped;
    if (fd >= 0)
        close(fd);
}

static time_t shift(void)
{
    char digits[WIDTH + 1] = "";
    if (shown)
        memcpy(digits, shown, WIDTH);
    return (time_t)strtoll(digits, NULL, 10);
}

/* The kernel is asked itself: a sanitizer wants to know the time before it can serve the memory
 * that a search for the C library's own function takes. */
int clock_gettime(clockid_t clock, struct timespec *now)
{
    int result = (int)syscall(SYS_clock_gettime, clock, now);
    if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE ||
                        (all && clock == CLOCK_MONOTONIC)))
        now->tv_sec += shift();
    return result;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
    struct timespec precise;
    (void)zone;
    int result = clock_gettime(CLOCK_REALTIME, &precise);
    now->tv_sec = precise.tv_sec;
    now->tv_usec = precise.tv_nsec / 1000;
    return result;
}

time_t time(time_t *now_r)
{
    struct timespec precise;
    clock_gettime(CLOCK_REALTIME_COARSE, &precise);
    if (now_r)
        *now_r = precise.tv_sec;
    return precise.tv_sec;
}
