/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading a safetensors header: eight bytes of length, then a JSON object whose tensors must cover
 * the rest of the file exactly. The object is taken token by token; what stays of a tensor are the
 * hash of its name and its two offsets.
 */
#include "model/header_impl.h"

#include "base/alloc.h"
#include "base/error.h"
#include "base/limits.h"
#include "base/vec.h"
#include "codec/json_tokens.h"
#include "model/dtypes.h"
#include "model/name_set.h"
#include "model/spans.h"

enum {
    LENGTH_BYTES = 8,
    MAX_DEPTH = 4,
    SHOWN_DTYPE = 32,             /* real ones have 12 letters at most */
    OFTEN_REFUSED_FROM = 25000000 /* the hub's client takes no longer header */
};

/* Where in the object the next token stands. */
enum place {
    AT_TOP,
    IN_TOP,
    AT_METADATA,
    IN_METADATA,
    AT_METADATA_TEXT,
    AT_TENSOR,
    IN_TENSOR,
    AT_DTYPE,
    AT_SHAPE,
    IN_SHAPE,
    AT_OFFSETS,
    IN_OFFSETS,
    AT_UNKNOWN, /* the value of a member that we do not know, or inside of it */
    AT_END,
};

enum tensor_member { HAS_DTYPE = 1, HAS_SHAPE = 2, HAS_OFFSETS = 4, HAS_ALL = 7 };

struct coras_safetensors {
    struct coras_header_facts *header;
    unsigned char length_bytes[LENGTH_BYTES];
    size_t length_seen;
    int64_t length, seen; /* of the JSON text */
    coras_json_tokens *tokens;
    enum place place;
    bool has_metadata;
    coras_name_set names, keys; /* of tensors; of metadata */
    coras_buf name;             /* of the tensor or the metadata that is being read */
    coras_buf shown;            /* the same for a message */
    /* The tensor that is being read: */
    unsigned has; /* of enum tensor_member */
    coras_buf dtype;
    unsigned bits; /* of an element; 0: a type that is not known */
    size_t rank, offset_count;
    int64_t shape[CORAS_LIMIT_TENSOR_RANK], offsets[2];
    coras_spans spans; /* of all tensors */
};

static int64_t here(const struct coras_safetensors *s)
{
    return s->tokens ? coras_json_tokens_offset(s->tokens) : 0;
}

static int64_t data_size(const struct coras_safetensors *s)
{
    return s->header->file_size - LENGTH_BYTES - s->length;
}

static const char *shown_name(struct coras_safetensors *s)
{
    return coras_header_show(&s->shown, (coras_str){s->name.ptr, s->name.len});
}

static int refuse(struct coras_safetensors *s, const char *what, coras_error **err)
{
    return coras_header_refuse(here(s), err, "%s", what);
}

static int refuse_tensor(struct coras_safetensors *s, const char *what, coras_error **err)
{
    return coras_header_refuse(here(s), err, "tensor \"%s\": %s", shown_name(s), what);
}

/* Remember a name of a tensor or of metadata, which must be new. */
static int take_name(struct coras_safetensors *s, const struct coras_json_token *token,
                     coras_name_set *set, coras_error **err)
{
    int rc;

    if (token->cut || token->text.len > CORAS_LIMIT_TENSOR_NAME)
        return coras_fail(err, CORAS_ERR_TOO_LARGE, "byte %lld: a name of more than %d bytes",
                          (long long)here(s), CORAS_LIMIT_TENSOR_NAME);
    if (set->len == CORAS_LIMIT_TENSORS)
        return coras_fail(err, CORAS_ERR_TOO_LARGE, "byte %lld: more than %d names",
                          (long long)here(s), CORAS_LIMIT_TENSORS);
    coras_buf_reset(&s->name);
    coras_buf_put(&s->name, token->text.ptr, token->text.len);
    CORAS_TRY(coras_buf_done(&s->name, err));
    rc = coras_name_set_add(set, token->text, err);
    if (rc > 0)
        return coras_header_refuse(here(s), err, "the name \"%s\" is there twice", shown_name(s));
    return rc;
}

