/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether a file holds what a TLS option says, told before the first request in Go's words. Text
 * only: what a certificate means is the TLS library's business.
 */
#ifndef CORAS_HTTP_PEM_H
#define CORAS_HTTP_PEM_H

#include "base/common.h"

CORAS_MUST_CHECK int coras_pem_check_authorities(const char *path, coras_error **err);
CORAS_MUST_CHECK int coras_pem_check_pair(const char *cert_path, const char *key_path,
                                          coras_error **err);

#endif
