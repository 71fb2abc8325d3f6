/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is known of a model, as ModelPack's config (modelpack_config.h).
 */
#include "model/modelpack_config.h"

#include "base/alloc.h"
#include "base/error.h"
#include "codec/json.h"
#include "model/licence.h"

void coras_modelpack_config_clear(coras_modelpack_config *config)
{
    char *texts[] = {config->created_at,     config->vendor,       config->family,
                     config->name,           config->version,      config->title,
                     config->description,    config->doc_url,      config->source_url,
                     config->revision,       config->architecture, config->format,
                     config->parameter_size, config->precision,    config->quantization};

    for (size_t i = 0; i < CORAS_ARRAY_LEN(texts); i++)
        free(texts[i]);
    coras_strlist_clear(&config->authors);
    coras_strlist_clear(&config->licences);
    coras_strlist_clear(&config->input_types);
    coras_strlist_clear(&config->output_types);
    coras_strlist_clear(&config->languages);
    *config = (coras_modelpack_config){0};
}

/* ---- the card ---- */

/* The tasks of the hub (`pipeline_tag`) whose ends are plain. */
static const struct {
    const char *task;
    const char *inputs[2];
    const char *output;
} tasks[] = {
    {"audio-text-to-text", {"audio", "text"}, "text"},
    {"audio-to-audio", {"audio"}, "audio"},
    {"automatic-speech-recognition", {"audio"}, "text"},
    {"document-question-answering", {"image", "text"}, "text"},
    {"feature-extraction", {"text"}, "embedding"},
    {"fill-mask", {"text"}, "text"},
    {"image-feature-extraction", {"image"}, "embedding"},
    {"image-text-to-text", {"image", "text"}, "text"},
    {"image-text-to-image", {"image", "text"}, "image"},
    {"image-to-image", {"image"}, "image"},
    {"image-to-text", {"image"}, "text"},
    {"image-to-video", {"image"}, "video"},
    {"question-answering", {"text"}, "text"},
    {"sentence-similarity", {"text"}, "embedding"},
    {"summarization", {"text"}, "text"},
    {"table-question-answering", {"text"}, "text"},
    {"text-generation", {"text"}, "text"},
    {"text-to-audio", {"text"}, "audio"},
    {"text-to-image", {"text"}, "image"},
    {"text-to-speech", {"text"}, "audio"},
    {"text-to-video", {"text"}, "video"},
    {"text2text-generation", {"text"}, "text"},
    {"translation", {"text"}, "text"},
    {"video-text-to-text", {"text", "video"}, "text"},
    {"visual-question-answering", {"image", "text"}, "text"},
};

static int read_task(coras_modelpack_config *config, const char *task, coras_error **err)
{
    for (size_t i = 0; task && i < CORAS_ARRAY_LEN(tasks); i++) {
        if (!coras_streq(task, tasks[i].task))
            continue;
        CORAS_TRY(coras_strlist_add(&config->input_types, tasks[i].inputs[0], err));
        if (tasks[i].inputs[1])
            CORAS_TRY(coras_strlist_add(&config->input_types, tasks[i].inputs[1], err));
        return coras_strlist_add(&config->output_types, tasks[i].output, err);
    }
    return 0;
}

int coras_modelpack_config_add_licence(coras_modelpack_config *config, const char *name,
                                       coras_error **err)
{
    coras_auto_buf text = CORAS_BUF_UNLIMITED;

    coras_licence_put(&text, name);
    CORAS_TRY(coras_buf_done(&text, err));
    if (text.len == 0 || coras_strlist_has(&config->licences, text.ptr))
        return 0;
    return coras_strlist_add(&config->licences, text.ptr, err);
}

/* "other" says that the licence's name stands in another field. */
static int read_licences(coras_modelpack_config *config, const coras_model_card *card,
                         coras_error **err)
{
    const coras_strlist *given = coras_model_card_get(card, "license");
    const char *own_name = coras_model_card_first(card, "license_name");

    for (size_t i = 0; given && i < given->len; i++) {
        bool other = coras_streq(given->items[i], "other") && own_name;
        CORAS_TRY(
            coras_modelpack_config_add_licence(config, other ? own_name : given->items[i], err));
    }
    return 0;
}

static int read_languages(coras_modelpack_config *config, const coras_strlist *given,
                          coras_error **err)
{
    for (size_t i = 0; given && i < given->len; i++) {
        const char *name = given->items[i];
        bool two_letters = strlen(name) == 2 && coras_is_lower(name[0]) && coras_is_lower(name[1]);
        if (two_letters && !coras_strlist_has(&config->languages, name))
            CORAS_TRY(coras_strlist_add(&config->languages, name, err));
    }
    return 0;
}

