/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Claims about models in JSON, read tolerantly: a stranger's config is a hint and never a reason to
 * fail, but for one that is no JSON.
 */
#include "ops/models/claims.h"

#include "base/alloc.h"
#include "base/error.h"
#include "base/limits.h"
#include "codec/json.h"

/* A copy of a short text; too long ones are absent. */
static int copy_word(char **member, const char *text, coras_error **err)
{
    if (*member || !text || !*text || strlen(text) > CORAS_LIMIT_MODEL_WORD)
        return 0;
    *member = coras_strdup(text);
    return *member ? 0 : coras_fail_no_memory(err);
}

/* ---- what packages claim ---- */

void coras_model_claims_clear(coras_model_claims *c)
{
    free(c->parameters);
    free(c->format);
    free(c->license);
    *c = (coras_model_claims){0};
}

static int claims_of_modelpack(const coras_json *json, coras_model_claims *c, coras_error **err)
{
    const coras_json *config = coras_json_get(json, "config");
    const coras_json *licenses = coras_json_get(coras_json_get(json, "descriptor"), "licenses");
    const char *license = NULL;

    (void)coras_json_string(coras_json_at(licenses, 0), &license);
    CORAS_TRY(copy_word(&c->license, license, err));
    CORAS_TRY(copy_word(&c->parameters, coras_json_get_string(config, "paramSize"), err));
    CORAS_TRY(copy_word(&c->parameters, coras_json_get_string(config, "parameters"), err));
    return copy_word(&c->format, coras_json_get_string(config, "format"), err);
}

static int claims_of_ollama(const coras_json *json, coras_model_claims *c, coras_error **err)
{
    CORAS_TRY(copy_word(&c->parameters, coras_json_get_string(json, "model_type"), err));
    return copy_word(&c->format, coras_json_get_string(json, "model_format"), err);
}

int coras_model_claims_read(enum coras_package_kind kind, coras_str config, coras_model_claims *ret,
                            coras_error **err)
{
    coras_auto_value(coras_model_claims) c = {0};
    coras_auto(coras_json) json = NULL;

    if (config.len == 0 || config.len > CORAS_LIMIT_MODEL_CONFIG ||
        coras_json_parse(config.ptr, config.len, &json, NULL) < 0)
        return 0;
    if (kind == CORAS_PACKAGE_MODELPACK || kind == CORAS_PACKAGE_DOCKER)
        CORAS_TRY(claims_of_modelpack(json, &c, err));
    else if (kind == CORAS_PACKAGE_OLLAMA)
        CORAS_TRY(claims_of_ollama(json, &c, err));
    *ret = c;
    c = (coras_model_claims){0};
    return 0;
}

/* ---- sizes ---- */

static double unit_of(char letter)
{
    switch (letter) {
    case '\0':
        return 1;
    case 'k':
    case 'K':
        return 1e3;
    case 'm':
    case 'M':
        return 1e6;
    case 'b':
    case 'B':
        return 1e9;
    case 't':
    case 'T':
        return 1e12;
    case 'q':
    case 'Q':
        return 1e15;
    default:
        return 0;
    }
}

int coras_parameter_claim_fits(const char *claim, int64_t parameters)
{
    enum { DIGITS_MAX = 18 };
    const char *at = claim;
    double number = 0, last = 1;
    int digits = 0;
    bool fraction = false;

    for (; coras_is_digit(*at) || (*at == '.' && !fraction); at++) {
        if (*at == '.') {
            fraction = true;
            continue;
        }
        number = number * 10 + (*at - '0');
        last = fraction ? last / 10 : last;
        if (++digits > DIGITS_MAX)
            return -1;
    }
    double unit = *at && at[1] ? 0 : unit_of(*at);
    if (digits == 0 || unit == 0)
        return -1;
    double off = number * last * unit - (double)parameters;
    double allowed = last * unit;
    return off <= allowed && off >= -allowed;
}