static int take_top_key(struct coras_safetensors *s, const struct coras_json_token *token,
                        coras_error **err)
{
    if (!coras_str_eq(token->text, "__metadata__")) {
        s->place = AT_TENSOR;
        if (memchr(token->text.ptr, '\0', token->text.len))
            return refuse(s, "a tensor's name holds a NUL", err);
        return take_name(s, token, &s->names, err);
    }
    if (s->has_metadata)
        return refuse(s, "the name \"__metadata__\" is there twice", err);
    s->has_metadata = true;
    s->place = AT_METADATA;
    return 0;
}

static int take_in_top(struct coras_safetensors *s, const struct coras_json_token *token,
                       coras_error **err)
{
    if (token->kind == CORAS_JSON_TOKEN_KEY)
        return take_top_key(s, token, err);
    s->place = AT_END;
    return 0;
}

/* The value of __metadata__. The reference reader takes null for none. */
static int take_metadata(struct coras_safetensors *s, const struct coras_json_token *token,
                         coras_error **err)
{
    s->place = IN_METADATA;
    if (token->kind == CORAS_JSON_TOKEN_OPEN_OBJECT)
        return 0;
    if (token->kind != CORAS_JSON_TOKEN_WORD || !coras_str_eq(token->text, "null"))
        return refuse(s, "__metadata__ is no object", err);
    s->place = IN_TOP;
    return coras_header_odd(s->header, CORAS_ODD_METADATA, err, "__metadata__ is null");
}

static int take_in_metadata(struct coras_safetensors *s, const struct coras_json_token *token,
                            coras_error **err)
{
    s->place = token->kind == CORAS_JSON_TOKEN_KEY ? AT_METADATA_TEXT : IN_TOP;
    return s->place == IN_TOP ? 0 : take_name(s, token, &s->keys, err);
}

static int take_metadata_text(struct coras_safetensors *s, const struct coras_json_token *token,
                              coras_error **err)
{
    coras_str key = {s->name.ptr, s->name.len};

    if (token->kind != CORAS_JSON_TOKEN_STRING)
        return coras_header_refuse(here(s), err, "metadata \"%s\" is no text", shown_name(s));
    s->place = IN_METADATA;
    return s->header->visitor.text
               ? s->header->visitor.text(s->header->visitor.user, key, token->text, err)
               : 0;
}

static int take_tensor(struct coras_safetensors *s, const struct coras_json_token *token,
                       coras_error **err)
{
    if (token->kind != CORAS_JSON_TOKEN_OPEN_OBJECT)
        return refuse_tensor(s, "is no object", err);
    s->place = IN_TENSOR;
    s->has = 0;
    return 0;
}

/* How many bytes the tensor has by its type and shape; by its offsets where the type is unknown. */
static int count_bytes(struct coras_safetensors *s, int64_t elements, coras_error **err)
{
    int64_t bytes = s->offsets[1] - s->offsets[0], bits;

    if (!s->bits)
        return coras_header_odd(s->header, CORAS_ODD_DTYPE, err,
                                "tensor \"%s\" has the type \"%s\", which is not known",
                                shown_name(s), s->dtype.ptr);
    if (__builtin_mul_overflow(elements, (int64_t)s->bits, &bits))
        return refuse_tensor(s, "more bits than can be counted", err);
    if (bits % 8 != 0)
        return refuse_tensor(s, "does not end at a whole byte", err);
    if (bits / 8 != bytes)
        return coras_header_refuse(here(s), err,
                                   "tensor \"%s\": %lld bytes by its shape, %lld by "
                                   "its offsets",
                                   shown_name(s), (long long)(bits / 8), (long long)bytes);
    return 0;
}

