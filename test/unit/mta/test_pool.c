/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Jobs for a pool of threads: all that wait are done, and what was taken back is not.
 */
#include "pool.h"

enum { JOBS = 100 };

static struct {
    GMutex lock;
    GCond changed;
    bool open;
    unsigned begun, done;
} gate;

struct task {
    struct pool_job job;
    bool done;
};

static void run(void *data)
{
    struct task *task = data;
    g_mutex_lock(&gate.lock);
    gate.begun++;
    g_cond_broadcast(&gate.changed);
    while (!gate.open)
        g_cond_wait(&gate.changed, &gate.lock);
    task->done = true;
    gate.done++;
    g_mutex_unlock(&gate.lock);
}

static void wait_for_first(void)
{
    g_mutex_lock(&gate.lock);
    while (gate.begun == 0)
        g_cond_wait(&gate.changed, &gate.lock);
    g_mutex_unlock(&gate.lock);
}

static void open_gate(void)
{
    g_mutex_lock(&gate.lock);
    gate.open = true;
    g_cond_broadcast(&gate.changed);
    g_mutex_unlock(&gate.lock);
}

/* Of those that wait behind the first, every other one is taken back. */
static void test_remove(void)
{
    static struct task tasks[JOBS];
    struct pool *pool = pool_new(1, run);
    g_assert_nonnull(pool);
    for (unsigned i = 0; i < JOBS; i++)
        pool_add(pool, &tasks[i].job, &tasks[i]);
    wait_for_first();
    g_assert_false(pool_remove(pool, &tasks[0].job));
    for (unsigned i = 1; i < JOBS; i += 2) {
        g_assert_true(pool_remove(pool, &tasks[i].job));
        g_assert_false(pool_remove(pool, &tasks[i].job));
    }
    g_usleep(2000);
    g_assert_cmpint(pool_stuck(pool), >=, 2000);
    open_gate();
    pool_free(pool);
    for (unsigned i = 0; i < JOBS; i++)
        g_assert_cmpint(tasks[i].done, ==, i % 2 == 0);
    g_assert_cmpuint(gate.done, ==, JOBS / 2);
}

/* What comes back may be given again. */
static void test_again(void)
{
    static struct task task;
    struct pool *pool = pool_new(3, run);
    g_assert_nonnull(pool);
    open_gate();
    for (unsigned i = 0; i < 1000; i++) {
        task.done = false;
        pool_add(pool, &task.job, &task);
        if (pool_remove(pool, &task.job))
            continue;
        for (bool done = false; !done; g_thread_yield()) {
            g_mutex_lock(&gate.lock);
            done = task.done;
            g_mutex_unlock(&gate.lock);
        }
    }
    pool_free(pool);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/pool/remove", test_remove);
    g_test_add_func("/pool/again", test_again);
    return g_test_run();
}
