/*
 * Byte ranges: what `Range` asks of a blob, what `Content-Range` says of a chunk. Pure.
 */
#ifndef CORAS_SERVE_HTTP_RANGES_H
#define CORAS_SERVE_HTTP_RANGES_H

#include "base/common.h"

struct coras_range {
    int64_t first, last; /* inclusive */
};

enum coras_range_kind {
    CORAS_RANGE_WHOLE,        /* no header, another unit, several ranges: send everything */
    CORAS_RANGE_PART,         /* *ret is within the content */
    CORAS_RANGE_UNSATISFIABLE /* 416 */
};

/*
 * Spec: RFC 9110 14.2. Of "500-0" (last before first) the RFC says "ignore"; it is a mistake that
 * the client should hear of, so it counts as unsatisfiable here. `header` may be NULL.
 */
enum coras_range_kind coras_range_parse(const char *header, int64_t size, struct coras_range *ret);

/* `<first>-<last>` of a chunk. Spec: distribution-spec 1.1, "Pushing a blob in chunks". */
bool coras_content_range_parse(const char *header, struct coras_range *ret);

#endif
