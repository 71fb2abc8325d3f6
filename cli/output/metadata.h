/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Results as JSON: what `--format json` prints and what templates see, and descriptors.
 */
#ifndef CORAS_CLI_OUTPUT_METADATA_H
#define CORAS_CLI_OUTPUT_METADATA_H

#include "codec/json.h"
#include "cli/options/optgroups.h"

/* mediaType, digest, size, annotations, artifactType: members of an open object. */
void put_descriptor_members(coras_json_writer *w, const coras_descriptor *d);
/* `reference` ("<path>@<digest>") and the descriptor's members, without the object's braces. */
void put_artifact_members(coras_json_writer *w, const char *path, const coras_descriptor *d);

/*
 * Print a result that was written with CORAS_JSON_WRITER(result, METADATA_INDENT): as it is with
 * --format json, else through the template.
 */
#define METADATA_INDENT 2
CORAS_MUST_CHECK int metadata_print(const struct format_options *format, coras_buf *result,
                                    coras_error **err);

/* A descriptor: compact without a newline, or with `pretty` indented and with one. */
CORAS_MUST_CHECK int descriptor_print(const coras_descriptor *d, bool pretty, coras_error **err);
/* Raw bytes as they are, or re-indented with a newline. */
CORAS_MUST_CHECK int content_print(const char *text, size_t len, bool pretty, coras_error **err);

#endif
