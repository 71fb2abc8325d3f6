/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Looking into the files of a model before they are sent (survey.h).
 */
#include "ops/models/survey.h"

#include "base/alloc.h"
#include "base/error.h"
#include "base/limits.h"
#include "base/vec.h"
#include "model/dtypes.h"
#include "model/hf_config.h"
#include "model/mediatypes.h"
#include "oci/mediatype.h"
#include "ops/hub_cache.h"
#include "ops/models/survey_shards.h"
#include "ops/models/survey_weights.h"

enum { HEAD_BYTES = 4096 };

struct survey {
    const coras_model_dir *dir;
    const coras_cancel *cancel;
    coras_model_survey *ret;
    coras_weight_sums sums;
    bool has_config; /* the config.json nearest the root was read */
    coras_model_card card;
};

void coras_model_survey_clear(coras_model_survey *survey)
{
    for (size_t i = 0; i < survey->len; i++)
        coras_annotations_clear(&survey->files[i].annotations);
    free(survey->files);
    coras_modelpack_config_clear(&survey->config);
    coras_annotations_clear(&survey->annotations);
    coras_strlist_clear(&survey->warnings);
    *survey = (coras_model_survey){0};
}

/* ---- small things ---- */

static int set_text(char **member, const char *text, coras_error **err)
{
    if (*member || !text || !*text)
        return 0;
    *member = coras_strdup(text);
    return *member ? 0 : coras_fail_no_memory(err);
}

static int annotate(coras_annotations *a, const char *key, const char *value, coras_error **err)
{
    return value && *value ? coras_annotations_set(a, key, value, err) : 0;
}

static int warn_of(struct survey *s, const char *path, const char *text, coras_error **err)
{
    coras_auto_buf line = CORAS_BUF_UNLIMITED;

    coras_buf_printf(&line, "%s: %s", path, text);
    CORAS_TRY(coras_buf_done(&line, err));
    return coras_strlist_add(&s->ret->warnings, line.ptr, err);
}

/* ---- one file ---- */

static int annotate_header(coras_annotations *a, const struct coras_weight_header *header,
                           coras_error **err)
{
    char digest[CORAS_DIGEST_TEXT_MAX];
    coras_auto_free char *size = coras_asprintf("%lld", (long long)header->size);

    if (!size)
        return coras_fail_no_memory(err);
    CORAS_TRY(coras_annotations_set(a, CORAS_ANN_HEADER_SIZE, size, err));
    return coras_annotations_set(a, CORAS_ANN_HEADER_DIGEST,
                                 coras_digest_format(&header->digest, digest), err);
}

static int read_weights(struct survey *s, size_t i, enum coras_weight_format format,
                        coras_error **err)
{
    struct coras_surveyed_file *file = &s->ret->files[i];
    struct coras_weight_header header;

    CORAS_TRY(
        coras_weight_sums_read(&s->sums, &s->dir->files.items[i], format, s->cancel, &header, err));
    file->comes_last = header.is_companion;
    return annotate_header(&file->annotations, &header, err);
}

/* A constant owner, mode and time, so that the same files give the same package. Spec: model-spec,
 * docs/annotations.md. */
static int annotate_metadata(coras_annotations *a, const struct coras_model_dir_file *file,
                             coras_error **err)
{
    coras_auto_buf text = CORAS_BUF_UNLIMITED;
    coras_json_writer w = CORAS_JSON_WRITER(&text, 0);

    coras_jw_object(&w);
    coras_jw_member(&w, "name", coras_path_base(file->path));
    coras_jw_member_int(&w, "mode", 0644);
    coras_jw_member_int(&w, "uid", 0);
    coras_jw_member_int(&w, "gid", 0);
    coras_jw_member_int(&w, "size", file->size);
    coras_jw_member(&w, "mtime", "1970-01-01T00:00:00Z");
    coras_jw_member_int(&w, "typeflag", '0');
    coras_jw_end_object(&w);
    CORAS_TRY(coras_buf_done(&text, err));
    return coras_annotations_set(a, CORAS_ANN_FILE_METADATA, text.ptr, err);
}

/* With the version, where readers of one cannot read another. */
static int annotate_format(struct coras_surveyed_file *file, const char *head, size_t len,
                           coras_error **err)
{
    const unsigned char *version = (const unsigned char *)head + 4;
    const char *format = file->class.format;

    if (!format || !coras_streq(format, "gguf") || len < 8)
        return annotate(&file->annotations, CORAS_ANN_FORMAT, format, err);
    bool little = version[0] || version[1];
    coras_auto_free char *text = coras_asprintf("gguf/%u", little ? version[0] : version[3]);
    return text ? annotate(&file->annotations, CORAS_ANN_FORMAT, text, err)
                : coras_fail_no_memory(err);
}

