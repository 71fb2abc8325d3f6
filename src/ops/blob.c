/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Single blobs: from a file, to a file, from target to target.
 */
#include "coras/blob.h"

#include <errno.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/fs.h"
#include "base/limits.h"
#include "transfer/download.h"
#include "transfer/parallel.h"
#include "transfer/transfer.h"
#include "oci/descriptor.h"
#include "oci/digest.h"
#include "oci/mediatype.h"

enum { READ_BYTES = 256 * CORAS_KIB };

int coras_digest_of_file(int algorithm, int fd, coras_digest *ret, coras_error **err)
{
    coras_auto(coras_hasher) hasher = NULL;
    coras_auto_free char *block = coras_malloc(READ_BYTES);
    int64_t offset = 0;

    if (fd < 0 || !ret)
        return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT, "a file and a digest");
    if (!block)
        return coras_fail_no_memory(err);
    CORAS_TRY(coras_hasher_new(algorithm, &hasher, err));
    for (size_t n = 1; n > 0; offset += (int64_t)n) {
        CORAS_TRY(coras_pread_full(fd, block, READ_BYTES, offset, &n, err));
        coras_hasher_update(hasher, block, n);
    }
    coras_hasher_final(hasher, ret);
    return 0;
}

/* What the transfer reports, turned into events. */
struct blob_events {
    const coras_descriptor *desc;
    const coras_run_options *run; /* or NULL */
};

static void report(const struct blob_events *e, enum coras_event_kind kind, int64_t offset,
                   const char *text)
{
    if (!e->run || !e->run->on_event)
        return;
    const coras_event event = {
        .kind = kind, .desc = e->desc, .name = e->desc->media_type, .offset = offset, .text = text};
    e->run->on_event(&event, e->run->user);
}

static void on_progress(void *user, int64_t offset)
{
    report(user, CORAS_EVENT_PROGRESS, offset, NULL);
}

static void on_retrying(void *user, int64_t offset, const char *why)
{
    report(user, CORAS_EVENT_RETRYING, offset, why);
}

static int send_blob(coras_target *target, const coras_descriptor *blob, int fd,
                     struct blob_events *events, coras_error **err)
{
    const coras_file_bytes file = {.fd = fd, .name = "blob"};
    const coras_source source = coras_source_file(&file, blob->size);
    const coras_transfer transfer = {.progress = on_progress,
                                     .retrying = on_retrying,
                                     .user = events,
                                     .cancel = events->run ? events->run->cancel : NULL};
    const coras_blob_push push = {
        .desc = blob, .source = &source, .known_missing = true, .transfer = &transfer};
    report(events, CORAS_EVENT_START, 0, NULL);
    int rc = target->ops->push_blob(target, &push, err);
    report(events, rc < 0 ? CORAS_EVENT_FAILED : CORAS_EVENT_DONE, rc < 0 ? 0 : blob->size, NULL);
    return rc < 0 ? rc : 0;
}

/* Asked by digest alone: what the target has under it is what counts, whatever the file holds. */
static int is_there(coras_target *target, const coras_digest *digest, bool *ret, coras_error **err)
{
    coras_auto_value(coras_descriptor) found = CORAS_DESCRIPTOR_INIT;
    coras_auto(coras_error) error = NULL;
    int rc = coras_resolve_blob(target, digest, &found, &error);
    *ret = rc == 0;
    if (rc == 0 || rc == CORAS_ERR_NOT_FOUND)
        return 0;
    coras_error_propagate(err, &error);
    return rc;
}

int coras_push_blob(coras_target *target, const coras_descriptor *desc, int fd,
                    const coras_run_options *run, coras_error **err)
{
    if (!target || !desc || fd < 0 || desc->size < 0)
        return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT, "a target, a descriptor and a file");
    struct blob_events events = {.desc = desc, .run = run};
    coras_auto_value(coras_descriptor) blob = CORAS_DESCRIPTOR_INIT;
    bool there = false;
    coras_target_will_write(target);
    CORAS_TRY(is_there(target, &desc->digest, &there, err));
    if (there) {
        report(&events, CORAS_EVENT_EXISTS, desc->size, NULL);
        return 1;
    }
    /* A media type of a manifest would send it to another place of the registry. */
    CORAS_TRY(coras_descriptor_set(&blob, CORAS_MT_OCTET_STREAM, &desc->digest, desc->size, err));
    return send_blob(target, &blob, fd, &events, err);
}

/* ---- to a file ---- */

/* The end of a transfer, good or bad. */
static int post_end(coras_run *run, const coras_descriptor *desc, int rc)
{
    coras_run_post(run, rc < 0 ? CORAS_EVENT_FAILED : CORAS_EVENT_DONE, desc,
                   rc < 0 ? 0 : desc->size, NULL);
    return rc;
}

