/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Zip archives: the directory, member by member, and the headers of members.
 */
#include "model/zip.h"

#include "base/alloc.h"
#include "base/error.h"
#include "base/limits.h"
#include "base/vec.h"
#include "model/zip_bytes.h"

enum {
    RECORD = 46, /* of the directory, without name, extra and comment */
    ENCRYPTED = 1,
    UNIX = 3, /* the host in "version made by" whose modes are known */
    TYPE_MASK = 0170000,
    TYPE_LINK = 0120000,
    ZIP64_FIELDS = 1, /* id of the extra field with numbers of 64 bits */
};

/* Where a member lies at least: its header, its name, its bytes. */
struct coras_zip_place {
    int64_t begin, end;
    uint64_t name_hash;
};

struct coras_zip_directory {
    coras_zip_end end;
    coras_zip_visitor visitor;
    coras_buf record; /* of the directory, as far as it is there */
    int64_t fed;
    struct {
        struct coras_zip_place *items;
        size_t len, cap;
    } places;
};

int coras_zip_directory_new(const coras_zip_end *end, const coras_zip_visitor *visitor,
                            coras_zip_directory **ret, coras_error **err)
{
    coras_zip_directory *d = coras_new(coras_zip_directory);
    if (!d)
        return coras_fail_no_memory(err);
    d->end = *end;
    d->visitor = *visitor;
    d->record = (coras_buf)CORAS_BUF_INIT(RECORD + 3 * 65535);
    *ret = d;
    return 0;
}

void coras_zip_directory_free(coras_zip_directory *d)
{
    if (!d)
        return;
    coras_buf_clear(&d->record);
    free(d->places.items);
    free(d);
}

/* ---- one record ---- */

/* Take one number of 64 bits from the front of an extra field, for a field that says it is there.
 */
static bool take_wide(coras_str *extra, uint32_t narrow, int64_t *ret)
{
    if (narrow != UINT32_MAX) {
        *ret = narrow;
        return true;
    }
    if (extra->len < 8)
        return false;
    uint64_t wide = coras_zip_u64(extra->ptr);
    *extra = (coras_str){extra->ptr + 8, extra->len - 8};
    *ret = (int64_t)wide;
    return wide <= INT64_MAX;
}

/* The extra field of zip64; empty when there is none. */
static coras_str find_zip64(coras_str extra)
{
    while (extra.len >= 4) {
        size_t size = coras_zip_u16(extra.ptr + 2);
        coras_str field = {extra.ptr + 4, extra.len - 4};
        if (size > field.len)
            break;
        if (coras_zip_u16(extra.ptr) == ZIP64_FIELDS)
            return (coras_str){field.ptr, size};
        extra = (coras_str){field.ptr + size, field.len - size};
    }
    return CORAS_STR("");
}

static bool read_sizes(const char *r, coras_str extra, coras_zip_member *m)
{
    coras_str wide = find_zip64(extra);
    return take_wide(&wide, coras_zip_u32(r + 24), &m->size) &&
           take_wide(&wide, coras_zip_u32(r + 20), &m->packed) &&
           take_wide(&wide, coras_zip_u32(r + 42), &m->header_at);
}

static int refuse(const coras_zip_directory *d, coras_str name, const char *why, coras_error **err)
{
    coras_auto_buf shown = CORAS_BUF_INIT(CORAS_LIMIT_ERROR_TEXT);
    coras_escape(&shown, name.ptr, name.len, 100);
    return coras_fail(err, CORAS_ERR_INVALID_MODEL, "zip member %zu \"%s\": %s", d->places.len + 1,
                      shown.ptr, why);
}

static uint64_t hash_name(coras_str name)
{
    uint64_t hash = 0xcbf29ce484222325u; /* FNV-1a: who makes names collide makes his own refused */
    for (size_t i = 0; i < name.len; i++)
        hash = (hash ^ (unsigned char)name.ptr[i]) * 0x100000001b3u;
    return hash;
}

static int note_place(coras_zip_directory *d, const coras_zip_member *m, coras_error **err)
{
    int64_t room = d->end.directory_at - m->header_at; /* members lie before the directory */
    int64_t head = CORAS_ZIP_HEADER + (int64_t)m->name.len;

    if (room < head || m->packed > room - head)
        return refuse(d, m->name, "reaches beyond the end of the members", err);
    if (d->places.len >= CORAS_LIMIT_ZIP_MEMBERS)
        return coras_fail(err, CORAS_ERR_TOO_LARGE, "a zip archive of more than %d members",
                          CORAS_LIMIT_ZIP_MEMBERS);
    if (coras_vec_grow(&d->places, 1) < 0)
        return coras_fail_no_memory(err);
    d->places.items[d->places.len++] =
        (struct coras_zip_place){m->header_at, m->header_at + head + m->packed, hash_name(m->name)};
    return 0;
}

