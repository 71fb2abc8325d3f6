/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A blob to be read in order and at the reader's pace, while a thread of its own receives it by one
 * request; and the plain bytes of a compressed one.
 */
#ifndef CORAS_OPS_MODELS_BLOB_READER_H
#define CORAS_OPS_MODELS_BLOB_READER_H

#include "model/package.h"
#include "target/target.h"

typedef struct coras_blob_reader coras_blob_reader;

/* `target` and `desc` are borrowed. Nothing is verified: whoever reads may stop anywhere. */
CORAS_MUST_CHECK int coras_blob_reader_new(coras_target *target, const coras_descriptor *desc,
                                           enum coras_compression compression,
                                           coras_blob_reader **ret, coras_error **err);
/* The next bytes; *ret is 0 at the end only. */
CORAS_MUST_CHECK int coras_blob_reader_read(coras_blob_reader *r, void *buf, size_t cap,
                                            size_t *ret, coras_error **err);
/* Exactly so many bytes; *ret_end (may be NULL: then it is an error) tells that there was no
 * further one. */
CORAS_MUST_CHECK int coras_blob_reader_exactly(coras_blob_reader *r, void *buf, size_t len,
                                               bool *ret_end, coras_error **err);
/* Pass over bytes. UNSAFE_ARCHIVE when it ends before. */
CORAS_MUST_CHECK int coras_blob_reader_skip(coras_blob_reader *r, int64_t len, coras_error **err);
/* Ends the transfer. NULL allowed. */
void coras_blob_reader_free(coras_blob_reader *r);
CORAS_DEFINE_AUTO(coras_blob_reader, coras_blob_reader_free)

#endif
