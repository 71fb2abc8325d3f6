/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ollama's models on disk, as far as names tell:
 *
 *     manifests/<host>/<namespace>/<model>/<tag>   a manifest as it came from the registry
 *     blobs/sha256-<hex>                           what it names
 */
#ifndef CORAS_OPS_MODELS_OLLAMA_STORE_H
#define CORAS_OPS_MODELS_OLLAMA_STORE_H

#include "coras/digest.h"

/*
 * Where the manifest of "[[<host>/]<namespace>/]<model>[:<tag>]" is, below the store; what is not
 * said is what Ollama takes for it. INVALID_REFERENCE for parts that Ollama would not take.
 */
CORAS_MUST_CHECK int coras_ollama_manifest_path(const char *name, char **ret, coras_error **err);

/* The file of a blob, below the store; NULL when out of memory, or for what is no sha256. */
char *coras_ollama_blob_path(const coras_digest *digest);

#endif
