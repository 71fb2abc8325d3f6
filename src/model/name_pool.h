/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Texts that a pickle has shown, as small numbers: equal texts have one number, and however many a
 * stranger writes, the memory for them is bounded. When the pool is full, new texts are known for
 * as long as they are among the last few, which is long enough for a name that is used at once.
 */
#ifndef CORAS_MODEL_NAME_POOL_H
#define CORAS_MODEL_NAME_POOL_H

#include "base/map.h"
#include "base/str.h"

#define CORAS_NAME_RECENT 8

typedef struct coras_name_pool {
    coras_map *numbers;   /* text -> its number + 1 */
    coras_strlist texts;  /* by number */
    size_t bytes;         /* of all texts */
    uint32_t recent_next; /* how many were added after the pool was full */
    char *recent[CORAS_NAME_RECENT];
} coras_name_pool;

CORAS_MUST_CHECK int coras_name_pool_init(coras_name_pool *p, coras_error **err);
void coras_name_pool_clear(coras_name_pool *p);
/* The number of a text that holds no NUL. */
CORAS_MUST_CHECK int coras_name_pool_add(coras_name_pool *p, const char *text, uint32_t *ret,
                                         coras_error **err);
/* Borrowed until the next call of add; NULL when it was forgotten. */
const char *coras_name_pool_get(const coras_name_pool *p, uint32_t number);

#endif
