/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file coras/platform.h
 * Platforms as people write them.
 */
#ifndef CORAS_PLATFORM_H
#define CORAS_PLATFORM_H

#include "coras/descriptor.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Parse `os[/architecture][/variant][:os_version]`, such as `linux/arm64/v8`.
 *
 * @param text  borrowed, NUL-terminated; without an architecture that of this machine is meant
 * @param ret   set on success only; coras_platform_clear()
 * @param err   may be NULL; set only on failure, release with coras_error_free()
 * @return 0; CORAS_ERR_INVALID_ARGUMENT (a message that shows the text), CORAS_ERR_NO_MEMORY
 *
 * Pure; thread-safe. Spec: image-spec 1.1, "Image Index", property `platform`.
 * Since 0.1.
 */
CORAS_API CORAS_MUST_CHECK int coras_platform_parse(const char *text, coras_platform *ret,
                                                    coras_error **err);

/**
 * The operating system that this library runs on.
 *
 * @return a name as in image indexes ("linux"); static
 *
 * Never blocks. Thread-safe.
 * Since 0.1.
 * Source: src/oci/platform.c.
 */
CORAS_API const char *coras_host_os(void);

/**
 * The architecture that this library was built for.
 *
 * @return a name as in image indexes ("amd64", "arm64"); static
 *
 * Never blocks. Thread-safe.
 * Since 0.1.
 * Source: src/oci/platform.c.
 */
CORAS_API const char *coras_host_arch(void);

#ifdef __cplusplus
}
#endif
#endif
