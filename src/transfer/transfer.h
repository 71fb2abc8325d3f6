/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One blob from any target to any other, by the shortest way that verifies every byte.
 */
#ifndef CORAS_TRANSFER_TRANSFER_H
#define CORAS_TRANSFER_TRANSFER_H

#include "transfer/run.h"

/*
 * The destination was asked and does not have it. Downloads land in a local target directly; a
 * local blob is sent from its file; small content passes through memory, large content through a
 * ring of bounded size. Returns CORAS_PUSHED or CORAS_PUSH_EXISTED.
 */
int coras_transfer_blob(coras_run *run, coras_target *from, coras_target *to,
                        const coras_descriptor *desc, coras_error **err);

/* The first of these ways alone: a download that lands in a local target. */
CORAS_MUST_CHECK int coras_transfer_land(coras_run *run, coras_target *from, coras_target *to,
                                         const coras_descriptor *desc,
                                         const coras_transfer *transfer, coras_error **err);

#endif
