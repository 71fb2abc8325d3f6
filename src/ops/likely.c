/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Guesses what is there from the manifest that is about to be replaced (likely.h).
 */
#include "ops/likely.h"

#include <string.h>

#include "base/error.h"
#include "base/limits.h"
#include "base/str.h"
#include "base/vec.h"

enum { PROBE_BYTES = 4 * CORAS_KIB };

void coras_likely_clear(coras_likely *likely)
{
    coras_manifest_clear(&likely->manifest);
    likely->target = NULL;
}

int coras_likely_look(coras_target *target, const char *reference, coras_likely *ret,
                      coras_error **err)
{
    coras_auto(coras_error) failure = NULL;
    coras_auto_value(coras_descriptor) desc = CORAS_DESCRIPTOR_INIT;
    coras_auto_buf bytes = CORAS_BUF_INIT(CORAS_LIMIT_MANIFEST);

    if (!reference)
        return 0;
    int rc = target->ops->fetch_manifest(target, reference, NULL, &desc, &bytes, &failure);
    if (rc == 0)
        rc = coras_manifest_parse(bytes.ptr, bytes.len, desc.media_type, &ret->manifest, &failure);
    if (rc == 0)
        ret->target = target;
    if (rc == 0 || !coras_error_is_retryable(failure))
        return 0;
    coras_error_propagate(err, &failure);
    return rc;
}

/* The part of the file that is compared. */
struct likely_part {
    char bytes[PROBE_BYTES];
    size_t len;
    size_t seen; /* of what the other side has sent */
    bool differs;
};

static int compare_part(void *user, const void *data, size_t len, coras_error **err)
{
    struct likely_part *p = user;
    size_t left = p->len - p->seen, n = len < left ? len : left;

    (void)err;
    p->differs = memcmp(p->bytes + p->seen, data, n) != 0;
    p->seen += n;
    return p->differs || p->seen == p->len ? CORAS_SINK_STOP : 0;
}

/* True also when the other side does not give a part: then the size has to do. */
static bool looks_the_same(coras_target *target, const coras_descriptor *blob,
                           const coras_local_file *file)
{
    coras_auto(coras_error) ignored = NULL;
    struct likely_part p = {.len = 0};
    const coras_sink sink = {compare_part, &p};
    int64_t middle = file->size / 2;
    size_t want = file->size - middle < PROBE_BYTES ? (size_t)(file->size - middle) : PROBE_BYTES;

    if (coras_pread_full(file->fd, p.bytes, want, file->offset + middle, &p.len, &ignored) < 0 ||
        p.len < want || want == 0)
        return false;
    (void)target->ops->fetch(target, blob, middle, (int64_t)want, &sink, &ignored);
    return !p.differs;
}

static const coras_descriptor *find(const coras_likely *likely, const char *title, int64_t size)
{
    coras_vec_foreach (blob, &likely->manifest.layers)
        if (blob->size == size && coras_streq(coras_descriptor_title(blob), title))
            return blob;
    return NULL;
}

bool coras_likely_has(const coras_likely *likely, const char *title, const coras_local_file *file)
{
    const coras_descriptor *blob = likely->target && title ? find(likely, title, file->size) : NULL;

    return blob && looks_the_same(likely->target, blob, file);
}
