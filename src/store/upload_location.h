/*
 * Where an upload goes on: the Location of a registry's answer. Bytes in, values out.
 */
#ifndef CORAS_STORE_UPLOAD_LOCATION_H
#define CORAS_STORE_UPLOAD_LOCATION_H

#include "base/common.h"

/*
 * Resolve `location` against the URL that answered; its query stays byte for byte. A foreign host
 * is taken over https only (storage with a signed URL; the client sends no secrets there). The
 * registry's own host with a weaker scheme, as behind a TLS proxy that does not tell the registry
 * of itself, gets the registry's scheme and port, with a warning. New string; UNTRUSTED_ORIGIN,
 * PROTOCOL.
 */
CORAS_MUST_CHECK int coras_upload_location(const char *base_url, const char *answered_url,
                                           const char *location, char **ret, coras_error **err);

/* Append "digest=…" to the query. New string. */
CORAS_MUST_CHECK int coras_upload_close_url(const char *session, const char *digest, char **ret,
                                            coras_error **err);

#endif
