/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libcurl, loaded with the first connection. Linking it would cost every run about 5 ms and 8 MiB
 * for 33 shared objects, also those that make no connection, so the functions are reached through a
 * table. Only this header includes <curl/curl.h>.
 */
#ifndef CORAS_HTTP_CURL_API_H
#define CORAS_HTTP_CURL_API_H

#include <curl/curl.h>
#include "base/common.h"

struct coras_curl {
    CURLcode (*global_init)(long flags);
    CURLcode (*global_init_mem)(long flags, curl_malloc_callback m, curl_free_callback f,
                                curl_realloc_callback r, curl_strdup_callback s,
                                curl_calloc_callback c);
    CURL *(*easy_init)(void);
    void (*easy_cleanup)(CURL *easy);
    void (*easy_reset)(CURL *easy);
    CURLcode (*easy_setopt)(CURL *easy, CURLoption option, ...);
    CURLcode (*easy_getinfo)(CURL *easy, CURLINFO info, ...);
    const char *(*easy_strerror)(CURLcode code);
    struct curl_slist *(*slist_append)(struct curl_slist *list, const char *text);
    void (*slist_free_all)(struct curl_slist *list);
    CURLM *(*multi_init)(void);
    CURLMcode (*multi_cleanup)(CURLM *multi);
    CURLMcode (*multi_setopt)(CURLM *multi, CURLMoption option, ...);
    CURLMcode (*multi_add_handle)(CURLM *multi, CURL *easy);
    CURLMcode (*multi_remove_handle)(CURLM *multi, CURL *easy);
    CURLMcode (*multi_perform)(CURLM *multi, int *running);
    CURLMcode (*multi_poll)(CURLM *multi, struct curl_waitfd extra[], unsigned count,
                            int timeout_ms, int *ready);
    CURLMsg *(*multi_info_read)(CURLM *multi, int *left);
};

/* The table, loaded once per process; UNSUPPORTED when libcurl is missing or too old. */
CORAS_MUST_CHECK int coras_curl_load(const struct coras_curl **ret, coras_error **err);

#endif
