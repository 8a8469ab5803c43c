/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Preloaded into a daemon under test: memory, or threads, run out when a test says so. The file
 * named by STARVE_FILE holds three numbers of 64 bits, of this machine: how many more allocations
 * succeed before one fails (negative: all do), whether those after it fail, too, and whether no
 * thread can be begun.
 *
 * GLib makes its message "failed to allocate" by vasprintf(3), and where that fails, too, calls
 * itself without end: what it asks there is given, so that whoever crashes is somebody else.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <dlfcn.h>

struct orders {
    int64_t left;
    int64_t for_ever;
    int64_t no_threads;
};

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

static struct orders *orders;
static __thread int spared;

__attribute__((constructor)) static void open_orders(void)
{
    const char *path = getenv("STARVE_FILE");
    int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    if (fd < 0)
        return;
    void *mapped = mmap(NULL, sizeof *orders, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (mapped != MAP_FAILED)
        orders = mapped;
    close(fd);
}

static int fails(void)
{
    if (spared || !orders || __atomic_load_n(&orders->left, __ATOMIC_RELAXED) < 0)
        return 0;
    int64_t before = __atomic_fetch_sub(&orders->left, 1, __ATOMIC_RELAXED);
    if (before > 0)
        return 0;
    if (orders->for_ever)
        __atomic_store_n(&orders->left, 0, __ATOMIC_RELAXED);
    errno = ENOMEM;
    return before == 0 || orders->for_ever;
}

void *malloc(size_t size)
{
    return fails() ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    return fails() ? NULL : __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
    return fails() ? NULL : __libc_realloc(old, size);
}

int posix_memalign(void **memory_r, size_t alignment, size_t size)
{
    void *memory = fails() ? NULL : __libc_memalign(alignment, size);
    if (!memory)
        return ENOMEM;
    *memory_r = memory;
    return 0;
}

int __vasprintf_chk(char **text_r, int flag, const char *format, va_list values)
{
    (void)flag;
    return vasprintf(text_r, format, values);
}

int vasprintf(char **restrict text_r, const char *restrict format, va_list values)
{
    int (*real)(char **, const char *, va_list);
    spared++;
    real = (int (*)(char **, const char *, va_list))dlsym(RTLD_NEXT, "vasprintf");
    int length = real(text_r, format, values);
    spared--;
    return length;
}

int pthread_create(pthread_t *restrict thread_r, const pthread_attr_t *restrict attributes,
                   void *(*run)(void *), void *restrict data)
{
    int (*real)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
    real = (int (*)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *))dlsym(
        RTLD_NEXT, "pthread_create");
    return orders && orders->no_threads ? EAGAIN : real(thread_r, attributes, run, data);
}