static int visit_tensor(struct coras_safetensors *s, int64_t elements, coras_error **err)
{
    const coras_header_visitor *visitor = &s->header->visitor;
    coras_tensor_record record = {
        .name = {s->name.ptr, s->name.len},
        .dtype = s->dtype.ptr,
        .rank = s->rank,
        .shape = s->shape,
        .elements = elements,
        .offset = LENGTH_BYTES + s->length + s->offsets[0],
        .bytes = s->offsets[1] - s->offsets[0],
    };

    return visitor->tensor ? visitor->tensor(visitor->user, &record, err) : 0;
}

static int end_tensor(struct coras_safetensors *s, coras_error **err)
{
    int64_t elements;

    if (s->has != HAS_ALL)
        return refuse_tensor(s, "lacks its dtype, shape or data_offsets", err);
    if (s->offsets[1] < s->offsets[0])
        return refuse_tensor(s, "ends before it begins", err);
    if (s->offsets[1] > data_size(s))
        return refuse_tensor(s, "ends beyond the file", err);
    if (!coras_header_elements(s->shape, s->rank, &elements))
        return refuse_tensor(s, "more elements than can be counted", err);
    CORAS_TRY(count_bytes(s, elements, err));
    CORAS_TRY(coras_spans_add(&s->spans, s->offsets[0], s->offsets[1], err));
    s->place = IN_TOP;
    return visit_tensor(s, elements, err);
}

static int take_member(struct coras_safetensors *s, enum tensor_member member, enum place place,
                       coras_error **err)
{
    if (s->has & member)
        return refuse_tensor(s, "has a member twice", err);
    s->has |= member;
    s->place = place;
    return 0;
}

static int take_in_tensor(struct coras_safetensors *s, const struct coras_json_token *token,
                          coras_error **err)
{
    if (token->kind == CORAS_JSON_TOKEN_CLOSE)
        return end_tensor(s, err);
    if (coras_str_eq(token->text, "dtype"))
        return take_member(s, HAS_DTYPE, AT_DTYPE, err);
    if (coras_str_eq(token->text, "shape"))
        return take_member(s, HAS_SHAPE, AT_SHAPE, err);
    if (coras_str_eq(token->text, "data_offsets"))
        return take_member(s, HAS_OFFSETS, AT_OFFSETS, err);
    s->place = AT_UNKNOWN;
    return 0;
}

static int take_dtype(struct coras_safetensors *s, const struct coras_json_token *token,
                      coras_error **err)
{
    if (token->kind != CORAS_JSON_TOKEN_STRING)
        return refuse_tensor(s, "dtype is no text", err);
    coras_buf_reset(&s->dtype);
    coras_escape(&s->dtype, token->text.ptr, token->text.len, SHOWN_DTYPE);
    s->bits = coras_safetensors_bits(token->text);
    s->place = IN_TENSOR;
    return coras_buf_done(&s->dtype, err);
}

/* The bracket before the numbers of a shape or of offsets. */
static int take_list(struct coras_safetensors *s, const struct coras_json_token *token,
                     enum place place, coras_error **err)
{
    if (token->kind != CORAS_JSON_TOKEN_OPEN_ARRAY)
        return refuse_tensor(s, "shape and data_offsets must be lists", err);
    if (place == IN_SHAPE)
        s->rank = 0;
    else
        s->offset_count = 0;
    s->place = place;
    return 0;
}

static int take_number(struct coras_safetensors *s, const struct coras_json_token *token,
                       int64_t *ret, coras_error **err)
{
    if (token->kind != CORAS_JSON_TOKEN_NUMBER || token->cut ||
        !coras_parse_int64(token->text, ret))
        return refuse_tensor(s, "shape and data_offsets must be whole numbers from 0", err);
    return 0;
}

