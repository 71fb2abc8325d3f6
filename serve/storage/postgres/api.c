/* SPDX-License-Identifier: Apache-2.0 */
/* Loading libpq. */
#include "serve/storage/postgres/api.h"

#include <pthread.h>
#include "base/error.h"
#include "base/late_library.h"

static struct serve_pq api;
static const char *missing; /* NULL: the api is complete */

static void load(void)
{
    static const char *const names[] = {"libpq.so.5", NULL};
#define ROW(function) CORAS_LATE_SYMBOL(function, struct serve_pq, function),
    static const struct coras_late_symbol symbols[] = {SERVE_PQ_FUNCTIONS(ROW)};
#undef ROW

    missing = coras_late_library_load(names, symbols, CORAS_ARRAY_LEN(symbols), &api);
}

int serve_pq_load(const struct serve_pq **ret, coras_error **err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    (void)pthread_once(&once, load);
    if (missing) {
        coras_fail(err, CORAS_ERR_UNSUPPORTED, "PostgreSQL's client library is not installed (%s)",
                   missing);
        coras_hint(err, "install libpq, on Debian and Ubuntu: apt install libpq5");
        return CORAS_ERR_UNSUPPORTED;
    }
    *ret = &api;
    return 0;
}
