/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is in a model, as JSON and for people.
 */
#ifndef CORAS_CLI_OUTPUT_MODEL_FACTS_H
#define CORAS_CLI_OUTPUT_MODEL_FACTS_H

#include "codec/json.h"
#include "coras/model.h"

/* The object that `model inspect --format json` prints; `reference` is what the user typed. */
void put_model_facts(coras_json_writer *w, const char *reference, const coras_model_facts *facts);

/* The same as text of several lines. Everything from outside is escaped. */
void put_model_summary(coras_buf *out, const char *reference, const coras_model_facts *facts);

#endif
