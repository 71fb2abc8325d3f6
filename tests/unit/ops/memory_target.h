/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A target in memory: for what is packed before it goes elsewhere, and for tests.
 */
#ifndef CORAS_TESTS_UNIT_OPS_MEMORY_TARGET_H
#define CORAS_TESTS_UNIT_OPS_MEMORY_TARGET_H

#include "target/target.h"

/* Closed with coras_target_close(). All verbs but mount, open_local and land. */
CORAS_MUST_CHECK int coras_memory_target_new(coras_target **ret, coras_error **err);

#endif
