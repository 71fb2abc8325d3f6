/* SPDX-License-Identifier: Apache-2.0 */
/* Zip archives: whatever the bytes are, members lie within them and apart from each other, and
 * memory is bounded by them. */
#include "fuzz.h"

#include "base/alloc.h"
#include "model/zip.h"

enum { FIXED_BYTES = 4096, BYTES_PER_BYTE = 64 };

struct zip_bytes {
    const char *data;
    size_t len;
};

static int check_member(void *user, const coras_zip_member *m, coras_error **err)
{
    const struct zip_bytes *z = user;
    int64_t len = (int64_t)z->len, at = 0;
    (void)err;
    FUZZ_CHECK(m->header_at >= 0 && m->packed >= 0 && m->size >= 0);
    FUZZ_CHECK(m->header_at <= len && m->packed <= len - m->header_at);
    FUZZ_CHECK(!memchr(m->name.ptr, '\0', m->name.len));
    size_t left = z->len - (size_t)m->header_at, want = CORAS_ZIP_HEADER + m->name.len;
    if (coras_zip_member_data(m, z->data + m->header_at, left < want ? left : want, &at, NULL) == 0)
        FUZZ_CHECK(at >= m->header_at + CORAS_ZIP_HEADER);
    return 0;
}

static int read_all(const char *data, size_t len)
{
    struct zip_bytes bytes = {data, len};
    const coras_zip_visitor visitor = {check_member, &bytes};
    coras_auto(coras_zip_directory) d = NULL;
    size_t tail = len < CORAS_ZIP_TAIL ? len : CORAS_ZIP_TAIL;
    coras_zip_end end;

    CORAS_TRY(coras_zip_find_end(data + len - tail, tail, (int64_t)len, &end, NULL));
    FUZZ_CHECK(end.directory_at >= 0 && end.directory_at <= (int64_t)len);
    FUZZ_CHECK(end.directory_size >= 0 && end.directory_size <= (int64_t)len - end.directory_at);
    FUZZ_CHECK(end.before >= 0 && end.before <= end.directory_at && end.behind >= 0);
    CORAS_TRY(coras_zip_directory_new(&end, &visitor, &d, NULL));
    for (size_t at = 0, size = (size_t)end.directory_size, n = 0; at < size; at += n) {
        n = size - at < 13 ? size - at : 13;
        CORAS_TRY(coras_zip_directory_feed(d, data + end.directory_at + at, n, NULL));
    }
    return coras_zip_directory_finish(d, NULL);
}

bool fuzz_one(const char *data, size_t len)
{
    coras_alloc_count_start();
    int rc = read_all(data, len);
    FUZZ_CHECK(coras_alloc_count_stop() <= FIXED_BYTES + BYTES_PER_BYTE * len);
    return rc == 0;
}
