/* SPDX-License-Identifier: Apache-2.0 */
/* The system's random numbers. */
#include "base/random.h"

#include <sys/random.h>

void coras_random(void *p, size_t len)
{
    unsigned char *at = p;

    while (len) {
        ssize_t n = getrandom(at, len, 0);
        if (n > 0) {
            at += n;
            len -= (size_t)n;
        }
        /* The only failure is EINTR: the buffer is valid and the flags are none. */
    }
}

uint32_t coras_random_below(uint32_t bound)
{
    uint32_t n, unfair;

    if (bound < 2)
        return 0;
    unfair = (uint32_t)(-bound) % bound; /* 2^32 mod bound: values below would come up once more */
    do {
        coras_random(&n, sizeof(n));
    } while (n < unfair);
    return n % bound;
}
