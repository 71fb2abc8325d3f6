/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which of the URLs that a registry names may be followed: Location of an upload, Link of a list.
 * Bytes in, values out.
 */
#ifndef CORAS_REGISTRY_URL_POLICY_H
#define CORAS_REGISTRY_URL_POLICY_H

#include "base/common.h"

/*
 * Resolve `ref` against the URL that answered; its query stays byte for byte. *ret_own: the result
 * is of the registry's own origin. The registry's own host with a weaker scheme, as behind a TLS
 * proxy that does not tell the registry of itself, gets the registry's scheme and port, with a
 * warning. New string.
 */
CORAS_MUST_CHECK int coras_location_resolve(const char *base_url, const char *answered_url,
                                            const char *ref, char **ret, bool *ret_own,
                                            coras_error **err);

/* The same for an upload: a foreign host is taken over https only (storage with a signed URL; the
 * client sends no secrets there). UNTRUSTED_ORIGIN, PROTOCOL. */
CORAS_MUST_CHECK int coras_upload_location(const char *base_url, const char *answered_url,
                                           const char *location, char **ret, coras_error **err);

/* The session's URL with "digest=…" added to the query. New string. */
CORAS_MUST_CHECK int coras_upload_close_url(const char *session, const char *digest, char **ret,
                                            coras_error **err);

#endif
