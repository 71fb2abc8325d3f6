/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Typed growing arrays: the only way arrays grow. A vector is any struct with `items`, `len`,
 * `cap`: struct { struct row *items; size_t len, cap; } rows = {0}; if (coras_vec_grow(&rows, 1) <
 * 0) return coras_fail_no_memory(err); rows.items[rows.len++] = row;
 */
#ifndef CORAS_BASE_VEC_H
#define CORAS_BASE_VEC_H

#include "base/alloc.h"

/* Make room for `more` further items; 0, or CORAS_ERR_NO_MEMORY with the vector untouched. */
int coras_vec_grow_raw(void **items, size_t *cap, size_t len, size_t more, size_t item_size);
#define coras_vec_grow(v, more)                                                                    \
    coras_vec_grow_raw((void **)&(v)->items, &(v)->cap, (v)->len, (more), sizeof(*(v)->items))
#define coras_vec_foreach(it, v)                                                                   \
    for (__typeof__((v)->items + 0)(it) = (v)->items; (size_t)((it) - (v)->items) < (v)->len;      \
         (it)++)

#endif
