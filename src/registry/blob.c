/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Content by descriptor: asking whether it is there.
 * Spec: distribution-spec 1.1, "Pulling blobs".
 */
#include "base/alloc.h"
#include "base/error.h"
#include "base/limits.h"
#include "oci/digest.h"
#include "registry/content_range.h"
#include "registry/registry.h"

/* ---- asking ---- */

static bool is_redirect(int status)
{
    return status >= 300 && status < 400;
}

enum { ABSENT = 0, PRESENT = 1, HEAD_REFUSED = 2 };

/*
 * HEAD of a blob. A redirect to storage says that it is there, and is not followed: the link is
 * signed for one method and may refuse this one. *ret_size -1: unknown.
 */
static int head_blob(coras_registry *r, const coras_digest *digest, bool once, int64_t *ret_size,
                     coras_error **err)
{
    static const int allowed[] = {404, 301, 302, 303, 307, 308, 400, 405, 501, 0};
    coras_auto_free char *url = NULL;
    coras_auto(coras_response) resp = NULL;
    char text[CORAS_DIGEST_TEXT_MAX];

    CORAS_TRY(coras_registry_url(r, "blobs", coras_digest_format(digest, text), &url, err));
    coras_request req = coras_registry_request(r, "HEAD", url, coras_registry_read_scope(r));
    req.no_foreign_redirect = true;
    req.no_retry = req.no_retry || once;
    CORAS_TRY(coras_client_send(r->client, &req, allowed, &resp, err));
    int status = coras_response_status(resp);
    *ret_size = status < 300 ? coras_response_length(resp) : -1;
    if (status == 404)
        return ABSENT;
    return status < 300 || is_redirect(status) ? PRESENT : HEAD_REFUSED;
}

struct probe {
    int64_t size;
};

static int probe_accept(void *user, const coras_response *resp, coras_error **err)
{
    struct probe *p = user;
    const char *header = coras_response_header(resp, "Content-Range");
    struct coras_content_range range;

    (void)err;
    if (coras_response_status(resp) == 206)
        p->size = header && coras_content_range_parse(header, &range) ? range.total : -1;
    else
        p->size = coras_response_length(resp);
    return 0;
}

static int probe_write(void *user, const void *data, size_t len, coras_error **err)
{
    (void)user;
    (void)data;
    (void)len;
    (void)err;
    return CORAS_SINK_STOP;
}

/* The first byte of a blob, for its size where HEAD does not tell. */
static int probe_blob(coras_registry *r, const coras_digest *digest, int64_t *ret_size,
                      coras_error **err)
{
    static const int allowed[] = {404, 416, 0};
    static const coras_header range = {"Range", "bytes=0-0"};
    coras_auto_free char *url = NULL;
    coras_auto(coras_response) resp = NULL;
    char text[CORAS_DIGEST_TEXT_MAX];
    struct probe p = {-1};
    coras_sink sink = {probe_write, &p};

    CORAS_TRY(coras_registry_url(r, "blobs", coras_digest_format(digest, text), &url, err));
    coras_request req = coras_registry_request(r, "GET", url, coras_registry_read_scope(r));
    req.headers = &range;
    req.header_count = 1;
    req.sink = &sink;
    req.accept = probe_accept;
    req.accept_user = &p;
    CORAS_TRY(coras_client_send(r->client, &req, allowed, &resp, err));
    if (coras_response_status(resp) == 404)
        return ABSENT;
    *ret_size = coras_response_status(resp) == 416 ? 0 : p.size; /* 416: there is no first byte */
    return PRESENT;
}

static int measure_write(void *user, const void *data CORAS_UNUSED, size_t len, coras_error **err)
{
    struct probe *p = user;

    p->size += (int64_t)len;
    return p->size <= CORAS_LIMIT_UNSIZED_BLOB
               ? 0
               : coras_fail(err, CORAS_ERR_TOO_LARGE, "content of unknown size: more than %lld MiB",
                            CORAS_LIMIT_UNSIZED_BLOB / CORAS_MIB);
}

