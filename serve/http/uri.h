/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Request targets: splitting, percent-decoding and encoding, queries. Pure text, each part decoded
 * exactly once.
 */
#ifndef SERVE_HTTP_URI_H
#define SERVE_HTTP_URI_H

#include "base/str.h"

/* Most query parameters looked at; further ones make the target invalid. */
#define SERVE_URI_PARAMS_MAX 64

struct serve_query_param {
    char *name, *value; /* decoded; value "" without '=' */
};
struct serve_query {
    struct serve_query_param *items;
    size_t len, cap;
};

/*
 * Split a request target: the path with its query, and the authority ("" = none) of one that is a
 * whole http URL. false: neither; also with user information, which no target may have.
 */
bool serve_target_split(const char *target, coras_str *ret_authority, const char **ret_path);
/*
 * Decode %XX in a piece of a target. NULL when the encoding is broken or the result holds a control
 * character, NUL included. '+' stays '+': media types have it, and no parameter of ours a blank.
 */
char *serve_uri_decode(coras_str text);
/* Append text with everything but unreserved characters (RFC 3986 2.3) percent-encoded. */
void serve_uri_encode(coras_buf *out, const char *text);

/* Parse what stands after '?'. false when an encoding is broken or there are too many parameters.
 */
bool serve_query_parse(coras_str text, struct serve_query *ret);
/* First value of a name, borrowed; NULL when absent. */
const char *serve_query_get(const struct serve_query *q, const char *name);
void serve_query_clear(struct serve_query *q);

#endif
