/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A repository of this registry as a target of the library, to read: what is here and nothing else,
 * no upstream is asked.
 */
#ifndef SERVE_PAGE_TARGET_H
#define SERVE_PAGE_TARGET_H

#include "serve/storage/content.h"
#include "target/target.h"

/* `content` and `repository` are borrowed; close it with coras_target_close(). */
CORAS_MUST_CHECK int serve_content_target(serve_content *content, const char *repository,
                                          coras_target **ret, coras_error **err);

#endif
