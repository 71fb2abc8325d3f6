/* sprig: semver and semverCompare, and the methods of a version. */
#include "gotemplate/funcs.h"
#include "gotemplate/semver.h"

#define FN(name) static tpl_value name(struct tpl_arena *a, size_t argc, const tpl_value *v)

FN(fn_semver)
{
    (void)argc;
    return (tpl_value){.kind = TPL_SEMVER, .semver = tpl_semver_parse(a, v[0].s)};
}

FN(fn_semver_compare)
{
    (void)argc;
    return tpl_bool(tpl_semver_satisfies(a, v[0].s, v[1].s));
}

static const struct tpl_semver *version(struct tpl_arena *a, tpl_value v)
{
    if (!v.semver)
        tpl_fail_nil(a);
    return v.semver;
}

static tpl_value number(uint64_t n)
{
    return (tpl_value){.kind = TPL_UINT64, .i = (int64_t)n};
}

FN(fn_major)
{
    (void)argc;
    return number(version(a, v[0])->major);
}

FN(fn_minor)
{
    (void)argc;
    return number(version(a, v[0])->minor);
}

FN(fn_patch)
{
    (void)argc;
    return number(version(a, v[0])->patch);
}

FN(fn_prerelease)
{
    (void)argc;
    return tpl_string(version(a, v[0])->pre);
}

FN(fn_metadata)
{
    (void)argc;
    return tpl_string(version(a, v[0])->metadata);
}

FN(fn_original)
{
    (void)argc;
    return tpl_string(version(a, v[0])->original);
}

FN(fn_string)
{
    (void)argc;
    return tpl_string(tpl_semver_string(a, version(a, v[0])));
}

FN(fn_compare)
{
    (void)argc;
    return tpl_int(tpl_semver_compare(version(a, v[0]), version(a, v[1])));
}

FN(fn_equal)
{
    (void)argc;
    return tpl_bool(tpl_semver_compare(version(a, v[0]), version(a, v[1])) == 0);
}

FN(fn_less_than)
{
    (void)argc;
    return tpl_bool(tpl_semver_compare(version(a, v[0]), version(a, v[1])) < 0);
}

FN(fn_greater_than)
{
    (void)argc;
    return tpl_bool(tpl_semver_compare(version(a, v[0]), version(a, v[1])) > 0);
}

FN(fn_less_or_equal)
{
    (void)argc;
    return tpl_bool(tpl_semver_compare(version(a, v[0]), version(a, v[1])) <= 0);
}

FN(fn_greater_or_equal)
{
    (void)argc;
    return tpl_bool(tpl_semver_compare(version(a, v[0]), version(a, v[1])) >= 0);
}

/* ---- changed copies: they are values and know no longer how the version was written ---- */

static struct tpl_semver *copy_of(struct tpl_arena *a, tpl_value v)
{
    struct tpl_semver *copy = tpl_alloc(a, sizeof(*copy));

    *copy = *version(a, v);
    copy->is_value = true;
    return copy;
}

static tpl_value release_of(struct tpl_semver *v)
{
    v->pre = v->metadata = CORAS_STR("");
    return (tpl_value){.kind = TPL_SEMVER, .semver = v};
}

FN(fn_inc_major)
{
    struct tpl_semver *next = copy_of(a, v[0]);

    (void)argc;
    next->major++;
    next->minor = next->patch = 0;
    return release_of(next);
}

FN(fn_inc_minor)
{
    struct tpl_semver *next = copy_of(a, v[0]);

    (void)argc;
    next->minor++;
    next->patch = 0;
    return release_of(next);
}

FN(fn_inc_patch)
{
    struct tpl_semver *next = copy_of(a, v[0]);

    (void)argc;
    if (next->pre.len == 0) /* the release of a pre-release has the same numbers */
        next->patch++;
    return release_of(next);
}

/* Identifiers between dots. */
static void check_identifiers(struct tpl_arena *a, coras_str s, const char *problem)
{
    bool empty = true;

    for (size_t i = 0; i <= s.len; i++) {
        if (i == s.len || s.ptr[i] == '.') {
            if (empty)
                tpl_fail(a, "%s", problem);
            empty = true;
            continue;
        }
        if (!coras_is_alnum(s.ptr[i]) && s.ptr[i] != '-')
            tpl_fail(a, "%s", problem);
        empty = false;
    }
}

FN(fn_set_prerelease)
{
    struct tpl_semver *next = copy_of(a, v[0]);

    (void)argc;
    if (v[1].s.len)
        check_identifiers(a, v[1].s, "invalid prerelease string");
    tpl_semver_check_prerelease(a, v[1].s);
    next->pre = v[1].s;
    return (tpl_value){.kind = TPL_SEMVER, .semver = next};
}

FN(fn_set_metadata)
{
    struct tpl_semver *next = copy_of(a, v[0]);

    (void)argc;
    if (v[1].s.len)
        check_identifiers(a, v[1].s, "invalid metadata string");
    next->metadata = v[1].s;
    return (tpl_value){.kind = TPL_SEMVER, .semver = next};
}

const struct tpl_function tpl_semver_functions[] = {
    {"semver", "s", fn_semver},
    {"semverCompare", "ss", fn_semver_compare},
    {NULL, NULL, NULL},
};

const struct tpl_function tpl_semver_methods[] = {
    {"IncMajor", "", fn_inc_major},
    {"IncMinor", "", fn_inc_minor},
    {"IncPatch", "", fn_inc_patch},
    {"Major", "", fn_major},
    {"Metadata", "", fn_metadata},
    {"Minor", "", fn_minor},
    {"Patch", "", fn_patch},
    {"Prerelease", "", fn_prerelease},
    {"SetMetadata", "s", fn_set_metadata},
    {"SetPrerelease", "s", fn_set_prerelease},
    {"String", "", fn_string},
    {NULL, NULL, NULL},
};

const struct tpl_function tpl_semver_pointer_methods[] = {
    {"Compare", "S", fn_compare},          {"Equal", "S", fn_equal},
    {"GreaterThan", "S", fn_greater_than}, {"GreaterThanEqual", "S", fn_greater_or_equal},
    {"LessThan", "S", fn_less_than},       {"LessThanEqual", "S", fn_less_or_equal},
    {"Original", "", fn_original},         {NULL, NULL, NULL},
};
