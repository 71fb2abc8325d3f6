/* SPDX-License-Identifier: Apache-2.0 */
/* Upload locations: no secret-bearing origin but the registry's, nothing in clear behind TLS. */
#include "fuzz.h"

#include "base/alloc.h"
#include "http/url.h"
#include "client/client.h"
#include "registry/url_policy.h"

bool fuzz_one(const char *data, size_t len)
{
    coras_auto_free char *url = NULL;
    coras_auto_free char *plain = NULL;

    coras_url registry, to;

    if (!fuzz_is_text(data, len))
        return false;
    FUZZ_CHECK(coras_url_parse("http://r:5000", &registry, NULL) == 0);
    if (coras_upload_location("http://r:5000", "http://r:5000/v2/a", data, &plain, NULL) == 0)
        FUZZ_CHECK(
            strncasecmp(plain, "https://", 8) == 0 ||
            (coras_url_parse(plain, &to, NULL) == 0 && coras_url_origin_equal(&to, &registry)));
    if (coras_upload_location("https://r", "https://r/v2/a/blobs/uploads/", data, &url, NULL) < 0)
        return false;
    FUZZ_CHECK(strncasecmp(url, "https://", 8) == 0);
    return true;
}
