/* SPDX-License-Identifier: Apache-2.0 */
/* Errors of stores, by their codes. Spec: Amazon S3 API Reference, Error responses. */
#include "serve/storage/s3/words.h"

#include "base/alloc.h"
#include "base/limits.h"
#include "base/str.h"
#include "serve/storage/s3/xml.h"

static const struct {
    const char *code;
    const char *advice;
} advices[] = {
    {"RequestTimeTooSkewed",
     "the clock of this machine and that of the store differ by too much: set them right"},
    {"SignatureDoesNotMatch", "the secret key is not the one that belongs to the key's name"},
    {"InvalidAccessKeyId", "the store does not know AWS_ACCESS_KEY_ID"},
    {"ExpiredToken",
     "the credentials have run out: they are read again when they are written anew"},
    {"NoSuchBucket", "the bucket of --blobs has to be made first"},
};

/* Of a request that may do better later. */
static const char *const passing[] = {"InternalError", "SlowDown", "ServiceUnavailable",
                                      "RequestTimeout", NULL};
/* Of one for a bucket that is elsewhere. */
static const char *const elsewhere[] = {"PermanentRedirect", "TemporaryRedirect",
                                        "AuthorizationHeaderMalformed",
                                        "IllegalLocationConstraintException", NULL};

static bool is_one_of(const char *const *codes, const char *code)
{
    while (*codes && !coras_streq(code, *codes))
        codes++;
    return *codes != NULL;
}

bool serve_s3_code_passes(const char *code)
{
    return code && is_one_of(passing, code);
}

/* A header, since an answer to HEAD has no body. */
static void put_region(coras_buf *out, const coras_response *r)
{
    coras_auto_free char *told = serve_xml_text(coras_response_body(r), "Region");
    const char *header = coras_response_header(r, "x-amz-bucket-region");
    const char *region = header ? header : told;

    if (!region) {
        coras_buf_puts(out, " (the bucket is in another region: say which with --s3-region)");
        return;
    }
    coras_buf_puts(out, " (the bucket is in another region: --s3-region ");
    coras_escape(out, region, strlen(region), CORAS_LIMIT_S3_WORDS);
    coras_buf_putc(out, ')');
}

static void put_advice(coras_buf *out, const coras_response *r, const char *code)
{
    for (size_t i = 0; i < CORAS_ARRAY_LEN(advices); i++) {
        if (coras_streq(code, advices[i].code))
            coras_buf_printf(out, " (%s)", advices[i].advice);
    }
    if (is_one_of(elsewhere, code))
        put_region(out, r);
}

char *serve_s3_words(const coras_response *r)
{
    coras_auto_buf text = CORAS_BUF_UNLIMITED;
    coras_auto_free char *code = serve_xml_text(coras_response_body(r), "Code");
    coras_auto_free char *message = serve_xml_text(coras_response_body(r), "Message");
    char *words = NULL;

    if (code) {
        coras_buf_puts(&text, ": ");
        coras_escape(&text, code, strlen(code), CORAS_LIMIT_S3_WORDS);
    }
    if (message) {
        coras_buf_puts(&text, ": ");
        coras_escape(&text, message, strlen(message), CORAS_LIMIT_S3_WORDS);
    }
    if (code)
        put_advice(&text, r, code);
    else if (coras_response_status(r) == 301)
        put_region(&text, r);
    return coras_buf_take(&text, &words, NULL) == 0 ? words : NULL;
}
