/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One verb of a layout per call, for tests against other programs' layouts.
 *
 *     layout_driver tags PATH | resolve PATH REF | cat PATH REF | referrers PATH REF
 *     layout_driver copy FROM REF TO          everything below REF, tagged REF
 *     layout_driver tag PATH REF NEW | delete PATH REF
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/fs.h"
#include "base/limits.h"
#include "oci/manifest.h"
#include "target/target.h"

static void print_descriptor(const coras_descriptor *d)
{
    coras_auto_free char *json = NULL;
    if (coras_descriptor_to_json(d, &json, NULL) == 0)
        puts(json);
}

static bool print_tag(const char *tag, void *user)
{
    (void)user;
    puts(tag);
    return true;
}

static bool print_referrer(const coras_descriptor *d, void *user)
{
    (void)user;
    print_descriptor(d);
    return true;
}

static int copy_blob(coras_target *from, const coras_descriptor *desc, coras_target *to,
                     coras_error **err)
{
    int64_t offset = 0;
    coras_auto_fd fd = -1;
    CORAS_TRY(from->ops->open_local(from, desc, &fd, &offset, err));
    coras_auto_free char *bytes = malloc((size_t)desc->size + 1);
    size_t got = 0;
    if (!bytes)
        return coras_fail_no_memory(err);
    CORAS_TRY(coras_pread_full(fd, bytes, (size_t)desc->size, offset, &got, err));
    const coras_memory memory = {bytes, got};
    const coras_source source = coras_source_memory(&memory);
    const coras_blob_push push = {.desc = desc, .source = &source};
    int rc = to->ops->push_blob(to, &push, err);
    return rc < 0 ? rc : 0;
}

/* Drivers trust their input: recursion is as deep as the test's graph. */
static int copy_node(coras_target *from, const coras_descriptor *desc, coras_target *to,
                     const char *tag, coras_error **err)
{
    if (!coras_media_type_is_manifest(desc->media_type))
        return copy_blob(from, desc, to, err);
    char digest[CORAS_DIGEST_TEXT_MAX];
    coras_auto_buf text = CORAS_BUF_INIT(CORAS_LIMIT_MANIFEST);
    coras_auto_value(coras_manifest) m = {0};
    coras_auto_value(coras_descriptor) ignored = CORAS_DESCRIPTOR_INIT;
    coras_auto_free const coras_descriptor **successors = NULL;
    size_t len = 0;
    CORAS_TRY(from->ops->fetch_manifest(from, coras_digest_format(&desc->digest, digest), NULL,
                                        &ignored, &text, err));
    CORAS_TRY(coras_manifest_parse(text.ptr, text.len, desc->media_type, &m, err));
    CORAS_TRY(coras_manifest_successors(&m, &successors, &len, err));
    for (size_t i = 0; i < len; i++)
        CORAS_TRY(copy_node(from, successors[i], to, NULL, err));
    return to->ops->push_manifest(to, desc, text.ptr, tag, err);
}

static int copy(const char *from_path, const char *reference, const char *to_path,
                coras_error **err)
{
    coras_target *from = NULL, *to = NULL;
    coras_auto_value(coras_descriptor) desc = CORAS_DESCRIPTOR_INIT;
    CORAS_TRY(coras_layout_open(from_path, CORAS_LAYOUT_READ, &from, err));
    int rc = from->ops->resolve(from, reference, &desc, err);
    if (rc == 0)
        rc = coras_layout_open(to_path, CORAS_LAYOUT_WRITE, &to, err);
    if (rc == 0)
        rc = copy_node(from, &desc, to, reference, err);
    from->ops->close(from);
    if (to)
        to->ops->close(to);
    return rc;
}

static int run(coras_target *t, const char *verb, const char *reference, const char *extra,
               coras_error **err)
{
    coras_auto_value(coras_descriptor) desc = CORAS_DESCRIPTOR_INIT;
    coras_auto_buf text = CORAS_BUF_INIT(CORAS_LIMIT_MANIFEST);
    if (strcmp(verb, "tags") == 0)
        return t->ops->tags(t, reference, print_tag, NULL, err);
    CORAS_TRY(t->ops->resolve(t, reference, &desc, err));
    if (strcmp(verb, "resolve") == 0)
        print_descriptor(&desc);
    else if (strcmp(verb, "referrers") == 0)
        return t->ops->referrers(t, &desc, extra, print_referrer, NULL, err);
    else if (strcmp(verb, "tag") == 0)
        return t->ops->tag(t, &desc, NULL, extra, err);
    else if (strcmp(verb, "delete") == 0)
        return t->ops->remove(t, &desc, err);
    else if (strcmp(verb, "cat") == 0) {
        const coras_sink sink = coras_sink_buf(&text);
        CORAS_TRY(t->ops->fetch(t, &desc, 0, -1, &sink, err));
        (void)fwrite(text.ptr, 1, text.len, stdout);
    }
    return 0;
}

int main(int argc, char **argv)
{
    coras_auto(coras_error) err = NULL;
    const char *verb = argc > 2 ? argv[1] : "";
    const char *reference = argc > 3 ? argv[3] : NULL, *extra = argc > 4 ? argv[4] : NULL;
    bool write = strcmp(verb, "tag") == 0 || strcmp(verb, "delete") == 0;
    coras_target *t = NULL;
    int rc;
    if (argc < 3) {
        rc = CORAS_ERR_INVALID_ARGUMENT;
    } else if (strcmp(verb, "copy") == 0 && extra) {
        rc = copy(argv[2], reference, extra, &err);
    } else {
        rc = coras_layout_open(argv[2], write ? CORAS_LAYOUT_WRITE : CORAS_LAYOUT_READ, &t, &err);
        if (rc == 0) {
            rc = run(t, verb, reference, extra, &err);
            t->ops->close(t);
        }
    }
    if (rc < 0)
        fprintf(stderr, "%s: %s\n", coras_error_name(rc), err ? coras_error_message(err) : "usage");
    return rc < 0;
}
