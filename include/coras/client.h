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
/** New, not cancelled; NULL when out of memory. */
CORAS_API coras_cancel *coras_cancel_new(void);
/** Ask every operation that holds it to stop. Async-signal-safe. */
CORAS_API void coras_cancel_request(coras_cancel *cancel);
/** Only after every operation that holds it has returned. NULL is allowed. */
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
 * Make a client. Files of certificates are read and `resolve` is parsed here; nothing is connected.
 *
 * @return 0; CORAS_ERR_NOT_FOUND or CORAS_ERR_IO for a certificate file ("open nofile: no such file
 * or directory"); CORAS_ERR_INVALID_ARGUMENT for a bad header or resolve entry; CORAS_ERR_CONFIG
 * for a bad credential file
 */
CORAS_API CORAS_MUST_CHECK int coras_client_new(const coras_client_options *opts,
                                                coras_client **ret, coras_error **err);
/** Close connections and forget tokens and credentials (wiped). NULL is allowed. */
CORAS_API void coras_client_free(coras_client *client);

/**
 * The credential file that a person should look at when a registry refuses.
 *
 * @return the first of `registry_configs` as given, or the default docker config.json; NULL when
 *         credentials came with the options or there are several files. Borrowed from the client.
 */
CORAS_API const char *coras_client_auth_file(const coras_client *client);

/** A secret pair as typed by a person. */
typedef struct coras_credential {
    const char *username; /**< NULL or "" with an identity token */
    const char *secret;   /**< password, or identity token when username is empty */
} coras_credential;

/**
 * Check a credential against `GET /v2/` of the registry and store it where the configuration says
 * (helper or file). Options come from the client (its registry_configs, TLS, ...).
 *
 * @param registry  host[:port]; docker.io and registry-1.docker.io are kept under
 * https://index.docker.io/v1/
 * @return 0; CORAS_ERR_UNAUTHORIZED, CORAS_ERR_NOT_FOUND (no registry there), CORAS_ERR_CONFIG,
 * transport errors
 */
CORAS_API CORAS_MUST_CHECK int coras_login(coras_client *client, const char *registry,
                                           const coras_credential *credential, coras_error **err);

/**
 * Forget the credential of a registry. Success when there was none. Opens no connection.
 *
 * @param registry_configs  NULL-terminated list, or NULL for the files that `environment` names
 * @param environment       may be NULL with registry_configs
 */
CORAS_API CORAS_MUST_CHECK int coras_logout(const char *registry,
                                            const char *const *registry_configs,
                                            const coras_environment *environment,
                                            coras_error **err);

#ifdef __cplusplus
}
#endif
#endif
