/* SPDX-License-Identifier: Apache-2.0 */
/* Objects that are sent in parts, and come into being when they are joined. */
#include "serve/storage/s3/store.h"

#include <inttypes.h>
#include "base/alloc.h"
#include "base/error.h"
#include "base/random.h"
#include "base/retry.h"
#include "serve/http/uri.h"
#include "serve/storage/s3/xml.h"

int serve_s3_begin_parts(serve_s3 *s, const char *key, char **ret_upload, coras_error **err)
{
    const struct serve_s3_call call = {.method = "POST", .key = key, .query = "uploads="};
    coras_auto(coras_response) r = NULL;

    CORAS_TRY(serve_s3_send(s, &call, &r, err));
    *ret_upload = serve_xml_text(coras_response_body(r), "UploadId");
    if (!*ret_upload || !**ret_upload) {
        free(*ret_upload);
        *ret_upload = NULL;
        return coras_fail(err, CORAS_ERR_PROTOCOL, "store %s: named no upload", s->endpoint);
    }
    return 0;
}

/* "uploadId=…", after what stands before it. */
static void put_upload(coras_buf *query, const char *upload)
{
    coras_buf_puts(query, "uploadId=");
    serve_uri_encode(query, upload);
}

int serve_s3_put_part(serve_s3 *s, const struct serve_s3_part *part, char **ret_tag,
                      coras_error **err)
{
    coras_auto_buf query = CORAS_BUF_UNLIMITED;
    coras_auto(coras_response) r = NULL;
    struct serve_s3_call call = {.method = "PUT",
                                 .key = part->key,
                                 .body = part->body,
                                 .offset = part->offset,
                                 .length = part->length,
                                 .payload = part->payload};
    const char *tag;

    coras_buf_printf(&query, "partNumber=%" PRId64 "&", part->number);
    put_upload(&query, part->upload);
    CORAS_TRY(coras_buf_done(&query, err));
    call.query = query.ptr;
    CORAS_TRY(serve_s3_send(s, &call, &r, err));
    tag = coras_response_header(r, "ETag");
    if (!tag || !*tag || strlen(tag) > SERVE_S3_TAG_MAX || strpbrk(tag, "<>&"))
        return coras_fail(err, CORAS_ERR_PROTOCOL, "store %s: gave no tag for a part", s->endpoint);
    *ret_tag = coras_strdup(tag);
    return *ret_tag ? 0 : coras_fail_no_memory(err);
}

static int put_list(coras_buf *ret, const coras_strlist *tags, coras_error **err)
{
    coras_buf_puts(ret, "<CompleteMultipartUpload>");
    for (size_t i = 0; i < tags->len; i++)
        coras_buf_printf(ret, "<Part><PartNumber>%zu</PartNumber><ETag>%s</ETag></Part>", i + 1,
                         tags->items[i]);
    coras_buf_puts(ret, "</CompleteMultipartUpload>");
    return coras_buf_done(ret, err);
}

/* Joined once already: the answer to it was lost. */
static bool is_joined(serve_s3 *s, const char *key, int64_t size)
{
    int64_t found = -1;

    return serve_s3_size(s, key, &found, NULL) == 0 && found == size;
}

static int join_once(serve_s3 *s, const struct serve_s3_call *call, coras_error **err)
{
    coras_auto(coras_response) r = NULL;

    CORAS_TRY(serve_s3_send(s, call, &r, err));
    return serve_s3_check_body(s, call, r,
                               err); /* after a "200" that was sent to keep us waiting */
}

static int join(serve_s3 *s, const struct serve_s3_call *call, coras_error **err)
{
    coras_retry tries = {.what = CORAS_RETRY_SETTLING};

    for (;;) {
        coras_auto(coras_error) failure = NULL;
        int rc = join_once(s, call, &failure);
        struct coras_retry_case c = {.error_retryable = rc == CORAS_ERR_TIMEOUT,
                                     .error_code = rc,
                                     .asked_s = -1,
                                     .random = coras_random_below(UINT32_MAX)};
        struct coras_retry_verdict verdict = {0};
        if (rc < 0)
            verdict = coras_retry_decide(&tries, &c);
        if (!verdict.again) {
            coras_error_propagate(err, &failure);
            return rc;
        }
        CORAS_TRY(coras_cancel_sleep_ms(s->cancel, verdict.wait_ms, err));
    }
}

int serve_s3_finish_parts(serve_s3 *s, const char *key, const char *upload,
                          const coras_strlist *tags, int64_t size, coras_error **err)
{
    coras_auto_buf query = CORAS_BUF_UNLIMITED, list = CORAS_BUF_UNLIMITED;
    coras_auto(coras_error) failure = NULL;
    coras_memory memory;
    coras_source source;
    coras_digest digest;
    char payload[CORAS_DIGEST_TEXT_MAX];
    struct serve_s3_call call = {.method = "POST", .key = key, .body = &source, .payload = payload};
    int rc;

    put_upload(&query, upload);
    CORAS_TRY(coras_buf_done(&query, err));
    CORAS_TRY(put_list(&list, tags, err));
    CORAS_TRY(coras_digest_of(CORAS_SHA256, list.ptr, list.len, &digest, err));
    coras_digest_hex(&digest, payload);
    memory = (coras_memory){list.ptr, list.len};
    source = coras_source_memory(&memory);
    call.query = query.ptr;
    call.length = (int64_t)list.len;
    rc = join(s, &call, &failure);
    if (rc == 0 || is_joined(s, key, size))
        return 0;
    coras_error_propagate(err, &failure);
    return rc;
}

int serve_s3_abort_parts(serve_s3 *s, const char *key, const char *upload, coras_error **err)
{
    coras_auto_buf query = CORAS_BUF_UNLIMITED;
    coras_auto(coras_response) r = NULL;
    coras_auto(coras_error) failure = NULL;
    struct serve_s3_call call = {.method = "DELETE", .key = key};
    int rc;

    put_upload(&query, upload);
    CORAS_TRY(coras_buf_done(&query, err));
    call.query = query.ptr;
    rc = serve_s3_send(s, &call, &r, &failure);
    if (rc == CORAS_ERR_NOT_FOUND)
        return 0;
    coras_error_propagate(err, &failure);
    return rc;
}
