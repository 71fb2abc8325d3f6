/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Access: who is asking, and what they may do. Passwords are checked by htpasswd.c; this is the
 * policy. Each verb is a right of its own; what no rule allows is denied.
 */
#ifndef SERVE_ACCESS_ACCESS_H
#define SERVE_ACCESS_ACCESS_H

#include "base/common.h"
#include "serve/api/routes.h"

typedef struct serve_access serve_access;

/* `htpasswd` NULL: everybody may do everything. CONFIG names file and line. */
CORAS_MUST_CHECK int serve_access_open(const char *htpasswd, bool anonymous_read,
                                       serve_access **ret, coras_error **err);
void serve_access_close(serve_access *a);
CORAS_DEFINE_AUTO(serve_access, serve_access_close)

enum serve_right {
    SERVE_RIGHT_NONE, /* to know that this is a registry */
    SERVE_RIGHT_READ,
    SERVE_RIGHT_WRITE,
    SERVE_RIGHT_DELETE,
    SERVE_RIGHT_CATALOG,
    SERVE_RIGHT_OPERATE /* to see how the server is: known users only */
};

enum serve_verdict {
    SERVE_ACCESS_GRANTED,
    SERVE_ACCESS_UNAUTHORIZED /* no credentials, or wrong ones */
};

/* Who asks. All borrowed. */
struct serve_asker {
    const char *authorization; /* value of the header, or NULL */
    const char *peer;          /* the client's address, for the log */
    const char *network;       /* what counts as one address: its failures slow it down */
};
/* Judge a request. *ret_user is set (free) when somebody was recognised. */
enum serve_verdict serve_access_check(serve_access *a, const struct serve_asker *asker,
                                      enum serve_right right, char **ret_user);
/* Whether this user (NULL = nobody) may read everything: no password file, or a known user. */
bool serve_access_reads_all(const serve_access *a, const char *user);
/* Whether credentials could give rights that nobody in particular has. */
bool serve_access_has_users(const serve_access *a);

#endif
