/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sums of tensors, and their names in ModelPack (precision.h).
 */
#include "model/precision.h"

#include <string.h>

#include "base/error.h"
#include "base/limits.h"
#include "base/str.h"
#include "base/vec.h"

void coras_dtype_tally_clear(coras_dtype_tally *tally)
{
    coras_vec_foreach (share, tally)
        free(share->dtype);
    free(tally->items);
    *tally = (coras_dtype_tally){0};
}

static int64_t add_up(int64_t a, int64_t b)
{
    int64_t sum;

    return __builtin_add_overflow(a, b, &sum) ? INT64_MAX : sum;
}

static struct coras_dtype_share *find_share(const coras_dtype_tally *tally, const char *dtype)
{
    coras_vec_foreach (share, tally)
        if (coras_streq(share->dtype, dtype))
            return share;
    return NULL;
}

int coras_dtype_tally_add(coras_dtype_tally *tally, const char *dtype, int64_t elements,
                          int64_t bytes, coras_error **err)
{
    struct coras_dtype_share *share = find_share(tally, dtype);

    if (!share && tally->len >= CORAS_LIMIT_DTYPES)
        share = find_share(tally, dtype = "");
    if (!share) {
        if (coras_vec_grow(tally, 1) < 0)
            return coras_fail_no_memory(err);
        share = &tally->items[tally->len];
        *share = (struct coras_dtype_share){.dtype = coras_strdup(dtype)};
        if (!share->dtype)
            return coras_fail_no_memory(err);
        tally->len++;
    }
    share->elements = add_up(share->elements, elements);
    share->bytes = add_up(share->bytes, bytes);
    return 0;
}

int64_t coras_dtype_tally_elements(const coras_dtype_tally *tally)
{
    int64_t sum = 0;

    coras_vec_foreach (share, tally)
        sum = add_up(sum, share->elements);
    return sum;
}

/* ---- names ---- */

static const char *precision_name(const char *dtype)
{
    static const char *const names[][2] = {
        {"F64", "float64"},         {"F32", "float32"},
        {"F16", "float16"},         {"BF16", "bfloat16"},
        {"F8_E4M3", "float8_e4m3"}, {"F8_E5M2", "float8_e5m2"},
        {"C64", "complex64"},       {"I8", "int8"},
        {"I16", "int16"},           {"I32", "int32"},
        {"I64", "int64"},           {"U8", "uint8"},
        {"U16", "uint16"},          {"U32", "uint32"},
        {"U64", "uint64"},          {"BOOL", "bool"},
    };

    for (size_t i = 0; i < CORAS_ARRAY_LEN(names); i++)
        if (coras_streq(dtype, names[i][0]))
            return names[i][1];
    return NULL;
}

/* The largest share that is smaller than `before` (or equal and further on); NULL: no more. */
static const struct coras_dtype_share *next_largest(const coras_dtype_tally *tally,
                                                    const struct coras_dtype_share *before)
{
    const struct coras_dtype_share *best = NULL;

    coras_vec_foreach (share, tally) {
        bool comes_later = !before || share->bytes < before->bytes ||
                           (share->bytes == before->bytes && share > before);
        if (comes_later && (!best || share->bytes > best->bytes))
            best = share;
    }
    return best;
}

static int64_t total_bytes(const coras_dtype_tally *tally)
{
    int64_t sum = 0;

    coras_vec_foreach (share, tally)
        sum = add_up(sum, share->bytes);
    return sum;
}

void coras_precision_put(coras_buf *out, const coras_dtype_tally *tally)
{
    int64_t total = total_bytes(tally);
    const struct coras_dtype_share *share = next_largest(tally, NULL);
    bool first = true;

    for (; share && share->bytes > 0 && share->bytes >= total / 100;
         share = next_largest(tally, share)) {
        const char *name = precision_name(share->dtype);
        if (!name)
            continue;
        coras_buf_printf(out, "%s%s", first ? "" : ",", name);
        first = false;
    }
}

void coras_parameter_size_put(coras_buf *out, int64_t parameters)
{
    static const char units[] = "kmbtq";
    int64_t unit = 1000;
    size_t i = 0;

    /* From 999.95 of one unit on it is 1 of the next. */
    while (units[i + 1] && parameters >= unit * 1000 - unit / 20) {
        unit *= 1000;
        i++;
    }
    int64_t tenths = parameters / (unit / 10) + (parameters % (unit / 10) >= unit / 20 ? 1 : 0);
    if (tenths <= 0)
        return;
    coras_buf_printf(out, "%lld", (long long)(tenths / 10));
    if (tenths % 10)
        coras_buf_printf(out, ".%lld", (long long)(tenths % 10));
    coras_buf_putc(out, units[i]);
}
