/*
 * Routes: which operation of the distribution API a target names. Pure: text in, value out. Names
 * hold slashes, so a path is matched from its right end and the last keyword wins.
 * Spec: distribution-spec 1.1, "Endpoints".
 */
#ifndef CORAS_SERVE_API_ROUTES_H
#define CORAS_SERVE_API_ROUTES_H

#include "coras/digest.h"
#include "serve/http/uri.h"

/* Longest repository name; many clients bound host/name by the same. */
#define CORAS_REPOSITORY_NAME_MAX 255
/* "8-4-4-4-12" hex digits. */
#define CORAS_SESSION_ID_LEN 36

enum coras_route_kind {
    CORAS_ROUTE_NONE,
    CORAS_ROUTE_BASE,     /* /v2/ */
    CORAS_ROUTE_CATALOG,  /* /v2/_catalog */
    CORAS_ROUTE_TAGS,     /* /v2/NAME/tags/list */
    CORAS_ROUTE_MANIFEST, /* /v2/NAME/manifests/TAG|DIGEST */
    CORAS_ROUTE_BLOB,     /* /v2/NAME/blobs/DIGEST */
    CORAS_ROUTE_UPLOADS,  /* /v2/NAME/blobs/uploads/ */
    CORAS_ROUTE_SESSION,  /* /v2/NAME/blobs/uploads/ID */
    CORAS_ROUTE_REFERRERS /* /v2/NAME/referrers/DIGEST */
};

enum coras_route_error {
    CORAS_ROUTE_OK,
    CORAS_ROUTE_BAD_TARGET, /* no origin-form target, broken encoding, control characters */
    CORAS_ROUTE_NOT_FOUND,  /* no such operation */
    CORAS_ROUTE_BAD_NAME,
    CORAS_ROUTE_BAD_TAG,
    CORAS_ROUTE_BAD_DIGEST,
    CORAS_ROUTE_BAD_SESSION /* no session has such an id */
};

struct coras_route {
    enum coras_route_kind kind;
    char *repository;
    char *tag;           /* MANIFEST by tag, else NULL */
    coras_digest digest; /* MANIFEST by digest, BLOB, REFERRERS */
    char *session;       /* SESSION */
    struct coras_query query;
};

/*
 * Parse a request target. On an error *ret holds what was understood so far (its kind and query),
 * to be cleared all the same.
 */
enum coras_route_error coras_route_parse(const char *target, struct coras_route *ret);
void coras_route_clear(struct coras_route *r);

#endif