int coras_modelpack_config_read_card(coras_modelpack_config *config, const coras_model_card *card,
                                     coras_error **err)
{
    const char *name = coras_model_card_first(card, "model_name");

    CORAS_TRY(read_licences(config, card, err));
    CORAS_TRY(read_languages(config, coras_model_card_get(card, "language"), err));
    CORAS_TRY(read_task(config, coras_model_card_first(card, "pipeline_tag"), err));
    if (!config->name && name && !(config->name = coras_strdup(name)))
        return coras_fail_no_memory(err);
    return 0;
}

/* ---- the chat template ---- */

static bool mentions(coras_str text, const char *word)
{
    return memmem(text.ptr, text.len, word, strlen(word)) != NULL;
}

void coras_modelpack_config_read_template(coras_modelpack_config *config, coras_str text)
{
    if (mentions(text, "tools"))
        config->tool_usage = true;
    if (mentions(text, "<think>") || mentions(text, "enable_thinking"))
        config->reasoning = true;
}

/* ---- writing ---- */

static void put_list(coras_json_writer *w, const char *key, const coras_strlist *list)
{
    if (list->len == 0)
        return;
    coras_jw_key(w, key);
    coras_jw_array(w);
    for (size_t i = 0; i < list->len; i++)
        coras_jw_string(w, list->items[i]);
    coras_jw_end_array(w);
}

static void put_flag(coras_json_writer *w, const char *key, bool value)
{
    if (!value)
        return;
    coras_jw_key(w, key);
    coras_jw_bool(w, true);
}

static void put_descriptor(coras_json_writer *w, const coras_modelpack_config *config)
{
    coras_jw_key(w, "descriptor");
    coras_jw_object(w);
    coras_jw_member_opt(w, "createdAt", config->created_at);
    put_list(w, "authors", &config->authors);
    coras_jw_member_opt(w, "family", config->family);
    coras_jw_member_opt(w, "name", config->name);
    coras_jw_member_opt(w, "docURL", config->doc_url);
    coras_jw_member_opt(w, "sourceURL", config->source_url);
    coras_jw_member_opt(w, "version", config->version);
    coras_jw_member_opt(w, "revision", config->revision);
    coras_jw_member_opt(w, "vendor", config->vendor);
    put_list(w, "licenses", &config->licences);
    coras_jw_member_opt(w, "title", config->title);
    coras_jw_member_opt(w, "description", config->description);
    coras_jw_end_object(w);
}

static void put_model_fs(coras_json_writer *w, const coras_digest *diff_ids, size_t count)
{
    char text[CORAS_DIGEST_TEXT_MAX];

    coras_jw_key(w, "modelfs");
    coras_jw_object(w);
    coras_jw_member(w, "type", "layers");
    coras_jw_key(w, "diffIds");
    coras_jw_array(w);
    for (size_t i = 0; i < count; i++)
        coras_jw_string(w, coras_digest_format(&diff_ids[i], text));
    coras_jw_end_array(w);
    coras_jw_end_object(w);
}

static bool has_capabilities(const coras_modelpack_config *config)
{
    return config->input_types.len || config->output_types.len || config->languages.len ||
           config->reasoning || config->tool_usage;
}

static void put_capabilities(coras_json_writer *w, const coras_modelpack_config *config)
{
    if (!has_capabilities(config))
        return;
    coras_jw_key(w, "capabilities");
    coras_jw_object(w);
    put_list(w, "inputTypes", &config->input_types);
    put_list(w, "outputTypes", &config->output_types);
    put_flag(w, "reasoning", config->reasoning);
    put_flag(w, "toolUsage", config->tool_usage);
    put_list(w, "languages", &config->languages);
    coras_jw_end_object(w);
}

static void put_config(coras_json_writer *w, const coras_modelpack_config *config)
{
    coras_jw_key(w, "config");
    coras_jw_object(w);
    coras_jw_member_opt(w, "architecture", config->architecture);
    coras_jw_member_opt(w, "format", config->format);
    coras_jw_member_opt(w, "paramSize", config->parameter_size);
    coras_jw_member_opt(w, "precision", config->precision);
    coras_jw_member_opt(w, "quantization", config->quantization);
    put_capabilities(w, config);
    coras_jw_end_object(w);
}

int coras_modelpack_config_write(const coras_modelpack_config *config, const coras_digest *diff_ids,
                                 size_t count, coras_buf *out, coras_error **err)
{
    coras_json_writer w = CORAS_JSON_WRITER(out, 0);

    coras_jw_object(&w);
    put_descriptor(&w, config);
    put_model_fs(&w, diff_ids, count);
    put_config(&w, config);
    coras_jw_end_object(&w);
    return coras_buf_done(out, err);
}
