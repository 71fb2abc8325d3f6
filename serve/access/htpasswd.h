/*
 * htpasswd files: "user:hash" lines with bcrypt hashes. libcrypt is visible in htpasswd.c only.
 */
#ifndef CORAS_SERVE_ACCESS_HTPASSWD_H
#define CORAS_SERVE_ACCESS_HTPASSWD_H

#include "base/common.h"
#include "base/str.h"

/* bcrypt looks at this many bytes; longer passwords are refused, not cut. */
#define CORAS_PASSWORD_MAX 72

typedef struct coras_htpasswd coras_htpasswd;

/* CONFIG with the number of the line that is no "user:$2y$..". `name` is for messages. */
CORAS_MUST_CHECK int coras_htpasswd_parse(const char *text, size_t len, const char *name,
                                          coras_htpasswd **ret, coras_error **err);
void coras_htpasswd_free(coras_htpasswd *h);
CORAS_DEFINE_AUTO(coras_htpasswd, coras_htpasswd_free)

/* Takes the same time for an unknown user as for a wrong password. */
bool coras_htpasswd_check(const coras_htpasswd *h, const char *user, const char *password);

/*
 * Take apart the value of an Authorization header of the scheme Basic. false when it is none; both
 * strings are the caller's (password: coras_free_secret).
 */
bool coras_basic_credentials(const char *authorization, char **ret_user, char **ret_password);

#endif
