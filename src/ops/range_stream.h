/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A part of a blob as a stream that goes on where it was cut, as long as trying helps.
 */
#ifndef CORAS_OPS_RANGE_STREAM_H
#define CORAS_OPS_RANGE_STREAM_H

#include "target/target.h"

/*
 * Bytes [offset, offset + length) of a blob, which must lie within it, into a sink that may stop
 * early. Each byte comes once and in order. NOT verified. Content that the descriptor embeds costs
 * no request. RANGE when the registry serves whole files only and `offset` is not 0.
 */
CORAS_MUST_CHECK int coras_stream_range(coras_target *target, const coras_descriptor *desc,
                                        int64_t offset, int64_t length, const coras_sink *sink,
                                        coras_error **err);

/* INVALID_ARGUMENT unless the bytes lie within the file. */
CORAS_MUST_CHECK int coras_check_range(const coras_descriptor *desc, int64_t offset, size_t length,
                                       coras_error **err);

#endif
