/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a copy starts from: the whole of what a reference names, one platform of it, or an index
 * reduced to several platforms.
 */
#ifndef CORAS_OPS_COPY_SELECT_H
#define CORAS_OPS_COPY_SELECT_H

#include "coras/ops.h"
#include "target/target.h"

/* The root and its bytes as they are to be pushed. */
CORAS_MUST_CHECK int coras_select_root(coras_target *from, const char *reference,
                                       const coras_copy_options *opts, coras_descriptor *ret,
                                       coras_buf *ret_bytes, coras_error **err);

#endif
