/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The verbs of a registry target from the command line, for tests/integration/test_registry_*.py:
 *
 *     registry_driver [-k] COMMAND HOST REPOSITORY [ARGUMENT...]
 *
 * Results go to stdout; a failure prints "error CODE retryable|final", message and hint.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/alloc.h"
#include "base/environment.h"
#include "base/error.h"
#include "base/fs.h"
#include "base/limits.h"
#include "base/trace.h"
#include "client/client.h"
#include "oci/digest.h"
#include "oci/manifest.h"
#include "target/target.h"

struct run {
    coras_client *client;
    coras_target *target;
    const char *host;
    int argc;
    char **argv;
};

static void print_descriptor(const coras_descriptor *d)
{
    coras_auto_free char *json = NULL;

    if (coras_descriptor_to_json(d, &json, NULL) == 0)
        puts(json);
}

static int content_sink(void *user, const void *data, size_t len, coras_error **err)
{
    (void)err;
    return fwrite(data, 1, len, user) == len ? 0 : CORAS_ERR_IO;
}

static int read_input(const char *path, coras_buf *ret, coras_error **err)
{
    char chunk[4096];
    FILE *f = fopen(path, "rb");
    size_t n;

    if (!f)
        return coras_fail(err, CORAS_ERR_NOT_FOUND, "%s", path);
    while ((n = fread(chunk, 1, sizeof(chunk), f)) > 0)
        coras_buf_put(ret, chunk, n);
    fclose(f);
    return coras_buf_done(ret, err);
}

/* ---- reading ---- */

static int run_resolve(struct run *run, coras_error **err)
{
    coras_auto_value(coras_descriptor) d = CORAS_DESCRIPTOR_INIT;

    CORAS_TRY(coras_resolve(run->target, run->argv[0], &d, err));
    print_descriptor(&d);
    return 0;
}

static int run_manifest(struct run *run, coras_error **err)
{
    coras_auto_value(coras_descriptor) d = CORAS_DESCRIPTOR_INIT;
    coras_auto_free char *bytes = NULL;

    CORAS_TRY(coras_fetch_manifest(run->target, run->argv[0], NULL, &d, &bytes, err));
    print_descriptor(&d);
    puts(bytes);
    return 0;
}

static int describe(struct run *run, coras_descriptor *d, coras_error **err)
{
    coras_digest digest;

    CORAS_TRY(coras_digest_parse(run->argv[0], &digest, err));
    return coras_descriptor_set(d, run->argc > 2 ? run->argv[2] : CORAS_MT_OCTET_STREAM, &digest,
                                strtoll(run->argv[1], NULL, 10), err);
}

/* fetch DIGEST SIZE MEDIATYPE OFFSET LENGTH: one unverified try */
static int run_fetch(struct run *run, coras_error **err)
{
    coras_auto_value(coras_descriptor) d = CORAS_DESCRIPTOR_INIT;
    coras_sink sink = {content_sink, stdout};

    CORAS_TRY(describe(run, &d, err));
    return run->target->ops->fetch(run->target, &d, strtoll(run->argv[3], NULL, 10),
                                   strtoll(run->argv[4], NULL, 10), &sink, err);
}

static int run_blob(struct run *run, coras_error **err)
{
    coras_auto_value(coras_descriptor) d = CORAS_DESCRIPTOR_INIT;

    CORAS_TRY(describe(run, &d, err));
    return coras_fetch_blob(run->target, &d, content_sink, stdout, err);
}

static int run_bytes(struct run *run, coras_error **err)
{
    coras_auto_value(coras_descriptor) d = CORAS_DESCRIPTOR_INIT;
    coras_auto_free char *bytes = NULL;

    CORAS_TRY(describe(run, &d, err));
    CORAS_TRY(coras_fetch_bytes(run->target, &d, CORAS_MIB, &bytes, err));
    fputs(bytes, stdout);
    return 0;
}

static int run_exists(struct run *run, coras_error **err)
{
    coras_auto_value(coras_descriptor) d = CORAS_DESCRIPTOR_INIT;
    bool there;

    CORAS_TRY(describe(run, &d, err));
    CORAS_TRY(coras_exists(run->target, &d, &there, err));
    puts(there ? "yes" : "no");
    return 0;
}

