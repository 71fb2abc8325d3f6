/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The end of a zip archive: the record behind the directory, with zip64's where numbers are large.
 */
#include "model/zip.h"

#include "base/error.h"
#include "model/zip_bytes.h"

enum { END = 22, LOCATOR = 20, END64 = 56, END64_REST = 44 /* least of what it says follows */ };

static int refuse(coras_error **err, const char *why)
{
    return coras_fail(err, CORAS_ERR_INVALID_MODEL, "zip archive: %s", why);
}

/* Where the last end record stands whose comment fits; false when there is none. */
static bool find_record(const char *tail, size_t len, size_t *ret)
{
    for (size_t at = len < END ? 0 : len - END + 1; at-- > 0;)
        if (memcmp(tail + at, "PK\5\6", 4) == 0 &&
            coras_zip_u16(tail + at + 20) <= len - at - END) {
            *ret = at;
            return true;
        }
    return false;
}

/* What the end record says; -1 in a field that leaves it to zip64. */
static int read_record(const char *r, coras_zip_end *ret, int64_t *offset, coras_error **err)
{
    uint32_t disk = coras_zip_u16(r + 4), members = coras_zip_u16(r + 10);

    if (disk != UINT16_MAX && (disk != 0 || coras_zip_u16(r + 6) != 0))
        return refuse(err, "several disks");
    if (coras_zip_u16(r + 8) != members)
        return refuse(err, "two counts of members that differ");
    ret->members = members;
    ret->directory_size = coras_zip_u32(r + 12);
    *offset = coras_zip_u32(r + 16);
    return 0;
}

/* The record that a locator in front of the end record leads to; its place in the tail. */
static int find_record64(const char *tail, size_t end_at, int64_t tail_at, size_t *ret,
                         coras_error **err)
{
    const char *locator = tail + end_at - LOCATOR;
    uint64_t at = coras_zip_u64(locator + 8), newest = (uint64_t)tail_at + end_at - LOCATOR - END64;

    /* Readers disagree where it is when it is not there. */
    if (end_at < LOCATOR + END64 || at != newest)
        return refuse(err, "the record of zip64 is not where it belongs");
    *ret = end_at - LOCATOR - END64;
    if (memcmp(tail + *ret, "PK\6\6", 4) != 0 || coras_zip_u64(tail + *ret + 4) != END64_REST)
        return refuse(err, "no record of zip64 where one is promised");
    return 0;
}

static int read_record64(const char *r, coras_zip_end *ret, int64_t *offset, coras_error **err)
{
    uint64_t members = coras_zip_u64(r + 32), size = coras_zip_u64(r + 40),
             at = coras_zip_u64(r + 48);

    if (coras_zip_u32(r + 16) != 0 || coras_zip_u32(r + 20) != 0)
        return refuse(err, "several disks");
    if (coras_zip_u64(r + 24) != members)
        return refuse(err, "two counts of members that differ");
    if (members > INT64_MAX || size > INT64_MAX || at > INT64_MAX)
        return refuse(err, "numbers beyond 63 bits");
    ret->members = (int64_t)members;
    ret->directory_size = (int64_t)size;
    *offset = (int64_t)at;
    return 0;
}

/* Whether what the small record says is what zip64's says, or left to it. */
static bool agree(const coras_zip_end *small, int64_t small_offset, const coras_zip_end *wide,
                  int64_t wide_offset)
{
    return (small->members == UINT16_MAX || small->members == wide->members) &&
           (small->directory_size == UINT32_MAX || small->directory_size == wide->directory_size) &&
           (small_offset == UINT32_MAX || small_offset == wide_offset);
}

static int read_wide(const char *tail, size_t *end_at, int64_t tail_at, coras_zip_end *end,
                     int64_t *offset, coras_error **err)
{
    coras_zip_end wide = {0};
    int64_t wide_offset = 0;
    bool has_locator = *end_at >= LOCATOR && memcmp(tail + *end_at - LOCATOR, "PK\6\7", 4) == 0;

    if (!has_locator)
        return 0;
    CORAS_TRY(find_record64(tail, *end_at, tail_at, end_at, err));
    CORAS_TRY(read_record64(tail + *end_at, &wide, &wide_offset, err));
    if (!agree(end, *offset, &wide, wide_offset))
        return refuse(err, "the end record and that of zip64 differ");
    wide.behind = end->behind;
    *end = wide;
    *offset = wide_offset;
    return 0;
}

int coras_zip_find_end(const void *tail, size_t len, int64_t file_size, coras_zip_end *ret,
                       coras_error **err)
{
    const char *bytes = tail;
    int64_t tail_at = file_size - (int64_t)len, offset = 0;
    coras_zip_end end = {0};
    size_t at = 0;

    if (!find_record(bytes, len, &at))
        return refuse(err, "no end record: it is cut short, or none");
    CORAS_TRY(read_record(bytes + at, &end, &offset, err));
    end.behind = (int64_t)(len - at - END - coras_zip_u16(bytes + at + 20));
    CORAS_TRY(read_wide(bytes, &at, tail_at, &end, &offset, err));
    int64_t directory_end = tail_at + (int64_t)at;
    if (end.directory_size > directory_end || offset > directory_end - end.directory_size)
        return refuse(err, "the directory reaches beyond the file");
    end.directory_at = directory_end - end.directory_size;
    end.before = end.directory_at - offset;
    if (end.members > end.directory_size)
        return refuse(err, "more members than bytes in the directory");
    *ret = end;
    return 0;
}
