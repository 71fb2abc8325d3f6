/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading model.safetensors.index.json (shards.h): `{"metadata": {...}, "weight_map": {tensor:
 * file}}` token by token. It has megabytes where a model has tens of thousands of tensors; kept of
 * a tensor is the hash of its name.
 */
#include "model/shards.h"

#include "base/alloc.h"
#include "base/error.h"
#include "base/limits.h"
#include "base/map.h"
#include "codec/json_tokens.h"
#include "model/name_set.h"

enum { MAX_DEPTH = 32, FILE_NAME_MAX = 255 };

enum index_place {
    AT_TOP,
    IN_TOP,
    AT_MAP,
    IN_MAP,
    AT_FILE,
    AT_METADATA,
    IN_METADATA,
    AT_TOTAL,
    AT_UNKNOWN, /* a value that we do not know, or inside of it */
    AT_END,
};

struct coras_shard_index_reader {
    coras_shard_tensor_fn tensor_fn;
    void *user;
    coras_json_tokens *tokens;
    enum index_place place, after; /* of an unknown value */
    unsigned unknown_depth;        /* around it */
    bool has_map;
    coras_buf tensor;
    coras_name_set names;
    coras_map *files; /* name to its place in index.files, counted from 1 */
    coras_shard_index index;
};

static int refuse(const coras_shard_index_reader *r, const char *what, coras_error **err)
{
    return coras_fail(err, CORAS_ERR_INVALID_MODEL, "byte %lld: %s",
                      (long long)coras_json_tokens_offset(r->tokens), what);
}

static void skip_value(coras_shard_index_reader *r, enum index_place after)
{
    r->unknown_depth = after == IN_TOP ? 1 : 2;
    r->after = after;
    r->place = AT_UNKNOWN;
}

static void take_unknown(coras_shard_index_reader *r, const struct coras_json_token *token)
{
    bool is_open =
        token->kind == CORAS_JSON_TOKEN_OPEN_OBJECT || token->kind == CORAS_JSON_TOKEN_OPEN_ARRAY;
    unsigned around = token->depth - (token->kind == CORAS_JSON_TOKEN_CLOSE);

    if (!is_open && around == r->unknown_depth)
        r->place = r->after;
}

static int take_in_top(coras_shard_index_reader *r, const struct coras_json_token *token,
                       coras_error **err)
{
    if (token->kind == CORAS_JSON_TOKEN_CLOSE) {
        r->place = AT_END;
        return r->has_map ? 0 : refuse(r, "no weight_map", err);
    }
    if (coras_str_eq(token->text, "weight_map")) {
        if (r->has_map)
            return refuse(r, "weight_map is there twice", err);
        r->has_map = true;
        r->place = AT_MAP;
    } else if (coras_str_eq(token->text, "metadata")) {
        r->place = AT_METADATA;
    } else {
        skip_value(r, IN_TOP);
    }
    return 0;
}

static int take_tensor(coras_shard_index_reader *r, const struct coras_json_token *token,
                       coras_error **err)
{
    int rc;

    if (token->kind == CORAS_JSON_TOKEN_CLOSE) {
        r->place = IN_TOP;
        return 0;
    }
    if (token->cut || token->text.len > CORAS_LIMIT_TENSOR_NAME ||
        r->names.len == CORAS_LIMIT_TENSORS)
        return coras_fail(err, CORAS_ERR_TOO_LARGE,
                          "byte %lld: more names, or a longer one, than "
                          "are read",
                          (long long)coras_json_tokens_offset(r->tokens));
    rc = coras_name_set_add(&r->names, token->text, err);
    if (rc > 0)
        return refuse(r, "a tensor is there twice", err);
    CORAS_TRY(rc);
    coras_buf_reset(&r->tensor);
    coras_buf_put(&r->tensor, token->text.ptr, token->text.len);
    r->place = AT_FILE;
    return coras_buf_done(&r->tensor, err);
}

/* A name of a file in the same directory, and nothing else. */
static bool is_file_name(coras_str name)
{
    if (name.len == 0 || name.len > FILE_NAME_MAX || name.ptr[0] == '.')
        return false;
    for (size_t i = 0; i < name.len; i++) {
        unsigned char c = (unsigned char)name.ptr[i];
        if (c < 0x20 || c == 0x7f || c == '/' || c == '\\')
            return false;
    }
    return true;
}

static int check_file_name(const coras_shard_index_reader *r, const struct coras_json_token *token,
                           coras_error **err)
{
    coras_auto_buf shown = CORAS_BUF_UNLIMITED;

    if (!token->cut && is_file_name(token->text))
        return 0;
    coras_escape(&shown, token->text.ptr, token->text.len, FILE_NAME_MAX);
    return coras_fail(err, CORAS_ERR_UNSAFE_PATH, "byte %lld: \"%s\" is no name of a file",
                      (long long)coras_json_tokens_offset(r->tokens), shown.ptr);
}

