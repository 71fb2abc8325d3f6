/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading the few messages that tell why a handshake failed.
 */
#include "http/tls_watch.h"

#include <string.h>

enum {
    ALERT_BYTES = 2, /* level and description; no other message is as short */
    ALERT_FATAL = 2,
    RECORD_HEADER_BYTES = 5, /* what the TLS library reads first */
    HANDSHAKE_FAILURE = 40,
    BAD_CERTIFICATE = 42,
    USER_CANCELED = 90,
    CERTIFICATE_REQUIRED = 116,
};

void coras_tls_watch_note(struct coras_tls_watch *w, bool incoming, const void *data, size_t len)
{
    const unsigned char *bytes = data;

    if (incoming && len == RECORD_HEADER_BYTES && memcmp(bytes, "HTTP/", len) == 0)
        w->is_http = true;
    if (len != ALERT_BYTES || bytes[0] != ALERT_FATAL || bytes[1] == USER_CANCELED)
        return;
    if (!incoming)
        w->refused = true;
    else if (!w->alert)
        w->alert = bytes[1];
}

bool coras_tls_alert_wants_certificate(int alert)
{
    return alert == HANDSHAKE_FAILURE || alert == BAD_CERTIFICATE || alert == CERTIFICATE_REQUIRED;
}
