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

const char *coras_tls_alert_text(int alert)
{
    static const struct {
        int alert;
        const char *text;
    } rows[] = {
        {10, "unexpected message"},
        {20, "bad record MAC"},
        {21, "decryption failed"},
        {22, "record overflow"},
        {30, "decompression failure"},
        {HANDSHAKE_FAILURE, "handshake failure"},
        {BAD_CERTIFICATE, "bad certificate"},
        {43, "unsupported certificate"},
        {44, "revoked certificate"},
        {45, "expired certificate"},
        {46, "unknown certificate"},
        {47, "illegal parameter"},
        {48, "unknown certificate authority"},
        {49, "access denied"},
        {50, "error decoding message"},
        {51, "error decrypting message"},
        {60, "export restriction"},
        {70, "protocol version not supported"},
        {71, "insufficient security level"},
        {80, "internal error"},
        {86, "inappropriate fallback"},
        {100, "no renegotiation"},
        {109, "missing extension"},
        {110, "unsupported extension"},
        {111, "certificate unobtainable"},
        {112, "unrecognized name"},
        {113, "bad certificate status response"},
        {114, "bad certificate hash value"},
        {115, "unknown PSK identity"},
        {CERTIFICATE_REQUIRED, "certificate required"},
        {120, "no application protocol"},
    };

    for (size_t i = 0; i < CORAS_ARRAY_LEN(rows); i++)
        if (rows[i].alert == alert)
            return rows[i].text;
    return "unknown alert";
}

bool coras_tls_alert_wants_certificate(int alert)
{
    return alert == HANDSHAKE_FAILURE || alert == BAD_CERTIFICATE || alert == CERTIFICATE_REQUIRED;
}
