/* SPDX-License-Identifier: Apache-2.0 */
/*
 * NumPy's files of one array: whether it is one of objects, which are kept as a pickle.
 *
 * Source: NumPy, "The NPY format".
 */
#ifndef CORAS_MODEL_NPY_H
#define CORAS_MODEL_NPY_H

#include "base/str.h"

/* Where the array begins and whether it holds objects; false when the header is not all there or
 * none. */
bool coras_npy_read(const void *head, size_t len, size_t *ret_data_at, bool *ret_objects);

#endif
