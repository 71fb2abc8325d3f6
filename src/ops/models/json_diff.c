/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Comparing JSON values: the order of members does not count, that of elements does.
 */
#include "ops/models/json_diff.h"

#include "base/error.h"
#include "base/map.h"

enum {
    DEEPEST = 32, /* further down, values are compared as a whole */
    FEW_MEMBERS = 32,
};

struct json_comparison {
    coras_json_diff_fn visit;
    void *user;
    coras_buf path;
};

static bool same_scalar(const coras_json *a, const coras_json *b)
{
    const char *text_a = NULL, *text_b = NULL;
    int64_t int_a = 0, int_b = 0;
    double real_a = 0, real_b = 0;
    bool bool_a = false, bool_b = false;

    if (coras_json_string(a, &text_a))
        return coras_json_string(b, &text_b) && coras_streq(text_a, text_b);
    if (coras_json_bool(a, &bool_a))
        return coras_json_bool(b, &bool_b) && bool_a == bool_b;
    if (coras_json_int(a, &int_a) && coras_json_int(b, &int_b))
        return int_a == int_b;
    if (coras_json_real(a, &real_a))
        return coras_json_real(b, &real_b) && !(real_a < real_b) && !(real_a > real_b);
    return coras_json_type_of(b) == CORAS_JSON_NULL;
}

static bool same_text(const coras_json *a, const coras_json *b)
{
    coras_auto_buf text_a = CORAS_BUF_UNLIMITED, text_b = CORAS_BUF_UNLIMITED;
    coras_json_writer wa = CORAS_JSON_WRITER(&text_a, 0), wb = CORAS_JSON_WRITER(&text_b, 0);

    coras_jw_value(&wa, a, true);
    coras_jw_value(&wb, b, true);
    return !text_a.failed && !text_b.failed && text_a.len == text_b.len &&
           memcmp(text_a.ptr, text_b.ptr, text_a.len) == 0;
}

static bool is_same(const coras_json *a, const coras_json *b)
{
    bool scalars =
        coras_json_type_of(a) < CORAS_JSON_ARRAY && coras_json_type_of(b) < CORAS_JSON_ARRAY;

    return scalars ? same_scalar(a, b) : same_text(a, b);
}

static int compare_values(struct json_comparison *c, const coras_json *a, const coras_json *b,
                          int depth, coras_error **err);

/* One member of both, below the path that stands in the buffer. */
static int compare_member(struct json_comparison *c, const char *name, const coras_json *a,
                          const coras_json *b, int depth, coras_error **err)
{
    size_t len = c->path.len;

    if (len && c->path.ptr[len - 1] != ':')
        coras_buf_putc(&c->path, '.');
    coras_buf_puts(&c->path, name);
    CORAS_TRY(coras_buf_done(&c->path, err));
    int rc = a && b ? compare_values(c, a, b, depth + 1, err)
                    : c->visit(c->user, c->path.ptr, a, b, err);
    coras_buf_truncate(&c->path, len);
    return rc;
}

/* The members of an object by name; of a small one they are looked through. */
struct json_members {
    const coras_json *object;
    coras_map *by_name; /* NULL: few */
};

static int open_members(const coras_json *object, struct json_members *ret, coras_error **err)
{
    const coras_json *value;
    const char *name;

    *ret = (struct json_members){object, NULL};
    if (coras_json_len(object) <= FEW_MEMBERS)
        return 0;
    ret->by_name = coras_map_new(NULL);
    if (!ret->by_name)
        return coras_fail_no_memory(err);
    for (void *iter = NULL; coras_json_next(object, &iter, &name, &value);)
        CORAS_TRY(coras_map_set(ret->by_name, name, (void *)(uintptr_t)value, err));
    return 0;
}

static const coras_json *find_member(const struct json_members *m, const char *name)
{
    return m->by_name ? coras_map_get(m->by_name, name) : coras_json_get(m->object, name);
}

static int compare_members(struct json_comparison *c, const struct json_members *a,
                           const struct json_members *b, int depth, coras_error **err)
{
    const coras_json *value;
    const char *name;

    for (void *iter = NULL; coras_json_next(a->object, &iter, &name, &value);)
        CORAS_TRY(compare_member(c, name, value, find_member(b, name), depth, err));
    for (void *iter = NULL; coras_json_next(b->object, &iter, &name, &value);)
        if (!find_member(a, name))
            CORAS_TRY(compare_member(c, name, NULL, value, depth, err));
    return 0;
}

static int compare_objects(struct json_comparison *c, const coras_json *a, const coras_json *b,
                           int depth, coras_error **err)
{
    struct json_members of_a = {0}, of_b = {0};
    int rc = open_members(a, &of_a, err);

    if (rc == 0)
        rc = open_members(b, &of_b, err);
    if (rc == 0)
        rc = compare_members(c, &of_a, &of_b, depth, err);
    coras_map_free(of_a.by_name);
    coras_map_free(of_b.by_name);
    return rc;
}

static int compare_values(struct json_comparison *c, const coras_json *a, const coras_json *b,
                          int depth, coras_error **err)
{
    if (depth < DEEPEST && coras_json_type_of(a) == CORAS_JSON_OBJECT &&
        coras_json_type_of(b) == CORAS_JSON_OBJECT)
        return compare_objects(c, a, b, depth, err);
    return is_same(a, b) ? 0 : c->visit(c->user, c->path.ptr, a, b, err);
}

int coras_json_diff(const char *prefix, const coras_json *a, const coras_json *b,
                    coras_json_diff_fn visit, void *user, coras_error **err)
{
    struct json_comparison c = {visit, user, CORAS_BUF_UNLIMITED};

    coras_buf_puts(&c.path, prefix);
    int rc = coras_buf_done(&c.path, err);
    if (rc == 0)
        rc = compare_values(&c, a, b, 0, err);
    coras_buf_clear(&c.path);
    return rc;
}
