/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What we need of a store's answers, which are XML: the text of a few elements whose names occur
 * once, or in a row. No attributes, no name spaces, no entities of a document's own: whoever wants
 * to say something else is not understood.
 */
#ifndef SERVE_STORAGE_S3_XML_H
#define SERVE_STORAGE_S3_XML_H

#include "base/str.h"

/* What stands between the next <tag> and </tag> of *rest, as it is written; *rest then begins after
 * it. false: there is no other. */
bool serve_xml_next(coras_str *rest, const char *tag, coras_str *ret);
/* The text of the first element of that name, its entities decoded. New string; NULL when there is
 * none or no memory. */
char *serve_xml_text(coras_str document, const char *tag);

#endif
