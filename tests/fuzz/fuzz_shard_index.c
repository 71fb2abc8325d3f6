/* SPDX-License-Identifier: Apache-2.0 */
/* index.json of a model in several files: no name in it leads anywhere, and cutting changes
 * nothing. */
#include "fuzz.h"

#include "base/alloc.h"
#include "model/shards.h"

static int read_index(const char *data, size_t len, size_t piece, coras_shard_index *ret)
{
    coras_auto(coras_shard_index_reader) reader = NULL;

    FUZZ_CHECK(coras_shard_index_reader_new(NULL, NULL, &reader, NULL) == 0);
    for (size_t at = 0; at < len; at += piece)
        CORAS_TRY(
            coras_shard_index_feed(reader, data + at, piece < len - at ? piece : len - at, NULL));
    return coras_shard_index_finish(reader, ret, NULL);
}

bool fuzz_one(const char *data, size_t len)
{
    coras_auto_value(coras_shard_index) whole = {0};
    coras_auto_value(coras_shard_index) cut = {0};
    int rc;

    coras_alloc_count_start();
    rc = read_index(data, len, SIZE_MAX / 2, &whole);
    FUZZ_CHECK(coras_alloc_count_stop() <= 32768 + 128 * len);
    FUZZ_CHECK(read_index(data, len, 1 + len % 5, &cut) == rc);
    FUZZ_CHECK(cut.tensors == whole.tensors && cut.files.len == whole.files.len);
    for (size_t i = 0; i < whole.files.len; i++)
        FUZZ_CHECK(!strchr(whole.files.items[i], '/') && whole.files.items[i][0] != '.');
    return rc == 0;
}
