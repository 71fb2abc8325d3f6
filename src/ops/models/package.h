/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A model package at a target: from a reference to the manifest that holds files, and what they
 * are. No file is fetched.
 */
#ifndef CORAS_OPS_MODELS_PACKAGE_H
#define CORAS_OPS_MODELS_PACKAGE_H

#include "model/package.h"
#include "target/target.h"

typedef struct coras_found_package {
    coras_descriptor root; /* of the manifest, never of an index */
    coras_buf bytes;
    coras_manifest manifest;
    coras_package package; /* borrows from `manifest` */
} coras_found_package;
void coras_found_package_clear(coras_found_package *f);
CORAS_DEFINE_AUTO_VALUE(coras_found_package, coras_found_package_clear)

/* `ret` stays where it is. Of an index the only entry is taken, else the one for `platform` (NULL:
 * Linux on this machine). NO_PLATFORM, and the errors of coras_package_read(). */
CORAS_MUST_CHECK int coras_find_package(coras_target *source, const char *reference,
                                        const coras_platform *platform, coras_found_package *ret,
                                        coras_error **err);

/* Whether everything that should become a file does, and something does: UNSUPPORTED with what
 * there is. */
CORAS_MUST_CHECK int coras_check_package_is_whole(const coras_found_package *f, coras_error **err);

#endif
