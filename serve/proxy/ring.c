/* SPDX-License-Identifier: Apache-2.0 */
/* Via, as a list and as text. */
#include "serve/proxy/ring.h"

#include "base/alloc.h"
#include "base/limits.h"
#include "base/str.h"

bool serve_ring_is_closed(const char *own, const char *via)
{
    int ways = 0;

    if (via && strnlen(via, CORAS_LIMIT_REQUEST_VIA + 1) > CORAS_LIMIT_REQUEST_VIA)
        return true;
    while (via && *via) {
        size_t len = strcspn(via, ",");
        coras_str way = coras_str_trim((coras_str){via, len});
        if (way.len > 0 && (++ways > SERVE_RING_WAYS_MAX || coras_str_eq(way, own)))
            return true;
        via += len + (via[len] == ',');
    }
    return false;
}

char *serve_ring_extend(const char *own, const char *via)
{
    return via && *via ? coras_asprintf("%s, %s", via, own) : coras_strdup(own);
}
