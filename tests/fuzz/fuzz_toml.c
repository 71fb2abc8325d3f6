/* SPDX-License-Identifier: Apache-2.0 */
/* Configuration files of container runtimes. */
#include "fuzz.h"

#include "serve/doctor/toml.h"

static void check(const serve_toml *value, bool in_table)
{
    FUZZ_CHECK(in_table == (value->key != NULL));
    FUZZ_CHECK(value->line > 0);
    FUZZ_CHECK(value->kind != SERVE_TOML_STRING || value->text);
    for (size_t i = 0; i < value->children.len; i++)
        check(value->children.items[i], value->kind == SERVE_TOML_TABLE);
}

bool fuzz_one(const char *data, size_t len)
{
    coras_auto(serve_toml) doc = NULL;
    bool ok = serve_toml_parse(data, len, "f", &doc, NULL) == 0;

    FUZZ_CHECK(ok == (doc != NULL));
    if (ok)
        check(doc, false);
    return ok;
}