static int annotate_class(struct coras_surveyed_file *file,
                          const struct coras_model_dir_file *found, coras_error **err)
{
    coras_annotations *a = &file->annotations;

    CORAS_TRY(coras_annotations_set(a, CORAS_ANN_FILEPATH, found->path, err));
    CORAS_TRY(coras_annotations_set(a, CORAS_ANN_FILE_UNTESTED,
                                    file->class.by_content ? "false" : "true", err));
    CORAS_TRY(annotate(a, CORAS_ANN_UNSAFE, file->class.unsafe, err));
    return annotate_metadata(a, found, err);
}

static int read_head(const struct coras_model_dir_file *file, char *head, size_t *ret,
                     coras_error **err)
{
    int rc = coras_pread_full(file->fd, head, HEAD_BYTES, 0, ret, err);

    return rc < 0 ? coras_wrap(err, rc, "read %s", file->path) : 0;
}

/* What git leaves in place of a file that it keeps elsewhere. */
static int refuse_pointer(const struct coras_model_dir_file *file, const char *head, size_t len,
                          coras_error **err)
{
    static const char mark[] = "version https://git-lfs.github.com/spec/";

    if (len < sizeof(mark) - 1 || memcmp(head, mark, sizeof(mark) - 1) != 0)
        return 0;
    return coras_fail(err, CORAS_ERR_INVALID_MODEL,
                      "%s: a pointer of Git LFS, not the file that it stands for (git lfs pull)",
                      file->path);
}

/* The format whose reader has to accept the file; false: it is no weight file of ours. */
static bool weight_format(const char *path, const coras_model_class *class,
                          enum coras_weight_format *ret)
{
    const char *format = class->format ? class->format : "";
    bool known = class->by_content;

    if (coras_streq(format, "safetensors") || (!known && coras_str_ends(path, ".safetensors")))
        return (*ret = CORAS_WEIGHT_SAFETENSORS, true);
    if (coras_streq(format, "gguf") || (!known && coras_str_ends(path, ".gguf")))
        return (*ret = CORAS_WEIGHT_GGUF, true);
    return false;
}

/* A name that promises what the content is not. */
static int check_promise(struct survey *s, const struct coras_model_dir_file *file,
                         const coras_model_class *class, coras_error **err)
{
    bool safe_name =
        coras_str_ends(file->path, ".safetensors") || coras_str_ends(file->path, ".gguf");

    if (!safe_name || !class->unsafe)
        return 0;
    return warn_of(s, file->path, "holds a pickle whatever its name says: loading it runs code",
                   err);
}

static int survey_file(struct survey *s, size_t i, coras_error **err)
{
    const struct coras_model_dir_file *found = &s->dir->files.items[i];
    struct coras_surveyed_file *file = &s->ret->files[i];
    coras_auto_free char *head = coras_malloc(HEAD_BYTES);
    enum coras_weight_format format;
    size_t len = 0;

    if (!head)
        return coras_fail_no_memory(err);
    CORAS_TRY(coras_cancel_check(s->cancel, err));
    CORAS_TRY(read_head(found, head, &len, err));
    CORAS_TRY(refuse_pointer(found, head, len, err));
    file->class = coras_model_classify(found->path, head, len, found->size);
    CORAS_TRY(check_promise(s, found, &file->class, err));
    if (weight_format(found->path, &file->class, &format))
        CORAS_TRY(read_weights(s, i, format, err));
    CORAS_TRY(annotate_format(file, head, len, err));
    return annotate_class(file, found, err);
}

/* ---- documents ---- */

static int read_text(const struct coras_model_dir_file *file, size_t limit, coras_buf *ret,
                     coras_error **err)
{
    size_t want = file->size < (int64_t)limit ? (size_t)file->size : limit, got = 0;

    if (!coras_buf_reserve(ret, want))
        return coras_fail_no_memory(err);
    CORAS_TRY(coras_pread_full(file->fd, ret->ptr, want, 0, &got, err));
    ret->len = got;
    ret->ptr[got] = '\0';
    return 0;
}

/* One that cannot be read is some reader's trouble, not that of the push. */
static int read_config(struct survey *s, const struct coras_model_dir_file *file, coras_error **err)
{
    coras_modelpack_config *config = &s->ret->config;
    coras_auto_value(coras_hf_config) found = {0};
    coras_auto_buf text = CORAS_BUF_UNLIMITED;

    s->has_config = true;
    CORAS_TRY(read_text(file, CORAS_LIMIT_MANIFEST, &text, err));
    int rc = coras_hf_config_read(text.ptr, text.len, &found, NULL);
    if (rc == CORAS_ERR_NO_MEMORY)
        return coras_fail_no_memory(err);
    if (rc < 0)
        return warn_of(s, file->path, "is no JSON object, or too large: nothing is known from it",
                       err);
    CORAS_TRY(set_text(&config->architecture, found.architecture, err));
    CORAS_TRY(set_text(&config->architecture, found.model_type, err));
    CORAS_TRY(set_text(&config->family, found.model_type, err));
    return set_text(&config->quantization, found.quant_method, err);
}

