/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A prefix has one owner: what no row of its metadata names is removed from below it, and would be
 * everything that another registry has there.
 */
#include "base/error.h"
#include "serve/storage/s3/store.h"

#define OWNER          "registry"
#define NAME_BYTES_MAX 64

/* Whose it is; NOT_FOUND. */
static int read_owner(serve_s3 *s, coras_buf *ret, coras_error **err)
{
    coras_sink sink = coras_sink_buf(ret);
    int64_t size = 0;

    CORAS_TRY(serve_s3_size(s, OWNER, &size, err));
    if (size <= 0 || size > NAME_BYTES_MAX)
        return coras_fail(err, CORAS_ERR_CONFIG, "store %s: %s/%s" OWNER " is none of ours",
                          s->endpoint, s->path, s->prefix);
    return serve_s3_get(s, OWNER, 0, size, &sink, err);
}

static int write_owner(serve_s3 *s, const char *name, coras_error **err)
{
    const coras_memory memory = {name, strlen(name)};
    const coras_source source = coras_source_memory(&memory);
    char payload[CORAS_DIGEST_TEXT_MAX];
    coras_digest digest;

    CORAS_TRY(coras_digest_of(CORAS_SHA256, memory.ptr, memory.len, &digest, err));
    return serve_s3_put(s, OWNER, &source, coras_digest_hex(&digest, payload), err);
}

int serve_s3_claim(serve_s3 *s, const char *name, coras_error **err)
{
    coras_auto_buf owner = CORAS_BUF_INIT(NAME_BYTES_MAX);
    coras_auto(coras_error) why = NULL;
    int rc = read_owner(s, &owner, &why);

    if (rc == CORAS_ERR_NOT_FOUND) {
        coras_error_clear(&why);
        CORAS_TRY(write_owner(s, name, err));
        rc = read_owner(s, &owner, &why); /* another may have had the same thought */
    }
    if (rc < 0) {
        coras_error_propagate(err, &why);
        return rc;
    }
    if (coras_streq(owner.ptr, name))
        return 0;
    coras_fail(err, CORAS_ERR_EXISTS, "store %s: %s/%s belongs to another registry", s->endpoint,
               s->path, s->prefix);
    coras_hint(err, "give each registry a prefix of its own; processes that are one registry have "
                    "one --metadata");
    return CORAS_ERR_EXISTS;
}
