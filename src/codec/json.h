/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON. Reading: a strict parser (duplicate keys, trailing bytes, invalid UTF-8, NUL and deep
 * nesting are refused) into immutable values that keep key order. Writing: Go's encoding/json byte
 * for byte. Raw text: re-indenting and slicing without changing a number or a key's order.
 *
 * A parsed document takes at most sixteen times the memory of its text, whatever it consists of.
 */
#ifndef CORAS_CODEC_JSON_H
#define CORAS_CODEC_JSON_H

#include "base/str.h"

/* ---- reading ---- */
typedef struct coras_json coras_json; /* a value; children are borrowed from the root */
enum coras_json_type {
    CORAS_JSON_NULL,
    CORAS_JSON_BOOL,
    CORAS_JSON_INT,
    CORAS_JSON_REAL,
    CORAS_JSON_STRING,
    CORAS_JSON_ARRAY,
    CORAS_JSON_OBJECT,
};

/* Parse one document (any value at the top). Error CORAS_ERR_INVALID_JSON names line and reason. */
CORAS_MUST_CHECK int coras_json_parse(const char *text, size_t len, coras_json **ret,
                                      coras_error **err);
/* The grammar alone, as Go's Decoder finds it wrong: "EOF" of blank text, "unexpected EOF" of one
 * that ends too early, else the character that cannot be. 0 when it is right. */
CORAS_MUST_CHECK int coras_json_check(const char *text, size_t len, coras_error **err);
/* For the user's own files (annotation files), as Go's Decoder reads them: the first value only,
 * what follows is ignored, and of equal keys the last one counts. */
CORAS_MUST_CHECK int coras_json_parse_prefix(const char *text, size_t len, coras_json **ret,
                                             coras_error **err);
/* As Go decodes into `any`: every number is a double, however large, -0 has its sign, and of
 * members of one name the last counts. */
CORAS_MUST_CHECK int coras_json_parse_any(const char *text, size_t len, coras_json **ret,
                                          coras_error **err);
void coras_json_free(coras_json *root);
CORAS_DEFINE_AUTO(coras_json, coras_json_free)

enum coras_json_type coras_json_type_of(const coras_json *v); /* NULL counts as JSON_NULL */
const coras_json *coras_json_get(const coras_json *object,
                                 const char *key); /* NULL: absent or no object */
/* Accessors return false when v is NULL or of another type; *ret is then untouched. */
bool coras_json_string(const coras_json *v, const char **ret); /* borrowed, NUL-free */
bool coras_json_int(const coras_json *v, int64_t *ret);
bool coras_json_real(const coras_json *v, double *ret); /* also from an integer */
bool coras_json_bool(const coras_json *v, bool *ret);
/* Shorthand: member as string, NULL when absent or of another type. */
const char *coras_json_get_string(const coras_json *object, const char *key);
size_t coras_json_len(const coras_json *v); /* members or elements; 0 otherwise */
const coras_json *coras_json_at(const coras_json *array, size_t i);
/* Members in document order: *iter = NULL starts; false at the end. */
bool coras_json_next(const coras_json *object, void **iter, const char **key,
                     const coras_json **value);

/* ---- writing ---- */
/*
 * Appends to a buffer. Commas, indentation and escaping are the writer's business. `indent` 0 gives
 * Go's Marshal (compact), 2 gives Encoder with SetIndent("", "  ") without the final newline, -1
 * indents with one TAB. HTML characters are escaped unless `keep_html` is set.
 */
typedef struct coras_json_writer {
    coras_buf *out;
    int indent;
    bool keep_html;
    int depth;       /* internal */
    bool need_comma; /* internal */
    bool after_key;  /* internal */
} coras_json_writer;
#define CORAS_JSON_WRITER(buf, spaces)                                                             \
    {                                                                                              \
        .out = (buf), .indent = (spaces)                                                           \
    }
void coras_jw_object(coras_json_writer *w);
void coras_jw_end_object(coras_json_writer *w);
void coras_jw_array(coras_json_writer *w);
void coras_jw_end_array(coras_json_writer *w);
void coras_jw_key(coras_json_writer *w, const char *key);
void coras_jw_string(coras_json_writer *w, const char *s);
void coras_jw_stringn(coras_json_writer *w, const char *s, size_t len);
void coras_jw_int(coras_json_writer *w, int64_t n);
void coras_jw_real(coras_json_writer *w, double n); /* as Go prints a float64 in JSON */
void coras_jw_bool(coras_json_writer *w, bool b);
void coras_jw_null(coras_json_writer *w);
/* A parsed value; object members in document order, or sorted by key (byte order). */
void coras_jw_value(coras_json_writer *w, const coras_json *v, bool sort_keys);
/* key + string in one call; the _opt form writes nothing for NULL or "". */
void coras_jw_member(coras_json_writer *w, const char *key, const char *value);
void coras_jw_member_opt(coras_json_writer *w, const char *key, const char *value);
void coras_jw_member_int(coras_json_writer *w, const char *key, int64_t value);

/* Append s as a JSON string literal with quotes, escaped as Go does. */
void coras_json_escape(coras_buf *out, const char *s, size_t len, bool keep_html);

/* ---- raw text ---- */
/* json.Indent(raw, "", "  "): white space only is changed, but the output may be thousands of times
 * as large for deeply nested input: give `out` a limit. INVALID_JSON with Go's words on failure.
 */
CORAS_MUST_CHECK int coras_json_indent(const char *raw, size_t len, coras_buf *out,
                                       coras_error **err);
/* json.Compact. */
CORAS_MUST_CHECK int coras_json_compact(const char *raw, size_t len, coras_buf *out,
                                        coras_error **err);
/* Raw text of each member of the object `raw`, in order, until visit returns false. key is the
 * decoded name. */
CORAS_MUST_CHECK int coras_json_raw_members(const char *raw, size_t len,
                                            bool (*visit)(const char *key, coras_str value,
                                                          void *user),
                                            void *user, coras_error **err);
/* Raw text of each element of the array `raw`. */
CORAS_MUST_CHECK int coras_json_raw_elements(const char *raw, size_t len,
                                             bool (*visit)(size_t i, coras_str value, void *user),
                                             void *user, coras_error **err);

#endif
