/* SPDX-License-Identifier: Apache-2.0 */
/* Templates that run: whatever they do ends within their bounds, and what they write is kept. */
#include "fuzz.h"

#include "gotemplate/gotemplate.h"

enum { BYTES = 4 * 1024 * 1024, STEPS = 20000, OUTPUT = 64 * 1024 };

static const char document[] =
    "{\"size\":585,\"name\":\"a\\u00e9\",\"yes\":true,\"none\":null,\"list\":[3,\"x\",[1,2],{}],"
    "\"map\":{\"a\":\"1\",\"b\":{\"c\":2.5}},\"at\":\"2024-05-06T07:08:09Z\"}";

bool fuzz_one(const char *data, size_t len)
{
    coras_auto(gotmpl_template) template = NULL;
    coras_auto(coras_json) json = NULL;
    coras_auto(coras_error) err = NULL;
    coras_auto_buf out = CORAS_BUF_INIT(OUTPUT);
    int rc;

    if (!fuzz_is_text(data, len) || gotmpl_template_parse("fuzz", data, &template, NULL) < 0)
        return false;
    FUZZ_CHECK(coras_json_parse_any(document, strlen(document), &json, NULL) == 0);
    gotmpl_template_limit(template, BYTES, STEPS);
    rc = gotmpl_template_execute(template, json, &out, &err);
    FUZZ_CHECK((rc == 0) == (err == NULL) && out.len <= OUTPUT);
    return rc == 0;
}
