/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a registry answered, and the headers of both ways.
 */
#ifndef CORAS_HTTP_RESPONSE_H
#define CORAS_HTTP_RESPONSE_H

#include "base/buf.h"
#include "http/message.h"
#include "http/url.h"

/* Owned headers in order; names keep their spelling. */
typedef struct coras_header_list {
    struct coras_header_item {
        char *name;
        char *value;
        bool secret; /* --debug shows ***** */
    } * items;
    size_t len, cap;
} coras_header_list;
void coras_header_list_clear(coras_header_list *l); /* values are wiped */
CORAS_DEFINE_AUTO_VALUE(coras_header_list, coras_header_list_clear)
CORAS_MUST_CHECK int coras_header_list_add(coras_header_list *l, coras_str name, coras_str value,
                                           bool secret, coras_error **err);
/* i-th value of that name in any case; NULL past the last. */
const char *coras_header_list_at(const coras_header_list *l, const char *name, size_t i);
/* Every header of that name in any case. */
void coras_header_list_remove(coras_header_list *l, const char *name);

struct coras_response {
    int status;
    char *status_text; /* "404 Not Found", as the server put it */
    coras_header_list headers;
    char *url;      /* that answered */
    coras_url at;   /* the same in parts */
    char *method;   /* that was sent there (303 turns others into GET) */
    bool foreign;   /* url is of another origin than the request's */
    coras_buf body; /* when buffered */
    bool body_cut;  /* the server sent more than we keep */
    int64_t body_received;
    coras_buf trace_body; /* --debug: the first bytes of a body that went to a sink */
};

CORAS_MUST_CHECK int coras_response_new(coras_response **ret, coras_error **err);
/* "Not Found"; "" for an unknown status. */
const char *coras_http_status_text(int status);

#endif
