/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How Go names TLS alerts ("certificate required").
 */
#ifndef CORAS_GOSPELL_TLS_ALERT_H
#define CORAS_GOSPELL_TLS_ALERT_H

/* Static storage; "unknown alert" for a number that has no name. */
const char *coras_go_tls_alert(int alert);

#endif
