/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The headers of a model's weight files, read with as few requests as their formats allow: one for
 * a safetensors file, and for GGUF, whose header does not tell how long it is, one for every
 * doubling.
 */
#ifndef CORAS_OPS_MODELS_WEIGHTS_H
#define CORAS_OPS_MODELS_WEIGHTS_H

#include "model/detect.h"
#include "model/header.h"
#include "ops/models/view.h"

/* What reading the header of one file has shown. */
typedef struct coras_weights {
    bool found;                      /* the file holds weights */
    enum coras_content_kind content; /* what its first bytes are */
    enum coras_weight_format format;
    int64_t header_size;
    bool verified; /* its bytes have a digest that the manifest vouches for */
} coras_weights;

/* Whether a file may hold weights, as far as name, type and size tell: documents are left alone
 * where looking into them costs a request. */
bool coras_model_may_be_weights(const coras_model *m, size_t file);

/*
 * Read the header of a file, if its content is that of a weight file. `strict` and `visitor` as in
 * coras_header_reader_new(). DIGEST_MISMATCH when the manifest records a digest of the header (or
 * the file is small enough to be read whole) and the bytes do not have it. Several threads may read
 * files of one model.
 */
CORAS_MUST_CHECK int coras_model_read_weights(coras_model *m, size_t file, bool strict,
                                              const coras_header_visitor *visitor,
                                              coras_weights *ret, coras_error **err);

#endif
