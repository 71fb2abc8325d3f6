/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A blob on its way from one registry to another: one thread receives into a ring of bounded size,
 * the uploading thread reads from it as from a file. The bytes are hashed as they pass.
 */
#ifndef CORAS_TRANSFER_RELAY_H
#define CORAS_TRANSFER_RELAY_H

#include "transfer/run.h"

typedef struct coras_relay coras_relay;
CORAS_MUST_CHECK int coras_relay_new(coras_run *run, coras_target *from,
                                     const coras_descriptor *desc, coras_relay **ret,
                                     coras_error **err);
void coras_relay_free(coras_relay *relay);
CORAS_DEFINE_AUTO(coras_relay, coras_relay_free)

/* Reading goes in order; going back asks the other side again from there. Beginning further on (an
 * upload that an earlier process began) reads what is before as well: all of it is hashed. */
coras_source coras_relay_source(coras_relay *relay);
/* For coras_blob_push.unchanged: DIGEST_MISMATCH when what passed is not the content. `user` is the
 * relay. */
int coras_relay_verify(void *user, coras_error **err);
/* The upload is done: likewise, and the last word. */
CORAS_MUST_CHECK int coras_relay_finish(coras_relay *relay, coras_error **err);

#endif