static int run_resolve_blob(struct run *run, coras_error **err)
{
    coras_auto_value(coras_descriptor) d = CORAS_DESCRIPTOR_INIT;
    coras_digest digest;

    CORAS_TRY(coras_digest_parse(run->argv[0], &digest, err));
    CORAS_TRY(coras_resolve_blob(run->target, &digest, &d, err));
    print_descriptor(&d);
    return 0;
}

/* ---- blobs ---- */

struct pushing {
    coras_digest digest;
    int known_after; /* answers "not yet" so many times */
    pthread_mutex_t lock;
};

static int promised(void *user, bool wait, coras_digest *ret, coras_error **err)
{
    struct pushing *p = user;

    (void)err;
    if (!wait && p->known_after-- > 0)
        return 1;
    *ret = p->digest;
    return 0;
}

static void show_progress(void *user, int64_t offset)
{
    (void)user;
    if (getenv("DRIVER_PROGRESS"))
        fprintf(stderr, "at %lld\n", (long long)offset);
}

static void show_retrying(void *user, int64_t offset, const char *why)
{
    (void)user;
    printf("retrying at %lld: %s\n", (long long)offset, why);
}

/* push FILE [DIGEST [POLLS]]: with POLLS the digest is promised after so many questions */
static int run_push(struct run *run, coras_error **err)
{
    coras_auto_value(coras_descriptor) d = CORAS_DESCRIPTOR_INIT;
    coras_auto_buf content = CORAS_BUF_UNLIMITED;
    struct pushing pushing = {0};
    coras_digest_promise promise = {promised, &pushing};
    coras_transfer transfer = {.progress = show_progress, .retrying = show_retrying};
    coras_memory memory;

    CORAS_TRY(read_input(run->argv[0], &content, err));
    CORAS_TRY(coras_digest_of(CORAS_SHA256, content.ptr, content.len, &pushing.digest, err));
    if (run->argc > 1)
        CORAS_TRY(coras_digest_parse(run->argv[1], &pushing.digest, err));
    pushing.known_after = run->argc > 2 ? (int)strtol(run->argv[2], NULL, 10) : 0;
    CORAS_TRY(
        coras_descriptor_set(&d, CORAS_MT_OCI_LAYER, &pushing.digest, (int64_t)content.len, err));
    memory = (coras_memory){content.ptr, content.len};
    coras_source source = coras_source_memory(&memory);
    coras_blob_push push = {
        .desc = &d,
        .promise = run->argc > 2 ? &promise : NULL,
        .source = &source,
        .known_missing = getenv("DRIVER_KNOWN_MISSING") != NULL,
        .transfer = &transfer,
    };
    int rc = run->target->ops->push_blob(run->target, &push, err);
    if (rc >= 0)
        puts(rc == CORAS_PUSH_EXISTED ? "existed" : "pushed");
    return rc < 0 ? rc : 0;
}

/* mount DIGEST SIZE FROM */
static int run_mount(struct run *run, coras_error **err)
{
    coras_auto_value(coras_descriptor) d = CORAS_DESCRIPTOR_INIT;
    coras_auto(coras_target) from = NULL;
    coras_digest digest;
    bool mounted;

    CORAS_TRY(coras_digest_parse(run->argv[0], &digest, err));
    CORAS_TRY(coras_descriptor_set(&d, CORAS_MT_OCI_LAYER, &digest, strtoll(run->argv[1], NULL, 10),
                                   err));
    CORAS_TRY(coras_repository_open(run->client, run->host, run->argv[2], &from, err));
    CORAS_TRY(run->target->ops->mount(run->target, &d, from, &mounted, err));
    puts(mounted ? "mounted" : "declined");
    if (mounted || run->argc < 4)
        return 0;
    run->argc = 1;
    run->argv[0] = run->argv[3];
    return run_push(run, err);
}

/* ---- manifests ---- */

/* put FILE MEDIATYPE [REFERENCE [BLOB]]: stores the blob first */
static int run_put(struct run *run, coras_error **err)
{
    coras_auto_value(coras_descriptor) d = CORAS_DESCRIPTOR_INIT;
    coras_auto_buf content = CORAS_BUF_UNLIMITED;

    if (run->argc > 3) {
        struct run blob = {.target = run->target, .argc = 1, .argv = run->argv + 3};
        CORAS_TRY(run_push(&blob, err));
    }
    CORAS_TRY(read_input(run->argv[0], &content, err));
    CORAS_TRY(coras_descriptor_of_bytes(run->argv[1], content.ptr, content.len, &d, err));
    CORAS_TRY(coras_push_manifest(run->target, &d, content.ptr, run->argc > 2 ? run->argv[2] : NULL,
                                  err));
    print_descriptor(&d);
    return 0;
}

