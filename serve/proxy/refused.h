/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which upstream has sent something else for which digest lately. The first time may have been an
 * accident, so the blob is asked for once more; after that it costs nothing until a minute is over,
 * or a poisoned registry would be read in full for each client.
 *
 * Threads: the caller has a lock.
 */
#ifndef SERVE_PROXY_REFUSED_H
#define SERVE_PROXY_REFUSED_H

#include "coras/digest.h"

#define SERVE_REFUSED_MAX 64
#define SERVE_REFUSED_MS  60000

/* Begin with zeros. */
typedef struct serve_refused {
    struct serve_refused_row {
        coras_digest digest;
        const void *upstream;
        int64_t since_ms; /* of the first time; monotonic, 0 = no row */
        int times;
    } rows[SERVE_REFUSED_MAX];
} serve_refused;

void serve_refused_note(serve_refused *r, const coras_digest *digest, const void *upstream,
                        int64_t now_ms);
/* Whether there is no use in asking again now. */
bool serve_refused_has(const serve_refused *r, const coras_digest *digest, const void *upstream,
                       int64_t now_ms);

#endif
