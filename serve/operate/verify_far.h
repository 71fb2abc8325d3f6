/* SPDX-License-Identifier: Apache-2.0 */
/* Reading blobs that lie in a store elsewhere, to see whether they are right. */
#ifndef SERVE_OPERATE_VERIFY_FAR_H
#define SERVE_OPERATE_VERIFY_FAR_H

#include "serve/operate/far_store.h"

enum serve_far_state { SERVE_FAR_RIGHT, SERVE_FAR_DAMAGED, SERVE_FAR_MISSING };
/* Read it. Fails when nobody can tell: the store does not answer. */
CORAS_MUST_CHECK int serve_verify_far(struct serve_far_store *f, const struct serve_blob_row *blob,
                                      const char *place, enum serve_far_state *ret,
                                      coras_error **err);

#endif
