/* SPDX-License-Identifier: Apache-2.0 */
/* The reading verbs of a target, on the content of a repository. */
#include "serve/page/target.h"

#include <unistd.h>
#include "base/alloc.h"
#include "base/error.h"
#include "base/limits.h"

#define COPY_BYTES (64 * CORAS_KIB)

struct content_target {
    coras_target target; /* first: it is one */
    serve_content *content;
    const char *repository;
};

static struct content_target *of(coras_target *t)
{
    return (struct content_target *)t;
}

static void close_target(coras_target *t)
{
    free(of(t));
}

static int get_manifest(coras_target *t, const char *reference, struct serve_stored_manifest *ret,
                        coras_error **err)
{
    struct content_target *c = of(t);
    coras_digest digest = {0};
    bool is_digest = coras_digest_parse(reference, &digest, NULL) == 0;

    return c->content->ops->get_manifest(c->content, c->repository, is_digest ? NULL : reference,
                                         &digest, true, ret, err);
}

static int describe(struct serve_stored_manifest *m, coras_descriptor *ret, coras_buf *bytes,
                    coras_error **err)
{
    if (bytes) {
        coras_buf_put(bytes, m->content, (size_t)m->size);
        CORAS_TRY(coras_buf_done(bytes, err));
    }
    return coras_descriptor_set(ret, m->media_type, &m->digest, m->size, err);
}

static int fetch_manifest(coras_target *t, const char *reference, const char *accept,
                          coras_descriptor *ret, coras_buf *bytes, coras_error **err)
{
    struct serve_stored_manifest m = {0};
    int rc;

    (void)accept;
    CORAS_TRY(get_manifest(t, reference, &m, err));
    rc = describe(&m, ret, bytes, err);
    serve_stored_manifest_clear(&m);
    return rc;
}

static int resolve(coras_target *t, const char *reference, coras_descriptor *ret, coras_error **err)
{
    return fetch_manifest(t, reference, NULL, ret, NULL, err);
}

static int resolve_blob(coras_target *t, const coras_digest *digest, coras_descriptor *ret,
                        coras_error **err)
{
    struct content_target *c = of(t);
    int64_t size = 0;

    CORAS_TRY(c->content->ops->find_blob(c->content, c->repository, digest, &size, err));
    return coras_descriptor_set(ret, CORAS_MT_OCTET_STREAM, digest, size, err);
}

static int64_t end_of(int64_t size, int64_t offset, int64_t length)
{
    return length < 0 || length > size - offset ? size : offset + length;
}

static int fetch_document(coras_target *t, const coras_descriptor *desc, int64_t offset,
                          int64_t length, const coras_sink *sink, coras_error **err)
{
    struct serve_stored_manifest m = {0};
    char text[CORAS_DIGEST_TEXT_MAX];
    int rc;

    CORAS_TRY(get_manifest(t, coras_digest_format(&desc->digest, text), &m, err));
    rc = offset >= m.size ? 0
                          : sink->write(sink->user, m.content + offset,
                                        (size_t)(end_of(m.size, offset, length) - offset), err);
    serve_stored_manifest_clear(&m);
    return rc < 0 ? rc : 0;
}

static int fetch(coras_target *t, const coras_descriptor *desc, int64_t offset, int64_t length,
                 const coras_sink *sink, coras_error **err)
{
    struct content_target *c = of(t);
    coras_auto_value(serve_open_blob) blob = SERVE_OPEN_BLOB_INIT;
    int64_t size = 0;

    if (desc->media_type && coras_media_type_is_manifest(desc->media_type))
        return fetch_document(t, desc, offset, length, sink, err);
    CORAS_TRY(c->content->ops->find_blob(c->content, c->repository, &desc->digest, &size, err));
    CORAS_TRY(
        c->content->ops->open_blob(c->content, c->repository, &desc->digest, size, &blob, err));
    return serve_open_blob_fetch(&blob, offset, end_of(size, offset, length) - offset, sink, err);
}

static int exists(coras_target *t, const coras_descriptor *desc, bool *ret, coras_error **err)
{
    coras_auto_value(coras_descriptor) found = CORAS_DESCRIPTOR_INIT;
    coras_auto(coras_error) why = NULL;
    int rc = resolve_blob(t, &desc->digest, &found, &why);

    if (rc < 0 && rc != CORAS_ERR_NOT_FOUND) {
        coras_error_propagate(err, &why);
        return rc;
    }
    *ret = rc == 0;
    return 0;
}

static const coras_target_ops content_target_ops = {
    .kind = "content",
    .close = close_target,
    .resolve = resolve,
    .fetch_manifest = fetch_manifest,
    .fetch = fetch,
    .resolve_blob = resolve_blob,
    .exists = exists,
};

int serve_content_target(serve_content *content, const char *repository, coras_target **ret,
                         coras_error **err)
{
    struct content_target *c = coras_new(struct content_target);

    if (!c)
        return coras_fail_no_memory(err);
    *c = (struct content_target){
        .target = {.ops = &content_target_ops}, .content = content, .repository = repository};
    *ret = &c->target;
    return 0;
}
