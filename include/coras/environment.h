/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file coras/environment.h
 * What a process's environment says about registries, as a value.
 *
 * The library reads no environment variable by itself. A program that wants to behave as command
 * lines do asks for one with coras_environment_load() and passes it on in its options; another
 * fills in the members that it wants, or passes none at all.
 */
#ifndef CORAS_ENVIRONMENT_H
#define CORAS_ENVIRONMENT_H

#include <stddef.h>
#include "coras/error.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Where things are, and how the network is reached. NULL and 0 mean "not known": no file is looked
 * at, no proxy is used. Strings are UTF-8 or whatever the file system takes.
 *
 * One that the caller fills in keeps the caller's strings: they are only read, during the call that
 * gets them. New members are appended; `size` tells which ones the caller knows.
 */
typedef struct coras_environment {
    size_t size;                   /**< sizeof(coras_environment) */
    const char *docker_config;     /**< docker's config.json: credentials are read and kept here */
    const char *auth_file;         /**< an auth.json that is asked before docker's file */
    const char *session_auth_file; /**< the auth.json of this log-in session, asked after it */
    const char *user_auth_file;    /**< the user's own auth.json, asked last */
    const char *http_proxy;        /**< proxy for http://, a URL or host:port */
    const char *https_proxy;       /**< proxy for https:// */
    const char *no_proxy;          /**< comma-separated hosts, domains and networks without one */
    const char *authorities_file;  /**< PEM file in place of the system's file of authorities */
    const char *authorities_dir;   /**< hashed directory in place of the system's */
    const char *temporary_dir;     /**< for unnamed files; NULL: /tmp */
    const char *cache_dir; /**< what may be forgotten: digests of files, unfinished uploads; made
                                when missing; NULL: nothing is remembered */
    int stall_timeout_s;   /**< seconds without progress before a transfer fails; 0: default */
    const char *hub_cache; /**< cache of the Hugging Face hub's clients */
    const char *ollama_models; /**< the models of Ollama */
    int64_t source_date_s; /**< time of creation for what is to be the same whenever it is made, in
                                seconds since 1970; 0: that */
} coras_environment;

/** An environment that knows nothing. */
#define CORAS_ENVIRONMENT_INIT CORAS_SIZED_INIT(coras_environment)

/**
 * Read the environment variables of this process.
 *
 * Looks at `DOCKER_CONFIG`, `HOME`, `REGISTRY_AUTH_FILE`, `XDG_RUNTIME_DIR`, `XDG_CONFIG_HOME`,
 * `XDG_CACHE_HOME`, `HTTP_PROXY`, `HTTPS_PROXY`, `NO_PROXY` (and these three in small letters),
 * `SSL_CERT_FILE`, `SSL_CERT_DIR`, `TMPDIR`, `ORAS_HTTP_TIMEOUT` and `SOURCE_DATE_EPOCH`,
 * `HF_HUB_CACHE`, `HF_HOME` and `OLLAMA_MODELS`. No file is touched.
 *
 * @param ret  set on success only; release with coras_environment_free()
 * @param err  may be NULL; set only on failure, release with coras_error_free()
 * @return 0, CORAS_ERR_INVALID_ARGUMENT when `ret` is NULL, or CORAS_ERR_NO_MEMORY
 *
 * Not while another thread changes the environment (setenv). Since 0.1.
 * Source: src/base/environment.c.
 */
CORAS_API CORAS_MUST_CHECK int coras_environment_load(coras_environment **ret, coras_error **err);

/**
 * Release what coras_environment_load() made; not for records that the caller filled in.
 *
 * @param environment  may be NULL
 *
 * Thread-safe for distinct records. Since 0.1. Source: src/base/environment.c.
 */
CORAS_API void coras_environment_free(coras_environment *environment);

#ifdef __cplusplus
}
#endif
#endif
