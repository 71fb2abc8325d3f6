/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading members of OCI documents: a member that is absent or null leaves the output as it is, one
 * of the wrong type is an INVALID_MANIFEST that names it ("layers[3].mediaType").
 */
#ifndef CORAS_OCI_JSON_FIELDS_H
#define CORAS_OCI_JSON_FIELDS_H

#include "codec/json.h"

/* The member of an object; NULL: absent, or no object. As Go reads: capitals do not matter, and of
 * members that differ in them only the last counts. */
const coras_json *coras_field_get(const coras_json *object, const char *key);
/* Whether v is an object. `what` may be "" for the document itself. */
CORAS_MUST_CHECK int coras_field_object(const coras_json *v, const char *what, coras_error **err);
CORAS_MUST_CHECK int coras_field_text(const coras_json *object, const char *what, const char *key,
                                      char **ret, coras_error **err);
/* NULL-terminated list; NULL when absent or empty. */
CORAS_MUST_CHECK int coras_field_text_list(const coras_json *object, const char *what,
                                           const char *key, char ***ret, coras_error **err);
/* INVALID_MANIFEST: "<what>.<key>: <problem>". */
int coras_field_fail(coras_error **err, const char *what, const char *key, const char *problem);

/* Lists as they stand in records: NULL-terminated, owned. */
void coras_text_list_free(char **list);
bool coras_text_list_copy(char ***to, char *const *from); /* false: out of memory */
void coras_text_list_write(coras_json_writer *w, const char *key,
                           char *const *list);     /* nothing when empty */
bool coras_text_copy(char **to, const char *from); /* NULL stays NULL; false: out of memory */

#endif
