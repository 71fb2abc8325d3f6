/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Byte ranges: what `Range` asks of a blob, what `Content-Range` says of a chunk. Pure.
 */
#ifndef SERVE_HTTP_RANGES_H
#define SERVE_HTTP_RANGES_H

#include "base/common.h"

struct serve_range {
    int64_t first, last; /* inclusive */
};

enum serve_range_kind {
    SERVE_RANGE_WHOLE,        /* no header, another unit, several ranges: send everything */
    SERVE_RANGE_PART,         /* *ret is within the content */
    SERVE_RANGE_UNSATISFIABLE /* 416 */
};

/*
 * Spec: RFC 9110 14.2. Of "500-0" (last before first) the RFC says "ignore"; it is a mistake that
 * the client should hear of, so it counts as unsatisfiable here. `header` may be NULL.
 */
enum serve_range_kind serve_range_parse(const char *header, int64_t size, struct serve_range *ret);

/* `<first>-<last>` of a chunk. Spec: distribution-spec 1.1, "Pushing a blob in chunks". */
bool serve_content_range_parse(const char *header, struct serve_range *ret);

#endif
