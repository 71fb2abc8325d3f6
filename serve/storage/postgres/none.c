/* SPDX-License-Identifier: Apache-2.0 */
/* In place of PostgreSQL where coras was built without it. */
#include "base/error.h"
#include "serve/storage/database.h"

int serve_db_open_postgres(const char *url, const struct serve_db_opening *opening, serve_db **ret,
                           coras_error **err)
{
    (void)url;
    (void)opening;
    (void)ret;
    coras_fail(err, CORAS_ERR_UNSUPPORTED, "this coras was built without PostgreSQL");
    coras_hint(err, "build it where the headers of libpq are, with -Dpostgres=enabled");
    return CORAS_ERR_UNSUPPORTED;
}
