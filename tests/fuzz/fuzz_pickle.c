/* SPDX-License-Identifier: Apache-2.0 */
/* Pickles: whatever the bytes are, the pieces in which they come change nothing, what is found lies
 * within them, and memory is bounded by them. Accepted is what ends as a pickle should. */
#include "fuzz.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "model/pickle.h"

enum { FIXED_BYTES = 64 * 1024, BYTES_PER_BYTE = 1024 };

struct pickle_findings {
    coras_buf text;
    size_t len;
};

static int note_import(void *user, const coras_pickle_import *import, coras_error **err)
{
    struct pickle_findings *f = user;
    (void)err;
    FUZZ_CHECK(import->offset >= 0 && import->offset < (int64_t)f->len);
    FUZZ_CHECK(import->severity >= CORAS_SEVERITY_LOW && import->severity <= CORAS_SEVERITY_HIGH);
    for (const char *c = import->what; *c; c++)
        FUZZ_CHECK((unsigned char)*c >= ' ' && *c != 0x7f);
    coras_buf_printf(&f->text, "%lld %s\n", (long long)import->offset, import->what);
    return 0;
}

static coras_pickle_summary scan(const char *data, size_t len, size_t piece,
                                 struct pickle_findings *ret)
{
    const coras_pickle_visitor visitor = {note_import, ret};
    coras_auto(coras_pickle) p = NULL;
    coras_pickle_summary summary;

    ret->text = (coras_buf)CORAS_BUF_UNLIMITED;
    ret->len = len;
    FUZZ_CHECK(coras_pickle_new(&visitor, &p, NULL) == 0);
    for (size_t at = 0, n = 0; at < len; at += n) {
        n = len - at < piece ? len - at : piece;
        FUZZ_CHECK(coras_pickle_feed(p, data + at, n, NULL) == 0);
    }
    FUZZ_CHECK(coras_pickle_finish(p, &summary, NULL) == 0);
    return summary;
}

bool fuzz_one(const char *data, size_t len)
{
    struct pickle_findings whole, pieces;

    coras_alloc_count_start();
    coras_pickle_summary a = scan(data, len, len + 1, &whole);
    FUZZ_CHECK(coras_alloc_count_stop() <= FIXED_BYTES + BYTES_PER_BYTE * len);
    coras_pickle_summary b = scan(data, len, 1, &pieces);
    FUZZ_CHECK(strcmp(whole.text.ptr, pieces.text.ptr) == 0);
    FUZZ_CHECK(a.pickles == b.pickles && a.broken_at == b.broken_at && a.raw_at == b.raw_at);
    FUZZ_CHECK(a.broken_at <= (int64_t)len && a.raw_at <= (int64_t)len);
    coras_buf_clear(&whole.text);
    coras_buf_clear(&pieces.text);
    return a.pickles > 0 && a.broken_at < 0;
}
