/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file coras/select.h
 * Which content of an artifact is meant: by the path that it will have, and by its media type.
 */
#ifndef CORAS_SELECT_H
#define CORAS_SELECT_H

#include "coras/error.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * What to take. All lists end with NULL; a list that is NULL or empty says nothing.
 *
 * Content is taken when its path matches one of `include` (or there is none), matches none of
 * `exclude`, and its media type is one of `media_types` (or there is none). Content that has no
 * path matches no pattern: an `include` leaves it out, an `exclude` does not.
 *
 * A pattern is compared with the whole path: an asterisk stands for any characters within one
 * component, two of them that are a component of their own for any number of components (also
 * none), "?" for one character, "[a-z]" for one of a class, "[^a-z]" for one that is not in it,
 * "{a,b}" for one of several patterns; a backslash takes the meaning from what follows. Patterns
 * mean what they mean to the Go library doublestar. Case counts.
 */
typedef struct coras_selection {
    size_t size;                    /**< sizeof(coras_selection) */
    const char *const *include;     /**< patterns; NULL: every path */
    const char *const *exclude;     /**< patterns; NULL: no path; stronger than `include` */
    const char *const *media_types; /**< exact, without regard to case; NULL: every type */
} coras_selection;
#define CORAS_SELECTION_INIT CORAS_SIZED_INIT(coras_selection)

#ifdef __cplusplus
}
#endif
#endif
