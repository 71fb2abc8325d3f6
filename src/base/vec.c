/* SPDX-License-Identifier: Apache-2.0 */
/* How an array grows: by half, with checked sizes. */
#include "base/vec.h"

int coras_vec_grow_raw(void **items, size_t *cap, size_t len, size_t more, size_t item_size)
{
    enum { FIRST_ITEMS = 8 };
    size_t want, room;
    void *grown;

    if (!coras_add_size(len, more, &want))
        return CORAS_ERR_NO_MEMORY;
    if (want <= *cap)
        return 0;
    room = *cap ? *cap : FIRST_ITEMS;
    while (room < want) {
        if (!coras_mul_size(room, 2, &room))
            return CORAS_ERR_NO_MEMORY;
    }
    grown = coras_realloc_array(*items, room, item_size);
    if (!grown)
        return CORAS_ERR_NO_MEMORY;
    *items = grown;
    *cap = room;
    return 0;
}
