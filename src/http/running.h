/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One exchange while it runs, as the files that make it share it: running_options.c sets libcurl
 * up, running_connect.c decides which addresses may be connected to, running_body.c sends,
 * running_answer.c receives, running_stall.c watches for progress, http.c drives them. All of it
 * happens on the thread that sends, on whose stack this lives.
 */
#ifndef CORAS_HTTP_RUNNING_H
#define CORAS_HTTP_RUNNING_H

#include "http/connection_pool.h"
#include "http/curl_api.h"
#include "http/dialed.h"
#include "http/http.h"
#include "http/proxy.h"
#include "http/tls_watch.h"
#include "http/url.h"

struct coras_http {
    struct coras_http_config config; /* const after new; strings owned */
    struct coras_http_pool pool;
};

struct coras_running {
    coras_http *http;
    const struct coras_exchange *ex;
    const struct coras_curl *curl;
    struct coras_http_handle *handle;
    coras_response *response;
    coras_url url;
    struct curl_slist *header_lines, *connect_to; /* what libcurl borrows */
    size_t header_bytes;
    bool headers_done;
    bool to_sink;
    bool stopped; /* by the sink or by a body limit: the transfer ended early, on purpose */
    int rc;       /* failure of a callback */
    coras_error *error;
    int64_t body_sent;
    struct coras_exchange_end end;
    int64_t window_start_ms, last_look_ms, window_bytes; /* stall detection */
    bool awaits_answer;                                  /* what the window is about */
    struct coras_dialed dialed;                          /* addresses that were tried */
    curl_socket_t opened;                                /* socket of the last one */
    int socket_errno;                                    /* why there is none */
    struct coras_tls_watch tls;
    char curl_text[CURL_ERROR_SIZE];
};

#define CORAS_CURL_SET(x, option, value)                                                           \
    ((x)->curl->easy_setopt((x)->handle->easy, (option), (value)))

/* Everything that libcurl must know before it starts; what it borrows is released afterwards. */
CORAS_MUST_CHECK int coras_running_set_options(struct coras_running *x, coras_error **err);
void coras_running_clear_options(struct coras_running *x);

/* libcurl's callbacks; `user` is the exchange. */
size_t coras_running_on_header(char *line, size_t size, size_t count, void *user);
size_t coras_running_on_body(char *data, size_t size, size_t count, void *user);
size_t coras_running_on_read(char *buffer, size_t size, size_t count, void *user);
int coras_running_on_seek(void *user, curl_off_t offset, int origin);
curl_socket_t coras_running_on_open_socket(void *user, curlsocktype purpose,
                                           struct curl_sockaddr *address);

/* Whether libcurl undoes a compression: of documents, since the bytes of a blob are its digest's.
 */
bool coras_running_is_document(const struct coras_running *x);

/* Stalls: start the watch; look (a failure is set in x->error); do not count the time in which the
 * sender was busy in a sink or source. */
void coras_running_watch(struct coras_running *x);
CORAS_MUST_CHECK int coras_running_check_stall(struct coras_running *x);
void coras_running_forgive_pause(struct coras_running *x);

#endif
