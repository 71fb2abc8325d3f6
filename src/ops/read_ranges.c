/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Many parts of several files into the caller's buffers.
 *
 * The ranges are sorted by file and offset and cut into jobs: a job is one stretch of one file that
 * one request brings, with all ranges that lie in it. What arrives is copied to every range that
 * wants it. When all is there, the files that were read whole are hashed, from the buffers.
 */
#include "coras/read.h"

#include <pthread.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/limits.h"
#include "base/options.h"
#include "base/vec.h"
#include "oci/digest.h"
#include "ops/range_stream.h"
#include "transfer/parallel.h"

enum {
    DEFAULT_GAP = CORAS_MIB,
    LONGEST_JOB = 64 * CORAS_MIB, /* more than that is better split among connections */
};

/* A range, where it stands in the order of reading. */
struct wanted {
    coras_range_read *range;
    size_t file; /* ranges of one file have one number, in the order of the caller's array */
    size_t left; /* bytes that have not come; lock */
};

/* [start, end) of a file; the ranges in it begin at `first`. */
struct range_job {
    size_t first;
    int64_t start, end;
};

struct reading {
    coras_target *target;
    coras_read_options options;
    struct wanted *wanted;
    size_t count;
    struct {
        struct range_job *items;
        size_t len, cap;
    } jobs;
    pthread_mutex_t lock;
};

static int64_t end_of(const coras_range_read *range)
{
    return range->offset + (int64_t)range->length;
}

/* ---- the order ---- */

static bool is_same_file(const coras_range_read *a, const coras_range_read *b)
{
    return a->desc == b->desc || (a->desc->size == b->desc->size &&
                                  coras_digest_equal(&a->desc->digest, &b->desc->digest));
}

static int compare(const void *pa, const void *pb)
{
    const struct wanted *a = pa, *b = pb;

    if (a->file != b->file)
        return a->file < b->file ? -1 : 1;
    if (a->range->offset != b->range->offset)
        return a->range->offset < b->range->offset ? -1 : 1;
    return a->range < b->range ? -1 : a->range > b->range;
}

/* The number of the file is that of the first range that reads from it. Ranges mostly come file by
 * file, so looking at the one before finds most. */
static size_t file_number(const struct reading *r, size_t i)
{
    const coras_range_read *range = r->wanted[i].range;

    if (i > 0 && is_same_file(range, r->wanted[i - 1].range))
        return r->wanted[i - 1].file;
    for (size_t k = 0; k < i; k++)
        if (r->wanted[k].file == k && is_same_file(range, r->wanted[k].range))
            return k;
    return i;
}

static void sort_ranges(struct reading *r, coras_range_read *ranges)
{
    for (size_t i = 0; i < r->count; i++) {
        r->wanted[i] = (struct wanted){.range = &ranges[i], .left = ranges[i].length};
        r->wanted[i].file = file_number(r, i);
        ranges[i].verified = false;
    }
    qsort(r->wanted, r->count, sizeof(*r->wanted), compare);
}

/* ---- jobs ---- */

static int add_job(struct reading *r, struct range_job job, coras_error **err)
{
    if (coras_vec_grow(&r->jobs, 1) < 0)
        return coras_fail_no_memory(err);
    r->jobs.items[r->jobs.len++] = job;
    return 0;
}

/* A stretch that no gap divides, in pieces of a bearable length. */
static int cut_stretch(struct reading *r, size_t first, int64_t start, int64_t end,
                       coras_error **err)
{
    while (start < end) {
        int64_t length = end - start < LONGEST_JOB ? end - start : LONGEST_JOB;
        while (end_of(r->wanted[first].range) <= start)
            first++;
        CORAS_TRY(add_job(r, (struct range_job){first, start, start + length}, err));
        start += length;
    }
    return 0;
}

static int plan_jobs(struct reading *r, coras_error **err)
{
    size_t i = 0;

    while (i < r->count) {
        size_t first = i, file = r->wanted[i].file;
        int64_t start = r->wanted[i].range->offset, end = start;
        for (; i < r->count && r->wanted[i].file == file; i++) {
            const coras_range_read *range = r->wanted[i].range;
            if (range->offset > end && range->offset - end > r->options.gap)
                break;
            if (end_of(range) > end)
                end = end_of(range);
        }
        CORAS_TRY(cut_stretch(r, first, start, end, err));
    }
    return 0;
}

/* ---- reading ---- */

struct range_arrival {
    struct reading *r;
    const struct range_job *job;
    int64_t at; /* offset of what comes next */
};

static void note_arrived(struct reading *r, struct wanted *w, size_t bytes)
{
    (void)pthread_mutex_lock(&r->lock);
    w->left -= bytes;
    if (w->left == 0 && r->options.on_range)
        r->options.on_range(w->range, r->options.user);
    (void)pthread_mutex_unlock(&r->lock);
}

/* Copy what of [at, at + len) belongs to a range. */
static void copy_common(struct reading *r, struct wanted *w, int64_t at, const char *data,
                        size_t len)
{
    const coras_range_read *range = w->range;
    int64_t from = at > range->offset ? at : range->offset;
    int64_t to = at + (int64_t)len < end_of(range) ? at + (int64_t)len : end_of(range);

    if (from >= to)
        return;
    memcpy((char *)range->buffer + (from - range->offset), data + (from - at), (size_t)(to - from));
    note_arrived(r, w, (size_t)(to - from));
}

