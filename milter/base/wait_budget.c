/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Budgets of waiting.
 */
#include "base/wait_budget.h"

#include <glib.h>

const char *wait_source_word(enum wait_source source)
{
    static const char *const words[WAIT_SOURCES] = {
        [WAIT_DNS] = "dns", [WAIT_STORE] = "store", [WAIT_WORK] = "work"};
    return words[source];
}

void wait_budget_set(struct wait_budget *budget, enum wait_source source, int64_t microseconds)
{
    budget->left[source] = microseconds;
}

void wait_budget_renew(struct wait_budget *budget, enum wait_source source, int64_t microseconds)
{
    if (budget->left[source] > 0)
        budget->left[source] = microseconds;
}

void wait_budget_begin(struct wait_budget *budget, enum wait_source source)
{
    if (budget->from && budget->source == source)
        return;
    wait_budget_end(budget);
    budget->from = g_get_monotonic_time();
    budget->source = source;
}

void wait_budget_end(struct wait_budget *budget)
{
    if (!budget->from)
        return;
    int64_t waited = g_get_monotonic_time() - budget->from;
    budget->left[budget->source] -= waited;
    budget->waited[budget->source] += waited;
    budget->from = 0;
}

int64_t wait_budget_deadline(const struct wait_budget *budget)
{
    return budget->from ? budget->from + MAX(budget->left[budget->source], 0) : 0;
}

bool wait_budget_expired(const struct wait_budget *budget, enum wait_source source)
{
    if (!budget->from || budget->source != source)
        return budget->left[source] <= 0;
    return g_get_monotonic_time() >= wait_budget_deadline(budget);
}
