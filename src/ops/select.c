/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a selection takes.
 */
#include "ops/select.h"

#include "base/error.h"
#include "base/glob.h"
#include "base/options.h"
#include "base/str.h"

static int check_patterns(const char *const *patterns, coras_error **err)
{
    for (; patterns && *patterns; patterns++)
        CORAS_TRY(coras_glob_check(*patterns, err));
    return 0;
}

int coras_selection_read(const coras_selection *given, coras_selection *ret, coras_error **err)
{
    coras_selection known = CORAS_SELECTION_INIT;

    CORAS_TRY(coras_options_read(&known, sizeof(known), given, err));
    CORAS_TRY(check_patterns(known.include, err));
    CORAS_TRY(check_patterns(known.exclude, err));
    *ret = known;
    return 0;
}

static bool says_something(const char *const *list)
{
    return list && *list;
}

bool coras_selection_is_choosy(const coras_selection *sel)
{
    return sel && (says_something(sel->include) || says_something(sel->exclude) ||
                   says_something(sel->media_types));
}

static bool any_matches(const char *const *patterns, const char *path)
{
    for (; path && patterns && *patterns; patterns++)
        if (coras_glob_match(*patterns, path))
            return true;
    return false;
}

static bool is_listed(const char *const *types, const char *media_type)
{
    for (; media_type && types && *types; types++)
        if (coras_str_ieq(*types, media_type))
            return true;
    return false;
}

bool coras_selection_matches(const coras_selection *sel, const char *path, const char *media_type)
{
    if (!sel)
        return true;
    if (says_something(sel->media_types) && !is_listed(sel->media_types, media_type))
        return false;
    if (says_something(sel->include) && !any_matches(sel->include, path))
        return false;
    return !any_matches(sel->exclude, path);
}