static bool is_link(const char *r)
{
    return r[5] == UNIX && (coras_zip_u32(r + 38) >> 16 & TYPE_MASK) == TYPE_LINK;
}

static int read_record(coras_zip_directory *d, coras_error **err)
{
    const char *r = d->record.ptr;
    size_t name_len = coras_zip_u16(r + 28);
    coras_zip_member m = {
        .name = {r + RECORD, name_len},
        .method = coras_zip_u16(r + 10),
        .encrypted = coras_zip_u16(r + 8) & ENCRYPTED,
        .is_link = is_link(r),
    };

    if (!read_sizes(r, (coras_str){m.name.ptr + name_len, coras_zip_u16(r + 30)}, &m) ||
        m.header_at > INT64_MAX - d->end.before)
        return refuse(d, m.name, "a size or an offset that is missing", err);
    m.header_at += d->end.before;
    if (memchr(m.name.ptr, '\0', name_len))
        return refuse(d, m.name, "a NUL in the name", err);
    if (coras_zip_u16(r + 34) != 0 && coras_zip_u16(r + 34) != UINT16_MAX)
        return refuse(d, m.name, "lies on another disk", err);
    if (m.method == CORAS_ZIP_STORED && !m.encrypted && m.packed != m.size)
        return refuse(d, m.name, "is stored, but its two sizes differ", err);
    CORAS_TRY(note_place(d, &m, err));
    return d->visitor.member(d->visitor.user, &m, err);
}

/* ---- all of them ---- */

/* Bytes of the record that is being read, as far as that is known. */
static size_t record_size(const coras_buf *record)
{
    if (record->len < RECORD)
        return RECORD;
    return RECORD + coras_zip_u16(record->ptr + 28) + coras_zip_u16(record->ptr + 30) +
           coras_zip_u16(record->ptr + 32);
}

int coras_zip_directory_feed(coras_zip_directory *d, const void *data, size_t len,
                             coras_error **err)
{
    const char *at = data;

    while (len > 0) {
        size_t want = record_size(&d->record) - d->record.len, n = len < want ? len : want;
        coras_buf_put(&d->record, at, n);
        CORAS_TRY(coras_buf_done(&d->record, err));
        at += n;
        len -= n;
        d->fed += (int64_t)n;
        if (d->record.len < RECORD)
            continue;
        if (memcmp(d->record.ptr, "PK\1\2", 4) != 0)
            return refuse(d, CORAS_STR(""), "no record of a directory", err);
        if (d->record.len < record_size(&d->record))
            continue;
        CORAS_TRY(read_record(d, err));
        coras_buf_reset(&d->record);
    }
    return 0;
}

static int by_place(const void *a, const void *b)
{
    const struct coras_zip_place *x = a, *y = b;
    return x->begin < y->begin ? -1 : x->begin > y->begin;
}

static int by_hash(const void *a, const void *b)
{
    const struct coras_zip_place *x = a, *y = b;
    return x->name_hash < y->name_hash ? -1 : x->name_hash > y->name_hash;
}

static int invalid(coras_error **err, const char *why)
{
    return coras_fail(err, CORAS_ERR_INVALID_MODEL, "zip archive: %s", why);
}

int coras_zip_directory_finish(coras_zip_directory *d, coras_error **err)
{
    const struct coras_zip_place *places = d->places.items;
    size_t count = d->places.len;

    if (d->record.len > 0 || d->fed != d->end.directory_size)
        return invalid(err, "the directory is cut short");
    if ((int64_t)count != d->end.members)
        return invalid(err, "the directory does not have as many members as the end record says");
    if (count == 0)
        return 0;
    qsort(d->places.items, count, sizeof(*places), by_place);
    for (size_t i = 1; i < count; i++)
        if (places[i].begin < places[i - 1].end)
            return invalid(err, "members overlap");
    qsort(d->places.items, count, sizeof(*places), by_hash);
    for (size_t i = 1; i < count; i++)
        if (places[i].name_hash == places[i - 1].name_hash)
            return invalid(err, "two members have one name");
    return 0;
}

int coras_zip_member_data(const coras_zip_member *m, const void *header, size_t len, int64_t *ret,
                          coras_error **err)
{
    const char *h = header;

    if (len < CORAS_ZIP_HEADER || memcmp(h, "PK\3\4", 4) != 0)
        return invalid(err, "a member has no header where the directory says");
    if (coras_zip_u16(h + 26) != m->name.len || len - CORAS_ZIP_HEADER < m->name.len ||
        memcmp(h + CORAS_ZIP_HEADER, m->name.ptr, m->name.len) != 0)
        return invalid(err, "a member calls itself by another name than the directory");
    if (coras_zip_u16(h + 8) != m->method)
        return invalid(err, "a member and the directory disagree about compression");
    *ret = m->header_at + CORAS_ZIP_HEADER + (int64_t)m->name.len + coras_zip_u16(h + 28);
    return 0;
}
