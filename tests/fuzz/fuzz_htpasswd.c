/* SPDX-License-Identifier: Apache-2.0 */
/* Password files and Authorization headers of the server. Nothing is hashed here. */
#include "fuzz.h"

#include "base/alloc.h"
#include "serve/access/htpasswd.h"

bool fuzz_one(const char *data, size_t len)
{
    coras_auto(serve_htpasswd) file = NULL;
    coras_auto_free char *user = NULL;
    coras_auto_secret char *password = NULL;
    bool ok = serve_htpasswd_parse(data, len, "f", &file, NULL) == 0;

    FUZZ_CHECK(ok == (file != NULL));
    if (fuzz_is_text(data, len) && serve_basic_credentials(data, &user, &password)) {
        FUZZ_CHECK(user && password && !strchr(user, ':'));
        ok = true;
    }
    return ok;
}