/* The size of a blob that comes without any word of it: what there is of it is counted. Whoever
 * fetches it next checks the digest. */
static int measure_blob(coras_registry *r, const coras_digest *digest, int64_t *ret_size,
                        coras_error **err)
{
    coras_auto_free char *url = NULL;
    coras_auto(coras_response) resp = NULL;
    char text[CORAS_DIGEST_TEXT_MAX];
    struct probe p = {0};
    coras_sink sink = {measure_write, &p};

    CORAS_TRY(coras_registry_url(r, "blobs", coras_digest_format(digest, text), &url, err));
    coras_request req = coras_registry_request(r, "GET", url, coras_registry_read_scope(r));
    req.sink = &sink;
    req.small = false;
    CORAS_TRY(coras_client_send(r->client, &req, NULL, &resp, err));
    *ret_size = p.size;
    return PRESENT;
}

int coras_registry_has_blob(coras_registry *r, const coras_digest *digest, bool once,
                            coras_error **err)
{
    int64_t size = -1;
    int there = head_blob(r, digest, once, &size, err);

    if (there == HEAD_REFUSED)
        there = probe_blob(r, digest, &size, err);
    if (there == PRESENT)
        coras_registry_note_seen(r, digest);
    return there;
}

static int describe_blob(const coras_registry *r, const coras_digest *digest, int there,
                         int64_t size, coras_descriptor *ret, coras_error **err)
{
    if (there == ABSENT)
        return coras_registry_digest_not_found(r, digest, err);
    if (size < 0)
        return coras_fail(err, CORAS_ERR_PROTOCOL, "unknown response Content-Length");
    return coras_descriptor_set(ret, CORAS_MT_OCTET_STREAM, digest, size, err);
}

int coras_registry_resolve_blob(coras_target *t, const coras_digest *digest, coras_descriptor *ret,
                                coras_error **err)
{
    coras_registry *r = coras_registry_of(t);
    int64_t size = -1;
    int there = head_blob(r, digest, false, &size, err);

    CORAS_TRY(there);
    if (there != ABSENT && size < 0)
        there = probe_blob(r, digest, &size, err);
    CORAS_TRY(there);
    return describe_blob(r, digest, there, size, ret, err);
}

int coras_registry_probe_blob(coras_target *t, const coras_digest *digest, coras_descriptor *ret,
                              coras_error **err)
{
    coras_registry *r = coras_registry_of(t);
    int64_t size = -1;
    int there = probe_blob(r, digest, &size, err);

    CORAS_TRY(there);
    if (there == PRESENT && size < 0) /* HEAD may tell, and costs less than all of it */
        (void)!head_blob(r, digest, true, &size, NULL);
    if (there == PRESENT && size < 0)
        CORAS_TRY(measure_blob(r, digest, &size, err));
    return describe_blob(r, digest, there, size, ret, err);
}

static int manifest_exists(coras_registry *r, const coras_descriptor *desc, bool *ret,
                           coras_error **err)
{
    coras_auto_value(coras_descriptor) found = CORAS_DESCRIPTOR_INIT;
    coras_auto(coras_error) failure = NULL;
    char text[CORAS_DIGEST_TEXT_MAX];
    int rc = coras_registry_resolve(&r->base, coras_digest_format(&desc->digest, text), &found,
                                    &failure);

    if (rc == 0 || rc == CORAS_ERR_NOT_FOUND) {
        *ret = rc == 0;
        return 0;
    }
    coras_error_propagate(err, &failure);
    return rc;
}

int coras_registry_exists(coras_target *t, const coras_descriptor *desc, bool *ret,
                          coras_error **err)
{
    coras_registry *r = coras_registry_of(t);

    if (coras_media_type_is_manifest(desc->media_type))
        return manifest_exists(r, desc, ret, err);
    int there = coras_registry_has_blob(r, &desc->digest, false, err);
    CORAS_TRY(there);
    *ret = there == PRESENT;
    return 0;
}