static int take_in_shape(struct coras_safetensors *s, const struct coras_json_token *token,
                         coras_error **err)
{
    if (token->kind == CORAS_JSON_TOKEN_CLOSE) {
        s->place = IN_TENSOR;
        return 0;
    }
    if (s->rank == CORAS_LIMIT_TENSOR_RANK)
        return coras_fail(err, CORAS_ERR_TOO_LARGE,
                          "byte %lld: tensor \"%s\": more than %d dimensions", (long long)here(s),
                          shown_name(s), CORAS_LIMIT_TENSOR_RANK);
    CORAS_TRY(take_number(s, token, &s->shape[s->rank], err));
    s->rank++;
    return 0;
}

static int take_in_offsets(struct coras_safetensors *s, const struct coras_json_token *token,
                           coras_error **err)
{
    bool is_end = token->kind == CORAS_JSON_TOKEN_CLOSE;

    if (is_end != (s->offset_count == CORAS_ARRAY_LEN(s->offsets)))
        return refuse_tensor(s, "data_offsets must be two numbers", err);
    if (is_end) {
        s->place = IN_TENSOR;
        return 0;
    }
    CORAS_TRY(take_number(s, token, &s->offsets[s->offset_count], err));
    s->offset_count++;
    return 0;
}

/* The value of an unknown member ends at the depth where it began: that of the tensor's object. */
static int take_unknown(struct coras_safetensors *s, const struct coras_json_token *token)
{
    bool is_open =
        token->kind == CORAS_JSON_TOKEN_OPEN_OBJECT || token->kind == CORAS_JSON_TOKEN_OPEN_ARRAY;
    unsigned around = token->depth - (token->kind == CORAS_JSON_TOKEN_CLOSE);

    if (!is_open && around == 2)
        s->place = IN_TENSOR;
    return 0;
}

static int take_token(void *user, const struct coras_json_token *token, coras_error **err)
{
    struct coras_safetensors *s = user;

    switch (s->place) {
    case AT_TOP:
        s->place = IN_TOP;
        return token->kind == CORAS_JSON_TOKEN_OPEN_OBJECT ? 0 : refuse(s, "no JSON object", err);
    case IN_TOP:
        return take_in_top(s, token, err);
    case AT_METADATA:
        return take_metadata(s, token, err);
    case IN_METADATA:
        return take_in_metadata(s, token, err);
    case AT_METADATA_TEXT:
        return take_metadata_text(s, token, err);
    case AT_TENSOR:
        return take_tensor(s, token, err);
    case IN_TENSOR:
        return take_in_tensor(s, token, err);
    case AT_DTYPE:
        return take_dtype(s, token, err);
    case AT_SHAPE:
        return take_list(s, token, IN_SHAPE, err);
    case IN_SHAPE:
        return take_in_shape(s, token, err);
    case AT_OFFSETS:
        return take_list(s, token, IN_OFFSETS, err);
    case IN_OFFSETS:
        return take_in_offsets(s, token, err);
    case AT_UNKNOWN:
        return take_unknown(s, token);
    case AT_END:
    default:
        return refuse(s, "something follows the header's object", err);
    }
}

/* The tensors must cover the data exactly: no hole, no overlap, nothing behind the last. */
static int check_cover(struct coras_safetensors *s, coras_error **err)
{
    int64_t data = LENGTH_BYTES + s->length, reached = 0;

    coras_spans_sort(&s->spans);
    coras_vec_foreach (span, &s->spans) {
        if (span->begin > reached)
            return coras_header_refuse(data + reached, err, "bytes that belong to no tensor: %lld",
                                       (long long)(span->begin - reached));
        if (span->begin < reached)
            return coras_header_refuse(data + span->begin, err, "two tensors share these bytes");
        reached = span->end;
    }
    if (reached < data_size(s))
        return coras_header_refuse(data + reached, err, "bytes behind the last tensor: %lld",
                                   (long long)(data_size(s) - reached));
    return 0;
}

