/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The certificate that the server shows, from its files, which can be read again while connections
 * come. GnuTLS, which libmicrohttpd is built on, is visible in certificate.c only.
 *
 * The library asks for it by a function without any pointer of ours, so that a process has one.
 */
#ifndef SERVE_HTTP_CERTIFICATE_H
#define SERVE_HTTP_CERTIFICATE_H

#include "base/common.h"

/*
 * Read both PEM files and show what they say to connections from now on. On failure what was shown
 * before goes on. CONFIG: not readable, no certificate, no key, or they do not belong together.
 */
CORAS_MUST_CHECK int serve_certificate_load(const char *certificate, const char *key,
                                            coras_error **err);
/* For MHD_OPTION_HTTPS_CERT_CALLBACK. */
void *serve_certificate_callback(void);
/* Forget all of it; there are no connections any more. */
void serve_certificate_clear(void);

#endif
