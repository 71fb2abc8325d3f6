/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One `key: value` pair as YAML, quoted the way go-yaml quotes.
 */
#ifndef CORAS_CLI_OUTPUT_YAML_H
#define CORAS_CLI_OUTPUT_YAML_H

#include "base/buf.h"

/* Append `key: value` without a final newline; a value with line breaks becomes a block of further
 * lines, indented by four blanks. */
void put_yaml_pair(coras_buf *out, const char *key, const char *value);

#endif
