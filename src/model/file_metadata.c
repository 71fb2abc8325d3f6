/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading `file.metadata+json`. Writers disagree: a regular file is type 48 to some and 0 to others
 * (Go's constant before and after it was renamed), and an absent time is the year 1.
 */
#include "model/file_metadata.h"

#include <string.h>

#include "base/error.h"
#include "codec/date.h"
#include "codec/json.h"

#define YEAR_TWO (-62104060800LL) /* what is earlier is Go's zero time, in some zone */

static bool read_mode(const coras_json *doc, struct coras_file_metadata *m)
{
    const coras_json *v = coras_json_get(doc, "mode");
    int64_t mode;

    if (coras_json_type_of(v) == CORAS_JSON_NULL)
        return true;
    if (!coras_json_int(v, &mode) || mode < 0 || mode > UINT32_MAX)
        return false;
    m->has_mode = true;
    m->mode = (mode_t)mode & 0777;
    return true;
}

static bool read_mtime(const coras_json *doc, struct coras_file_metadata *m)
{
    const coras_json *v = coras_json_get(doc, "mtime");
    const char *text;

    if (coras_json_type_of(v) == CORAS_JSON_NULL)
        return true;
    if (!coras_json_string(v, &text) || coras_parse_rfc3339_exact(text, &m->mtime, NULL) < 0)
        return false;
    m->has_mtime = m->mtime.tv_sec >= YEAR_TWO;
    return true;
}

static bool read_size(const coras_json *doc, struct coras_file_metadata *m)
{
    const coras_json *v = coras_json_get(doc, "size");
    int64_t size;

    if (coras_json_type_of(v) == CORAS_JSON_NULL)
        return true;
    if (!coras_json_int(v, &size) || size < 0)
        return false;
    m->size = size;
    return true;
}

static bool is_odd_type(const coras_json *doc)
{
    int64_t type;

    return coras_json_int(coras_json_get(doc, "typeflag"), &type) && type != 0 && type != '0';
}

int coras_file_metadata_read(const char *text, struct coras_file_metadata *ret,
                             const char **ret_problem, coras_error **err)
{
    coras_auto(coras_json) doc = NULL;

    *ret = (struct coras_file_metadata){.size = -1};
    *ret_problem = NULL;
    int rc = coras_json_parse(text, strlen(text), &doc, NULL);
    if (rc == CORAS_ERR_NO_MEMORY)
        return coras_fail_no_memory(err);
    if (rc < 0 || coras_json_type_of(doc) != CORAS_JSON_OBJECT) {
        *ret_problem = "is no JSON object";
        return 0;
    }
    if (!read_mode(doc, ret))
        *ret_problem = "has a mode that is none";
    if (!read_mtime(doc, ret))
        *ret_problem = "has a time that is none";
    if (!read_size(doc, ret))
        *ret_problem = "has a size that is none";
    ret->is_odd_type = is_odd_type(doc);
    return 0;
}