/* Find the file's place, or give it one. The text of a token ends with a NUL. */
static int place_of(coras_shard_index_reader *r, const char *name, size_t *ret, coras_error **err)
{
    uintptr_t place = (uintptr_t)coras_map_get(r->files, name);

    if (place == 0) {
        if (r->index.files.len == CORAS_LIMIT_SHARDS)
            return coras_fail(err, CORAS_ERR_TOO_LARGE, "more than %d files", CORAS_LIMIT_SHARDS);
        CORAS_TRY(coras_strlist_add(&r->index.files, name, err));
        place = r->index.files.len;
        CORAS_TRY(coras_map_set(r->files, name, (void *)place, err));
    }
    *ret = place - 1;
    return 0;
}

static int take_file(coras_shard_index_reader *r, const struct coras_json_token *token,
                     coras_error **err)
{
    coras_str tensor = {r->tensor.ptr, r->tensor.len};
    size_t place;

    if (token->kind != CORAS_JSON_TOKEN_STRING)
        return refuse(r, "a file's name is no text", err);
    CORAS_TRY(check_file_name(r, token, err));
    CORAS_TRY(place_of(r, token->text.ptr, &place, err));
    r->index.tensors++;
    r->place = IN_MAP;
    return r->tensor_fn ? r->tensor_fn(r->user, tensor, place, err) : 0;
}

static int take_in_metadata(coras_shard_index_reader *r, const struct coras_json_token *token)
{
    if (token->kind == CORAS_JSON_TOKEN_CLOSE)
        r->place = IN_TOP;
    else if (coras_str_eq(token->text, "total_size"))
        r->place = AT_TOTAL;
    else
        skip_value(r, IN_METADATA);
    return 0;
}

/* Some writers put a text or a fraction there. */
static int take_total(coras_shard_index_reader *r, const struct coras_json_token *token)
{
    int64_t n;

    if (token->kind == CORAS_JSON_TOKEN_NUMBER && coras_parse_int64(token->text, &n))
        r->index.total_size = n;
    skip_value(r, IN_METADATA);
    take_unknown(r, token);
    return 0;
}

static int take_object(coras_shard_index_reader *r, const struct coras_json_token *token,
                       enum index_place place, coras_error **err)
{
    r->place = place;
    return token->kind == CORAS_JSON_TOKEN_OPEN_OBJECT ? 0 : refuse(r, "no JSON object", err);
}

static int take_token(void *user, const struct coras_json_token *token, coras_error **err)
{
    coras_shard_index_reader *r = user;

    switch (r->place) {
    case AT_TOP:
        return take_object(r, token, IN_TOP, err);
    case IN_TOP:
        return take_in_top(r, token, err);
    case AT_MAP:
        return take_object(r, token, IN_MAP, err);
    case IN_MAP:
        return take_tensor(r, token, err);
    case AT_FILE:
        return take_file(r, token, err);
    case AT_METADATA:
        if (token->kind == CORAS_JSON_TOKEN_OPEN_OBJECT) {
            r->place = IN_METADATA;
            return 0;
        }
        skip_value(r, IN_TOP);
        take_unknown(r, token);
        return 0;
    case IN_METADATA:
        return take_in_metadata(r, token);
    case AT_TOTAL:
        return take_total(r, token);
    case AT_UNKNOWN:
        take_unknown(r, token);
        return 0;
    case AT_END:
    default:
        return refuse(r, "something follows the index", err);
    }
}

int coras_shard_index_reader_new(coras_shard_tensor_fn tensor, void *user,
                                 coras_shard_index_reader **ret, coras_error **err)
{
    coras_auto(coras_shard_index_reader) r = coras_new(coras_shard_index_reader);
    struct coras_json_tokens_options options = {
        .max_depth = MAX_DEPTH,
        .max_text = CORAS_LIMIT_TENSOR_NAME,
        .code = CORAS_ERR_INVALID_MODEL,
        .token = take_token,
        .user = r,
    };

    if (!r)
        return coras_fail_no_memory(err);
    r->tensor_fn = tensor;
    r->user = user;
    r->tensor = (coras_buf)CORAS_BUF_INIT(CORAS_LIMIT_TENSOR_NAME);
    r->index.total_size = -1;
    r->files = coras_map_new(NULL);
    if (!r->files)
        return coras_fail_no_memory(err);
    CORAS_TRY(coras_json_tokens_new(&options, &r->tokens, err));
    *ret = coras_steal(&r);
    return 0;
}

int coras_shard_index_feed(coras_shard_index_reader *reader, const char *text, size_t len,
                           coras_error **err)
{
    return coras_json_tokens_feed(reader->tokens, text, len, err);
}

int coras_shard_index_finish(coras_shard_index_reader *reader, coras_shard_index *ret,
                             coras_error **err)
{
    CORAS_TRY(coras_json_tokens_finish(reader->tokens, err));
    *ret = reader->index;
    reader->index = (coras_shard_index){0};
    return 0;
}

void coras_shard_index_reader_free(coras_shard_index_reader *reader)
{
    if (!reader)
        return;
    coras_json_tokens_free(reader->tokens);
    coras_buf_clear(&reader->tensor);
    coras_name_set_clear(&reader->names);
    coras_map_free(reader->files);
    coras_shard_index_clear(&reader->index);
    free(reader);
}

void coras_shard_index_clear(coras_shard_index *index)
{
    coras_strlist_clear(&index->files);
    *index = (coras_shard_index){0};
}
