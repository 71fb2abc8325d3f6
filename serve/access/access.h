/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Access: who is asking, and what they may do. Passwords are checked by htpasswd.c, rules by
 * rules.c; this puts them together. Each verb is a right of its own; what nothing allows is denied.
 *
 * Threads: everything may be called from any thread.
 */
#ifndef SERVE_ACCESS_ACCESS_H
#define SERVE_ACCESS_ACCESS_H

#include "base/common.h"
#include "serve/api/routes.h"

typedef struct serve_access serve_access;

/* What decides. Borrowed for the life of the access. */
struct serve_access_sources {
    const char *htpasswd; /* file; NULL: nobody can log in */
    const char *rules;   /* file; NULL: with passwords users may do everything, without everybody */
    bool anonymous_read; /* without rules: reading needs no password */
};
/* CONFIG names file and line. */
CORAS_MUST_CHECK int serve_access_open(const struct serve_access_sources *sources,
                                       serve_access **ret, coras_error **err);
void serve_access_close(serve_access *a);
CORAS_DEFINE_AUTO(serve_access, serve_access_close)
/* Read the files again. On failure what was read before goes on to hold. */
CORAS_MUST_CHECK int serve_access_reload(serve_access *a, coras_error **err);

enum serve_right {
    SERVE_RIGHT_NONE, /* to know that this is a registry */
    SERVE_RIGHT_READ,
    SERVE_RIGHT_LIST, /* tags of a repository, and that there is one */
    SERVE_RIGHT_WRITE,
    SERVE_RIGHT_DELETE,
    SERVE_RIGHT_CATALOG, /* of what one may list */
    SERVE_RIGHT_OPERATE  /* to see how the server is: known users only */
};

enum serve_verdict {
    SERVE_ACCESS_GRANTED,
    SERVE_ACCESS_UNAUTHORIZED, /* no credentials, or wrong ones; right ones could help */
    SERVE_ACCESS_DENIED,       /* not this, though others of the repository's things */
    SERVE_ACCESS_HIDDEN        /* nothing: whether there is such a repository is not told */
};

/* Who asks. All borrowed. */
struct serve_asker {
    const char *authorization; /* value of the header, or NULL */
    const char *peer;          /* the client's address, for the log */
    const char *network;       /* what counts as one address: its failures slow it down */
};
/*
 * Whether judging needs a password to be hashed, which is slow on purpose: a few are to be hashed
 * at a time, of one address one, and that one after so many milliseconds; with a delay, after those
 * who did not guess wrong.
 */
bool serve_access_is_slow(serve_access *a, const struct serve_asker *asker, int64_t *ret_delay_ms);
/* Judge a request for something of `repository` (NULL: of none). *ret_user is set (free) when
 * somebody was recognised. */
enum serve_verdict serve_access_check(serve_access *a, const struct serve_asker *asker,
                                      enum serve_right right, const char *repository,
                                      char **ret_user);
/* The same for who was recognised already (NULL: nobody), about another repository (NULL: about all
 * there are). */
bool serve_access_may(serve_access *a, const char *user, enum serve_right right,
                      const char *repository);
/* Whether repositories differ in who may do what. */
bool serve_access_has_rules(serve_access *a);
/* Whether credentials could give rights that nobody in particular has. */
bool serve_access_has_users(serve_access *a);

#endif
