/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Manifests of which a layout holds a part only: somebody has copied a selection. An empty file
 * ".coras-parts/<algorithm>-<hex>" says so. Without it a later copy would find the manifest and
 * believe that all below it is there.
 */
#include "layout/layout.h"

#include <errno.h>

#include "base/error.h"
#include "base/fs.h"
#include "oci/digest.h"
#include "oci/mediatype.h"

#define PARTS_DIR     ".coras-parts"
#define PART_NAME_MAX (CORAS_DIGEST_TEXT_MAX + 1)

static const char *part_name(const coras_digest *digest, char name[static PART_NAME_MAX])
{
    char hex[CORAS_DIGEST_TEXT_MAX];

    (void)snprintf(name, PART_NAME_MAX, "%s-%s", coras_digest_algorithm_name(digest->algorithm),
                   coras_digest_hex(digest, hex));
    return name;
}

/* -1 when there is none. */
static int open_parts(const struct coras_layout *l)
{
    return l->tar ? -1
                  : openat(l->dirfd, PARTS_DIR, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

static int add_part(const struct coras_layout *l, const char *name, coras_error **err)
{
    if (mkdirat(l->dirfd, PARTS_DIR, 0777) < 0 && errno != EEXIST)
        return coras_fail_errno(err, errno, "mkdir " PARTS_DIR);
    coras_auto_fd parts = open_parts(l);
    coras_auto_fd fd =
        parts < 0 ? -1 : openat(parts, name, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0666);
    if (fd < 0)
        return coras_fail_errno(err, errno, "create " PARTS_DIR "/%s", name);
    CORAS_TRY(coras_fsync(parts, PARTS_DIR, err));
    return coras_sync_directory(l->dirfd, ".", err);
}

static int remove_part(const struct coras_layout *l, const char *name, coras_error **err)
{
    coras_auto_fd parts = open_parts(l);

    if (parts < 0)
        return 0;
    if (unlinkat(parts, name, 0) < 0 && errno != ENOENT)
        return coras_fail_errno(err, errno, "remove " PARTS_DIR "/%s", name);
    return 0;
}

int coras_layout_set_part(coras_target *t, const coras_descriptor *desc, bool is_part,
                          coras_error **err)
{
    const struct coras_layout *l = (const struct coras_layout *)t;
    char name[PART_NAME_MAX];

    (void)part_name(&desc->digest, name);
    return is_part ? add_part(l, name, err) : remove_part(l, name, err);
}

static bool is_part(const struct coras_layout *l, const coras_digest *digest)
{
    char name[PART_NAME_MAX];
    struct stat st;
    coras_auto_fd parts = open_parts(l);

    return parts >= 0 && fstatat(parts, part_name(digest, name), &st, AT_SYMLINK_NOFOLLOW) == 0;
}

int coras_layout_exists_whole(coras_target *t, const coras_descriptor *desc, bool *ret,
                              coras_error **err)
{
    bool exists = false;

    CORAS_TRY(coras_layout_exists(t, desc, &exists, err));
    *ret = exists && !(coras_media_type_is_manifest(desc->media_type) &&
                       is_part((const struct coras_layout *)t, &desc->digest));
    return 0;
}
