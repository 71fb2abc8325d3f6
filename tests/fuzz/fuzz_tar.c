/* SPDX-License-Identifier: Apache-2.0 */
/* Tar archives, headers only followed. A leading '!' stands for "make all checksums right", so that
 * mutations get past them. What is accepted comes back equal from what we write. */
#include "fuzz.h"

#include "base/alloc.h"
#include "base/limits.h"
#include "codec/tar.h"
#include "tar_checksums.h"

/* Returns the first error, or CORAS_TAR_ENTRY / CORAS_TAR_END with *at behind it, or 0. */
static int next_entry(coras_tar_decoder *dec, const char *data, size_t len, size_t *at)
{
    while (len - *at >= CORAS_TAR_BLOCK) {
        int step = coras_tar_decode_block(dec, data + *at, NULL);
        *at += CORAS_TAR_BLOCK;
        if (step != CORAS_TAR_RECORD && step != CORAS_TAR_MORE)
            return step;
        if (step == CORAS_TAR_MORE)
            continue;
        FUZZ_CHECK(dec->record_size >= 0 && dec->record_size <= CORAS_LIMIT_TAR_RECORD);
        size_t size = (size_t)dec->record_size, padded = size + coras_tar_padding((int64_t)size);
        if (padded > len - *at)
            return CORAS_ERR_UNSAFE_ARCHIVE;
        int rc = coras_tar_decode_record(dec, data + *at, size, NULL);
        if (rc < 0)
            return rc;
        *at += padded;
    }
    return coras_tar_decode_eof(dec, NULL);
}

static void check_written(const coras_tar_entry *e)
{
    coras_auto_value(coras_tar_decoder) again;
    coras_auto_buf out = CORAS_BUF_UNLIMITED;
    size_t at = 0;
    coras_tar_decoder_init(&again);
    FUZZ_CHECK(coras_tar_put_header(&out, e, NULL) == 0);
    FUZZ_CHECK(next_entry(&again, out.ptr, out.len, &at) == CORAS_TAR_ENTRY);
    FUZZ_CHECK(at == out.len);
    FUZZ_CHECK(strcmp(again.entry.name, e->name) == 0);
    FUZZ_CHECK(strcmp(again.entry.link, e->link) == 0);
    FUZZ_CHECK(again.entry.type == e->type && again.entry.size == e->size);
    FUZZ_CHECK(again.entry.mtime_s == e->mtime_s && again.entry.mode == e->mode);
}

static bool read_all(const char *data, size_t len)
{
    coras_auto_value(coras_tar_decoder) dec;
    size_t at = 0;
    coras_tar_decoder_init(&dec);
    for (;;) {
        int step = next_entry(&dec, data, len, &at);
        if (step != CORAS_TAR_ENTRY)
            return step >= 0;
        const coras_tar_entry *e = &dec.entry;
        FUZZ_CHECK(e->size >= 0 && e->size <= INT64_MAX - CORAS_TAR_BLOCK);
        FUZZ_CHECK(e->mtime_ns < 1000000000 && e->mode <= 07777);
        check_written(e);
        uint64_t padded = (uint64_t)e->size + coras_tar_padding(e->size);
        if (padded > len - at)
            return false;
        at += (size_t)padded;
    }
}

bool fuzz_one(const char *data, size_t len)
{
    if (len == 0 || data[0] != '!')
        return read_all(data, len);
    char *fixed = copy_with_tar_checksums(data + 1, len - 1);
    FUZZ_CHECK(fixed);
    bool good = read_all(fixed, len - 1);
    free(fixed);
    return good;
}
