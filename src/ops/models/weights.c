/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How much of a weight file is asked for, and whether what came is vouched for.
 */
#include "ops/models/weights.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/fs.h"
#include "base/limits.h"
#include "oci/digest.h"

enum {
    LEAST_HEADER_BYTES = 8,
    FIRST_BYTES = 64 * CORAS_KIB,    /* holds the header of nearly every safetensors file */
    FIRST_GGUF_BYTES = CORAS_MIB,    /* a vocabulary of modest size */
    DOCUMENT_BYTES = 32 * CORAS_MIB, /* what is larger is none, whatever its name */
};

/* ---- what names tell ---- */

static bool has_ending(const char *path, const char *const endings[])
{
    for (size_t i = 0; endings[i]; i++)
        if (coras_str_ends(path, endings[i]))
            return true;
    return false;
}

static bool is_document(const char *path)
{
    static const char *const endings[] = {
        ".json", ".jinja", ".md",       ".txt",   ".py",       ".yaml",          ".yml",
        ".toml", ".html",  ".csv",      ".svg",   ".png",      ".jpg",           ".jpeg",
        ".pdf",  ".sh",    ".tiktoken", ".cfg",   ".ini",      ".gitattributes", ".gitignore",
        ".xml",  ".jsonl", ".model",    ".vocab", ".template", ".sig",           NULL};
    static const char *const names[] = {"LICENSE",  "NOTICE",  "README", "Modelfile", "Kitfile",
                                        "template", "license", "system", "params",    NULL};

    return has_ending(path, endings) || has_ending(coras_path_base(path), names);
}

bool coras_model_may_be_weights(const coras_model *m, size_t file)
{
    const coras_model_file *f = &m->files.items[file];

    return !f->blob || f->size > DOCUMENT_BYTES || !is_document(f->path);
}

static bool is_called(const coras_model_file *f, const char *ending, const char *in_type)
{
    return coras_str_ends(f->path, ending) ||
           (f->is_blob && f->blob->media_type && strstr(f->blob->media_type, in_type));
}

/* ---- what is asked for ---- */

/* The size of the header as the manifest says; 0: it does not. */
static int64_t recorded_size(const coras_model_file *f)
{
    const char *text =
        f->is_blob ? coras_annotations_get(&f->blob->annotations, CORAS_ANN_HEADER_SIZE) : NULL;
    int64_t size;

    if (!text || !coras_parse_int64(coras_str_of(text), &size) || size < LEAST_HEADER_BYTES ||
        size > f->size || size > CORAS_LIMIT_MODEL_BEGINNING)
        return 0;
    return size;
}

static int64_t first_bytes(const coras_model_file *f)
{
    int64_t recorded = recorded_size(f);
    int64_t usual = is_called(f, ".gguf", "gguf") ? FIRST_GGUF_BYTES : FIRST_BYTES;
    int64_t want = recorded ? recorded : usual;

    return want < f->size ? want : f->size;
}

/* ---- one header ---- */

typedef struct header_reading {
    const coras_model_file *file;
    bool strict;
    const coras_header_visitor *visitor;
    unsigned char magic[CORAS_CONTENT_HEAD]; /* until the format is known */
    size_t magic_len;
    enum coras_content_kind content;
    bool other;                  /* no weights */
    coras_header_reader *reader; /* NULL until the format is known */
    enum coras_weight_format format;
    bool complete;
    int64_t fed;   /* bytes from the start that have come */
    int64_t asked; /* end of the range that they come from */
    /* Vouched bytes: */
    coras_hasher *hasher; /* NULL: nothing is */
    coras_digest expected;
    int64_t vouched; /* bytes from the start that the digest is of */
} header_reading;

static void header_reading_clear(header_reading *h)
{
    coras_header_reader_free(h->reader);
    coras_hasher_free(h->hasher);
}
CORAS_DEFINE_AUTO_VALUE(header_reading, header_reading_clear)