static int arrive(void *user, const void *data, size_t len, coras_error **err)
{
    struct range_arrival *a = user;
    struct wanted *w = &a->r->wanted[a->job->first];
    const struct wanted *end = a->r->wanted + a->r->count;
    size_t file = w->file;

    (void)err;
    for (; w < end && w->file == file && w->range->offset < a->at + (int64_t)len; w++)
        copy_common(a->r, w, a->at, data, len);
    a->at += (int64_t)len;
    return 0;
}

static int read_job(void *user, size_t i, coras_error **err)
{
    struct reading *r = user;
    const struct range_job *job = &r->jobs.items[i];
    struct range_arrival arrival = {r, job, job->start};
    const coras_sink sink = {arrive, &arrival};

    return coras_stream_range(r->target, r->wanted[job->first].range->desc, job->start,
                              job->end - job->start, &sink, err);
}

/* ---- verifying ---- */

/* One past the last range of the file that begins at `first`. */
static size_t end_of_file(const struct reading *r, size_t first)
{
    size_t i = first;

    while (i < r->count && r->wanted[i].file == r->wanted[first].file)
        i++;
    return i;
}

static bool is_whole(const struct reading *r, size_t first, size_t end)
{
    int64_t covered = 0;

    for (size_t i = first; i < end && r->wanted[i].range->offset <= covered; i++)
        if (end_of(r->wanted[i].range) > covered)
            covered = end_of(r->wanted[i].range);
    return covered == r->wanted[first].range->desc->size;
}

static void hash_ranges(const struct reading *r, size_t first, size_t end, coras_hasher *hasher)
{
    int64_t at = 0;

    for (size_t i = first; i < end; i++) {
        const coras_range_read *range = r->wanted[i].range;
        if (end_of(range) <= at)
            continue;
        coras_hasher_update(hasher, (const char *)range->buffer + (at - range->offset),
                            (size_t)(end_of(range) - at));
        at = end_of(range);
    }
}

/* For each range; only the first of a file has something to do. */
static int verify_file(void *user, size_t first, coras_error **err)
{
    struct reading *r = user;
    const coras_descriptor *desc = r->wanted[first].range->desc;
    size_t end = end_of_file(r, first);
    coras_auto(coras_hasher) hasher = NULL;
    coras_digest digest;
    char text[CORAS_DIGEST_TEXT_MAX];

    if (first > 0 && r->wanted[first - 1].file == r->wanted[first].file)
        return 0;
    if (!is_whole(r, first, end))
        return 0;
    CORAS_TRY(coras_hasher_new(desc->digest.algorithm, &hasher, err));
    hash_ranges(r, first, end, hasher);
    coras_hasher_final(hasher, &digest);
    if (!coras_digest_equal(&digest, &desc->digest))
        return coras_fail(err, CORAS_ERR_DIGEST_MISMATCH, "mismatched digest: expected %s",
                          coras_digest_format(&desc->digest, text));
    for (size_t i = first; i < end; i++)
        r->wanted[i].range->verified = true;
    return 0;
}

/* ---- the call ---- */

static int check_ranges(const coras_range_read *ranges, size_t count, coras_error **err)
{
    for (size_t i = 0; i < count; i++) {
        if (!ranges[i].desc || (!ranges[i].buffer && ranges[i].length))
            return coras_missing_argument(err);
        CORAS_TRY(coras_check_range(ranges[i].desc, ranges[i].offset, ranges[i].length, err));
    }
    return 0;
}

/* Ranges of no bytes wait for no request. */
static void tell_empty(struct reading *r)
{
    for (size_t i = 0; i < r->count; i++)
        if (r->wanted[i].left == 0)
            note_arrived(r, &r->wanted[i], 0);
}

static int read_all(struct reading *r, const coras_run_options *options, coras_error **err)
{
    coras_auto_value(coras_run) run;

    coras_run_init(&run, options);
    tell_empty(r);
    CORAS_TRY(plan_jobs(r, err));
    CORAS_TRY(coras_run_parallel(&run, r->jobs.len, read_job, r, err));
    return coras_run_parallel(&run, r->count, verify_file, r, err);
}

int coras_read_ranges(coras_target *target, coras_range_read *ranges, size_t count,
                      const coras_read_options *opts, const coras_run_options *run,
                      coras_error **err)
{
    struct reading r = {.target = target, .options = CORAS_READ_OPTIONS_INIT, .count = count};

    if (!target || (!ranges && count))
        return coras_missing_argument(err);
    CORAS_TRY(coras_options_read(&r.options, sizeof(r.options), opts, err));
    CORAS_TRY(check_ranges(ranges, count, err));
    if (r.options.gap == 0)
        r.options.gap = DEFAULT_GAP;
    if (count == 0)
        return 0;
    r.wanted = coras_calloc(count, sizeof(*r.wanted));
    if (!r.wanted)
        return coras_fail_no_memory(err);
    (void)pthread_mutex_init(&r.lock, NULL);
    sort_ranges(&r, ranges);
    int rc = read_all(&r, run, err);
    (void)pthread_mutex_destroy(&r.lock);
    free(r.jobs.items);
    free(r.wanted);
    return rc;
}
