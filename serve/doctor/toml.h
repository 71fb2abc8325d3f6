/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TOML as the configuration of container runtimes uses it: tables, lists of tables, dotted and
 * quoted keys, strings of one line, booleans, numbers, arrays, inline tables. Bytes in, values out.
 * What is not understood is an error that names file and line: a wrong guess about a configuration
 * would be worse.
 */
#ifndef SERVE_DOCTOR_TOML_H
#define SERVE_DOCTOR_TOML_H

#include "base/common.h"

enum serve_toml_kind {
    SERVE_TOML_TABLE,
    SERVE_TOML_ARRAY,
    SERVE_TOML_STRING,
    SERVE_TOML_BOOLEAN,
    SERVE_TOML_OTHER /* a number or a time: nobody asks what it is */
};

typedef struct serve_toml serve_toml;
struct serve_toml {
    enum serve_toml_kind kind;
    int line;        /* where it begins */
    char *key;       /* in its table; NULL: element of an array, or the document */
    char *text;      /* STRING; of BOOLEAN and OTHER as written */
    bool is_true;    /* BOOLEAN */
    bool is_defined; /* TABLE: by a header of its own */
    bool is_closed;  /* inline table, or array in brackets: nothing is added later */
    struct {
        serve_toml **items;
        size_t len, cap;
    } children; /* in the order of the file */
};

/* CONFIG: "NAME:LINE: …". */
CORAS_MUST_CHECK int serve_toml_parse(const char *text, size_t len, const char *name,
                                      serve_toml **ret, coras_error **err);
void serve_toml_free(serve_toml *value);
CORAS_DEFINE_AUTO(serve_toml, serve_toml_free)

/* The member of a table; NULL for a value that is none, or has none. Both take NULL. */
const serve_toml *serve_toml_get(const serve_toml *table, const char *key);
/* The text of a string; NULL for anything else. */
const char *serve_toml_string(const serve_toml *value);
bool serve_toml_is_true(const serve_toml *value);

#endif
