/* SPDX-License-Identifier: Apache-2.0 */
/* Location: what resolves is a URL of http(s), and resolving it again changes nothing. */
#include "fuzz.h"

#include "base/alloc.h"
#include "client/client.h"
#include "http/url.h"

bool fuzz_one(const char *data, size_t len)
{
    static const char base[] = "https://registry.example:5000/v2/a/blobs/uploads/?x=y";
    coras_auto_free char *url = NULL;
    coras_auto_free char *again = NULL;
    coras_auto_buf message = CORAS_BUF_UNLIMITED;
    coras_auto_buf log = CORAS_BUF_UNLIMITED;
    coras_url parsed;

    if (!fuzz_is_text(data, len))
        return false;
    coras_url_put_for_message(&message, data);
    coras_url_put_for_log(&log, data);
    if (coras_url_parse(data, &parsed, NULL) == 0)
        FUZZ_CHECK(parsed.host.len > 0);
    if (coras_url_resolve(base, data, &url, NULL) < 0)
        return false;
    FUZZ_CHECK(coras_url_parse(url, &parsed, NULL) == 0);
    FUZZ_CHECK(parsed.host.len > 0 && parsed.port > 0 && parsed.port < 65536);
    FUZZ_CHECK(!memchr(parsed.authority.ptr, '@', parsed.authority.len));
    FUZZ_CHECK(coras_url_origin_equal(&parsed, &parsed));
    FUZZ_CHECK(coras_url_resolve(base, url, &again, NULL) == 0);
    FUZZ_CHECK(coras_streq(url, again));
    return true;
}
