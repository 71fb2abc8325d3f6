/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Texts as pickles spell them, made plain.
 */
#ifndef CORAS_MODEL_PICKLE_TEXT_H
#define CORAS_MODEL_PICKLE_TEXT_H

#include "base/str.h"
#include "model/pickle_opcodes.h"

/*
 * Append the plain UTF-8 text; false when the spelling is wrong, or one that no writer uses (a NUL,
 * bytes beyond ASCII in an escaped text): such a text is treated as unknown.
 */
bool coras_pickle_text_decode(coras_buf *out, enum coras_pickle_spelling spelling, coras_str raw);

#endif
