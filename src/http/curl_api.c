/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finding libcurl and its functions when the first connection is made.
 */
#include "http/curl_api.h"

#include <pthread.h>
#include <string.h>
#include "base/alloc.h"
#include "base/error.h"
#include "base/late_library.h"

static pthread_once_t once = PTHREAD_ONCE_INIT;
static struct coras_curl api; /* written once, under `once` */
static const char *missing;   /* what could not be found; NULL when all is well */

static const struct coras_late_symbol symbols[] = {
#define SYMBOL(member) CORAS_LATE_SYMBOL(curl_##member, struct coras_curl, member)
    SYMBOL(global_init),    SYMBOL(global_init_mem),     SYMBOL(easy_init),
    SYMBOL(easy_cleanup),   SYMBOL(easy_reset),          SYMBOL(easy_setopt),
    SYMBOL(easy_getinfo),   SYMBOL(easy_strerror),       SYMBOL(slist_append),
    SYMBOL(slist_free_all), SYMBOL(multi_init),          SYMBOL(multi_cleanup),
    SYMBOL(multi_setopt),   SYMBOL(multi_add_handle),    SYMBOL(multi_perform),
    SYMBOL(multi_poll),     SYMBOL(multi_remove_handle), SYMBOL(multi_info_read),
#undef SYMBOL
};

/* Its buffers as fast as ours, where there is nobody whose libcurl it is too. */
static CURLcode init(void)
{
    if (!coras_alloc_is_for_all())
        return api.global_init(CURL_GLOBAL_DEFAULT);
    return api.global_init_mem(CURL_GLOBAL_DEFAULT, coras_malloc, free, realloc, strdup, calloc);
}

static void load(void)
{
    /* The GnuTLS flavour has the same functions under another name. */
    static const char *const names[] = {"libcurl.so.4", "libcurl-gnutls.so.4", NULL};

    missing = coras_late_library_load(names, symbols, CORAS_ARRAY_LEN(symbols), &api);
    if (!missing && init() != CURLE_OK)
        missing = "curl_global_init";
}

int coras_curl_load(const struct coras_curl **ret, coras_error **err)
{
    pthread_once(&once, load);
    if (missing) {
        int rc =
            coras_fail(err, CORAS_ERR_UNSUPPORTED,
                       "libcurl cannot be loaded: %s not found (libcurl 7.66 or later)", missing);
        coras_advise(err, CORAS_HINT_INSTALL_LIBCURL);
        return rc;
    }
    *ret = &api;
    return 0;
}
