/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Options: how to serve, and the reading of them from the program's arguments. `coras serve` has
 * the table that people see (cli/commands/serve.c) and hands over what it was given under the same
 * long names, so that this side needs no help, no short forms and no completion.
 */
#ifndef SERVE_OPTIONS_H
#define SERVE_OPTIONS_H

#include "base/common.h"
#include "base/limits.h"
#include "base/str.h"

struct serve_options {
    const char *listen;     /* "host:port", "[v6]:port" or ":port"; port 0 = the system chooses */
    const char *root;       /* directory of the registry; made when absent */
    const char *metadata;   /* URL of a database of PostgreSQL; NULL = one in the directory */
    char *metadata_secret;  /* the same where it was handed over in a file descriptor; owned */
    const char *layouts;    /* directory of OCI layouts that are served in place; NULL = none */
    const char *htpasswd;   /* file of "user:bcrypt" lines; NULL = everybody may do everything */
    const char *rules;      /* file of who may do what where; NULL = users may do everything */
    const char *tls_cert;   /* PEM file; with tls_key: serve https */
    const char *tls_key;    /* PEM file */
    coras_strlist hosts;    /* names that it answers to beside localhost, where that matters */
    coras_strlist proxies;  /* "URL" or "NAME=URL": where content comes from that is not here */
    const char *proxy_file; /* with more of these, one a line; NULL = none */
    const char *registry_config; /* docker config file with credentials for these; NULL: usual */
    int64_t proxy_ttl;           /* seconds that a tag of an upstream is not asked for again */
    bool no_stale;               /* an upstream that is down is an error, not an old tag */
    bool anonymous_read;         /* with htpasswd: reading needs no password */
    bool layouts_write;          /* pushes into layouts are allowed */
    bool read_only;              /* change nothing in the directory */
    bool disable_delete;         /* DELETE of content answers 405 UNSUPPORTED */
    bool sparse_index;           /* accept manifests that name absent content */
    bool access_log;             /* one line per request on standard error */
    bool access_log_json;        /* as JSON objects */
    int64_t grace;               /* seconds that SIGTERM waits for running requests */
    int64_t idle;           /* seconds: a connection without progress, or with a head that takes
                               longer, is closed */
    int64_t manifest_limit; /* bytes of the largest manifest */
    int64_t min_free;       /* refuse uploads when the disk has fewer bytes; 0 = until it is full */
    int64_t cache_size;     /* bytes of blobs that are here because an upstream has them; 0 = as
                               many as the disk holds */
    int64_t keep_filling;   /* seconds that a fill goes on which nobody reads and of which more than
                               nine tenths are missing */
    const char *blobs;      /* "s3://BUCKET/PREFIX" that keeps the blobs; NULL = the directory */
    const char *s3_endpoint;             /* URL of that store; NULL = Amazon's */
    const char *s3_region;               /* that it is signed for; NULL = us-east-1 */
    bool no_redirect;                    /* blobs from there pass through here */
    int64_t max_connections;             /* at once */
    int64_t max_connections_per_address; /* 0 = no limit of its own; negative: the usual one */
};

#define SERVE_OPTIONS_INIT                                                                         \
    {                                                                                              \
        .proxy_ttl = 60, .grace = 30, .keep_filling = 600, .idle = 60,                             \
        .manifest_limit = CORAS_LIMIT_MANIFEST, .max_connections = 4096,                           \
        .max_connections_per_address = -1                                                          \
    }

/* Whether content may come from elsewhere. */
static inline bool serve_options_are_proxy(const struct serve_options *o)
{
    return o->proxies.len > 0 || o->proxy_file;
}

void serve_options_clear(struct serve_options *options);
/*
 * Set what the arguments say; texts are borrowed from them. INVALID_ARGUMENT names the argument
 * that is unknown, without its value or out of range, and what is missing.
 */
CORAS_MUST_CHECK int serve_options_parse(struct serve_options *options, char **argv,
                                         coras_error **err);

#endif