static bool is_called_weights(const coras_model_file *f)
{
    return is_called(f, ".gguf", "gguf") || is_called(f, ".safetensors", "safetensors");
}

/* Kinds that a broken header is not taken for by chance. */
static bool is_surely_other(enum coras_content_kind kind)
{
    switch ((int)kind) {
    case CORAS_CONTENT_GGML:
    case CORAS_CONTENT_ZIP:
    case CORAS_CONTENT_TORCH_LEGACY:
    case CORAS_CONTENT_PICKLE:
    case CORAS_CONTENT_HDF5:
    case CORAS_CONTENT_NPY:
    case CORAS_CONTENT_TAR:
    case CORAS_CONTENT_PARQUET:
    case CORAS_CONTENT_ARROW:
        return true;
    default:
        return false;
    }
}

/* By content; the name decides for what is no kind that we know, so that a broken file is told and
 * not passed over. */
static bool choose_format(const header_reading *h, enum coras_weight_format *ret)
{
    bool by_name = !is_surely_other(h->content) && is_called_weights(h->file);
    bool is_gguf = h->content == CORAS_CONTENT_GGUF;
    bool is_safetensors = h->content == CORAS_CONTENT_SAFETENSORS;

    *ret = is_gguf || (!is_safetensors && is_called(h->file, ".gguf", "gguf"))
               ? CORAS_WEIGHT_GGUF
               : CORAS_WEIGHT_SAFETENSORS;
    return is_gguf || is_safetensors || by_name;
}

static void warn_of_content(const header_reading *h)
{
    char text[CORAS_LIMIT_COMPONENT];

    (void)snprintf(text, sizeof(text), "its content is %s, whatever its name says",
                   coras_content_name(h->content));
    if (h->visitor && h->visitor->warning)
        h->visitor->warning(h->visitor->user, text);
}

static int start_reader(header_reading *h, coras_error **err)
{
    h->content = coras_content_detect(h->magic, h->magic_len, h->file->size);
    h->other = !choose_format(h, &h->format);
    if (h->other && is_called_weights(h->file))
        warn_of_content(h);
    if (h->other)
        return 0;
    return coras_header_reader_new(h->format, h->file->size, h->strict, h->visitor, &h->reader,
                                   err);
}

static int feed_reader(header_reading *h, const void *data, size_t len, coras_error **err)
{
    if (h->complete || h->other || len == 0)
        return 0;
    int rc = coras_header_feed(h->reader, data, len, err);
    h->complete = rc == 1;
    return rc < 0 ? rc : 0;
}

/* The first bytes decide what the rest is. */
static int take_magic(header_reading *h, const char **data, size_t *len, coras_error **err)
{
    size_t n = CORAS_CONTENT_HEAD - h->magic_len;

    if (h->reader || h->other)
        return 0;
    if (n > *len)
        n = *len;
    memcpy(h->magic + h->magic_len, *data, n);
    h->magic_len += n;
    *data += n;
    *len -= n;
    if (h->magic_len < CORAS_CONTENT_HEAD && (int64_t)h->magic_len < h->file->size)
        return 0;
    CORAS_TRY(start_reader(h, err));
    return feed_reader(h, h->magic, h->magic_len, err);
}

static void hash(header_reading *h, const void *data, size_t len)
{
    int64_t left = h->vouched - h->fed;

    if (h->hasher && left > 0)
        coras_hasher_update(h->hasher, data, (int64_t)len < left ? len : (size_t)left);
}

/* What is left of a range that was asked for is received when it is little: the connection lives
 * on. */
static bool is_worth_stopping(const header_reading *h)
{
    return (h->other || h->complete) && h->fed >= h->vouched &&
           h->asked - h->fed > FIRST_GGUF_BYTES;
}

