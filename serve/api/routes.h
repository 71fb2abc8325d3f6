/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Routes: which operation of the distribution API a target names. Pure: text in, value out. Names
 * hold slashes, so a path is matched from its right end and the last keyword wins.
 * Spec: distribution-spec 1.1, "Endpoints".
 */
#ifndef SERVE_API_ROUTES_H
#define SERVE_API_ROUTES_H

#include "coras/digest.h"
#include "serve/http/uri.h"

/* Longest repository name; many clients bound host/name by the same. */
#define SERVE_REPOSITORY_NAME_MAX 255
/* "8-4-4-4-12" hex digits. */
#define SERVE_SESSION_ID_LEN 36

enum serve_route_kind {
    SERVE_ROUTE_NONE,
    SERVE_ROUTE_BASE,      /* /v2/ */
    SERVE_ROUTE_CATALOG,   /* /v2/_catalog */
    SERVE_ROUTE_TAGS,      /* /v2/NAME/tags/list */
    SERVE_ROUTE_MANIFEST,  /* /v2/NAME/manifests/TAG|DIGEST */
    SERVE_ROUTE_BLOB,      /* /v2/NAME/blobs/DIGEST */
    SERVE_ROUTE_UPLOADS,   /* /v2/NAME/blobs/uploads/ */
    SERVE_ROUTE_SESSION,   /* /v2/NAME/blobs/uploads/ID */
    SERVE_ROUTE_REFERRERS, /* /v2/NAME/referrers/DIGEST */
    /* beside the API: */
    SERVE_ROUTE_HEALTH,          /* /healthz */
    SERVE_ROUTE_READY,           /* /readyz */
    SERVE_ROUTE_METRICS,         /* /metrics */
    SERVE_ROUTE_SITE_HOME,       /* / */
    SERVE_ROUTE_SITE_REPOSITORY, /* /r/NAME */
    SERVE_ROUTE_SITE_MANIFEST,   /* /r/NAME:TAG, /r/NAME@DIGEST */
    SERVE_ROUTE_SITE_STYLE,      /* /page.css */
    SERVE_ROUTE_COUNT
};

enum serve_route_error {
    SERVE_ROUTE_OK,
    SERVE_ROUTE_BAD_TARGET, /* no origin-form target, broken encoding, control characters */
    SERVE_ROUTE_NOT_FOUND,  /* no such operation */
    SERVE_ROUTE_BAD_NAME,
    SERVE_ROUTE_UNKNOWN_NAME, /* of a registry that we do not answer for */
    SERVE_ROUTE_BAD_TAG,
    SERVE_ROUTE_BAD_DIGEST,
    SERVE_ROUTE_BAD_SESSION /* no session has such an id */
};

struct serve_route {
    enum serve_route_kind kind;
    char *repository;    /* its first component may still be a host:port: see proxy/names.h */
    char *tag;           /* MANIFEST by tag, else NULL */
    coras_digest digest; /* MANIFEST by digest, BLOB, REFERRERS */
    char *session;       /* SESSION */
    struct serve_query query;
};

/*
 * Parse a request target. On an error *ret holds what was understood so far (its kind and query),
 * to be cleared all the same.
 */
enum serve_route_error serve_route_parse(const char *target, struct serve_route *ret);
void serve_route_clear(struct serve_route *r);

#endif
