/* SPDX-License-Identifier: Apache-2.0 */
/*
 * htpasswd files: "user:hash" lines with bcrypt hashes. libcrypt is visible in htpasswd.c only.
 */
#ifndef SERVE_ACCESS_HTPASSWD_H
#define SERVE_ACCESS_HTPASSWD_H

#include "base/common.h"
#include "base/str.h"

/* bcrypt looks at this many bytes; longer passwords are refused, not cut. */
#define SERVE_PASSWORD_MAX 72

typedef struct serve_htpasswd serve_htpasswd;

/* CONFIG with the number of the line that is no "user:$2y$..". `name` is for messages. */
CORAS_MUST_CHECK int serve_htpasswd_parse(const char *text, size_t len, const char *name,
                                          serve_htpasswd **ret, coras_error **err);
void serve_htpasswd_free(serve_htpasswd *h);
CORAS_DEFINE_AUTO(serve_htpasswd, serve_htpasswd_free)

/* Takes the same time for each user and for an unknown one, whatever their hashes cost. */
bool serve_htpasswd_check(const serve_htpasswd *h, const char *user, const char *password);

/*
 * Take apart the value of an Authorization header of the scheme Basic. false when it is none; both
 * strings are the caller's (password: coras_free_secret).
 */
bool serve_basic_credentials(const char *authorization, char **ret_user, char **ret_password);

#endif
