/* sprig: semver and semverCompare, and the methods of a version. */
#include "gotemplate/funcs.h"
#include "gotemplate/semver.h"

GOTMPL_FN(fn_semver)
{
    return (gotmpl_value){.kind = GOTMPL_SEMVER, .semver = gotmpl_semver_parse(a, v[0].s)};
}

GOTMPL_FN(fn_semver_compare)
{
    return gotmpl_bool(gotmpl_semver_satisfies(a, v[0].s, v[1].s));
}

static gotmpl_value number(uint64_t n)
{
    return (gotmpl_value){.kind = GOTMPL_UINT64, .i = (int64_t)n};
}

GOTMPL_FN(fn_major)
{
    return number(v[0].semver->major);
}

GOTMPL_FN(fn_minor)
{
    return number(v[0].semver->minor);
}

GOTMPL_FN(fn_patch)
{
    return number(v[0].semver->patch);
}

GOTMPL_FN(fn_prerelease)
{
    return gotmpl_string(v[0].semver->pre);
}

GOTMPL_FN(fn_metadata)
{
    return gotmpl_string(v[0].semver->metadata);
}

GOTMPL_FN(fn_original)
{
    return gotmpl_string(v[0].semver->original);
}

GOTMPL_FN(fn_string)
{
    return gotmpl_string(gotmpl_semver_string(a, v[0].semver));
}

static int compare(struct gotmpl_arena *a, const gotmpl_value *v)
{
    if (!v[1].semver)
        gotmpl_fail_nil(a);
    return gotmpl_semver_compare(v[0].semver, v[1].semver);
}

GOTMPL_FN(fn_compare)
{
    return gotmpl_int(compare(a, v));
}

GOTMPL_FN(fn_equal)
{
    return gotmpl_bool(compare(a, v) == 0);
}

GOTMPL_FN(fn_less_than)
{
    return gotmpl_bool(compare(a, v) < 0);
}

GOTMPL_FN(fn_greater_than)
{
    return gotmpl_bool(compare(a, v) > 0);
}

const struct gotmpl_function gotmpl_semver_functions[] = {
    {"semver", "s", fn_semver},
    {"semverCompare", "ss", fn_semver_compare},
    {NULL, NULL, NULL},
};

const struct gotmpl_function gotmpl_semver_methods[] = {
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
