/* SPDX-License-Identifier: Apache-2.0 */
/* sprig: slash-separated paths, as text; the os functions are the same here. */
#include "gotemplate/funcs.h"

static size_t last_slash(coras_str s)
{
    for (size_t i = s.len; i-- > 0;)
        if (s.ptr[i] == '/')
            return i;
    return GOTMPL_NOT_FOUND;
}

/* path.Clean: no empty, "." or resolvable ".." elements. */
static coras_str clean(struct gotmpl_arena *a, coras_str s)
{
    bool rooted = s.len && s.ptr[0] == '/';
    char *out = gotmpl_alloc(a, s.len + 2);
    size_t len = 0, floor;

    if (rooted)
        out[len++] = '/';
    floor = len;
    for (size_t i = 0; i < s.len;) {
        size_t end = i;
        while (end < s.len && s.ptr[end] != '/')
            end++;
        coras_str part = gotmpl_sub(s, i, end);
        i = end + 1;
        if (part.len == 0 || coras_str_eq(part, "."))
            continue;
        if (coras_str_eq(part, "..") && len > floor) {
            while (len > floor && out[len - 1] != '/')
                len--;
            if (len > floor)
                len--;
            continue;
        }
        if (coras_str_eq(part, "..") && rooted)
            continue;
        if (len > 0 && out[len - 1] != '/')
            out[len++] = '/';
        memcpy(out + len, part.ptr, part.len);
        len += part.len;
        if (coras_str_eq(part, ".."))
            floor = len;
    }
    return len ? gotmpl_dup(a, out, len) : CORAS_STR(".");
}

GOTMPL_FN_IS(fn_clean, gotmpl_string(clean(a, v[0].s)));

GOTMPL_FN(fn_base)
{
    coras_str s = v[0].s;
    size_t slash;

    if (s.len == 0)
        return gotmpl_string(CORAS_STR("."));
    while (s.len && s.ptr[s.len - 1] == '/')
        s.len--;
    if (s.len == 0)
        return gotmpl_string(CORAS_STR("/"));
    slash = last_slash(s);
    return gotmpl_string(gotmpl_dup(a, s.ptr + (slash + 1), s.len - (slash + 1)));
}

GOTMPL_FN(fn_dir)
{
    size_t slash = last_slash(v[0].s);

    return gotmpl_string(clean(a, gotmpl_sub(v[0].s, 0, slash + 1)));
}

GOTMPL_FN(fn_ext)
{
    coras_str s = v[0].s;

    for (size_t i = s.len; i-- > 0 && s.ptr[i] != '/';)
        if (s.ptr[i] == '.')
            return gotmpl_string(gotmpl_dup(a, s.ptr + i, s.len - i));
    return gotmpl_string(CORAS_STR(""));
}

GOTMPL_FN_IS(fn_is_abs, gotmpl_bool(v[0].s.len &&v[0].s.ptr[0] == '/'));

const struct gotmpl_function gotmpl_path_functions[] = {
    {"base", "s", fn_base},      {"clean", "s", fn_clean},  {"dir", "s", fn_dir},
    {"ext", "s", fn_ext},        {"isAbs", "s", fn_is_abs}, {"osBase", "s", fn_base},
    {"osClean", "s", fn_clean},  {"osDir", "s", fn_dir},    {"osExt", "s", fn_ext},
    {"osIsAbs", "s", fn_is_abs}, {NULL, NULL, NULL},
};
