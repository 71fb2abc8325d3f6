/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Chat templates, which engines run in Jinja: does one reach for more than the messages that it
 * formats? Only what stands between the template's brackets is code; a text may say "import".
 */
#ifndef CORAS_MODEL_TEMPLATE_CHECK_H
#define CORAS_MODEL_TEMPLATE_CHECK_H

#include "base/str.h"
#include "coras/model_scan.h"

/* The worst that it does: LOW for a plain one. *ret_word is what was found (static), NULL for a
 * plain one; *ret_offset where. */
enum coras_severity coras_template_check(coras_str text, const char **ret_word, size_t *ret_offset);

#endif