/* tag REFERENCE NEW */
static int run_tag(struct run *run, coras_error **err)
{
    coras_auto_value(coras_descriptor) d = CORAS_DESCRIPTOR_INIT;

    CORAS_TRY(coras_resolve(run->target, run->argv[0], &d, err));
    return run->target->ops->tag(run->target, &d, NULL, run->argv[1], err);
}

/* delete DIGEST SIZE MEDIATYPE */
static int run_delete(struct run *run, coras_error **err)
{
    coras_auto_value(coras_descriptor) d = CORAS_DESCRIPTOR_INIT;

    CORAS_TRY(describe(run, &d, err));
    return coras_delete(run->target, &d, err);
}

/* ---- lists ---- */

static bool show_name(const char *name, void *user)
{
    int *left = user;

    puts(name);
    return --*left != 0;
}

static int most(struct run *run)
{
    return run->argc > 1 ? (int)strtol(run->argv[1], NULL, 10) : -1;
}

/* tags [LAST [MOST]] */
static int run_tags(struct run *run, coras_error **err)
{
    int left = most(run);
    const char *last = run->argc > 0 && *run->argv[0] ? run->argv[0] : NULL;

    return coras_list_tags(run->target, last, show_name, &left, err);
}

static int run_catalog(struct run *run, coras_error **err)
{
    int left = most(run);
    const char *last = run->argc > 0 && *run->argv[0] ? run->argv[0] : NULL;

    return coras_list_repositories(run->client, run->host, last, show_name, &left, err);
}

static bool show_referrer(const coras_descriptor *d, void *user)
{
    (void)user;
    print_descriptor(d);
    return true;
}

/* referrers DIGEST SIZE MEDIATYPE [TYPE] */
static int run_referrers(struct run *run, coras_error **err)
{
    coras_auto_value(coras_descriptor) d = CORAS_DESCRIPTOR_INIT;

    CORAS_TRY(describe(run, &d, err));
    return coras_list_referrers(run->target, &d, run->argc > 3 ? run->argv[3] : NULL, show_referrer,
                                NULL, err);
}

/* ---- many at once ---- */

enum { WORKERS = 8, ROUNDS = 4 };

struct worker {
    struct run *run;
    const coras_descriptor *subject;
    int number;
    int rc;
    coras_error *err;
    pthread_t thread;
};

static int push_text(struct worker *w, const char *text, coras_error **err)
{
    coras_auto_value(coras_descriptor) d = CORAS_DESCRIPTOR_INIT;
    coras_memory memory = {text, strlen(text)};
    coras_source source = coras_source_memory(&memory);
    coras_blob_push push = {.desc = &d, .source = &source};

    CORAS_TRY(coras_descriptor_of_bytes(CORAS_MT_OCI_LAYER, text, strlen(text), &d, err));
    int rc = w->run->target->ops->push_blob(w->run->target, &push, err);
    return rc < 0 ? rc : 0;
}

/* A manifest that refers to the subject, with content of its own. */
static int attach_one(struct worker *w, int round, coras_error **err)
{
    coras_auto_value(coras_manifest)
        m = {.kind = CORAS_KIND_IMAGE, .has_config = true, .has_subject = true};
    coras_auto_value(coras_descriptor) d = CORAS_DESCRIPTOR_INIT;
    coras_auto_free char *number = coras_asprintf("%d.%d", w->number, round);
    coras_auto_buf bytes = CORAS_BUF_UNLIMITED;

    CORAS_TRY(push_text(w, number, err));
    CORAS_TRY(coras_descriptor_empty(NULL, false, &m.config, err));
    CORAS_TRY(coras_descriptor_copy(&m.subject, w->subject, err));
    CORAS_TRY(coras_annotations_set(&m.annotations, "n", number, err));
    CORAS_TRY(coras_manifest_write(&m, &bytes, err));
    CORAS_TRY(coras_descriptor_of_bytes(CORAS_MT_OCI_MANIFEST, bytes.ptr, bytes.len, &d, err));
    return coras_push_manifest(w->run->target, &d, bytes.ptr, NULL, err);
}

