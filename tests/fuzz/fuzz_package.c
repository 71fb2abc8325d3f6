/* SPDX-License-Identifier: Apache-2.0 */
/* Model packages: a manifest, an empty line, and perhaps a config. What is accepted has paths that
 * stay below a directory, each once, and words that can be printed. */
#include "fuzz.h"

#include "base/alloc.h"
#include "base/map.h"
#include "model/package.h"

static void check_path(const char *path)
{
    FUZZ_CHECK(path[0] != '/');
    for (const char *part = path; *part;) {
        size_t len = strcspn(part, "/");
        FUZZ_CHECK(len > 0 && len <= 255 && !(len == 2 && memcmp(part, "..", 2) == 0));
        part += len + (part[len] == '/');
    }
}

static void check_printable(const char *text)
{
    for (; *text; text++)
        FUZZ_CHECK((unsigned char)*text >= 0x20 && *text != 0x7f);
}

static void check_package(const coras_package *p)
{
    coras_auto(coras_map) seen = coras_map_new(NULL);
    char mark = 0;

    for (size_t i = 0; i < p->entries.len; i++) {
        const coras_package_entry *e = &p->entries.items[i];
        check_path(e->path);
        check_path(e->file_path ? e->file_path : "");
        FUZZ_CHECK(e->form == CORAS_LAYER_TAR || *e->path);
        FUZZ_CHECK(!*e->path || !coras_map_has(seen, e->path));
        FUZZ_CHECK(coras_map_set(seen, e->path, &mark, NULL) == 0);
        FUZZ_CHECK((e->mode & ~0777u) == 0 && e->plain_size >= -1);
    }
    for (size_t i = 0; i < p->warnings.len; i++)
        check_printable(p->warnings.items[i]);
    check_printable(p->elsewhere ? p->elsewhere : "");
}

bool fuzz_one(const char *data, size_t len)
{
    coras_auto_value(coras_manifest) m = {0};
    coras_auto_value(coras_package) p = {0};
    coras_auto(coras_error) err = NULL;
    const char *config = memmem(data, len, "\n\n", 2);
    size_t manifest_len = config ? (size_t)(config - data) : len;

    if (coras_manifest_parse(data, manifest_len, CORAS_MT_OCI_MANIFEST, &m, NULL) < 0)
        return false;
    int rc = coras_package_read(&m, config, config ? len - manifest_len : 0, &p, &err);
    if (rc < 0) {
        FUZZ_CHECK(rc == CORAS_ERR_UNSAFE_PATH || rc == CORAS_ERR_EXISTS ||
                   rc == CORAS_ERR_INVALID_MANIFEST);
        check_printable(coras_error_message(err));
        return false;
    }
    check_package(&p);
    return true;
}
