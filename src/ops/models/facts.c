/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Collecting what a header says: everything is counted, and tensors are kept one by one only for
 * those who ask, in memory that has a bound.
 */
#include "ops/models/facts.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/limits.h"
#include "base/vec.h"
#include "codec/json.h"
#include "oci/json_fields.h"

/* ---- memory ---- */

enum { BLOCK_BYTES = 32 * CORAS_KIB };

struct coras_arena_block {
    struct coras_arena_block *next;
    size_t used, size;
    max_align_t bytes[];
};

void *coras_arena_take(coras_arena *arena, size_t size)
{
    struct coras_arena_block *b = arena->blocks;
    size_t rounded, all;

    if (!coras_add_size(size, -size % sizeof(int64_t), &rounded))
        return NULL;
    if (!b || b->size - b->used < rounded) {
        size_t room = rounded > BLOCK_BYTES ? rounded : BLOCK_BYTES;
        if (!coras_add_size(room, sizeof(*b), &all))
            return NULL;
        b = coras_malloc(all);
        if (!b)
            return NULL;
        *b = (struct coras_arena_block){.next = arena->blocks, .size = room};
        arena->blocks = b;
    }
    void *taken = (char *)b->bytes + b->used;
    b->used += rounded;
    return taken;
}

void coras_arena_clear(coras_arena *arena)
{
    struct coras_arena_block *next;

    for (struct coras_arena_block *b = arena->blocks; b; b = next) {
        next = b->next;
        free(b);
    }
    arena->blocks = NULL;
}

void coras_arena_join(coras_arena *to, coras_arena *from)
{
    struct coras_arena_block **end = &to->blocks;

    while (*end)
        end = &(*end)->next;
    *end = from->blocks;
    from->blocks = NULL;
}

/* ---- one file ---- */

void coras_file_facts_init(coras_file_facts *f, size_t file)
{
    *f = (coras_file_facts){
        .file = file, .file_type = -1, .split_no = -1, .split_count = -1, .split_tensors = -1};
    f->metadata = (coras_buf)CORAS_BUF_INIT(CORAS_LIMIT_MODEL_CONFIG);
}

void coras_file_facts_clear(coras_file_facts *f)
{
    coras_dtype_tally_clear(&f->tally);
    coras_strlist_clear(&f->warnings);
    coras_arena_clear(&f->arena);
    coras_buf_clear(&f->metadata);
    coras_vec_foreach (c, &f->contexts)
        free(c->key);
    free(f->contexts.items);
    free(f->list.items);
    free(f->architecture);
    free(f->license);
}

int64_t coras_file_facts_context(const coras_file_facts *f)
{
    coras_auto_free char *key =
        f->architecture ? coras_asprintf("%s.context_length", f->architecture) : NULL;

    for (size_t i = 0; key && i < f->contexts.len; i++)
        if (coras_streq(f->contexts.items[i].key, key))
            return f->contexts.items[i].value;
    return -1;
}

/* ---- tensors ---- */

static char *arena_text(coras_arena *arena, const char *text, size_t len)
{
    char *copy = coras_arena_take(arena, len + 1);

    if (copy) {
        memcpy(copy, text, len);
        copy[len] = '\0';
    }
    return copy;
}

/* Room for one more tensor within what the model may take. */
static int spend(coras_file_facts *f, const coras_tensor_record *t, coras_error **err)
{
    size_t bytes = sizeof(coras_fact_tensor) + t->name.len + strlen(t->dtype) +
                   t->rank * sizeof(*t->shape) + sizeof(max_align_t);

    if (atomic_fetch_add(&f->keep->used, bytes) > CORAS_LIMIT_TENSOR_LIST)
        return coras_fail(err, CORAS_ERR_TOO_LARGE, "more tensors than can be listed");
    return coras_vec_grow(&f->list, 1) < 0 ? coras_fail_no_memory(err) : 0;
}

static int keep_tensor(coras_file_facts *f, const coras_tensor_record *t, coras_error **err)
{
    CORAS_TRY(spend(f, t, err));
    char *name = arena_text(&f->arena, t->name.ptr, t->name.len);
    char *dtype = arena_text(&f->arena, t->dtype, strlen(t->dtype));
    int64_t *shape = coras_arena_take(&f->arena, t->rank * sizeof(*shape) + 1);
    if (!name || !dtype || !shape)
        return coras_fail_no_memory(err);
    if (t->rank)
        memcpy(shape, t->shape, t->rank * sizeof(*shape));
    f->list.items[f->list.len++] = (coras_fact_tensor){
        .name = name,
        .name_len = t->name.len,
        .dtype = dtype,
        .shape = shape,
        .rank = t->rank,
        .file = f->file,
        .offset = t->offset,
        .bytes = t->bytes,
    };
    return 0;
}

