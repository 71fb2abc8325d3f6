/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Semantic versions and constraints, by the rules of Masterminds/semver (versions may lack parts).
 */
#ifndef GOTMPL_SEMVER_H
#define GOTMPL_SEMVER_H

#include "gotemplate/arena.h"

struct gotmpl_semver {
    uint64_t major, minor, patch;
    coras_str pre;
};

/* Raises for bad text. */
void gotmpl_semver_parse(struct gotmpl_arena *a, coras_str s, struct gotmpl_semver *ret);
/* Precedence: metadata does not count. */
int gotmpl_semver_compare(const struct gotmpl_semver *x, const struct gotmpl_semver *y);

/* For what reads versions within a longer text: up to three parts, of which a constraint may leave
 * some open with x or *, then pre-release and metadata (which
 * counts for nothing). False when there is none at *at. */
struct gotmpl_semver_parts {
    coras_str numbers[3]; /* empty where absent */
    coras_str pre;
};
bool gotmpl_semver_scan(coras_str s, size_t *at, const char *open, struct gotmpl_semver_parts *ret);
/* Raises for numbers that are too large or have a zero in front. */
void gotmpl_semver_fill(struct gotmpl_arena *a, const struct gotmpl_semver_parts *parts,
                        struct gotmpl_semver *ret);

#endif
