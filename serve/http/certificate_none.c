/* SPDX-License-Identifier: Apache-2.0 */
/*
 * In place of certificate.c where everything is inside one program: GnuTLS and the five libraries
 * under it would double its size, and what serves a laptop or a node does so on a loopback address.
 */
#include "serve/http/certificate.h"

#include <stddef.h>
#include "base/error.h"

int serve_certificate_load(const char *certificate, const char *key, coras_error **err)
{
    (void)certificate;
    (void)key;
    coras_fail(err, CORAS_ERR_UNSUPPORTED, "this program was built without serving https");
    coras_hint(err, "the packages of a distribution can; or serve on a loopback address, behind a "
                    "web server that has the certificate");
    return CORAS_ERR_UNSUPPORTED;
}

void *serve_certificate_callback(void)
{
    return NULL;
}

void serve_certificate_clear(void)
{
}
