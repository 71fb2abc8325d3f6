/*
 * How long a registry may keep us waiting (Retry-After): what it asks for in sum, without progress
 * in between, has a bound. Begin, and begin again, with zeros.
 */
#ifndef CORAS_BASE_PATIENCE_H
#define CORAS_BASE_PATIENCE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/limits.h"

typedef struct coras_patience {
    int64_t waited_s;
} coras_patience;

/* Whether another `asked_s` (<= 0: nothing was said) may be waited; counts it when so. */
static inline bool coras_patience_take(coras_patience *p, int64_t asked_s)
{
    if (asked_s > CORAS_LIMIT_RETRY_AFTER_S - p->waited_s)
        return false;
    if (asked_s > 0)
        p->waited_s += asked_s;
    return true;
}

#endif
