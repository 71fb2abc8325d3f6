/*
 * Access: who is asking, and what they may do. Passwords are checked by htpasswd.c; this is the
 * policy. Each verb is a right of its own; what no rule allows is denied.
 */
#ifndef CORAS_SERVE_ACCESS_ACCESS_H
#define CORAS_SERVE_ACCESS_ACCESS_H

#include "base/common.h"
#include "serve/api/routes.h"

typedef struct coras_access coras_access;

/* `htpasswd` NULL: everybody may do everything. CONFIG names file and line. */
CORAS_MUST_CHECK int coras_access_open(const char *htpasswd, bool anonymous_read,
                                       coras_access **ret, coras_error **err);
void coras_access_close(coras_access *a);
CORAS_DEFINE_AUTO(coras_access, coras_access_close)

enum coras_right {
    CORAS_RIGHT_NONE, /* to know that this is a registry */
    CORAS_RIGHT_READ,
    CORAS_RIGHT_WRITE,
    CORAS_RIGHT_DELETE,
    CORAS_RIGHT_CATALOG
};

enum coras_verdict {
    CORAS_ACCESS_GRANTED,
    CORAS_ACCESS_UNAUTHORIZED /* no credentials, or wrong ones */
};

/*
 * Judge a request. `authorization` is the header's value or NULL; `peer` the client's address,
 * whose failures slow it down. *ret_user is set (free) when somebody was recognised.
 */
enum coras_verdict coras_access_check(coras_access *a, const char *authorization, const char *peer,
                                      enum coras_right right, char **ret_user);
/* Whether this user (NULL = nobody) may read everything: no password file, or a known user. */
bool coras_access_reads_all(const coras_access *a, const char *user);
/* Whether credentials could give rights that nobody in particular has. */
bool coras_access_has_users(const coras_access *a);

#endif
