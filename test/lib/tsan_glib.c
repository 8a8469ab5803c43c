/* SPDX-License-Identifier: BSD-2-Clause
 *
 * GLib's locks and reference counts are made of atomics in a library that ThreadSanitizer did not
 * compile, so it would call everything that they protect a race. Preloaded into a sanitized
 * program, this tells it of each lock, unlock and release, and leaves the work to GLib.
 */
#include <dlfcn.h>
#include <glib.h>
#include <string.h>

void __tsan_acquire(void *address);
void __tsan_release(void *address);

/* The next definition of a function: GLib's own. Kept in *PLACE, where races do no harm: all
 * writers write the same. */
static void *real(void **place, const char *name)
{
    void *found = __atomic_load_n(place, __ATOMIC_RELAXED);

    if (found == NULL) {
        found = dlsym(RTLD_NEXT, name);
        __atomic_store_n(place, found, __ATOMIC_RELAXED);
    }
    return found;
}

/* A function pointer of TYPE called NAME that calls GLib's function of the name. ISO C has no
 * conversion from dlsym's result, hence memcpy. */
#define REAL(name)                                                                                 \
    static void *place;                                                                            \
    void *address = real(&place, #name);                                                           \
    __typeof__(&name) call;                                                                        \
    memcpy(&call, &address, sizeof(call))

#undef g_mutex_lock
#undef g_mutex_unlock

#define LOCKS(name, type)                                                                          \
    void name(type *lock)                                                                          \
    {                                                                                              \
        REAL(name);                                                                                \
        call(lock);                                                                                \
        __tsan_acquire(lock);                                                                      \
    }

#define UNLOCKS(name, type)                                                                        \
    void name(type *lock)                                                                          \
    {                                                                                              \
        REAL(name);                                                                                \
        __tsan_release(lock);                                                                      \
        call(lock);                                                                                \
    }

LOCKS(g_mutex_lock, GMutex)
UNLOCKS(g_mutex_unlock, GMutex)
LOCKS(g_rec_mutex_lock, GRecMutex)
UNLOCKS(g_rec_mutex_unlock, GRecMutex)
LOCKS(g_rw_lock_reader_lock, GRWLock)
UNLOCKS(g_rw_lock_reader_unlock, GRWLock)
LOCKS(g_rw_lock_writer_lock, GRWLock)
UNLOCKS(g_rw_lock_writer_unlock, GRWLock)

gboolean g_mutex_trylock(GMutex *lock)
{
    REAL(g_mutex_trylock);
    gboolean got = call(lock);

    if (got)
        __tsan_acquire(lock);
    return got;
}

void g_cond_wait(GCond *condition, GMutex *lock)
{
    REAL(g_cond_wait);
    __tsan_release(lock);
    call(condition, lock);
    __tsan_acquire(lock);
}

gboolean g_cond_wait_until(GCond *condition, GMutex *lock, gint64 end)
{
    REAL(g_cond_wait_until);
    __tsan_release(lock);
    gboolean signalled = call(condition, lock, end);
    __tsan_acquire(lock);
    return signalled;
}

gboolean g_atomic_ref_count_dec(gatomicrefcount *count)
{
    REAL(g_atomic_ref_count_dec);
    __tsan_release(count);
    gboolean last = call(count);

    if (last)
        __tsan_acquire(count);
    return last;
}

#undef g_once_init_enter
#undef g_once_init_leave

gboolean g_once_init_enter(volatile void *once)
{
    REAL(g_once_init_enter);
    gboolean first = call(once);

    if (!first)
        __tsan_acquire((void *)once);
    return first;
}

void g_once_init_leave(volatile void *once, gsize result)
{
    REAL(g_once_init_leave);
    __tsan_release((void *)once);
    call(once, result);
}

/* Its texts are made once, behind a lock within the library, and kept for all threads. */
const char *g_strerror(int number)
{
    static char kept;
    REAL(g_strerror);
    const char *text = call(number);

    __tsan_release(&kept);
    __tsan_acquire(&kept);
    return text;
}
