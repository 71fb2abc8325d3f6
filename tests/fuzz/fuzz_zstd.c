/* SPDX-License-Identifier: Apache-2.0 */
/* Zstandard streams: accepted means whole and intact, whatever the size of the pieces read. */
#include "fuzz.h"

#include "codec/decompress.h"
#include "codec/zstd.h"

enum { ENOUGH = 16 << 20 }; /* a short input can stand for gigabytes */

static int read_all(const char *data, size_t len, size_t cap, size_t *ret)
{
    const coras_memory memory = {data, len};
    const coras_source source = coras_source_memory(&memory);
    coras_auto(coras_unzstd) z = NULL;
    static char buf[4096];
    size_t got = 1;
    int rc = coras_unzstd_new(&source, &z, NULL);
    for (*ret = 0; rc == 0 && got > 0 && *ret < ENOUGH; *ret += got)
        rc = coras_unzstd_read(z, buf, cap, &got, NULL);
    return rc;
}

bool fuzz_one(const char *data, size_t len)
{
    size_t coarse, fine;
    int rc = read_all(data, len, 4096, &coarse);
    if (rc == CORAS_ERR_UNSUPPORTED) /* the library is not installed: the signature must do */
        return coras_compression_of(data, len) == CORAS_COMPRESSION_ZSTD;
    FUZZ_CHECK(rc == 0 || rc == CORAS_ERR_UNSAFE_ARCHIVE);
    if (coarse < ENOUGH) {
        FUZZ_CHECK(read_all(data, len, 33, &fine) == rc);
        FUZZ_CHECK(rc < 0 || fine == coarse);
    }
    return rc == 0;
}
