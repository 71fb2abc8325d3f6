/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading headers of local weight files (survey_weights.h).
 */
#include "ops/models/survey_weights.h"

#include "base/alloc.h"
#include "base/error.h"
#include "base/limits.h"
#include "oci/digest.h"

/* A client of the hub refuses safetensors headers above this. */
enum { COMMON_HEADER_BYTES = 25000000 };
enum { READ_BYTES = 64 * CORAS_KIB };

/* One file while its header is read. */
struct weight_file {
    const struct coras_model_dir_file *file;
    coras_weight_sums *sums;
    coras_dtype_tally tally;
    struct coras_gguf_facts facts;
    int failed; /* of a warning that could not be kept */
};

static void clear_facts(struct coras_gguf_facts *facts)
{
    free(facts->architecture);
    free(facts->name);
    free(facts->version);
    free(facts->licence);
    free(facts->organization);
    free(facts->type);
    free(facts->template);
    *facts = (struct coras_gguf_facts){.file_type = -1};
}

void coras_weight_sums_clear(coras_weight_sums *sums)
{
    coras_dtype_tally_clear(&sums->safetensors);
    coras_dtype_tally_clear(&sums->gguf);
    clear_facts(&sums->facts);
    coras_strlist_clear(&sums->warnings);
    *sums = (coras_weight_sums){0};
}

/* ---- what a header tells ---- */

/* Endings of the companions that packed quantisation has beside its tensors. */
static bool is_packing(coras_str name)
{
    static const char *const endings[] = {".qweight", ".qzeros", ".absmax", ".weight_packed"};

    for (size_t i = 0; i < CORAS_ARRAY_LEN(endings); i++) {
        size_t len = strlen(endings[i]);
        if (name.len > len && memcmp(name.ptr + name.len - len, endings[i], len) == 0)
            return true;
    }
    return false;
}

static int see_tensor(void *user, const coras_tensor_record *tensor, coras_error **err)
{
    struct weight_file *w = user;

    if (is_packing(tensor->name))
        w->sums->packed = true;
    return coras_dtype_tally_add(&w->tally, tensor->dtype, tensor->elements, tensor->bytes, err);
}

/* Where a text of the metadata is kept; NULL: it is not. */
static char **place_of(struct coras_gguf_facts *facts, coras_str key)
{
    const struct {
        const char *key;
        char **place;
    } places[] = {
        {"general.architecture", &facts->architecture}, {"general.name", &facts->name},
        {"general.version", &facts->version},           {"general.license", &facts->licence},
        {"general.organization", &facts->organization}, {"general.type", &facts->type},
        {"tokenizer.chat_template", &facts->template},
    };

    for (size_t i = 0; i < CORAS_ARRAY_LEN(places); i++)
        if (coras_str_eq(key, places[i].key))
            return places[i].place;
    return NULL;
}

static int see_text(void *user, coras_str key, coras_str value, coras_error **err)
{
    struct weight_file *w = user;
    char **place = place_of(&w->facts, key);

    if (!place || *place || !coras_utf8_valid(value.ptr, value.len))
        return 0;
    *place = coras_strndup(value.ptr, value.len);
    return *place ? 0 : coras_fail_no_memory(err);
}

static int see_number(void *user, coras_str key, int64_t value, coras_error **err)
{
    struct weight_file *w = user;

    (void)err;
    if (coras_str_eq(key, "general.file_type"))
        w->facts.file_type = value;
    return 0;
}

static int warn(struct weight_file *w, const char *text, coras_error **err)
{
    coras_auto_free char *path = coras_escape_dup(w->file->path);
    coras_auto_free char *line = path ? coras_asprintf("%s: %s", path, text) : NULL;

    return line ? coras_strlist_add(&w->sums->warnings, line, err) : coras_fail_no_memory(err);
}

static void see_warning(void *user, const char *text)
{
    struct weight_file *w = user;

    if (w->failed == 0)
        w->failed = warn(w, text, NULL);
}

/* ---- reading ---- */

static int feed_file(const struct weight_file *w, coras_header_reader *reader,
                     const coras_cancel *cancel, coras_error **err)
{
    coras_auto_free char *buffer = coras_malloc(READ_BYTES);
    int64_t offset = 0;
    int rc = 0;

    if (!buffer)
        return coras_fail_no_memory(err);
    while (rc == 0) {
        size_t got = 0;
        CORAS_TRY(coras_cancel_check(cancel, err));
        CORAS_TRY(coras_pread_full(w->file->fd, buffer, READ_BYTES, offset, &got, err));
        if (got == 0)
            return coras_fail(err, CORAS_ERR_INVALID_MODEL, "the file ends within its header");
        rc = coras_header_feed(reader, buffer, got, err);
        offset += (int64_t)got;
    }
    return rc < 0 ? rc : 0;
}

