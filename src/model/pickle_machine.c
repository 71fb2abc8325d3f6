/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A pickle's stack and memo, of which only the texts are known.
 */
#include "model/pickle_machine.h"

#include "base/error.h"
#include "base/limits.h"
#include "base/vec.h"

int coras_pickle_machine_init(coras_pickle_machine *m, coras_error **err)
{
    *m = (coras_pickle_machine){0};
    return coras_name_pool_init(&m->pool, err);
}

void coras_pickle_machine_clear(coras_pickle_machine *m)
{
    coras_name_pool_clear(&m->pool);
    free(m->stack.items);
    free(m->memo.items);
    *m = (coras_pickle_machine){0};
}

void coras_pickle_machine_reset(coras_pickle_machine *m)
{
    m->stack.len = 0;
    m->memo.len = 0;
    m->memo_used = 0;
    m->memo_lost = false;
}

/* ---- stack ---- */

/* What an empty stack gives is unknown, so what lies deep down may be dropped. */
static void forget_bottom(coras_pickle_machine *m)
{
    size_t half = m->stack.len / 2;
    memmove(m->stack.items, m->stack.items + half, (m->stack.len - half) * sizeof(*m->stack.items));
    m->stack.len -= half;
}

int coras_pickle_push(coras_pickle_machine *m, coras_pickle_value v, coras_error **err)
{
    struct coras_pickle_run *last = m->stack.len ? m->stack.items + m->stack.len - 1 : NULL;

    if (last && last->value == v && last->count < UINT32_MAX) {
        last->count++;
        return 0;
    }
    if (m->stack.len >= CORAS_LIMIT_PICKLE_STACK)
        forget_bottom(m);
    if (coras_vec_grow(&m->stack, 1) < 0)
        return coras_fail_no_memory(err);
    m->stack.items[m->stack.len++] = (struct coras_pickle_run){v, 1};
    return 0;
}

int coras_pickle_push_text(coras_pickle_machine *m, const char *text, coras_error **err)
{
    uint32_t number = 0;
    CORAS_TRY(coras_name_pool_add(&m->pool, text, &number, err));
    return coras_pickle_push(m, number + CORAS_PICKLE_FIRST_TEXT, err);
}

coras_pickle_value coras_pickle_top(const coras_pickle_machine *m)
{
    return m->stack.len > 0 ? m->stack.items[m->stack.len - 1].value : CORAS_PICKLE_UNKNOWN;
}

coras_pickle_value coras_pickle_pop(coras_pickle_machine *m)
{
    coras_pickle_value top = coras_pickle_top(m);
    if (m->stack.len > 0 && --m->stack.items[m->stack.len - 1].count == 0)
        m->stack.len--;
    return top;
}

void coras_pickle_pop_to_mark(coras_pickle_machine *m)
{
    while (m->stack.len > 0 && coras_pickle_top(m) != CORAS_PICKLE_MARK)
        m->stack.len--;
    (void)coras_pickle_pop(m);
}

/* ---- memo ---- */

static int make_room(coras_pickle_machine *m, size_t index, coras_error **err)
{
    if (index < m->memo.len)
        return 0;
    size_t more = index + 1 - m->memo.len;
    if (coras_vec_grow(&m->memo, more) < 0)
        return coras_fail_no_memory(err);
    memset(m->memo.items + m->memo.len, 0, more * sizeof(*m->memo.items));
    m->memo.len = index + 1;
    return 0;
}

int coras_pickle_put(coras_pickle_machine *m, uint64_t index, int64_t bytes_read, coras_error **err)
{
    if (index >= CORAS_LIMIT_PICKLE_MEMO || index > (uint64_t)bytes_read) {
        m->memo_lost = true; /* what MEMOIZE counts is no longer known either */
        return 0;
    }
    CORAS_TRY(make_room(m, (size_t)index, err));
    uint32_t *slot = m->memo.items + index;
    m->memo_used += *slot == 0;
    *slot = coras_pickle_top(m) + 1;
    return 0;
}

int coras_pickle_memoize(coras_pickle_machine *m, int64_t bytes_read, coras_error **err)
{
    return coras_pickle_put(m, m->memo_used, bytes_read, err);
}

coras_pickle_value coras_pickle_recall(const coras_pickle_machine *m, uint64_t index)
{
    if (m->memo_lost || index >= m->memo.len || m->memo.items[index] == 0)
        return CORAS_PICKLE_UNKNOWN;
    return m->memo.items[index] - 1;
}

const char *coras_pickle_text(const coras_pickle_machine *m, coras_pickle_value v)
{
    return v < CORAS_PICKLE_FIRST_TEXT ? NULL
                                       : coras_name_pool_get(&m->pool, v - CORAS_PICKLE_FIRST_TEXT);
}
