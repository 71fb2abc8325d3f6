/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Content as it comes: one GET of all of a blob or of a part, by descriptor, or by digest alone
 * where nobody knows more. Spec: distribution-spec 1.1, "Pulling blobs".
 */
#include "base/alloc.h"
#include "base/error.h"
#include "base/limits.h"
#include "oci/digest.h"
#include "registry/content_range.h"
#include "registry/registry.h"

enum { SMALL_BYTES = 64 * CORAS_KIB }; /* not worth a large buffer for each of many */

/* One GET and what may come of it. */
struct blob_fetch {
    const coras_digest *digest;
    const char *media_type;
    const coras_sink *sink;
    const coras_blob_read *read; /* who is told the size; may be NULL */
    int64_t size;                /* of the whole; -1: not known yet */
    int64_t offset, end;         /* [offset, end) of the content; end -1: as far as it goes */
    bool ranged;
    int64_t got;
    bool stopped; /* the sink has enough */
};

static int fail_other_bytes(const struct blob_fetch *f, const struct coras_content_range *got,
                            coras_error **err)
{
    return coras_fail(err, CORAS_ERR_RANGE,
                      "other bytes than asked for: %lld-%lld/%lld instead of %lld-%lld/%lld",
                      (long long)got->first, (long long)got->last, (long long)got->total,
                      (long long)f->offset, (long long)f->end - 1, (long long)f->size);
}

/* What is not known yet of the size or the end of the part. */
static void learn_size(struct blob_fetch *f, int64_t size)
{
    if (f->size < 0)
        f->size = size;
    if (size >= 0 && (f->end < 0 || f->end > size))
        f->end = size;
}

static int check_partial(struct blob_fetch *f, const coras_response *resp, coras_error **err)
{
    const char *type = coras_response_header(resp, "Content-Type");
    const char *header = coras_response_header(resp, "Content-Range");
    struct coras_content_range got;

    if (!f->ranged)
        return coras_fail(err, CORAS_ERR_PROTOCOL, "partial content without having asked for it");
    if (type && coras_str_starts(type, "multipart/"))
        return coras_fail(err, CORAS_ERR_RANGE, "several ranges in answer to one");
    if (!header || !coras_content_range_parse(header, &got))
        return coras_fail(err, CORAS_ERR_RANGE, "partial content without a valid Content-Range");
    if (got.total >= 0 && f->size >= 0 && got.total != f->size)
        return fail_other_bytes(f, &got, err);
    learn_size(f, got.total);
    if (got.first != f->offset || (f->end >= 0 && got.last != f->end - 1))
        return fail_other_bytes(f, &got, err);
    f->end = got.last + 1;
    return 0;
}

static int check_length(const struct blob_fetch *f, int64_t length, coras_error **err)
{
    int64_t expected = f->end - f->offset;

    if (length < 0 || f->end < 0 || length == expected)
        return 0;
    coras_fail(err, CORAS_ERR_SIZE_MISMATCH,
               "mismatch Content-Length: %lld bytes announced, %lld expected", (long long)length,
               (long long)expected);
    coras_error_set_retryable(err, true);
    return CORAS_ERR_SIZE_MISMATCH;
}

/* All of it, whether a part was asked for or not. */
static int check_whole(struct blob_fetch *f, int64_t length, coras_error **err)
{
    struct blob_fetch whole = *f;

    if (f->offset > 0)
        return coras_fail(err, CORAS_ERR_RANGE, "byte range not served");
    learn_size(f, length);
    whole.end = f->size;
    return check_length(&whole, length, err);
}

/* Sees status and headers before the first byte. */
static int accept_answer(void *user, const coras_response *resp, coras_error **err)
{
    struct blob_fetch *f = user;
    int64_t length = coras_response_length(resp);
    const char *encoding = coras_response_header(resp, "Content-Encoding");

    if (coras_response_status(resp) == 206)
        CORAS_TRY(check_partial(f, resp, err));
    if (encoding && !coras_str_ieq(encoding, "identity"))
        return coras_fail(err, CORAS_ERR_PROTOCOL, "content was compressed on the way");
    if (coras_response_status(resp) == 206)
        CORAS_TRY(check_length(f, length, err));
    else
        CORAS_TRY(check_whole(f, length, err));
    if (f->read && f->read->measured)
        return f->read->measured(f->read->user, f->size, err);
    return 0;
}

static int fetch_write(void *user, const void *data, size_t len, coras_error **err)
{
    struct blob_fetch *f = user;
    int64_t left = f->end < 0 ? INT64_MAX : f->end - f->offset - f->got;
    bool beyond = (int64_t)len > left;
    size_t take = beyond ? (size_t)left : len;

    if (take) {
        int rc = f->sink->write(f->sink->user, data, take, err);
        f->stopped = rc == CORAS_SINK_STOP;
        if (rc != 0)
            return rc;
    }
    f->got += (int64_t)take;
    if (!beyond)
        return 0;
    if (f->end != f->size) { /* the whole came where its beginning was asked for */
        f->stopped = true;
        return CORAS_SINK_STOP;
    }
    return coras_fail(err, CORAS_ERR_SIZE_MISMATCH, "more than %lld bytes: trailing data",
                      (long long)f->size);
}

