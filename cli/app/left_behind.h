/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a command leaves behind although somebody may count on it, said in one line on stderr.
 */
#ifndef CORAS_CLI_APP_LEFT_BEHIND_H
#define CORAS_CLI_APP_LEFT_BEHIND_H

#include "base/str.h"
#include "coras/model_push.h"
#include "coras/target.h"

/* Entries of the annotation file `path` that match no file of the push; none, no line. */
void tell_unused_annotations(const char *path, const coras_strlist *names);

/* What packing a model left out, and what it warns of. */
void tell_packed(const coras_model_pack_report *report);

/*
 * Tags by which cosign keeps signatures, attestations and bills of materials of `digest` in
 * `source` (`sha256-<hex>.sig` and the like): a copy does not take them along. Costs one request; a
 * failure of it is no news.
 */
void tell_cosign_tags(coras_target *source, const coras_digest *digest);

/* A pull by titles that has written no file of a model package; `package` NULL: no line. */
void tell_model_package(const char *program, const char *package, bool is_layout,
                        const char *reference);

/* Content that a copy has not chosen: so many bytes of how many. */
void tell_part(int64_t left, int64_t whole);

#endif
