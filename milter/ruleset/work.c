/* SPDX-License-Identifier: BSD-2-Clause */
#include "work.h"

struct work work_begin(size_t rules, bool timeless)
{
    return (struct work){.most = WORK_MAX + rules * (uint64_t)WORK_MAX_RULE,
                         .effort = effort_begin(),
                         .timeless = timeless};
}

bool work_take(struct work *work, uint64_t units)
{
    if (work->spent || units > work->most - work->taken) {
        work->spent = true;
        return false;
    }
    work->taken += units;
    if (work->taken < work->looked + WORK_LOOK)
        return true;
    work->looked = work->taken;
    if (!work->timeless && effort_is_spent(&work->effort, WORK_TIME_MAX))
        work->spent = true;
    return !work->spent;
}

void work_give_back(struct work *work, uint64_t units)
{
    work->taken -= units;
}