static void *work(void *user)
{
    struct worker *w = user;
    int left = -1;

    for (int round = 0; w->rc == 0 && round < ROUNDS; round++)
        w->rc = attach_one(w, round, &w->err);
    if (w->rc == 0)
        w->rc = coras_list_tags(w->run->target, NULL, show_name, &left, &w->err);
    return NULL;
}

/* attach-many REFERENCE: all workers refer to one manifest at the same time */
static int run_attach_many(struct run *run, coras_error **err)
{
    coras_auto_value(coras_descriptor) subject = CORAS_DESCRIPTOR_INIT;
    struct worker workers[WORKERS];
    int rc = 0;

    CORAS_TRY(coras_resolve(run->target, run->argv[0], &subject, err));
    for (int i = 0; i < WORKERS; i++) {
        workers[i] = (struct worker){.run = run, .subject = &subject, .number = i};
        if (pthread_create(&workers[i].thread, NULL, work, &workers[i]) != 0)
            abort();
    }
    for (int i = 0; i < WORKERS; i++) {
        pthread_join(workers[i].thread, NULL);
        if (rc == 0 && workers[i].rc < 0) {
            rc = workers[i].rc;
            coras_error_propagate(err, &workers[i].err);
        }
        coras_error_free(workers[i].err);
    }
    return rc;
}

/* ---- main ---- */

static const struct {
    const char *name;
    int min_args;
    int (*run)(struct run *run, coras_error **err);
} commands[] = {
    {"resolve", 1, run_resolve},
    {"manifest", 1, run_manifest},
    {"fetch", 5, run_fetch},
    {"blob", 2, run_blob},
    {"bytes", 2, run_bytes},
    {"exists", 2, run_exists},
    {"push", 1, run_push},
    {"resolve-blob", 1, run_resolve_blob},
    {"mount", 3, run_mount},
    {"put", 2, run_put},
    {"tag", 2, run_tag},
    {"delete", 3, run_delete},
    {"tags", 0, run_tags},
    {"catalog", 0, run_catalog},
    {"referrers", 3, run_referrers},
    {"attach-many", 1, run_attach_many},
};

static int run_command(struct run *run, const char *name, const char *repository, coras_error **err)
{
    CORAS_TRY(coras_repository_open(run->client, run->host, repository, &run->target, err));
    for (size_t i = 0; i < CORAS_ARRAY_LEN(commands); i++)
        if (coras_streq(commands[i].name, name) && run->argc >= commands[i].min_args)
            return commands[i].run(run, err);
    return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT, "usage: %s", name);
}

static void print_warning(enum coras_trace_level level, const char *message, const char *data,
                          void *user)
{
    (void)data;
    (void)user;
    fprintf(stderr, "%s%s\n", level == CORAS_TRACE_WARNING ? "warning: " : "", message);
}

int main(int argc, char **argv)
{
    coras_client_options opts = CORAS_CLIENT_OPTIONS_INIT;
    coras_auto(coras_error) err = NULL;
    struct run run = {0};
    coras_auto(coras_environment) environment = NULL;
    const char *referrers = getenv("DRIVER_REFERRERS");
    bool https = argc > 1 && coras_streq(argv[1], "-k");
    int rc;

    argv += https;
    argc -= https;
    if (argc < 4)
        return 2;
    opts.plain_http = https ? -1 : 1;
    opts.insecure = https;
    opts.username = getenv("DRIVER_USER");
    opts.password = getenv("DRIVER_PASSWORD");
    opts.stall_timeout_s = 10;
    if (coras_environment_load(&environment, NULL) < 0)
        return 2;
    opts.environment = environment;
    if (referrers)
        opts.referrers = coras_streq(referrers, "api") ? CORAS_REFERRERS_API : CORAS_REFERRERS_TAG;
    coras_trace_set(print_warning, NULL, getenv("DRIVER_DEBUG") != NULL);
    run.host = argv[2];
    run.argc = argc - 4;
    run.argv = argv + 4;
    rc = coras_client_new(&opts, &run.client, &err);
    if (rc == 0)
        rc = run_command(&run, argv[1], argv[3], &err);
    coras_target_close(run.target);
    coras_client_free(run.client);
    if (rc == 0)
        return 0;
    printf("error %s %s\n%s\n", coras_error_name(rc),
           coras_error_is_retryable(err) ? "retryable" : "final", coras_error_message(err));
    if (coras_error_hint(err))
        printf("hint: %s: %s\n", coras_hint_name(coras_error_hint_kind(err)),
               coras_error_hint(err));
    return 1;
}