static int take_header(void *user, const void *data, size_t len, coras_error **err)
{
    header_reading *h = user;
    const char *at = data;

    hash(h, data, len);
    h->fed += (int64_t)len;
    CORAS_TRY(take_magic(h, &at, &len, err));
    if (h->reader)
        CORAS_TRY(feed_reader(h, at, len, err));
    return is_worth_stopping(h) ? CORAS_SINK_STOP : 0;
}

/* The end of the next range. */
static int64_t next_end(const header_reading *h)
{
    int64_t wants = h->reader ? coras_header_wants(h->reader) : h->fed + 1;
    int64_t end = wants > h->fed ? wants : h->fed + 1;

    if (h->reader && h->format == CORAS_WEIGHT_GGUF) {
        int64_t doubled = h->fed < FIRST_GGUF_BYTES / 2 ? FIRST_GGUF_BYTES : 2 * h->fed;
        if (end < doubled)
            end = doubled;
    }
    return end < h->file->size ? end : h->file->size;
}

static int fail_named(const header_reading *h, int code, const char *why, coras_error **err)
{
    coras_auto_free char *shown = coras_escape_dup(h->file->path);

    return coras_fail(err, code, "%s: %s", shown ? shown : "", why);
}

static int read_on(coras_model *m, size_t file, header_reading *h, coras_error **err)
{
    const coras_sink sink = {take_header, h};

    h->asked = first_bytes(h->file);
    for (;;) {
        CORAS_TRY(coras_model_stream(m, file, h->fed, h->asked - h->fed, &sink, err));
        if (h->other || h->complete)
            return 0;
        if (h->fed >= h->file->size)
            return fail_named(h, CORAS_ERR_INVALID_MODEL, "the file ends within its header", err);
        h->asked = next_end(h);
    }
}

/* ---- what the manifest vouches for ---- */

/* The header by an annotation, or a file that the first range reads whole. */
static int prepare_hash(header_reading *h, coras_error **err)
{
    const coras_model_file *f = h->file;
    const char *digest =
        f->is_blob ? coras_annotations_get(&f->blob->annotations, CORAS_ANN_HEADER_DIGEST) : NULL;

    if (digest && recorded_size(f) && coras_digest_parse(digest, &h->expected, NULL) == 0) {
        h->vouched = recorded_size(f);
    } else if (f->is_blob && f->size == first_bytes(f)) {
        h->expected = f->blob->digest;
        h->vouched = f->size;
    } else {
        return 0;
    }
    return coras_hasher_new(h->expected.algorithm, &h->hasher, err);
}

static int check_hash(header_reading *h, coras_weights *ret, coras_error **err)
{
    coras_digest digest;

    if (!h->hasher || h->fed < h->vouched)
        return 0;
    coras_hasher_final(h->hasher, &digest);
    if (!coras_digest_equal(&digest, &h->expected))
        return fail_named(h, CORAS_ERR_DIGEST_MISMATCH,
                          "the header does not have the digest that the manifest records", err);
    ret->verified = ret->header_size <= h->vouched;
    return 0;
}

static int read_header(coras_model *m, size_t file, header_reading *h, coras_weights *ret,
                       coras_error **err)
{
    CORAS_TRY(prepare_hash(h, err));
    CORAS_TRY(read_on(m, file, h, err));
    *ret = (coras_weights){.found = !h->other, .content = h->content, .format = h->format};
    if (h->other)
        return 0;
    ret->header_size = coras_header_size(h->reader);
    return check_hash(h, ret, err);
}

int coras_model_read_weights(coras_model *m, size_t file, bool strict,
                             const coras_header_visitor *visitor, coras_weights *ret,
                             coras_error **err)
{
    coras_auto_value(header_reading)
        h = {.file = &m->files.items[file], .strict = strict, .visitor = visitor};
    coras_weights read = {0};

    if (h.file->size == 0) {
        *ret = read;
        return 0;
    }
    CORAS_TRY(read_header(m, file, &h, &read, err));
    *ret = read;
    return 0;
}
