/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One pass over the headers of a layout archive; content is skipped by its size and read later by
 * its offset.
 */
#include "layout/layout_tar.h"

#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/fs.h"
#include "base/limits.h"
#include "base/map.h"
#include "base/str.h"
#include "codec/tar.h"
#include "gospell/quote.h"

struct archive_member {
    int64_t offset, size;
};

struct coras_layout_tar {
    int fd;
    coras_map *members;
};

void coras_layout_tar_free(coras_layout_tar *tar)
{
    if (!tar)
        return;
    coras_close_fd(&tar->fd);
    coras_map_free(tar->members);
    free(tar);
}

int coras_layout_tar_fd(const coras_layout_tar *tar)
{
    return tar->fd;
}

bool coras_layout_tar_find(const coras_layout_tar *tar, const char *name, int64_t *ret_offset,
                           int64_t *ret_size)
{
    const struct archive_member *m = coras_map_get(tar->members, name);
    if (!m)
        return false;
    *ret_offset = m->offset;
    *ret_size = m->size;
    return true;
}

/* ---- the scan ---- */

struct scan {
    coras_layout_tar *tar;
    int64_t offset, size; /* of the archive */
    coras_tar_decoder decoder;
};

static void scan_clear(struct scan *s)
{
    coras_tar_decoder_clear(&s->decoder);
}

static int fail_short(coras_error **err)
{
    return coras_fail(err, CORAS_ERR_UNSAFE_ARCHIVE, "unexpected EOF");
}

static int read_exactly(struct scan *s, void *buf, size_t len, coras_error **err)
{
    size_t got = 0;
    CORAS_TRY(coras_pread_full(s->tar->fd, buf, len, s->offset, &got, err));
    if (got < len)
        return fail_short(err);
    s->offset += (int64_t)len;
    return 0;
}

static int skip(struct scan *s, int64_t len, coras_error **err)
{
    if (len > s->size - s->offset)
        return fail_short(err);
    s->offset += len;
    return 0;
}

/* "./a//b" is "a/b"; NULL when a component is "..", or the name is absolute. */
static char *clean_name(const char *name)
{
    coras_auto_free char *clean = coras_path_clean(name);
    if (!clean || *clean == '/' || coras_streq(clean, "..") || coras_str_starts(clean, "../"))
        return NULL;
    for (const char *s = name; (s = strstr(s, "..")) != NULL; s += 2)
        if ((s == name || s[-1] == '/') && (s[2] == 0 || s[2] == '/'))
            return NULL;
    return coras_steal(&clean);
}

/* Other files of other tools lie in layouts too; they do not matter. */
static bool belongs_to_layout(const char *name)
{
    return coras_streq(name, "oci-layout") || coras_streq(name, "index.json") ||
           coras_str_starts(name, "blobs/");
}

static int refuse_member(const char *name, const char *why, coras_error **err)
{
    coras_auto_buf shown = CORAS_BUF_UNLIMITED;
    coras_escape(&shown, name, strlen(name), CORAS_LIMIT_COMPONENT);
    return coras_fail(err, CORAS_ERR_UNSAFE_ARCHIVE, "member \"%s\": %s", shown.ptr, why);
}

static int add_member(struct scan *s, const coras_tar_entry *entry, coras_error **err)
{
    coras_auto_free char *name = clean_name(entry->name);
    if (!name)
        return refuse_member(entry->name, "name leads out of the archive", err);
    if (!belongs_to_layout(name) || entry->type == CORAS_TAR_DIRECTORY)
        return 0;
    if (entry->type != CORAS_TAR_FILE)
        return refuse_member(name, "not a regular file", err);
    if (coras_map_has(s->tar->members, name))
        return refuse_member(name, "occurs twice", err);
    struct archive_member *m = coras_new(struct archive_member);
    if (!m)
        return coras_fail_no_memory(err);
    m->offset = s->offset;
    m->size = entry->size;
    int rc = coras_map_set(s->tar->members, name, m, err);
    if (rc < 0)
        free(m);
    return rc;
}

static int take_record(struct scan *s, coras_error **err)
{
    int64_t size = s->decoder.record_size;
    coras_auto_free char *record = coras_malloc((size_t)size + 1);
    if (!record)
        return coras_fail_no_memory(err);
    CORAS_TRY(read_exactly(s, record, (size_t)size, err));
    CORAS_TRY(skip(s, (int64_t)coras_tar_padding(size), err));
    return coras_tar_decode_record(&s->decoder, record, (size_t)size, err);
}

static int scan_headers(struct scan *s, coras_error **err)
{
    char block[CORAS_TAR_BLOCK];
    while (s->offset < s->size) {
        CORAS_TRY(read_exactly(s, block, sizeof(block), err));
        int step = coras_tar_decode_block(&s->decoder, block, err);
        CORAS_TRY(step);
        if (step == CORAS_TAR_END)
            return 0;
        if (step == CORAS_TAR_RECORD)
            CORAS_TRY(take_record(s, err));
        if (step != CORAS_TAR_ENTRY)
            continue;
        const coras_tar_entry *entry = &s->decoder.entry;
        int64_t size = entry->size;
        CORAS_TRY(add_member(s, entry, err));
        CORAS_TRY(skip(s, size, err));
        /* The last padding may be missing: nothing is read from it. */
        int64_t padding = (int64_t)coras_tar_padding(size);
        s->offset += padding < s->size - s->offset ? padding : s->size - s->offset;
    }
    /* An empty file is an archive of nothing to upstream. */
    return s->size == 0 ? 0 : coras_tar_decode_eof(&s->decoder, err);
}

static const char *compression_of(const struct scan *s)
{
    unsigned char magic[6] = {0};
    size_t got = 0;
    if (coras_pread_full(s->tar->fd, magic, sizeof(magic), 0, &got, NULL) < 0)
        return NULL;
    if (magic[0] == 0x1f && magic[1] == 0x8b)
        return "gzip";
    if (memcmp(magic, "\x28\xb5\x2f\xfd", 4) == 0)
        return "zstd";
    return memcmp(magic,
                  "\xfd"
                  "7zXZ",
                  6) == 0
               ? "xz"
               : NULL;
}

int coras_layout_tar_open(int *fd, const char *name, coras_layout_tar **ret, coras_error **err)
{
    coras_auto(coras_layout_tar) tar = coras_new(struct coras_layout_tar);
    if (!tar)
        return coras_fail_no_memory(err);
    tar->fd = *fd;
    tar->members = coras_map_new(free);
    struct stat st;
    __attribute__((cleanup(scan_clear))) struct scan s = {.tar = tar};
    coras_tar_decoder_init(&s.decoder);
    int rc = tar->members ? 0 : coras_fail_no_memory(err);
    if (rc == 0 && fstat(tar->fd, &st) < 0)
        rc = coras_fail_errno(err, errno, "stat");
    if (rc == 0) {
        s.size = st.st_size;
        rc = scan_headers(&s, err);
    }
    if (rc < 0) {
        const char *compression = compression_of(&s);
        if (compression)
            coras_advise_with(err, CORAS_HINT_DECOMPRESS, compression);
        tar->fd = -1; /* still the caller's */
        coras_auto_free char *quoted = coras_go_quote_dup(name);
        return coras_wrap(err, rc, "%s does not look like a tar archive", quoted ? quoted : "");
    }
    *fd = -1;
    *ret = coras_steal(&tar);
    return 0;
}