static int see_tensor(void *user, const coras_tensor_record *t, coras_error **err)
{
    coras_file_facts *f = user;

    f->tensors++;
    CORAS_TRY(coras_dtype_tally_add(&f->tally, t->dtype, t->elements, t->bytes, err));
    if (f->keep)
        CORAS_TRY(keep_tensor(f, t, err));
    return f->tensor ? f->tensor(f->user, f->file, t, err) : 0;
}

/* ---- metadata ---- */

static int keep_text(char **member, coras_str value, coras_error **err)
{
    size_t len = value.len < CORAS_LIMIT_MODEL_WORD ? value.len : CORAS_LIMIT_MODEL_WORD;

    if (*member || memchr(value.ptr, 0, len))
        return 0;
    *member = coras_strndup(value.ptr, len);
    return *member ? 0 : coras_fail_no_memory(err);
}

/* A pair that might not fit is left out; `text` NULL: the number counts. */
static int keep_pair(coras_file_facts *f, coras_str key, const coras_str *text, int64_t number,
                     coras_error **err)
{
    enum { ESCAPED = 6, AROUND = 32 }; /* a byte may take six, a number and quotes some more */
    size_t most = ESCAPED * (key.len + (text ? text->len : 0)) + AROUND;

    if (!f->keep_metadata || most > CORAS_LIMIT_MODEL_CONFIG - f->metadata.len)
        return 0;
    coras_buf_putc(&f->metadata, f->metadata.len ? ',' : '{');
    coras_json_escape(&f->metadata, key.ptr, key.len, true);
    coras_buf_putc(&f->metadata, ':');
    if (text)
        coras_json_escape(&f->metadata, text->ptr, text->len, true);
    else
        coras_buf_printf(&f->metadata, "%lld", (long long)number);
    return coras_buf_done(&f->metadata, err);
}

static int see_text(void *user, coras_str key, coras_str value, coras_error **err)
{
    coras_file_facts *f = user;

    CORAS_TRY(keep_pair(f, key, &value, 0, err));
    if (coras_str_eq(key, "general.architecture"))
        return keep_text(&f->architecture, value, err);
    if (coras_str_eq(key, "general.license"))
        return keep_text(&f->license, value, err);
    if (coras_str_eq(key, "tokenizer.chat_template"))
        f->has_chat_template = true;
    return 0;
}

static int keep_context(coras_file_facts *f, coras_str key, int64_t value, coras_error **err)
{
    enum { CONTEXTS_MAX = 16 }; /* of one architecture each: real files have one */

    if (f->contexts.len >= CONTEXTS_MAX || key.len > CORAS_LIMIT_MODEL_WORD || value < 0)
        return 0;
    coras_auto_free char *copy = coras_strndup(key.ptr, key.len);
    if (!copy || coras_vec_grow(&f->contexts, 1) < 0)
        return coras_fail_no_memory(err);
    f->contexts.items[f->contexts.len++] = (struct coras_context_length){coras_steal(&copy), value};
    return 0;
}

static bool ends_with(coras_str key, coras_str ending)
{
    return key.len > ending.len &&
           memcmp(key.ptr + key.len - ending.len, ending.ptr, ending.len) == 0;
}

static int see_number(void *user, coras_str key, int64_t value, coras_error **err)
{
    coras_file_facts *f = user;

    CORAS_TRY(keep_pair(f, key, NULL, value, err));
    if (coras_str_eq(key, "general.file_type"))
        f->file_type = value;
    else if (coras_str_eq(key, "split.no"))
        f->split_no = value;
    else if (coras_str_eq(key, "split.count"))
        f->split_count = value;
    else if (coras_str_eq(key, "split.tensors.count"))
        f->split_tensors = value;
    else if (ends_with(key, CORAS_STR(".context_length")))
        return keep_context(f, key, value, err);
    return 0;
}

/* A warning that cannot be kept is a warning less. */
static void see_warning(void *user, const char *text)
{
    coras_file_facts *f = user;

    if (f->warnings.len < CORAS_LIMIT_MODEL_WARNINGS)
        (void)!coras_strlist_add(&f->warnings, text, NULL);
}

int coras_file_facts_read(coras_model *m, coras_file_facts *f, coras_error **err)
{
    const coras_header_visitor visitor = {see_tensor, see_text, see_number, see_warning, f};

    return coras_model_read_weights(m, f->file, false, &visitor, &f->weights, err);
}

/* ---- of the whole model ---- */

void coras_model_facts_free(coras_model_facts *facts)
{
    if (!facts)
        return;
    for (size_t i = 0; i < facts->dtype_count; i++)
        free(facts->dtypes[i].name);
    for (size_t i = 0; i < facts->file_count; i++) {
        free(facts->files[i].path);
        free(facts->files[i].media_type);
    }
    coras_arena arena = {facts->memory};
    coras_arena_clear(&arena);
    free(facts->dtypes);
    free(facts->files);
    free(facts->tensors);
    coras_text_list_free(facts->shards_missing);
    coras_text_list_free(facts->warnings);
    free(facts->architecture);
    free(facts->quantization);
    free(facts->license);
    free(facts);
}
