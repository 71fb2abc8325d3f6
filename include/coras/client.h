/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file coras/client.h
 * What reaches registries: TLS, proxies, credentials, tokens, retries. One client serves many
 * targets and threads; connections and tokens are reused across all of them.
 */
#ifndef CORAS_CLIENT_H
#define CORAS_CLIENT_H

#include <stddef.h>
#include <stdint.h>
#include "coras/environment.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Cancels operations from another thread or a signal handler. */
typedef struct coras_cancel coras_cancel;

/**
 * Make a flag that ends operations early.
 *
 * It is not set yet.
 *
 * @return the flag, release with coras_cancel_free(); NULL when out of memory
 *
 * Any thread.
 * Since 0.1.
 * Source: src/client/client.c.
 */
CORAS_API coras_cancel *coras_cancel_new(void);

/**
 * Ask every operation that holds the flag to stop.
 *
 * They return CORAS_ERR_CANCELLED soon, and have stopped their threads by then. It cannot be taken
 * back.
 *
 * @param cancel  borrowed; not NULL
 *
 * Async-signal-safe; any thread.
 * Since 0.1.
 * Source: src/client/client.c.
 */
CORAS_API void coras_cancel_request(coras_cancel *cancel);

/**
 * Release the flag, after every operation and client that holds it.
 *
 * @param cancel  may be NULL
 *
 * Thread-safe for distinct flags.
 * Since 0.1.
 * Source: src/client/client.c.
 */
CORAS_API void coras_cancel_free(coras_cancel *cancel);

/** Which referrers scheme to use with registries. */
enum coras_referrers_mode {
    CORAS_REFERRERS_AUTO = 0, /**< API, and the tag schema where it is missing */
    CORAS_REFERRERS_API,      /**< API only (`v1.1-referrers-api`) */
    CORAS_REFERRERS_TAG       /**< tag schema only (`v1.1-referrers-tag`) */
};

/**
 * Options of a client. Zero means default for every member. Strings are borrowed for the call of
 * coras_client_new() only. New members are appended; `size` tells which ones the caller knows.
 */
typedef struct coras_client_options {
    size_t size;            /**< sizeof(coras_client_options) */
    const char *user_agent; /**< NULL: "coras/<version>" */
    int plain_http;      /**< 0: https, but http for host `localhost`; 1: http; -1: https always */
    bool insecure;       /**< do not verify certificates */
    const char *ca_file; /**< PEM file that replaces the system's authorities */
    const char *cert_file;      /**< client certificate (PEM), together with key_file */
    const char *key_file;       /**< its key */
    const char *const *resolve; /**< NULL-terminated `host:port:address[:address_port]` */
    const char *const
        *headers; /**< NULL-terminated `Name: value`, sent to the registry's own origin only */
    const char *username; /**< with `password`: used for every registry instead of the stores */
    const char *password; /**< without username it is an identity token */
    const char *identity_token; /**< refresh token */
    const char *const
        *registry_configs; /**< NULL-terminated docker config files in place of the environment's */
    int stall_timeout_s;   /**< seconds without progress before a transfer fails; 0: the
                                environment's, else 60 */
    int answer_timeout_s;  /**< seconds that the other side may take before it begins to answer a
                                request with or for content (a registry moves a blob into place, a
                                cache fetches it first); 0: ten times stall_timeout_s */
    enum coras_referrers_mode referrers;
    bool allow_private_token_service; /**< a registry on the Internet may name a token service in a
                                           private network (10.0.0.0/8 and the like) */
    coras_cancel *cancel;             /**< borrowed for the client's life; may be NULL */
    const coras_environment *environment; /**< credential files, proxies, authorities; copied; NULL:
                                               none of them, only what these options name */
} coras_client_options;
#define CORAS_CLIENT_OPTIONS_INIT CORAS_SIZED_INIT(coras_client_options)

/** A client. Thread-safe. */
typedef struct coras_client coras_client;

