/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of shards, and which are missing (shards.h).
 */
#include "model/shards.h"

#include "base/alloc.h"
#include "base/error.h"
#include "base/limits.h"
#include "base/vec.h"

enum { DIGITS = 5 };

/* One series of names: files of one stem and extension. */
struct series {
    coras_shard_name name; /* of one of them */
    int64_t of;            /* the largest count that a name has */
    struct {
        int64_t *items; /* numbers that are there */
        size_t len, cap;
    } numbers;
};

struct all_series {
    struct series *items;
    size_t len, cap;
};

static void clear_all(struct all_series *all)
{
    coras_vec_foreach (series, all)
        free(series->numbers.items);
    free(all->items);
}

/* Five digits that end at `end`; -1 when they do not. */
static int64_t digits_before(const char *start, const char *end)
{
    int64_t n = 0;

    if (end - start < DIGITS)
        return -1;
    for (const char *p = end - DIGITS; p < end; p++) {
        if (!coras_is_digit(*p))
            return -1;
        n = n * 10 + (*p - '0');
    }
    return n;
}

bool coras_shard_name_parse(const char *path, coras_shard_name *ret)
{
    static const char of[] = "-of-";
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    const char *middle = NULL, *end;
    int64_t number, count;

    for (const char *p = name; (p = strstr(p, of)) != NULL; p++)
        middle = p;
    if (!middle || strlen(middle) < strlen(of) + DIGITS)
        return false;
    end = middle + strlen(of) + DIGITS;
    number = digits_before(name, middle);
    count = digits_before(middle + strlen(of), end);
    if (number < 1 || count < number || middle - DIGITS == name || middle[-DIGITS - 1] != '-' ||
        coras_is_digit(*end))
        return false;
    ret->stem = (coras_str){path, (size_t)(middle - DIGITS - 1 - path)};
    ret->extension = coras_str_of(end);
    ret->number = number;
    ret->of = count;
    return true;
}

static bool same(coras_str a, coras_str b)
{
    return a.len == b.len && memcmp(a.ptr, b.ptr, a.len) == 0;
}

static struct series *find(const struct all_series *all, const coras_shard_name *name)
{
    coras_vec_foreach (series, all) {
        if (same(series->name.stem, name->stem) && same(series->name.extension, name->extension))
            return series;
    }
    return NULL;
}

static int add_name(struct all_series *all, const coras_shard_name *name, bool *disagrees,
                    coras_error **err)
{
    struct series *series = find(all, name);

    if (!series) {
        if (coras_vec_grow(all, 1) < 0)
            return coras_fail_no_memory(err);
        series = &all->items[all->len++];
        *series = (struct series){.name = *name, .of = name->of};
    }
    if (series->of != name->of)
        *disagrees = true;
    if (series->of < name->of)
        series->of = name->of;
    if (coras_vec_grow(&series->numbers, 1) < 0)
        return coras_fail_no_memory(err);
    series->numbers.items[series->numbers.len++] = name->number;
    return 0;
}

static int by_number(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

static int add_missing(const struct series *series, int64_t number, coras_strlist *missing,
                       coras_error **err)
{
    coras_auto_buf path = CORAS_BUF_UNLIMITED;

    if (missing->len == CORAS_LIMIT_SHARDS_SHOWN)
        return 0;
    coras_buf_put(&path, series->name.stem.ptr, series->name.stem.len);
    coras_buf_printf(&path, "-%0*lld-of-%0*lld", DIGITS, (long long)number, DIGITS,
                     (long long)series->of);
    coras_buf_put(&path, series->name.extension.ptr, series->name.extension.len);
    CORAS_TRY(coras_buf_done(&path, err));
    return coras_strlist_add(missing, path.ptr, err);
}

static int look_at(struct series *series, coras_shard_series *ret, coras_error **err)
{
    int64_t next = 1;

    qsort(series->numbers.items, series->numbers.len, sizeof(int64_t), by_number);
    ret->expected += series->of;
    for (size_t i = 0; i < series->numbers.len; i++) {
        int64_t number = series->numbers.items[i];
        for (; next < number; next++)
            CORAS_TRY(add_missing(series, next, &ret->missing, err));
        ret->present += next == number;
        next = number + 1;
    }
    for (; next <= series->of; next++)
        CORAS_TRY(add_missing(series, next, &ret->missing, err));
    return 0;
}

static int check(const char *const *paths, size_t count, struct all_series *all,
                 coras_shard_series *series, coras_error **err)
{
    for (size_t i = 0; i < count; i++) {
        coras_shard_name name;
        if (coras_shard_name_parse(paths[i], &name))
            CORAS_TRY(add_name(all, &name, &series->disagrees, err));
    }
    coras_vec_foreach (one, all)
        CORAS_TRY(look_at(one, series, err));
    return 0;
}

int coras_shards_check(const char *const *paths, size_t count, coras_shard_series *ret,
                       coras_error **err)
{
    coras_shard_series series = {0};
    struct all_series all = {0};
    int rc = check(paths, count, &all, &series, err);

    clear_all(&all);
    if (rc < 0)
        coras_shard_series_clear(&series);
    else
        *ret = series;
    return rc;
}

void coras_shard_series_clear(coras_shard_series *series)
{
    coras_strlist_clear(&series->missing);
    *series = (coras_shard_series){0};
}
