/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a pull asks of a scan.
 */
#ifndef CORAS_OPS_MODELS_SCAN_H
#define CORAS_OPS_MODELS_SCAN_H

#include "coras/model_scan.h"

/*
 * Scan a package before anything of it is laid down: CORAS_ERR_UNSAFE_MODEL with the first finding
 * of medium severity or worse, 0 when there is none. `root` is its manifest.
 */
CORAS_MUST_CHECK int coras_model_scan_before(coras_target *source, const coras_descriptor *root,
                                             const coras_run_options *run, coras_error **err);

/* The same for a model that is open. */
CORAS_MUST_CHECK int coras_model_refuse_code(coras_model *model, coras_error **err);

#endif
