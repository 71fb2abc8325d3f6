/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Archives made to measure, honest or not.
 */
#ifndef CORAS_UNIT_ARCHIVE_ARCHIVE_H
#define CORAS_UNIT_ARCHIVE_ARCHIVE_H

#include "support.h"

#include <string.h>

#include "codec/gzip.h"
#include "codec/tar.h"

struct archive_member {
    char type;
    const char *name, *link;
    unsigned mode;
    const char *content; /* also of links and headers, where it should not be */
    int64_t claimed;     /* size in the header when it is not that of the content */
};

#define FILE_MEMBER(n, text)                                                                       \
    {                                                                                              \
        CORAS_TAR_FILE, (n), "", 0644, (text), 0                                                   \
    }
#define DIR_MEMBER(n, m)                                                                           \
    {                                                                                              \
        CORAS_TAR_DIRECTORY, (n), "", (m), "", 0                                                   \
    }
#define SYMLINK_MEMBER(n, target)                                                                  \
    {                                                                                              \
        CORAS_TAR_SYMLINK, (n), (target), 0777, "", 0                                              \
    }
#define HARD_MEMBER(n, target)                                                                     \
    {                                                                                              \
        CORAS_TAR_HARD_LINK, (n), (target), 0644, "", 0                                            \
    }

static inline CORAS_UNUSED void put_member(coras_buf *tar, const struct archive_member *m)
{
    static const char zeroes[CORAS_TAR_BLOCK];
    size_t len = m->content ? strlen(m->content) : 0;
    const coras_tar_entry entry = {
        .type = m->type,
        .name = m->name,
        .link = m->link ? m->link : "",
        .mode = m->mode,
        .size = m->claimed ? m->claimed : (int64_t)len,
        .mtime_s = 1700000000,
    };
    coras_auto(coras_error) err = NULL;
    assert_ok(coras_tar_put_header(tar, &entry, &err), err);
    coras_buf_put(tar, m->content ? m->content : "", len);
    coras_buf_put(tar, zeroes, coras_tar_padding((int64_t)len));
}

static inline CORAS_UNUSED void put_end(coras_buf *tar)
{
    static const char zeroes[CORAS_TAR_END_BYTES];
    coras_buf_put(tar, zeroes, sizeof(zeroes));
}

static inline CORAS_UNUSED void put_archive(coras_buf *tar, const struct archive_member *members,
                                            size_t len)
{
    for (size_t i = 0; i < len && members[i].name; i++)
        put_member(tar, &members[i]);
    put_end(tar);
}

static inline CORAS_UNUSED void compress_into(coras_buf *out, const void *data, size_t len)
{
    coras_auto(coras_error) err = NULL;
    coras_auto(coras_gzip) gz = NULL;
    const coras_sink sink = coras_sink_buf(out);
    assert_ok(coras_gzip_new(1, &sink, &gz, &err), err);
    assert_ok(coras_gzip_write(gz, data, len, &err), err);
    assert_ok(coras_gzip_finish(gz, &err), err);
}

#endif
