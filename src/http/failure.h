/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The words for a connection that failed: Go's, so that people and scripts that know upstream's
 * program read what they are used to, with a hint what to do.
 */
#ifndef CORAS_HTTP_FAILURE_H
#define CORAS_HTTP_FAILURE_H

#include "http/tls_watch.h"
#include "http/url.h"

struct coras_http_failure {
    const coras_url *url;
    int curl_code;
    int os_errno;
    int socket_errno;   /* no socket could be made */
    long verify_result; /* OpenSSL's X509_V_* */
    struct coras_tls_watch tls;
    int proxy_status;      /* of the answer to CONNECT; 0: none */
    const char *curl_text; /* libcurl's own words, to be shown and not to be read */
    const char *dial;      /* address of the last connection attempt, "" when there was none */
    bool through_proxy;
    bool in_headers; /* the answer had begun */
};

/* Makes the error and returns its code. */
int coras_http_fail(const struct coras_http_failure *f, coras_error **err);

/* `Head "http://…": ` in front of an error, as Go's url.Error does. Returns rc. */
int coras_http_wrap(coras_error **err, int rc, const char *method, const char *url);

#endif
