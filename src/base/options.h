/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Option records of the public interface: their first member `size` tells which members the caller
 * knows, so that a program which was built with an older header runs with a newer library.
 */
#ifndef CORAS_BASE_OPTIONS_H
#define CORAS_BASE_OPTIONS_H

#include "base/common.h"

/*
 * Copy into `known`, a record of `size` bytes that holds the defaults, what the caller has given.
 * NULL leaves the defaults. INVALID_ARGUMENT for a record without its size.
 */
CORAS_MUST_CHECK int coras_options_read(void *known, size_t size, const void *given,
                                        coras_error **err);

/* For public functions: INVALID_ARGUMENT, since something that is needed is NULL. */
int coras_missing_argument(coras_error **err);

#endif