static int read_card(struct survey *s, const struct coras_model_dir_file *file, coras_error **err)
{
    coras_auto_buf text = CORAS_BUF_UNLIMITED;

    CORAS_TRY(read_text(file, CORAS_LIMIT_FRONT_MATTER, &text, err));
    CORAS_TRY(coras_model_card_parse(text.ptr, text.len, &s->card, err));
    return coras_modelpack_config_read_card(&s->ret->config, &s->card, err);
}

static int read_template(struct survey *s, const struct coras_model_dir_file *file,
                         coras_error **err)
{
    coras_auto_buf text = CORAS_BUF_UNLIMITED;

    CORAS_TRY(read_text(file, CORAS_LIMIT_MANIFEST, &text, err));
    coras_modelpack_config_read_template(&s->ret->config, (coras_str){text.ptr, text.len});
    return 0;
}

/* Files come nearest the root first, so the first of a name is the model's. */
static int read_documents(struct survey *s, coras_error **err)
{
    coras_vec_foreach (file, &s->dir->files) {
        const char *name = coras_path_base(file->path);
        if (coras_streq(name, "config.json") && !s->has_config)
            CORAS_TRY(read_config(s, file, err));
        else if (coras_str_ieq(file->path, "readme.md"))
            CORAS_TRY(read_card(s, file, err));
        else if (coras_streq(file->path, "chat_template.jinja") ||
                 coras_streq(file->path, "tokenizer_config.json"))
            CORAS_TRY(read_template(s, file, err));
    }
    return 0;
}

/* ---- the whole ---- */

/* The format that most bytes of weights have, as ModelPack names it. */
static const char *main_format(const struct survey *s)
{
    static const char *const formats[][2] = {
        {"safetensors", "safetensors"},
        {"gguf", "gguf"},
        {"onnx", "onnx"},
        {"pickle", "pt"},
        {"torch", "pt"},
        {"tflite", "tflite"},
        {"hdf5", "h5"},
        {"npz", "npz"},
        {"ggml", "ggml"},
    };
    int64_t most = 0;
    const char *best = NULL;

    for (size_t f = 0; f < CORAS_ARRAY_LEN(formats); f++) {
        int64_t bytes = 0;
        for (size_t i = 0; i < s->ret->len; i++) {
            const char *format = s->ret->files[i].class.format;
            if (format && coras_streq(format, formats[f][0]))
                bytes += s->dir->files.items[i].size;
        }
        if (bytes > most) {
            most = bytes;
            best = formats[f][1];
        }
    }
    return best;
}

static int adopt_gguf(struct survey *s, coras_error **err)
{
    const struct coras_gguf_facts *facts = &s->sums.facts;
    coras_modelpack_config *config = &s->ret->config;

    CORAS_TRY(set_text(&config->architecture, facts->architecture, err));
    CORAS_TRY(set_text(&config->family, facts->architecture, err));
    CORAS_TRY(set_text(&config->name, facts->name, err));
    CORAS_TRY(set_text(&config->version, facts->version, err));
    CORAS_TRY(set_text(&config->vendor, facts->organization, err));
    CORAS_TRY(set_text(&config->quantization, coras_gguf_file_type(facts->file_type), err));
    if (facts->template)
        coras_modelpack_config_read_template(config, coras_str_of(facts->template));
    return 0;
}

static int adopt_sums(struct survey *s, const coras_dtype_tally *tally, coras_error **err)
{
    coras_modelpack_config *config = &s->ret->config;
    coras_auto_buf size = CORAS_BUF_UNLIMITED, precision = CORAS_BUF_UNLIMITED;

    if (!s->sums.packed)
        coras_parameter_size_put(&size, coras_dtype_tally_elements(tally));
    coras_precision_put(&precision, tally);
    CORAS_TRY(coras_buf_done(&size, err));
    CORAS_TRY(coras_buf_done(&precision, err));
    CORAS_TRY(set_text(&config->parameter_size, size.ptr, err));
    return set_text(&config->precision, precision.ptr, err);
}

