/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table from kinds of hints to sentences, for those kinds of which the program knows more than
 * the library. A sentence is a pattern as in base/hint.h.
 */
#include "cli/app/hints.h"

#include "base/hint.h"
#include "base/str.h"

static const struct wording {
    enum coras_hint_kind kind;
    bool bare; /* advice that users of upstream's program know word for word: no "Hint: " */
    const char *pattern; /* NULL: the library's */
} wordings[] = {
    {CORAS_HINT_LOG_IN, false,
     "the request was anonymous: no credential for the key \"%1\"; log in with 'login %2'{; %3}"},
    {CORAS_HINT_REPAIR_CONFIG, false, "repair %1, or name another file with --registry-config"},
    {CORAS_HINT_PRIVATE_TOKEN_SERVICE, false,
     "if this token service is yours, allow it with --allow-private-token-service"},
    {CORAS_HINT_NAME_SERVER, false,
     "the name server does not answer; if this network needs a proxy, set HTTPS_PROXY"},
    {CORAS_HINT_CHECK_PORT_OR_USE_PROXY, false,
     "nothing accepts connections there: check host name and port, or use a proxy (HTTPS_PROXY)"},
    {CORAS_HINT_FIREWALL, false,
     "a firewall may drop the connection; if this network needs a proxy, set HTTPS_PROXY"},
    {CORAS_HINT_CHECK_PROXY, false, "check HTTP_PROXY and HTTPS_PROXY"},
    {CORAS_HINT_PROXY_UNREACHABLE, false,
     "the proxy of HTTP_PROXY or HTTPS_PROXY cannot be reached"},
    {CORAS_HINT_PROXY_REFUSED, false, "the proxy of HTTP_PROXY or HTTPS_PROXY refused to connect"},
    {CORAS_HINT_PROXY_CREDENTIAL, false,
     "give the proxy's user and password in HTTP_PROXY or HTTPS_PROXY"},
    {CORAS_HINT_CA_FILE, false,
     "give the authority's certificate with --ca-file; --insecure switches the check off"},
    {CORAS_HINT_CLIENT_CERTIFICATE, false,
     "the registry may want a client certificate: give one with --cert-file and --key-file"},
    {CORAS_HINT_USE_PLAIN_HTTP, false,
     "the registry speaks plain HTTP: use --plain-http if that is intended"},
    {CORAS_HINT_USE_TLS, false,
     "the registry may speak TLS: leave --plain-http out, or use --plain-http=false for "
     "localhost"},
    {CORAS_HINT_STALLED, false, "ORAS_HTTP_TIMEOUT sets the seconds to wait for progress"},
    {CORAS_HINT_LIMIT_CONCURRENCY, false,
     "too many requests: wait, log in for a higher limit, or use fewer transfers at a time "
     "(--concurrency)"},
    {CORAS_HINT_OPEN_FILES, false, "allow more open files (ulimit -n), or lower --concurrency"},
    {CORAS_HINT_USE_IMAGE_SPEC_1_0, false,
     "the registry may not know OCI 1.1 artifacts (distribution from 2.7, Harbor from 2.8, Quay "
     "from 3.11, Artifactory from 7.90 and zot do): try again with '--image-spec v1.0'"},
    {CORAS_HINT_PLATFORMS_EXIST, true, NULL},
    {CORAS_HINT_ONE_PLATFORM, true,
     "selecting multiple platforms requires a multi-platform source; use a single --platform "
     "value to copy a specific platform of an image"},
    {CORAS_HINT_ALLOW_PATH_TRAVERSAL, true,
     "Pulling files outside of working directory is insecure and blocked by default. If you trust "
     "the content producer, use --allow-path-traversal to bypass this check."},
    {CORAS_HINT_FOLLOW_LINKS, false, "--follow-links packs what the links lead to"},
};

static const struct wording *find(enum coras_hint_kind kind)
{
    for (size_t i = 0; i < CORAS_ARRAY_LEN(wordings); i++)
        if (wordings[i].kind == kind)
            return &wordings[i];
    return NULL;
}

void put_hint(coras_buf *b, const coras_error *error)
{
    const struct wording *own = find(coras_error_hint_kind(error));
    const char *args[CORAS_HINT_ARGS];

    if (!coras_error_hint(error))
        return;
    if (!own || !own->bare)
        coras_buf_puts(b, "Hint: ");
    if (!own || !own->pattern) {
        coras_buf_puts(b, coras_error_hint(error));
        return;
    }
    for (size_t i = 0; i < CORAS_HINT_ARGS; i++)
        args[i] = coras_error_hint_argument(error, i);
    coras_hint_put(b, own->pattern, args);
}
