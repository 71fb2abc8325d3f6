/* SPDX-License-Identifier: Apache-2.0 */
/* Names of unfinished files, and their end. */
#include "serve/proxy/partial.h"

#include "base/alloc.h"
#include "base/error.h"

const char *serve_partial_name(const coras_digest *digest, char name[static SERVE_PARTIAL_NAME_MAX])
{
    char hex[CORAS_DIGEST_TEXT_MAX];

    snprintf(name, SERVE_PARTIAL_NAME_MAX, SERVE_PARTIAL_PREFIX "%s-%s",
             coras_digest_algorithm_name(digest->algorithm), coras_digest_hex(digest, hex));
    return name;
}

int serve_partial_open(const serve_blob_store *store, const coras_digest *digest, int *ret_fd,
                       int64_t *ret_len, coras_error **err)
{
    char name[SERVE_PARTIAL_NAME_MAX];
    coras_auto_fd fd = -1;
    struct stat st;

    serve_partial_name(digest, name);
    fd = openat(store->uploads_fd, name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return coras_fail_errno(err, errno, "open %s", name);
    if (fstat(fd, &st) < 0)
        return coras_fail_errno(err, errno, "stat %s", name);
    if (!S_ISREG(st.st_mode))
        return coras_fail(err, CORAS_ERR_IO, "%s: not a regular file", name);
    *ret_len = st.st_size;
    *ret_fd = fd;
    fd = -1;
    return 0;
}

void serve_partial_remove(const serve_blob_store *store, const coras_digest *digest)
{
    char name[SERVE_PARTIAL_NAME_MAX];

    (void)unlinkat(store->uploads_fd, serve_partial_name(digest, name), 0);
}

/* The digest that such a name stands for. */
static bool parse_name(const char *name, coras_digest *ret)
{
    char text[SERVE_PARTIAL_NAME_MAX];
    size_t prefix = strlen(SERVE_PARTIAL_PREFIX);
    char *dash;

    if (!coras_str_starts(name, SERVE_PARTIAL_PREFIX) || strlen(name) - prefix >= sizeof(text))
        return false;
    snprintf(text, sizeof(text), "%s", name + prefix);
    dash = strchr(text, '-');
    if (!dash)
        return false;
    *dash = ':';
    return coras_digest_parse(text, ret, NULL) == 0;
}

int64_t serve_partials_bytes(const serve_blob_store *store)
{
    coras_auto_value(coras_strlist) names = {0};
    int64_t bytes = 0;

    if (coras_list_directory(store->uploads_fd, "uploads", &names, NULL) < 0)
        return 0;
    for (size_t i = 0; i < names.len; i++) {
        coras_digest digest;
        struct stat st;
        if (parse_name(names.items[i], &digest) &&
            fstatat(store->uploads_fd, names.items[i], &st, AT_SYMLINK_NOFOLLOW) == 0)
            bytes += st.st_size;
    }
    return bytes;
}

void serve_partials_expire(const serve_blob_store *store, int64_t before_s,
                           bool (*is_used)(void *user, const coras_digest *digest), void *user)
{
    coras_auto_value(coras_strlist) names = {0};

    if (coras_list_directory(store->uploads_fd, "uploads", &names, NULL) < 0)
        return;
    for (size_t i = 0; i < names.len; i++) {
        coras_digest digest;
        struct stat st;
        if (parse_name(names.items[i], &digest) && !is_used(user, &digest) &&
            fstatat(store->uploads_fd, names.items[i], &st, AT_SYMLINK_NOFOLLOW) == 0 &&
            st.st_mtime < before_s)
            (void)unlinkat(store->uploads_fd, names.items[i], 0);
    }
}
