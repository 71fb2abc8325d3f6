/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many parameters a model has and in which number formats, as packages say it: from the dtypes
 * of its tensors.
 */
#ifndef CORAS_MODEL_PRECISION_H
#define CORAS_MODEL_PRECISION_H

#include "base/buf.h"

/* One number format and what is stored in it. */
struct coras_dtype_share {
    char *dtype; /* as the weight format spells it */
    int64_t elements, bytes;
};

/* What the tensors of a model add up to. */
typedef struct coras_dtype_tally {
    struct coras_dtype_share *items;
    size_t len, cap;
} coras_dtype_tally;
void coras_dtype_tally_clear(coras_dtype_tally *tally);
CORAS_DEFINE_AUTO_VALUE(coras_dtype_tally, coras_dtype_tally_clear)

/* Sums stay at INT64_MAX when they would pass it; further dtypes than a format can have (a limit)
 * are counted as one without a name. */
CORAS_MUST_CHECK int coras_dtype_tally_add(coras_dtype_tally *tally, const char *dtype,
                                           int64_t elements, int64_t bytes, coras_error **err);
int64_t coras_dtype_tally_elements(const coras_dtype_tally *tally);

/* ModelPack's names of the formats, by bytes, largest first, without those below one per cent and
 * those that it has no name for: "bfloat16,float32". */
void coras_precision_put(coras_buf *out, const coras_dtype_tally *tally);

/* ModelPack's size of a model: "8b", "1.2b", "494m". Nothing below 50 parameters. */
void coras_parameter_size_put(coras_buf *out, int64_t parameters);

#endif
