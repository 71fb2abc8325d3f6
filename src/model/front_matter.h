/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The head of a model card: the block of YAML between two lines "---" at the start of a README.
 *
 * Only what model cards use of YAML is read: keys at the left margin with a scalar or a list of
 * scalars. A card is a person's text, so nothing in it is an error: what is not understood is
 * passed over.
 */
#ifndef CORAS_MODEL_FRONT_MATTER_H
#define CORAS_MODEL_FRONT_MATTER_H

#include "base/str.h"

struct coras_card_field {
    char *key;
    coras_strlist values; /* one for a scalar */
};

typedef struct coras_model_card {
    struct coras_card_field *items;
    size_t len, cap;
} coras_model_card;
void coras_model_card_clear(coras_model_card *card);
CORAS_DEFINE_AUTO_VALUE(coras_model_card, coras_model_card_clear)

/* Fails for want of memory only. A text without such a block gives an empty card. Of a key that
 * occurs twice the first counts. */
CORAS_MUST_CHECK int coras_model_card_parse(const char *text, size_t len, coras_model_card *ret,
                                            coras_error **err);

/* The values of a key, borrowed; NULL when there are none. */
const coras_strlist *coras_model_card_get(const coras_model_card *card, const char *key);
/* The first of them; NULL. */
const char *coras_model_card_first(const coras_model_card *card, const char *key);

#endif
