/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Choosing by platform: the manifest of an index, or an image that says what it is for.
 */
#ifndef CORAS_OPS_PLATFORM_SELECT_H
#define CORAS_OPS_PLATFORM_SELECT_H

#include "base/buf.h"
#include "target/target.h"

/*
 * The manifest that `reference` names and `platform` (NULL: any) picks, with its bytes. `accept` as
 * in coras_fetch_manifest().
 */
CORAS_MUST_CHECK int coras_select_manifest(coras_target *target, const char *reference,
                                           const coras_platform *platform, coras_descriptor *ret,
                                           coras_buf *ret_bytes, coras_error **err);

#endif
