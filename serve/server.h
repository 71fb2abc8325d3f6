/*
 * server: the embedded registry behind `coras serve`: the OCI distribution API on one directory.
 * A library of its own: it may use src/oci and src/base and nothing above them. It is built as a
 * module that exports this one function, so that programs which never serve load neither an HTTP
 * server nor a database.
 *
 * How a request runs: front.c (HTTP) -> routes.c (what is asked) -> access.c (who may) -> one of
 * uploads.c, blobs.c, manifests.c, lists.c, which work on blob_store.c (files), sessions.c
 * (unfinished uploads) and metadata.c (the database).
 */
#ifndef SERVE_SERVER_H
#define SERVE_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "coras/error.h"

/** How to serve. Zero is the default of every member but `size`, `root` and `listen`. */
struct serve_options {
    size_t size;            /**< sizeof(struct serve_options) of the caller */
    const char *listen;     /**< "host:port", "[v6]:port" or ":port"; port 0 = the system chooses */
    const char *root;       /**< directory of the registry; made when absent */
    const char *htpasswd;   /**< file of "user:bcrypt" lines; NULL = everybody may do everything */
    const char *tls_cert;   /**< PEM file; with tls_key: serve https */
    const char *tls_key;    /**< PEM file */
    bool anonymous_read;    /**< with htpasswd: reading needs no password */
    bool delete_disabled;   /**< DELETE of content answers 405 UNSUPPORTED */
    bool sparse_index;      /**< accept manifests that name absent content */
    bool access_log;        /**< one line per request on standard error */
    int grace_seconds;      /**< how long SIGTERM waits for running requests; 0 = 30, < 0 = none */
    int idle_seconds;       /**< a connection without progress, or with a head that takes longer, is
                                 closed; 0 = 60 */
    int64_t manifest_limit; /**< largest manifest in bytes; 0 = 4 MiB */
    int64_t min_free_bytes; /**< refuse uploads when the disk has less; 0 = until it is full */
    unsigned max_connections;             /**< at once; 0 = 4096 */
    unsigned max_connections_per_address; /**< 0 = no limit of its own */
    /** Called once connections are accepted, with the address ("127.0.0.1:5000"); NULL = the line
     * "listening on ADDRESS" goes to standard output. */
    void (*ready)(const char *address, void *user);
    void *user;
};

/** Initial value: `struct serve_options o = SERVE_OPTIONS_INIT;` */
#define SERVE_OPTIONS_INIT                                                                         \
    {                                                                                              \
        .size = sizeof(struct serve_options)                                                       \
    }

/**
 * Serve until SIGTERM or SIGINT arrives, then finish what runs and return.
 *
 * Blocks these signals in the calling thread for the time of the call; a second one ends the grace.
 *
 * @param opts  borrowed for the call
 * @param err   may be NULL; set only on failure
 * @return 0 after a clean stop; CORAS_ERR_CONFIG (options, password file, a root that is damaged or
 *         in use), CORAS_ERR_IO (address not available, files)
 */
CORAS_API CORAS_MUST_CHECK int serve_until_signal(const struct serve_options *opts,
                                                  coras_error **err);

#endif
