/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Patterns for paths, with the meaning that the Go library doublestar gives them, since that is
 * what users of registries know from other tools:
 *
 *     *        any characters but "/"
 *     **       as a whole component: any number of components, also none
 *     ?        one character but "/"
 *     [a-z]    one character of a class; [^a] and [!a] one that is not in it
 *     {a,b}    one of several patterns, which may nest
 *     \x       the character x itself
 *
 * "a/" + "**" matches "a" as well. Case counts. A match takes at most the length of the pattern
 * times the length of the path steps, whatever the two are: all ways through the pattern are
 * followed at once, and nothing is tried a second time.
 */
#ifndef CORAS_BASE_GLOB_H
#define CORAS_BASE_GLOB_H

#include "base/common.h"

/* INVALID_ARGUMENT, with the reason, for what is no pattern. */
CORAS_MUST_CHECK int coras_glob_check(const char *pattern, coras_error **err);

/* Whether the whole path matches; never does when the pattern is none. */
bool coras_glob_match(const char *pattern, const char *path);

#endif
