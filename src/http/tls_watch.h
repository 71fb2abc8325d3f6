/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is said on a TLS connection beside the data: alerts, and whether the other side speaks TLS
 * at all. libcurl reports failures of a handshake in prose only; here they are numbers.
 */
#ifndef CORAS_HTTP_TLS_WATCH_H
#define CORAS_HTTP_TLS_WATCH_H

#include "base/common.h"

/* Begin with zeros. */
struct coras_tls_watch {
    int alert;    /* fatal alert (RFC 8446 6) of the other side; 0: none */
    bool refused; /* we have sent one */
    bool is_http; /* it answered in plain HTTP */
};

/* One message of the TLS library, as libcurl's debug function gets it. */
void coras_tls_watch_note(struct coras_tls_watch *w, bool incoming, const void *data, size_t len);

/* Whether the other side may have refused us for want of a client certificate. */
bool coras_tls_alert_wants_certificate(int alert);

#endif