/* One download, on a worker, so that its events are delivered meanwhile. */
struct saving {
    coras_run run;
    coras_target *target;
    const coras_descriptor *desc;
    int dirfd;
    char *partial; /* name in dirfd */
};

static void saving_clear(struct saving *s)
{
    coras_run_deliver(&s->run);
    coras_run_clear(&s->run);
    coras_close_fd(&s->dirfd);
    free(s->partial);
}

static int open_place(struct saving *s, const char *path, coras_error **err)
{
    char digest[CORAS_DIGEST_TEXT_MAX];
    const char *slash = strrchr(path, '/');
    coras_auto_free char *dir =
        slash ? coras_strndup(path, (size_t)(slash - path) + 1) : coras_strdup(".");

    coras_digest_format(&s->desc->digest, digest);
    *strchr(digest, ':') = '-';
    s->partial = coras_asprintf(".%s.partial", digest);
    if (!dir || !s->partial)
        return coras_fail_no_memory(err);
    s->dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return s->dirfd < 0 ? coras_fail_errno(err, errno, "open %s", path) : 0;
}

static int download(void *user, size_t i CORAS_UNUSED, coras_error **err)
{
    struct saving *s = user;
    struct coras_run_transfer report;

    coras_run_transfer_init(&report, &s->run, s->desc);
    const struct coras_download d = {.run = &s->run,
                                     .from = s->target,
                                     .desc = s->desc,
                                     .transfer = &report.transfer,
                                     .dirfd = s->dirfd,
                                     .partial = s->partial,
                                     .mode = 0666,
                                     .sync = !s->run.options->no_sync};
    int rc = coras_download(&d, err);
    if (rc < 0 && (!coras_download_can_resume(rc) || s->desc->size < CORAS_DOWNLOAD_RESUMED_BYTES))
        (void)unlinkat(s->dirfd, s->partial, 0); /* the failure is already on its way */
    return rc;
}

static int give_name(const struct saving *s, const char *path, coras_error **err)
{
    const char *name = coras_path_base(path);
    struct stat old;

    if (fstatat(s->dirfd, name, &old, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(old.st_mode) &&
        fchmodat(s->dirfd, s->partial, old.st_mode & 0777, 0) < 0)
        return coras_fail_errno(err, errno, "chmod %s", path);
    if (renameat(s->dirfd, s->partial, s->dirfd, name) < 0)
        return coras_fail_errno(err, errno, "rename %s", path);
    return s->run.options->no_sync ? 0 : coras_fsync(s->dirfd, path, err);
}

static int save(struct saving *s, const char *path, coras_error **err)
{
    CORAS_TRY(open_place(s, path, err));
    coras_run_post(&s->run, CORAS_EVENT_START, s->desc, 0, NULL);
    int rc = coras_run_parallel(&s->run, 1, download, s, err);
    if (rc == 0)
        rc = give_name(s, path, err);
    return post_end(&s->run, s->desc, rc);
}

int coras_save_blob(coras_target *target, const coras_descriptor *desc, const char *path,
                    const coras_run_options *run, coras_error **err)
{
    if (!target || !desc || !path || desc->size < 0)
        return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT, "a target, a descriptor and a path");
    struct saving s = {.target = target, .desc = desc, .dirfd = -1};
    coras_run_init(&s.run, run);
    int rc = save(&s, path, err);
    saving_clear(&s);
    return rc;
}

/* ---- to another target ---- */

struct copying {
    coras_run run;
    coras_target *from, *to;
    const coras_descriptor *desc;
    bool existed;
};

static int copy_unless_there(void *user, size_t i CORAS_UNUSED, coras_error **err)
{
    struct copying *c = user;

    CORAS_TRY(coras_target_claim(c->to, c->desc, NULL, &c->existed, err));
    if (c->existed) {
        coras_run_post(&c->run, CORAS_EVENT_EXISTS, c->desc, c->desc->size, NULL);
        return 0;
    }
    coras_run_post(&c->run, CORAS_EVENT_START, c->desc, 0, NULL);
    int rc = post_end(&c->run, c->desc, coras_transfer_blob(&c->run, c->from, c->to, c->desc, err));
    c->existed = rc == CORAS_PUSH_EXISTED;
    return rc < 0 ? rc : 0;
}

int coras_copy_blob(coras_target *from, coras_target *to, const coras_descriptor *desc,
                    const coras_run_options *run, coras_error **err)
{
    if (!from || !to || !desc || desc->size < 0)
        return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT, "two targets and a descriptor");
    struct copying c = {.from = from, .to = to, .desc = desc};
    coras_run_init(&c.run, run);
    int rc = coras_run_parallel(&c.run, 1, copy_unless_there, &c, err);
    coras_run_deliver(&c.run);
    coras_run_clear(&c.run);
    return rc < 0 ? rc : c.existed;
}
