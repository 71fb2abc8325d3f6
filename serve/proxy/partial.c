/* SPDX-License-Identifier: Apache-2.0 */
/* Names of unfinished files, and their end. */
#include "serve/proxy/partial.h"

#include <string.h>
#include "base/alloc.h"
#include "base/error.h"
#include "base/fs.h"

/* In the byte order of the machine: the file does not travel. */
struct partial_tail {
    char magic[8];
    int64_t size;
    uint64_t count;
    coras_gap gaps[CORAS_GAPS_MAX];
};
static const char tail_magic[8] = {'c', 'o', 'r', 'a', 's', 'f', 'i', 'l'};

const char *serve_partial_name(const coras_digest *digest, char name[static SERVE_PARTIAL_NAME_MAX])
{
    char hex[CORAS_DIGEST_TEXT_MAX];

    snprintf(name, SERVE_PARTIAL_NAME_MAX, SERVE_PARTIAL_PREFIX "%s-%s",
             coras_digest_algorithm_name(digest->algorithm), coras_digest_hex(digest, hex));
    return name;
}

static int open_own(const serve_blob_store *store, const char *name, int *ret_fd, coras_error **err)
{
    coras_auto_fd fd =
        openat(store->uploads_fd, name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

    if (fd < 0)
        return coras_fail_errno(err, errno, "open %s", name);
    CORAS_TRY(serve_blob_store_check_own(fd, name, err));
    *ret_fd = fd;
    fd = -1;
    return 0;
}

/* What is not of our making gives way; what is ours stays, whatever keeps it from being opened. */
static void remove_foreign(const serve_blob_store *store, const char *name)
{
    struct stat st;

    if (fstatat(store->uploads_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
        (!S_ISREG(st.st_mode) || st.st_nlink > 1 || st.st_uid != geteuid()))
        (void)unlinkat(store->uploads_fd, name, 0);
}

int serve_partial_open(const serve_blob_store *store, const coras_digest *digest, int *ret_fd,
                       int64_t *ret_len, coras_error **err)
{
    char name[SERVE_PARTIAL_NAME_MAX];
    coras_auto_fd fd = -1;
    struct stat st;

    serve_partial_name(digest, name);
    remove_foreign(store, name);
    CORAS_TRY(open_own(store, name, &fd, err));
    if (fstat(fd, &st) < 0)
        return coras_fail_errno(err, errno, "stat %s", name);
    *ret_len = st.st_size;
    *ret_fd = fd;
    fd = -1;
    return 0;
}

/* ---- the tail ---- */

bool serve_partial_read_tail(int fd, int64_t length, int64_t *ret_size, coras_gaps *ret)
{
    struct partial_tail tail;
    int64_t size = length - (int64_t)sizeof(tail);
    size_t got = 0;

    if (size < 0 || coras_pread_full(fd, &tail, sizeof(tail), size, &got, NULL) < 0 ||
        got != sizeof(tail) || memcmp(tail.magic, tail_magic, sizeof(tail_magic)) != 0 ||
        tail.size != size || tail.count > CORAS_GAPS_MAX)
        return false;
    ret->len = (size_t)tail.count;
    memcpy(ret->items, tail.gaps, sizeof(tail.gaps));
    *ret_size = size;
    return coras_gaps_are_valid(ret, size);
}

/* No fsync: a power cut may cost more than a kill, and the digest tells. */
int serve_partial_write_tail(int fd, int64_t size, const coras_gaps *missing, coras_error **err)
{
    struct partial_tail tail = {.size = size, .count = missing->len};

    memcpy(tail.magic, tail_magic, sizeof(tail_magic));
    memcpy(tail.gaps, missing->items, missing->len * sizeof(missing->items[0]));
    return coras_pwrite_full(fd, &tail, sizeof(tail), size, err);
}

/* ---- names ---- */

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

/* Of the blob's size, where it ends with a tail, most may not be there. */
static int64_t allocated(const struct stat *st)
{
    int64_t bytes = coras_allocated_bytes(st);

    return bytes < st->st_size ? bytes : st->st_size;
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
            bytes += allocated(&st);
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
