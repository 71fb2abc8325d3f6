/* SPDX-License-Identifier: Apache-2.0 */
/* sprig: checksums, by libcrypto and zlib. Fingerprints for people to look at; nothing trusts them.
 */
#include "gotemplate/funcs.h"

#include <openssl/evp.h>
#include <zlib.h>

static gotmpl_value checksum(struct gotmpl_arena *a, const EVP_MD *algorithm, coras_str s)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    struct gotmpl_text t = GOTMPL_TEXT(a);
    unsigned len = 0;

    if (EVP_Digest(s.ptr, s.len, digest, &len, algorithm, NULL) != 1)
        gotmpl_fail(a, "the checksum cannot be computed");
    for (unsigned i = 0; i < len; i++)
        gotmpl_printf(&t, "%02x", digest[i]);
    return gotmpl_string(gotmpl_text_str(&t));
}

GOTMPL_FN_IS(fn_sha1sum, checksum(a, EVP_sha1(), v[0].s));
GOTMPL_FN_IS(fn_sha256sum, checksum(a, EVP_sha256(), v[0].s));
GOTMPL_FN_IS(fn_sha512sum, checksum(a, EVP_sha512(), v[0].s));

GOTMPL_FN(fn_adler32sum)
{
    uLong sum = adler32_z(adler32_z(0, NULL, 0), (const Bytef *)v[0].s.ptr, v[0].s.len);

    return gotmpl_string(gotmpl_format(a, "%lu", sum));
}

const struct gotmpl_function gotmpl_hash_functions[] = {
    {"adler32sum", "s", fn_adler32sum},
    {"sha1sum", "s", fn_sha1sum},
    {"sha256sum", "s", fn_sha256sum},
    {"sha512sum", "s", fn_sha512sum},
    {NULL, NULL, NULL},
};
