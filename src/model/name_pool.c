/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Interned texts with a bound on their memory.
 */
#include "model/name_pool.h"

#include "base/alloc.h"
#include "base/error.h"
#include "base/limits.h"

enum { RECENT_FIRST = 1 << 30 }; /* numbers of texts that found the pool full start here */

int coras_name_pool_init(coras_name_pool *p, coras_error **err)
{
    *p = (coras_name_pool){.numbers = coras_map_new(NULL)};
    return p->numbers ? 0 : coras_fail_no_memory(err);
}

void coras_name_pool_clear(coras_name_pool *p)
{
    coras_map_free(p->numbers);
    coras_strlist_clear(&p->texts);
    for (size_t i = 0; i < CORAS_NAME_RECENT; i++)
        free(p->recent[i]);
    *p = (coras_name_pool){0};
}

static int add_recent(coras_name_pool *p, const char *text, uint32_t *ret, coras_error **err)
{
    char *copy = coras_strdup(text);
    if (!copy)
        return coras_fail_no_memory(err);
    char **slot = &p->recent[p->recent_next % CORAS_NAME_RECENT];
    free(*slot);
    *slot = copy;
    *ret = RECENT_FIRST + p->recent_next;
    p->recent_next = (p->recent_next + 1) % RECENT_FIRST;
    return 0;
}

int coras_name_pool_add(coras_name_pool *p, const char *text, uint32_t *ret, coras_error **err)
{
    uintptr_t known = (uintptr_t)coras_map_get(p->numbers, text);
    size_t len = strlen(text);

    if (known > 0) {
        *ret = (uint32_t)(known - 1);
        return 0;
    }
    if (p->texts.len >= CORAS_LIMIT_PICKLE_NAMES || len > CORAS_LIMIT_PICKLE_NAME_BYTES - p->bytes)
        return add_recent(p, text, ret, err);
    CORAS_TRY(coras_strlist_add(&p->texts, text, err));
    CORAS_TRY(coras_map_set(p->numbers, text, (void *)(uintptr_t)p->texts.len, err));
    p->bytes += len;
    *ret = (uint32_t)p->texts.len - 1;
    return 0;
}

const char *coras_name_pool_get(const coras_name_pool *p, uint32_t number)
{
    if (number < RECENT_FIRST)
        return number < p->texts.len ? p->texts.items[number] : NULL;
    uint32_t age = (p->recent_next + RECENT_FIRST - (number - RECENT_FIRST)) % RECENT_FIRST;
    if (age == 0 || age > CORAS_NAME_RECENT)
        return NULL;
    return p->recent[(number - RECENT_FIRST) % CORAS_NAME_RECENT];
}