/* The value of Range. */
static char *range_text(const struct blob_fetch *f)
{
    if (f->end < 0)
        return coras_asprintf("bytes=%lld-", (long long)f->offset);
    return coras_asprintf("bytes=%lld-%lld", (long long)f->offset, (long long)f->end - 1);
}

static int send_fetch(coras_registry *r, struct blob_fetch *f, const char *url, coras_error **err)
{
    static const int allowed[] = {404, 416, 0};
    coras_auto_free char *range = NULL;
    coras_auto(coras_response) resp = NULL;
    coras_sink sink = {fetch_write, f};
    coras_header headers[2];
    coras_request req = coras_registry_request(r, "GET", url, coras_registry_read_scope(r));

    if (coras_media_type_is_manifest(f->media_type))
        headers[req.header_count++] = (coras_header){"Accept", f->media_type};
    req.document = req.header_count > 0 && !f->ranged; /* a part cannot be decompressed */
    if (f->ranged) {
        range = range_text(f);
        if (!range)
            return coras_fail_no_memory(err);
        headers[req.header_count++] = (coras_header){"Range", range};
    }
    req.headers = headers;
    req.sink = &sink;
    req.accept = accept_answer;
    req.accept_user = f;
    req.no_retry = true;
    req.small = f->end >= 0 && f->end - f->offset <= SMALL_BYTES;
    req.one_of_many = f->end >= 0 && f->end != f->size;
    CORAS_TRY(coras_client_send(r->client, &req, allowed, &resp, err));
    if (coras_response_status(resp) == 404)
        return coras_registry_content_not_found(f->digest, err);
    if (coras_response_status(resp) == 416)
        return coras_fail(err, CORAS_ERR_RANGE, "%s: %s: range not satisfiable", url,
                          range ? range : "no range");
    return 0;
}

/* A signed link to storage that has expired, say: another turn through the registry gives a new
 * one. Nothing of such an answer has reached the sink. */
static bool was_refused_elsewhere(const coras_registry *r, const coras_error *failure)
{
    const char *host = coras_error_http_host(failure);
    const char *own = strstr(r->base_url, "://");

    switch (coras_error_http_status(failure)) {
    case 400:
    case 401:
    case 403:
        return host && own && !coras_streq(host, own + 3);
    default:
        return false;
    }
}

/* Fewer bytes than promised, in a message that ended properly. */
static int check_complete(const struct blob_fetch *f, coras_error **err)
{
    int64_t expected = f->end - f->offset;

    if (f->stopped || f->end < 0 || f->got == expected)
        return 0;
    coras_fail(err, CORAS_ERR_SIZE_MISMATCH, "registry returned %lld of %lld bytes: unexpected EOF",
               (long long)f->got, (long long)expected);
    coras_error_set_retryable(err, true);
    return CORAS_ERR_SIZE_MISMATCH;
}

static const char *kind_of(const char *media_type)
{
    return coras_media_type_is_manifest(media_type) ? "manifests" : "blobs";
}

static int run_fetch(coras_registry *r, struct blob_fetch *f, coras_error **err)
{
    coras_auto(coras_error) failure = NULL;
    coras_auto_free char *url = NULL;
    char digest[CORAS_DIGEST_TEXT_MAX];

    CORAS_TRY(coras_registry_url(r, kind_of(f->media_type), coras_digest_format(f->digest, digest),
                                 &url, err));
    int rc = send_fetch(r, f, url, &failure);
    if (rc < 0 && was_refused_elsewhere(r, failure)) {
        coras_error_clear(&failure);
        rc = send_fetch(r, f, url, &failure);
    }
    if (rc == 0)
        return check_complete(f, err);
    coras_registry_mark_retryable(&failure);
    coras_error_propagate(err, &failure);
    return rc;
}

int coras_registry_fetch(coras_target *t, const coras_descriptor *desc, int64_t offset,
                         int64_t length, const coras_sink *sink, coras_error **err)
{
    struct blob_fetch f = {.digest = &desc->digest,
                           .media_type = desc->media_type,
                           .sink = sink,
                           .size = desc->size,
                           .offset = offset,
                           .end = desc->size};

    if (offset < 0 || offset > desc->size)
        return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT, "offset %lld is outside of %lld bytes",
                          (long long)offset, (long long)desc->size);
    if (length >= 0 && length < desc->size - offset)
        f.end = offset + length;
    if (f.end == f.offset && desc->size > 0)
        return 0;
    f.ranged = offset > 0 || f.end < desc->size;
    return run_fetch(coras_registry_of(t), &f, err);
}

int coras_registry_read_blob(coras_target *t, const coras_blob_read *read, coras_error **err)
{
    struct blob_fetch f = {.digest = read->digest,
                           .media_type = CORAS_MT_OCTET_STREAM,
                           .sink = read->sink,
                           .read = read,
                           .size = read->size,
                           .offset = read->offset,
                           .end = read->size};

    if (read->offset < 0 || (read->size >= 0 && read->offset > read->size))
        return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT, "offset %lld is outside of %lld bytes",
                          (long long)read->offset, (long long)read->size);
    if (read->length >= 0 && (read->size < 0 || read->length < read->size - read->offset))
        f.end = read->offset + read->length;
    f.ranged = read->offset > 0 || (f.end >= 0 && f.end != read->size);
    return run_fetch(coras_registry_of(t), &f, err);
}