/**
 * Make a client.
 *
 * Files of certificates and credentials are read and `resolve` is parsed here; nothing is
 * connected.
 *
 * @param opts  borrowed for the call, but for `cancel`; NULL for defaults
 * @param ret   set on success only; release with coras_client_free()
 * @param err   may be NULL; set only on failure, release with coras_error_free()
 * @return 0; CORAS_ERR_NOT_FOUND or CORAS_ERR_IO for a certificate file; CORAS_ERR_TLS for what is
 *         in one; CORAS_ERR_CONFIG for a credential file that cannot be understood;
 *         CORAS_ERR_INVALID_ARGUMENT for options without `size`, a bad header or `resolve` entry;
 *         CORAS_ERR_NO_MEMORY
 *
 * Reads files. Thread-safe.
 * Since 0.1.
 * Source: src/client/client.c.
 */
CORAS_API CORAS_MUST_CHECK int coras_client_new(const coras_client_options *opts,
                                                coras_client **ret, coras_error **err);

/**
 * Close connections and forget tokens and credentials, whose memory is wiped.
 *
 * Targets of the client are closed before.
 *
 * @param client  may be NULL
 *
 * No other thread may be using the client.
 * Since 0.1.
 * Source: src/client/client.c.
 */
CORAS_API void coras_client_free(coras_client *client);

/**
 * The credential file that a person should look at when a registry refuses.
 *
 * @param client  borrowed
 * @return path, borrowed from the client: the first of `registry_configs` as given, or the
 *         environment's docker_config; NULL when credentials came with the options, there are
 *         several files or none is known
 *
 * Never blocks. Thread-safe.
 * Since 0.1.
 * Source: src/client/client.c.
 */
CORAS_API const char *coras_client_auth_file(const coras_client *client);

/** A secret pair as typed by a person. */
typedef struct coras_credential {
    const char *username; /**< NULL or "" with an identity token */
    const char *secret;   /**< password, or identity token when username is empty */
} coras_credential;

/**
 * Check a credential against `GET /v2/` of the registry and store it where the configuration says:
 * through a helper program, or in the file.
 *
 * @param client      whose options (TLS, credential files, proxies) count; borrowed
 * @param registry    host[:port]; docker.io and registry-1.docker.io are kept under
 *                    https://index.docker.io/v1/; borrowed
 * @param credential  borrowed; its secret is copied to memory that is wiped afterwards
 * @param err         may be NULL; set only on failure, release with coras_error_free()
 * @return 0; CORAS_ERR_UNAUTHORIZED; CORAS_ERR_NOT_FOUND when there is no registry at this address;
 *         CORAS_ERR_CONFIG for a credential file that cannot be understood or is not known;
 *         CORAS_ERR_INVALID_ARGUMENT, CORAS_ERR_INVALID_REFERENCE, CORAS_ERR_IO, any transport
 *         error
 *
 * Blocking; may run a credential helper, which gets the environment of the process. Thread-safe,
 * also with other processes.
 * Since 0.1.
 * Source: src/client/login.c.
 */
CORAS_API CORAS_MUST_CHECK int coras_login(coras_client *client, const char *registry,
                                           const coras_credential *credential, coras_error **err);

/**
 * Forget the credential of a registry.
 *
 * That there was none is a success. Opens no connection.
 *
 * @param registry          host[:port]; borrowed
 * @param registry_configs  NULL-terminated list of docker config files; NULL for what `environment`
 *                          names; borrowed
 * @param environment       where credentials are kept; may be NULL with `registry_configs`;
 *                          borrowed
 * @param err               may be NULL; set only on failure, release with coras_error_free()
 * @return 0; CORAS_ERR_CONFIG for a credential file that cannot be understood or is not known;
 *         CORAS_ERR_INVALID_ARGUMENT, CORAS_ERR_IO
 *
 * Blocking; may run a credential helper. Thread-safe, also with other processes.
 * Since 0.1.
 * Source: src/client/login.c.
 */
CORAS_API CORAS_MUST_CHECK int coras_logout(const char *registry,
                                            const char *const *registry_configs,
                                            const coras_environment *environment,
                                            coras_error **err);

#ifdef __cplusplus
}
#endif
#endif
