#include "coras/blob.h"

#include "base/alloc.h"
#include "base/error.h"
#include "oci/descriptor.h"
#include "oci/mediatype.h"
#include "store/target.h"

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
    CORAS_TRY(is_there(target, &desc->digest, &there, err));
    if (there) {
        report(&events, CORAS_EVENT_EXISTS, desc->size, NULL);
        return 1;
    }
    /* A media type of a manifest would send it to another place of the registry. */
    CORAS_TRY(coras_descriptor_set(&blob, CORAS_MT_OCTET_STREAM, &desc->digest, desc->size, err));
    return send_blob(target, &blob, fd, &events, err);
}
