/* sprig: semver and semverCompare, and the methods of a version. */
#include "cli/template/funcs.h"
#include "cli/template/semver.h"

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

const struct tpl_function tpl_semver_functions[] = {
    {"semver", "s", fn_semver},
    {"semverCompare", "ss", fn_semver_compare},
    {NULL, NULL, NULL},
};

const struct tpl_function tpl_semver_methods[] = {
    {"Compare", "S", fn_compare},
    {"Equal", "S", fn_equal},
    {"GreaterThan", "S", fn_greater_than},
    {"LessThan", "S", fn_less_than},
    {"Major", "", fn_major},
    {"Metadata", "", fn_metadata},
    {"Minor", "", fn_minor},
    {"Original", "", fn_original},
    {"Patch", "", fn_patch},
    {"Prerelease", "", fn_prerelease},
    {"String", "", fn_string},
    {NULL, NULL, NULL},
};