/* Where the hub's cache has it from. */
static int adopt_hub(struct survey *s, coras_error **err)
{
    coras_modelpack_config *config = &s->ret->config;

    if (!s->dir->hub_repository)
        return 0;
    coras_auto_free char *name = coras_hub_model_name(s->dir->hub_repository);
    coras_auto_free char *url = name ? coras_asprintf("https://huggingface.co/%s", name) : NULL;
    CORAS_TRY(set_text(&config->source_url, url, err));
    CORAS_TRY(set_text(&config->name, name ? coras_path_base(name) : NULL, err));
    if (coras_hub_is_commit(s->dir->hub_revision))
        return set_text(&config->revision, s->dir->hub_revision, err);
    return 0;
}

static int join(const coras_strlist *list, const char *between, coras_buf *out, coras_error **err)
{
    for (size_t i = 0; list && i < list->len; i++)
        coras_buf_printf(out, "%s%s", i ? between : "", list->items[i]);
    return coras_buf_done(out, err);
}

/* The fields of a model card that are worth finding without fetching the card. */
static int annotate_card(struct survey *s, coras_error **err)
{
    static const char *const fields[] = {"base_model",   "datasets",     "language",
                                         "library_name", "pipeline_tag", "tags"};

    for (size_t i = 0; i < CORAS_ARRAY_LEN(fields); i++) {
        coras_auto_buf value = CORAS_BUF_INIT(CORAS_LIMIT_CARD_ANNOTATION);
        coras_auto_free char *key = coras_asprintf(CORAS_ANN_CARD "%s", fields[i]);
        if (!key)
            return coras_fail_no_memory(err);
        int rc = join(coras_model_card_get(&s->card, fields[i]), ",", &value, NULL);
        if (rc == CORAS_ERR_NO_MEMORY)
            return coras_fail_no_memory(err);
        if (rc == 0)
            CORAS_TRY(annotate(&s->ret->annotations, key, value.ptr, err));
    }
    return 0;
}

static int annotate_whole(struct survey *s, coras_error **err)
{
    coras_modelpack_config *config = &s->ret->config;
    coras_annotations *a = &s->ret->annotations;
    coras_auto_buf licences = CORAS_BUF_UNLIMITED;

    CORAS_TRY(join(&config->licences, " AND ", &licences, err));
    CORAS_TRY(annotate(a, CORAS_ANN_LICENSES, licences.ptr, err));
    CORAS_TRY(annotate(a, CORAS_ANN_TITLE, config->name, err));
    CORAS_TRY(annotate(a, CORAS_ANN_VERSION, config->version, err));
    CORAS_TRY(annotate(a, CORAS_ANN_VENDOR, config->vendor, err));
    CORAS_TRY(annotate(a, CORAS_ANN_SOURCE, config->source_url, err));
    CORAS_TRY(annotate(a, CORAS_ANN_REVISION, config->revision, err));
    return annotate_card(s, err);
}

static int survey_all(struct survey *s, coras_error **err)
{
    for (size_t i = 0; i < s->dir->files.len; i++)
        CORAS_TRY(survey_file(s, i, err));
    const char *format = main_format(s);
    bool gguf = format && coras_streq(format, "gguf");
    CORAS_TRY(set_text(&s->ret->config.format, format, err));
    if (gguf)
        CORAS_TRY(adopt_gguf(s, err));
    CORAS_TRY(adopt_sums(s, gguf ? &s->sums.gguf : &s->sums.safetensors, err));
    CORAS_TRY(read_documents(s, err));
    if (s->ret->config.licences.len == 0 && gguf && s->sums.facts.licence)
        CORAS_TRY(coras_modelpack_config_add_licence(&s->ret->config, s->sums.facts.licence, err));
    CORAS_TRY(adopt_hub(s, err));
    CORAS_TRY(coras_model_survey_shards(s->dir, &s->ret->warnings, err));
    for (size_t i = 0; i < s->sums.warnings.len; i++)
        CORAS_TRY(coras_strlist_add(&s->ret->warnings, s->sums.warnings.items[i], err));
    return annotate_whole(s, err);
}

int coras_model_survey_read(const coras_model_dir *dir, const coras_cancel *cancel,
                            coras_model_survey *ret, coras_error **err)
{
    coras_auto_value(coras_model_survey) survey = {0};
    struct survey s = {.dir = dir, .cancel = cancel, .ret = &survey};

    survey.files = coras_calloc(dir->files.len, sizeof(survey.files[0]));
    if (!survey.files)
        return coras_fail_no_memory(err);
    survey.len = dir->files.len;
    int rc = survey_all(&s, err);
    coras_weight_sums_clear(&s.sums);
    coras_model_card_clear(&s.card);
    CORAS_TRY(rc);
    *ret = survey;
    survey = (coras_model_survey){0};
    return 0;
}