static int hash_header(int fd, int64_t size, const coras_cancel *cancel, coras_digest *ret,
                       coras_error **err)
{
    coras_auto(coras_hasher) hasher = NULL;
    coras_auto_free char *buffer = coras_malloc(READ_BYTES);

    if (!buffer)
        return coras_fail_no_memory(err);
    CORAS_TRY(coras_hasher_new(CORAS_SHA256, &hasher, err));
    for (int64_t offset = 0; offset < size;) {
        size_t want = size - offset < READ_BYTES ? (size_t)(size - offset) : READ_BYTES, got = 0;
        CORAS_TRY(coras_cancel_check(cancel, err));
        CORAS_TRY(coras_pread_full(fd, buffer, want, offset, &got, err));
        if (got < want)
            return coras_fail(err, CORAS_ERR_CHANGED, "changed while it was read");
        coras_hasher_update(hasher, buffer, got);
        offset += (int64_t)got;
    }
    coras_hasher_final(hasher, ret);
    return 0;
}

static int read_header(struct weight_file *w, enum coras_weight_format format,
                       const coras_cancel *cancel, struct coras_weight_header *ret,
                       coras_error **err)
{
    const coras_header_visitor visitor = {see_tensor, see_text, see_number, see_warning, w};
    coras_auto(coras_header_reader) reader = NULL;

    CORAS_TRY(coras_header_reader_new(format, w->file->size, true, &visitor, &reader, err));
    CORAS_TRY(feed_file(w, reader, cancel, err));
    if (w->failed < 0)
        return coras_fail_no_memory(err);
    ret->size = coras_header_size(reader);
    if (format == CORAS_WEIGHT_SAFETENSORS && ret->size > COMMON_HEADER_BYTES + 8)
        CORAS_TRY(warn(w, "a header above 25000000 bytes, which some readers refuse", err));
    return hash_header(w->file->fd, ret->size, cancel, &ret->digest, err);
}

/* ---- adding up ---- */

/* A projector, or what is laid over a model. */
static bool is_companion(const struct coras_gguf_facts *facts)
{
    bool model = !facts->type || coras_streq(facts->type, "model");

    return !model || (facts->architecture && coras_streq(facts->architecture, "clip"));
}

static int merge(coras_dtype_tally *sum, const coras_dtype_tally *part, coras_error **err)
{
    for (size_t i = 0; i < part->len; i++) {
        const struct coras_dtype_share *share = &part->items[i];
        CORAS_TRY(coras_dtype_tally_add(sum, share->dtype, share->elements, share->bytes, err));
    }
    return 0;
}

static int add_up(struct weight_file *w, enum coras_weight_format format,
                  struct coras_weight_header *header, coras_error **err)
{
    if (format == CORAS_WEIGHT_SAFETENSORS)
        return merge(&w->sums->safetensors, &w->tally, err);
    header->is_companion = is_companion(&w->facts);
    header->is_adapter = w->facts.type && coras_streq(w->facts.type, "adapter");
    if (header->is_companion)
        return 0;
    /* Only the first shard of a split model tells of it. */
    if (!w->sums->has_gguf || (w->facts.architecture && !w->sums->facts.architecture)) {
        struct coras_gguf_facts empty = {.file_type = -1};
        clear_facts(&w->sums->facts);
        w->sums->facts = w->facts;
        w->facts = empty;
        w->sums->has_gguf = true;
    }
    return merge(&w->sums->gguf, &w->tally, err);
}

int coras_weight_sums_read(coras_weight_sums *sums, const struct coras_model_dir_file *file,
                           enum coras_weight_format format, const coras_cancel *cancel,
                           struct coras_weight_header *ret, coras_error **err)
{
    struct weight_file w = {.file = file, .sums = sums, .facts = {.file_type = -1}};
    struct coras_weight_header header = {0};

    int rc = read_header(&w, format, cancel, &header, err);
    if (rc == 0)
        rc = add_up(&w, format, &header, err);
    coras_dtype_tally_clear(&w.tally);
    clear_facts(&w.facts);
    if (rc < 0)
        return coras_wrap(err, rc, "%s", file->path);
    *ret = header;
    return 0;
}
