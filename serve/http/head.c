/* SPDX-License-Identifier: Apache-2.0 */
/* Heads of requests: those that two parties could read differently are refused. */
#include "base/str.h"
#include "serve/http/front_impl.h"

#define HEADERS_MAX 128

struct head_check {
    unsigned headers, lengths, codings, hosts, authorizations;
    bool bad;
    int64_t content_length;
};

static enum MHD_Result check_header(void *user, enum MHD_ValueKind kind, const char *name,
                                    const char *value)
{
    struct head_check *check = user;
    coras_str text = coras_str_trim(coras_str_of(value ? value : ""));

    (void)kind;
    check->headers++;
    if (coras_str_ieq(name, "Content-Length")) {
        check->lengths++;
        if (!coras_parse_int64(text, &check->content_length))
            check->bad = true;
    } else if (coras_str_ieq(name, "Transfer-Encoding")) {
        check->codings++;
        if (text.len != 7 || strncasecmp(text.ptr, "chunked", 7) != 0)
            check->bad = true;
    } else if (coras_str_ieq(name, "Host")) {
        check->hosts++;
    } else if (coras_str_ieq(name, "Authorization")) {
        check->authorizations++;
    }
    for (const char *c = name; *c; c++) {
        if ((unsigned char)*c <= ' ' || *c == 0x7f) /* "Name : value", folded lines */
            check->bad = true;
    }
    return MHD_YES;
}

/* Spec: RFC 9112 6.3. */
bool serve_head_check(struct MHD_Connection *connection, struct serve_exchange *x)
{
    struct head_check check = {.content_length = -1};

    MHD_get_connection_values(connection, MHD_HEADER_KIND, check_header, &check);
    x->content_length = check.content_length;
    return !check.bad && check.headers <= HEADERS_MAX && check.lengths <= 1 && check.codings <= 1 &&
           check.lengths + check.codings <= 1 && check.hosts <= 1 && check.authorizations <= 1;
}

const char *serve_head_value(void *connection, const char *name)
{
    return MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
}
