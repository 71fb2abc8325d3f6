/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file coras/version.h
 * Which libcoras this is, and the way back for memory that it has given out.
 */
#ifndef CORAS_VERSION_H
#define CORAS_VERSION_H

#include "coras/error.h"

#ifdef __cplusplus
extern "C" {
#endif

/** The version that the program is compiled against, in three numbers. Versions are semantic: the
 * library's soname changes with the first, from 1.0 on; before that with none. */
#define CORAS_VERSION_MAJOR 0
#define CORAS_VERSION_MINOR 1
#define CORAS_VERSION_PATCH 0

/** The three numbers as one that can be compared: 1.2.3 is 1002003. */
#define CORAS_VERSION_NUMBER                                                                       \
    (CORAS_VERSION_MAJOR * 1000000 + CORAS_VERSION_MINOR * 1000 + CORAS_VERSION_PATCH)

/**
 * The version of the library that the program runs with, for people.
 *
 * @return text such as "0.1.0"; static, never NULL, not to be freed
 *
 * Any thread, any time. Since 0.1. Source: src/base/version.c.
 */
CORAS_API const char *coras_version(void);

/**
 * The version of the library that the program runs with, to be compared with CORAS_VERSION_NUMBER.
 *
 * @return major * 1000000 + minor * 1000 + patch
 *
 * Any thread, any time. Since 0.1. Source: src/base/version.c.
 */
CORAS_API int coras_version_number(void);

/**
 * Give back a string or an array that a function of this library has returned as the caller's own.
 *
 * Such memory is the library's to release: a program may use another allocator than it does. What
 * is inside records has their `_clear` function, and objects have their `_free` or `_close`.
 *
 * @param memory  may be NULL
 *
 * Thread-safe. Since 0.1. Source: src/base/version.c.
 */
CORAS_API void coras_free(void *memory);

#ifdef __cplusplus
}
#endif
#endif
