/*
 * ORAS_CACHE: an OCI layout that remembers content by digest between runs. References are always
 * resolved at the source.
 */
#ifndef CORAS_CLI_APP_CACHE_H
#define CORAS_CLI_APP_CACHE_H

#include "coras/ops.h"

/* As coras_fetch_manifest() with `platform` picked from an index (NULL: the reference itself). */
CORAS_MUST_CHECK int cached_fetch_manifest(coras_target *target, const char *reference,
                                           const coras_platform *platform, const char *accept,
                                           coras_descriptor *ret, char **ret_bytes,
                                           coras_error **err);

/* As coras_fetch_blob(); with a cache the content goes there first, of which `run` hears, and is
 * then read from it. */
CORAS_MUST_CHECK int cached_fetch_blob(coras_target *target, const coras_descriptor *desc,
                                       const coras_run_options *run, coras_write_fn write,
                                       void *user, coras_error **err);

/* As coras_save_blob(); `run` hears of the bytes once, as they come. */
CORAS_MUST_CHECK int cached_save_blob(coras_target *target, const coras_descriptor *desc,
                                      const char *path, const coras_run_options *run,
                                      coras_error **err);

/* As coras_fetch_bytes(), likewise. */
CORAS_MUST_CHECK int cached_fetch_bytes(coras_target *target, const coras_descriptor *desc,
                                        const coras_run_options *run, size_t limit,
                                        char **ret_bytes, coras_error **err);

#endif
