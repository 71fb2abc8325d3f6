/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A set of hashes in one table, which is never more than three quarters full (name_set.h).
 */
#include "model/name_set.h"

#include "base/alloc.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/random.h"

enum { FIRST_SLOTS = 64 };

/* The hash of a name; never 0, which is an empty slot. */
static uint64_t hash_of(const coras_name_set *set, coras_str name)
{
    uint64_t hash = coras_keyed_hash(set->seed, name.ptr, name.len);

    return hash ? hash : 1;
}

/* The slot that holds the hash, or the empty one where it belongs. */
static uint64_t *find(uint64_t *slots, size_t count, uint64_t hash)
{
    size_t at = hash & (count - 1);

    while (slots[at] && slots[at] != hash)
        at = (at + 1) & (count - 1);
    return &slots[at];
}

static int grow(coras_name_set *set, coras_error **err)
{
    size_t count = set->slot_count ? set->slot_count * 2 : FIRST_SLOTS;
    uint64_t *slots = coras_calloc(count, sizeof(*slots));

    if (!slots)
        return coras_fail_no_memory(err);
    for (size_t i = 0; i < set->slot_count; i++)
        if (set->slots[i])
            *find(slots, count, set->slots[i]) = set->slots[i];
    free(set->slots);
    set->slots = slots;
    set->slot_count = count;
    return 0;
}

int coras_name_set_add(coras_name_set *set, coras_str name, coras_error **err)
{
    uint64_t hash, *slot;

    if (!set->slots)
        coras_random(set->seed, sizeof(set->seed));
    if (set->len >= set->slot_count / 4 * 3)
        CORAS_TRY(grow(set, err));
    hash = hash_of(set, name);
    slot = find(set->slots, set->slot_count, hash);
    if (*slot)
        return 1;
    *slot = hash;
    set->len++;
    return 0;
}

void coras_name_set_clear(coras_name_set *set)
{
    free(set->slots);
    *set = (coras_name_set){0};
}
