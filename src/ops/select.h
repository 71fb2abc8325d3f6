/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a selection (coras/select.h) takes.
 */
#ifndef CORAS_OPS_SELECT_H
#define CORAS_OPS_SELECT_H

#include "base/common.h"
#include "coras/select.h"

/*
 * Copy a caller's selection, which may be NULL and older or newer than ours, into `ret`; its lists
 * stay the caller's. INVALID_ARGUMENT for a pattern that is none, so that nothing is asked of a
 * registry for a typing error.
 */
CORAS_MUST_CHECK int coras_selection_read(const coras_selection *given, coras_selection *ret,
                                          coras_error **err);

/* Whether it may leave something out. NULL takes everything. */
bool coras_selection_is_choosy(const coras_selection *sel);

/* `path` as the file will be called, cleaned, relative to where files go; NULL for content without
 * one. NULL for the selection takes everything. */
bool coras_selection_matches(const coras_selection *sel, const char *path, const char *media_type);

#endif
