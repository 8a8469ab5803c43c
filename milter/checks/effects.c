/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What checks bring about beside a reply: collected, kept and let go.
 */
#include <string.h>

#include "base/siphash.h"
#include "checks/commit.h"
#include "checks/spam.h"

void check_errand_clear(struct check_errand *errand)
{
    if (errand->data)
        errand->free(errand->data);
    *errand = (struct check_errand){0};
}

void check_effects_prepend(struct check_effects *effects, char *line)
{
    if (!effects->prepend)
        effects->prepend = g_ptr_array_new_with_free_func(g_free);
    g_ptr_array_add(effects->prepend, line);
}

static void free_change(void *data)
{
    struct header_change *change = data;
    g_free(change->name);
    g_free(change->value);
    g_free(change);
}

void check_effects_change(struct check_effects *effects, const char *name, unsigned index,
                          const char *value)
{
    if (!effects->changes)
        effects->changes = g_ptr_array_new_with_free_func(free_change);
    struct header_change *change = g_new0(struct header_change, 1);
    change->name = g_strdup(name);
    change->index = index;
    change->value = g_strdup(value);
    g_ptr_array_add(effects->changes, change);
}

static gint compare_changes(gconstpointer a, gconstpointer b)
{
    const struct header_change *one = *(void *const *)a, *other = *(void *const *)b;
    int names = g_ascii_strcasecmp(one->name, other->name);
    return names ? names : one->index < other->index ? 1 : one->index > other->index ? -1 : 0;
}

void check_effects_order_changes(struct check_effects *effects)
{
    GPtrArray *changes = effects->changes;
    if (!changes || changes->len < 2)
        return;
    g_ptr_array_sort(changes, compare_changes); /* stable: of one field as they were said */
    guint to = 0;
    for (guint i = 1; i < changes->len; i++) {
        struct header_change *last = changes->pdata[to], *next = changes->pdata[i];
        if (compare_changes(&last, &next) != 0) {
            to++;
            changes->pdata[i] = changes->pdata[to];
            changes->pdata[to] = next;
        } else if (last->value) {
            char *value = last->value;
            last->value = next->value;
            next->value = value;
        }
    }
    g_ptr_array_set_size(changes, (gint)to + 1);
}

static void free_detail(void *data)
{
    struct check_detail *detail = data;
    g_free(detail->value);
    g_free(detail);
}

void check_details_set(GPtrArray **details, const char *key, const char *value)
{
    if (!*details)
        *details = g_ptr_array_new_with_free_func(free_detail);
    for (guint i = 0; i < (*details)->len; i++)
        if (strcmp(((const struct check_detail *)(*details)->pdata[i])->key, key) == 0)
            g_ptr_array_remove_index(*details, i--);
    struct check_detail *detail = g_new0(struct check_detail, 1);
    detail->key = key;
    detail->value = g_strdup(value);
    g_ptr_array_add(*details, detail);
}

void check_effects_detail(struct check_effects *effects, const char *key, const char *value)
{
    check_details_set(&effects->details, key, value);
}

void check_effects_entry(struct check_effects *effects, const char *entry)
{
    if (!effects->entries)
        effects->entries = g_ptr_array_new_with_free_func(g_free);
    if (g_ptr_array_find_with_equal_func(effects->entries, entry, g_str_equal, NULL))
        return;
    if (effects->entries->len < CHECK_ENTRIES_MAX)
        g_ptr_array_add(effects->entries, g_strdup(entry));
    else
        effects->entries_cut = true;
}

void check_rests_on(struct check *check, const char *entry)
{
    g_free(check->entry);
    check->entry = g_strdup(entry);
    check_effects_entry(check->effects, entry);
}

/* Restrictions that ask the store, the guard or the rules, in most policies. */
enum { ASKED_USUALLY = 4 };

static void clear_asked(void *data)
{
    g_free(((struct check_asked *)data)->reply);
}

void check_effects_asked(struct check_effects *effects, const char *name, const char *argument,
                         enum check_result result, const char *reply)
{
    struct check_asked asked = {name, argument, result, g_strdup(reply)};
    if (!effects->asked) {
        effects->asked = g_array_sized_new(FALSE, FALSE, sizeof(struct check_asked), ASKED_USUALLY);
        g_array_set_clear_func(effects->asked, clear_asked);
    }
    g_array_append_val(effects->asked, asked);
}

static void free_charge(void *data)
{
    struct charge *charge = data;
    charge->free(charge);
}

static guint hash_charge(gconstpointer data)
{
    const struct charge *charge = data;
    return siphash_string(charge->key) ^ g_direct_hash(charge->what);
}

static gboolean same_charge(gconstpointer a, gconstpointer b)
{
    const struct charge *one = a, *other = b;
    return one->what == other->what && strcmp(one->key, other->key) == 0;
}

/* So many are looked through one by one: most messages have fewer. */
enum { CHARGES_FEW = 16 };

void check_effects_charge(struct check_effects *effects, struct charge *charge)
{
    if (!effects->charges)
        effects->charges = g_ptr_array_new_with_free_func(free_charge);
    g_ptr_array_add(effects->charges, charge);
    if (effects->charged && charge->key)
        g_hash_table_add(effects->charged, charge);
    if (effects->charged || effects->charges->len <= CHARGES_FEW)
        return;
    effects->charged = g_hash_table_new(hash_charge, same_charge);
    for (guint i = 0; i < effects->charges->len; i++)
        if (((const struct charge *)effects->charges->pdata[i])->key)
            g_hash_table_add(effects->charged, effects->charges->pdata[i]);
}

void check_effects_take_charges(struct check_effects *into, struct check_effects *from)
{
    g_autoptr(GPtrArray) charges = g_steal_pointer(&from->charges);
    g_clear_pointer(&from->charged, g_hash_table_unref);
    for (guint i = 0; charges && i < charges->len; i++)
        check_effects_charge(into, charges->pdata[i]);
    if (charges)
        g_ptr_array_set_free_func(charges, NULL);
}

const struct charge *check_effects_charged(const struct check_effects *effects, const void *what,
                                           const char *key)
{
    const struct charge wanted = {.what = what, .key = key};
    if (effects->charged)
        return g_hash_table_lookup(effects->charged, &wanted);
    for (guint i = effects->charges ? effects->charges->len : 0; i > 0; i--) {
        const struct charge *charge = effects->charges->pdata[i - 1];
        if (charge->key && same_charge(charge, &wanted))
            return charge;
    }
    return NULL;
}

void check_effects_clear(struct check_effects *effects)
{
    if (effects->changes)
        g_ptr_array_unref(effects->changes);
    if (effects->body)
        g_string_free(effects->body, TRUE);
    if (effects->charged)
        g_hash_table_unref(effects->charged);
    if (effects->charges)
        g_ptr_array_unref(effects->charges);
    if (effects->details)
        g_ptr_array_unref(effects->details);
    if (effects->asked)
        g_array_unref(effects->asked);
    spam_verdict_free(effects->spam);
    g_free(effects->hold);
    g_free(effects->defer_if_permit);
    g_free(effects->defer_if_reject);
    g_free(effects->hold_entry);
    g_free(effects->defer_if_permit_entry);
    g_free(effects->defer_if_reject_entry);
    if (effects->entries)
        g_ptr_array_unref(effects->entries);
    if (effects->prepended)
        g_hash_table_unref(effects->prepended);
    if (effects->prepend)
        g_ptr_array_unref(effects->prepend);
    *effects = (struct check_effects){0};
}
