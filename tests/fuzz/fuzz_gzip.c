/* SPDX-License-Identifier: Apache-2.0 */
/* gzip streams: accepted means whole and intact, whatever the size of the pieces read. */
#include "fuzz.h"

#include "codec/gzip.h"

enum { ENOUGH = 16 << 20 }; /* a short input can stand for gigabytes */

static int read_all(const char *data, size_t len, size_t cap, size_t *ret)
{
    const coras_memory memory = {data, len};
    const coras_source source = coras_source_memory(&memory);
    coras_auto(coras_gunzip) gz = NULL;
    static char buf[4096];
    size_t got = 1;
    int rc = coras_gunzip_new(&source, &gz, NULL);
    for (*ret = 0; rc == 0 && got > 0 && *ret < ENOUGH; *ret += got)
        rc = coras_gunzip_read(gz, buf, cap, &got, NULL);
    return rc;
}

bool fuzz_one(const char *data, size_t len)
{
    size_t coarse, fine;
    int rc = read_all(data, len, 4096, &coarse);
    FUZZ_CHECK(rc == 0 || rc == CORAS_ERR_UNSAFE_ARCHIVE);
    if (coarse < ENOUGH) {
        FUZZ_CHECK(read_all(data, len, 33, &fine) == rc);
        FUZZ_CHECK(rc < 0 || fine == coarse);
    }
    return rc == 0;
}
