/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Slices of JSON text: the raw members of an object, the raw elements of an array (declared in
 * json.h).
 */
#include "codec/json.h"

#include <assert.h>
#include "base/alloc.h"
#include "base/error.h"
#include "codec/json_scan.h"
#include "codec/json_string.h"

/* The content of a string literal that was checked before; NUL cannot be represented. */
static int decode_key(coras_str literal, coras_buf *out, coras_error **err)
{
    unsigned flaws = 0;
    size_t room;

    coras_buf_reset(out);
    if (!coras_mul_size(literal.len, CORAS_JSON_BYTE_GROWTH, &room) ||
        !coras_buf_reserve(out, room))
        return coras_buf_done(out, err);
    out->len = coras_json_decode(literal, out->ptr, &flaws);
    if (flaws & CORAS_JSON_HAS_NUL)
        return coras_fail(err, CORAS_ERR_INVALID_JSON, "NUL character in an object key");
    return 0;
}

static bool is_container(const char *text, size_t len, char open)
{
    return coras_str_trim((coras_str){text, len}).ptr[0] == open;
}

struct slicer {
    const char *text;
    size_t key_at, value_at;
    coras_str key; /* literal with quotes */
    size_t count;
    coras_buf decoded;
    coras_error **err;
    bool (*visit_member)(const char *key, coras_str value, void *user);
    bool (*visit_element)(size_t i, coras_str value, void *user);
    void *user;
};

/* 1 when the visitor has seen enough. */
static int give(struct slicer *sl, size_t end)
{
    coras_str value = coras_str_trim((coras_str){sl->text + sl->value_at, end - sl->value_at});

    if (sl->visit_element)
        return sl->visit_element(sl->count++, value, sl->user) ? 0 : 1;
    CORAS_TRY(decode_key(sl->key, &sl->decoded, sl->err));
    return sl->visit_member(sl->decoded.ptr, value, sl->user) ? 0 : 1;
}

static int slice(struct slicer *sl, size_t len)
{
    struct coras_json_scanner s;
    bool has_item = false;

    coras_json_scan_init(&s, NULL);
    for (size_t i = 0; i < len; i++) {
        enum coras_json_event ev = coras_json_scan_step(&s, sl->text[i]);
        assert(ev != CORAS_JSON_EV_ERROR); /* the text was checked */
        bool here = s.depth == 1 && ev != CORAS_JSON_EV_SPACE;
        if (here && ev == CORAS_JSON_EV_OPEN) { /* the container itself */
            sl->key_at = sl->value_at = i + 1;
        } else if (here && ev == CORAS_JSON_EV_COLON) {
            sl->key = coras_str_trim((coras_str){sl->text + sl->key_at, i - sl->key_at});
            sl->value_at = i + 1;
        } else if ((here && ev == CORAS_JSON_EV_COMMA) ||
                   (ev == CORAS_JSON_EV_CLOSE && s.depth == 0 && has_item)) {
            int rc = give(sl, i);
            if (rc)
                return rc < 0 ? rc : 0;
            sl->key_at = sl->value_at = i + 1;
        } else if (ev == CORAS_JSON_EV_START || ev == CORAS_JSON_EV_OPEN) {
            has_item = true;
        }
    }
    return 0;
}

static int slice_checked(struct slicer *sl, size_t len, char open, coras_error **err)
{
    int rc;

    CORAS_TRY(coras_json_scan_check(sl->text, len, err));
    if (!is_container(sl->text, len, open))
        return coras_fail(err, CORAS_ERR_INVALID_JSON, "not a JSON %s",
                          open == '{' ? "object" : "array");
    sl->decoded = (coras_buf)CORAS_BUF_UNLIMITED;
    sl->err = err;
    rc = slice(sl, len);
    coras_buf_clear(&sl->decoded);
    return rc;
}

int coras_json_raw_members(const char *text, size_t len,
                           bool (*visit)(const char *key, coras_str value, void *user), void *user,
                           coras_error **err)
{
    struct slicer sl = {.text = text, .visit_member = visit, .user = user};

    return slice_checked(&sl, len, '{', err);
}

int coras_json_raw_elements(const char *text, size_t len,
                            bool (*visit)(size_t i, coras_str value, void *user), void *user,
                            coras_error **err)
{
    struct slicer sl = {.text = text, .visit_element = visit, .user = user};

    return slice_checked(&sl, len, '[', err);
}
