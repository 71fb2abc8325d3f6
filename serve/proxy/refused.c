/* SPDX-License-Identifier: Apache-2.0 */
/* A few rows; the oldest makes room. */
#include "serve/proxy/refused.h"

#include "base/common.h"

/* Tries that are forgiven: the first, and one more. */
#define TRIES 2

static bool is_alive(const struct serve_refused_row *row, int64_t now_ms)
{
    return row->times > 0 && now_ms - row->since_ms < SERVE_REFUSED_MS;
}

static bool is_of(const struct serve_refused_row *row, const coras_digest *digest,
                  const void *upstream)
{
    return row->upstream == upstream && coras_digest_equal(&row->digest, digest);
}

void serve_refused_note(serve_refused *r, const coras_digest *digest, const void *upstream,
                        int64_t now_ms)
{
    struct serve_refused_row *oldest = &r->rows[0];

    for (size_t i = 0; i < CORAS_ARRAY_LEN(r->rows); i++) {
        struct serve_refused_row *row = &r->rows[i];
        if (is_alive(row, now_ms) && is_of(row, digest, upstream)) {
            row->times++;
            return;
        }
        if (!is_alive(row, now_ms) ||
            (is_alive(oldest, now_ms) && row->since_ms < oldest->since_ms))
            oldest = row;
    }
    *oldest = (struct serve_refused_row){*digest, upstream, now_ms, 1};
}

bool serve_refused_has(const serve_refused *r, const coras_digest *digest, const void *upstream,
                       int64_t now_ms)
{
    for (size_t i = 0; i < CORAS_ARRAY_LEN(r->rows); i++) {
        const struct serve_refused_row *row = &r->rows[i];
        if (is_alive(row, now_ms) && is_of(row, digest, upstream))
            return row->times >= TRIES;
    }
    return false;
}
