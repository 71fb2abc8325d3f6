/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Byte ranges in headers: Content-Range of a download (RFC 9110, 14.4) and Range of an upload's
 * answers (distribution-spec 1.1, "Pushing a blob in chunks"). Bytes in, values out.
 */
#ifndef CORAS_REGISTRY_CONTENT_RANGE_H
#define CORAS_REGISTRY_CONTENT_RANGE_H

#include "base/common.h"

struct coras_content_range {
    int64_t first, last; /* inclusive */
    int64_t total;       /* -1: "*" */
};

/* "bytes a-b/total" or "bytes a-b/ *" (without the blank) with a <= b < total. */
bool coras_content_range_parse(const char *header, struct coras_content_range *ret);

/* "0-N" with an optional "bytes=" in front: the last byte that an upload session has. */
bool coras_upload_range_parse(const char *header, int64_t *ret_last);

#endif
