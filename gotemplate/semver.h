/*
 * Semantic versions and constraints, by the rules of Masterminds/semver (versions may lack parts).
 */
#ifndef CORAS_GOTEMPLATE_SEMVER_H
#define CORAS_GOTEMPLATE_SEMVER_H

#include "gotemplate/arena.h"

struct tpl_semver {
    uint64_t major, minor, patch;
    coras_str pre, metadata, original;
    bool is_value; /* a semver.Version, not a pointer to one: some methods are missing */
};

/* Raise for bad text. */
const struct tpl_semver *tpl_semver_parse(struct tpl_arena *a, coras_str s);
/* Numbers of a pre-release have no zero in front. */
void tpl_semver_check_prerelease(struct tpl_arena *a, coras_str s);
bool tpl_semver_satisfies(struct tpl_arena *a, coras_str constraint, coras_str version);
/* Precedence: metadata does not count. */
int tpl_semver_compare(const struct tpl_semver *x, const struct tpl_semver *y);
bool tpl_semver_same(const struct tpl_semver *x, const struct tpl_semver *y);
coras_str tpl_semver_string(struct tpl_arena *a, const struct tpl_semver *v);

#endif
