/*
 * Semantic versions and constraints, by the rules of Masterminds/semver (versions may lack parts).
 */
#ifndef GOTMPL_SEMVER_H
#define GOTMPL_SEMVER_H

#include "gotemplate/arena.h"

struct gotmpl_semver {
    uint64_t major, minor, patch;
    coras_str pre, metadata, original;
};

/* Raise for bad text. */
const struct gotmpl_semver *gotmpl_semver_parse(struct gotmpl_arena *a, coras_str s);
bool gotmpl_semver_satisfies(struct gotmpl_arena *a, coras_str constraint, coras_str version);
/* Precedence: metadata does not count. */
int gotmpl_semver_compare(const struct gotmpl_semver *x, const struct gotmpl_semver *y);
coras_str gotmpl_semver_string(struct gotmpl_arena *a, const struct gotmpl_semver *v);

/* For what reads versions within a longer text: up to three parts, of which a constraint may leave
 * some open with x or *, then pre-release and metadata. False when there is none at *at. */
struct gotmpl_semver_parts {
    coras_str numbers[3]; /* empty where absent */
    coras_str pre, metadata;
};
bool gotmpl_semver_scan(coras_str s, size_t *at, const char *open, struct gotmpl_semver_parts *ret);
/* Raises for numbers that are too large or have a zero in front. */
void gotmpl_semver_fill(struct gotmpl_arena *a, const struct gotmpl_semver_parts *parts,
                        struct gotmpl_semver *ret);

#endif
