/*
 * A target in memory: for what is packed before it goes elsewhere, and for tests.
 */
#ifndef CORAS_STORE_MEMORY_H
#define CORAS_STORE_MEMORY_H

#include "store/target.h"

/* Closed with coras_target_close(). All verbs but mount, open_local and land. */
CORAS_MUST_CHECK int coras_memory_target_new(coras_target **ret, coras_error **err);

#endif