static int start(struct coras_safetensors *s, coras_error **err)
{
    struct coras_json_tokens_options options = {
        .max_depth = MAX_DEPTH,
        .max_text = CORAS_LIMIT_METADATA_TEXT,
        .offset = LENGTH_BYTES,
        .code = CORAS_ERR_INVALID_MODEL,
        .token = take_token,
        .user = s,
    };
    uint64_t length = 0;

    for (size_t i = LENGTH_BYTES; i-- > 0;)
        length = length << 8 | s->length_bytes[i];
    if (length > CORAS_LIMIT_SAFETENSORS_HEADER)
        return coras_header_refuse(0, err, "a header of %llu bytes, where %d are allowed",
                                   (unsigned long long)length, CORAS_LIMIT_SAFETENSORS_HEADER);
    if ((int64_t)length > s->header->file_size - LENGTH_BYTES)
        return coras_header_refuse(0, err, "a header of %llu bytes in a file of %lld",
                                   (unsigned long long)length, (long long)s->header->file_size);
    if (length > OFTEN_REFUSED_FROM)
        coras_header_warn(s->header, CORAS_ODD_LENGTH,
                          "the header has %llu bytes, and some readers refuse more than %d",
                          (unsigned long long)length, OFTEN_REFUSED_FROM);
    s->length = (int64_t)length;
    return coras_json_tokens_new(&options, &s->tokens, err);
}

static int take_text(struct coras_safetensors *s, const char *data, size_t len, coras_error **err)
{
    bool is_blank = s->seen == 0 && len > 0 && *data != '\0' && strchr(" \t\r\n", *data);

    if (is_blank)
        CORAS_TRY(coras_header_odd(s->header, CORAS_ODD_FIRST_BYTE, err,
                                   "byte %d: the header begins with white space", LENGTH_BYTES));
    CORAS_TRY(coras_json_tokens_feed(s->tokens, data, len, err));
    s->seen += (int64_t)len;
    if (s->seen < s->length)
        return 0;
    CORAS_TRY(coras_json_tokens_finish(s->tokens, err));
    CORAS_TRY(check_cover(s, err));
    return 1;
}

int coras_safetensors_feed(struct coras_safetensors *s, const char *data, size_t len,
                           coras_error **err)
{
    size_t n = LENGTH_BYTES - s->length_seen < len ? LENGTH_BYTES - s->length_seen : len;

    if (n > 0)
        memcpy(s->length_bytes + s->length_seen, data, n);
    s->length_seen += n;
    if (s->length_seen < LENGTH_BYTES)
        return 0;
    if (!s->tokens)
        CORAS_TRY(start(s, err));
    if ((uint64_t)(len - n) > (uint64_t)(s->length - s->seen))
        len = n + (size_t)(s->length - s->seen);
    return take_text(s, data + n, len - n, err);
}

int64_t coras_safetensors_size(const struct coras_safetensors *s)
{
    return LENGTH_BYTES + s->length;
}

int coras_safetensors_new(struct coras_header_facts *h, struct coras_safetensors **ret,
                          coras_error **err)
{
    struct coras_safetensors *s = coras_new(struct coras_safetensors);

    if (!s)
        return coras_fail_no_memory(err);
    s->header = h;
    s->name = (coras_buf)CORAS_BUF_INIT(CORAS_LIMIT_TENSOR_NAME);
    s->shown = s->dtype = (coras_buf)CORAS_BUF_UNLIMITED;
    *ret = s;
    return 0;
}

void coras_safetensors_free(struct coras_safetensors *s)
{
    if (!s)
        return;
    coras_json_tokens_free(s->tokens);
    coras_name_set_clear(&s->names);
    coras_name_set_clear(&s->keys);
    coras_buf_clear(&s->name);
    coras_buf_clear(&s->shown);
    coras_buf_clear(&s->dtype);
    coras_spans_clear(&s->spans);
    free(s);
}
