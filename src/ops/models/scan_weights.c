/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Safetensors and GGUF in a scan: their headers are checked, since a file that is all numbers must
 * say so without contradiction; a GGUF header may hold chat templates.
 */
#include "base/error.h"
#include "model/header.h"
#include "ops/models/scan_impl.h"

struct scan_weights {
    coras_scan *scan;
    const coras_scan_part *part;
    coras_header_reader *reader;
    bool done;
};

static int take_text(void *user, coras_str key, coras_str value, coras_error **err)
{
    static const char prefix[] = "tokenizer.chat_template";
    const struct scan_weights *w = user;

    if (key.len < sizeof(prefix) - 1 || memcmp(key.ptr, prefix, sizeof(prefix) - 1) != 0)
        return 0;
    return coras_scan_template(w->scan, w->part, 0, "chat template", value, err);
}

static int feed_header(void *user, const void *data, size_t len, coras_error **err)
{
    struct scan_weights *w = user;
    int rc = coras_header_feed(w->reader, data, len, err);

    w->done = rc > 0;
    return rc > 0 ? CORAS_SINK_STOP : rc;
}

static int read_header(struct scan_weights *w, const coras_buf *head, coras_error **err)
{
    const coras_sink sink = {feed_header, w};
    coras_auto_buf none = CORAS_BUF_UNLIMITED;

    CORAS_TRY(feed_header(w, head->ptr, head->len, err));
    if (!w->done && (int64_t)head->len < w->part->plain_size)
        CORAS_TRY(coras_scan_stream(w->scan, w->part, &none, (int64_t)head->len, -1, &sink, err));
    if (!w->done)
        return coras_fail(err, CORAS_ERR_INVALID_MODEL, "the header does not end");
    return 0;
}

static int scan_weights(coras_scan *s, const coras_scan_part *part, const coras_buf *head,
                        enum coras_weight_format format, coras_error **err)
{
    struct scan_weights w = {.scan = s, .part = part};
    const coras_header_visitor visitor = {.text = take_text, .user = &w};
    coras_auto(coras_error) failure = NULL;

    CORAS_TRY(coras_header_reader_new(format, part->plain_size, false, &visitor, &w.reader, err));
    int rc = read_header(&w, head, &failure);
    coras_header_reader_free(w.reader);
    if (rc == CORAS_ERR_INVALID_MODEL)
        CORAS_TRY(coras_scan_find(s, part, 0, "name", CORAS_SEVERITY_MEDIUM, err,
                                  "not the numbers that it claims to be: %s",
                                  coras_error_message(failure)));
    if (rc < 0)
        return coras_scan_forgive(s, part, rc, &failure, err);
    return coras_scan_looked(s, part, err);
}

int coras_scan_safetensors(coras_scan *s, const coras_scan_part *part, const coras_buf *head,
                           coras_error **err)
{
    return scan_weights(s, part, head, CORAS_WEIGHT_SAFETENSORS, err);
}

int coras_scan_gguf(coras_scan *s, const coras_scan_part *part, const coras_buf *head,
                    coras_error **err)
{
    return scan_weights(s, part, head, CORAS_WEIGHT_GGUF, err);
}
