/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Facts from config.json (hf_config.h).
 */
#include "model/hf_config.h"

#include "base/alloc.h"
#include "base/error.h"
#include "base/limits.h"
#include "codec/json.h"

/* The first of the names, in the order of the engines' readers, that is a positive integer. */
static int64_t context_length(const coras_json *config)
{
    static const char *const names[] = {
        "max_position_embeddings", "n_ctx", "n_positions", "max_length", "max_sequence_length",
        "model_max_length",
    };
    int64_t n;

    for (size_t i = 0; i < CORAS_ARRAY_LEN(names); i++)
        if (coras_json_int(coras_json_get(config, names[i]), &n) && n > 0)
            return n;
    return -1;
}

/* A copy of the text, or NULL when there is none; false when out of memory. */
static bool copy(const char *text, char **ret)
{
    *ret = text ? coras_strdup(text) : NULL;
    return !text || *ret;
}

static const char *first_architecture(const coras_json *config)
{
    const char *text = NULL;

    (void)coras_json_string(coras_json_at(coras_json_get(config, "architectures"), 0), &text);
    return text;
}

/* "torch.bfloat16" of old files is "bfloat16". */
static const char *dtype_of(const coras_json *config)
{
    static const char prefix[] = "torch.";
    const char *dtype = coras_json_get_string(config, "dtype");

    if (!dtype)
        dtype = coras_json_get_string(config, "torch_dtype");
    return dtype && coras_str_starts(dtype, prefix) ? dtype + strlen(prefix) : dtype;
}

static int take(const coras_json *root, coras_hf_config *config, coras_error **err)
{
    /* Of models for text and pictures the part for text counts. */
    const coras_json *text = coras_json_get(root, "text_config");
    const char *dtype = dtype_of(root);

    config->context_length = context_length(root);
    if (config->context_length < 0)
        config->context_length = context_length(text);
    config->has_auto_map = coras_json_len(coras_json_get(root, "auto_map")) > 0;
    if (!copy(coras_json_get_string(root, "model_type"), &config->model_type) ||
        !copy(first_architecture(root), &config->architecture) ||
        !copy(dtype ? dtype : dtype_of(text), &config->dtype) ||
        !copy(coras_json_get_string(coras_json_get(root, "quantization_config"), "quant_method"),
              &config->quant_method))
        return coras_fail_no_memory(err);
    return 0;
}

int coras_hf_config_read(const char *text, size_t len, coras_hf_config *ret, coras_error **err)
{
    coras_auto(coras_json) root = NULL;
    coras_auto_value(coras_hf_config) config = {0};
    int rc;

    if (len > CORAS_LIMIT_MODEL_CONFIG)
        return coras_fail(err, CORAS_ERR_TOO_LARGE, "more than %d bytes", CORAS_LIMIT_MODEL_CONFIG);
    rc = coras_json_parse(text, len, &root, err);
    if (rc == CORAS_ERR_INVALID_JSON)
        return err ? coras_error_recode(err, CORAS_ERR_INVALID_MODEL) : CORAS_ERR_INVALID_MODEL;
    CORAS_TRY(rc);
    if (coras_json_type_of(root) != CORAS_JSON_OBJECT)
        return coras_fail(err, CORAS_ERR_INVALID_MODEL, "no JSON object");
    CORAS_TRY(take(root, &config, err));
    *ret = config;
    config = (coras_hf_config){0};
    return 0;
}

void coras_hf_config_clear(coras_hf_config *config)
{
    free(config->model_type);
    free(config->architecture);
    free(config->dtype);
    free(config->quant_method);
    *config = (coras_hf_config){0};
}
