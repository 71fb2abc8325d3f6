/* SPDX-License-Identifier: Apache-2.0 */
/* Files of a node, and asking its mirrors. */
#include "serve/doctor/node.h"

#include <errno.h>
#include <sys/stat.h>
#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/fs.h"
#include "base/limits.h"
#include "base/vec.h"
#include "http/http.h"

#define ANSWER_MS 5000

void serve_node_clear(serve_node *n)
{
    coras_vec_foreach (a, &n->asked) {
        free(a->url);
        free(a->how);
    }
    free(n->asked.items);
    serve_report_clear(&n->report);
}

/* ---- files ---- */

static char *place_of(const serve_node *n, const char *path)
{
    return coras_asprintf("%s%s", n->root, path);
}

bool serve_node_has(const serve_node *n, const char *path)
{
    coras_auto_free char *place = place_of(n, path);
    struct stat st;

    return place && stat(place, &st) == 0;
}

bool serve_node_has_directory(const serve_node *n, const char *path)
{
    coras_auto_free char *place = place_of(n, path);
    struct stat st;

    return place && stat(place, &st) == 0 && S_ISDIR(st.st_mode);
}

int64_t serve_node_changed_s(const serve_node *n, const char *path)
{
    coras_auto_free char *place = place_of(n, path);
    struct stat st;

    return place && stat(place, &st) == 0 ? st.st_mtime : 0;
}

int serve_node_read(serve_node *n, const char *path, coras_buf *ret, coras_error **err)
{
    coras_auto_free char *place = place_of(n, path);

    if (!place)
        return coras_fail_no_memory(err);
    if (n->files++ >= CORAS_LIMIT_DOCTOR_FILES)
        return coras_fail(err, CORAS_ERR_TOO_LARGE, "%s: too many files", path);
    return coras_read_file(AT_FDCWD, place, CORAS_LIMIT_CONFIG_FILE, ret, err);
}

int serve_node_read_toml(serve_node *n, const char *path, serve_toml **ret, coras_error **err)
{
    coras_auto_buf text = CORAS_BUF_INIT(CORAS_LIMIT_CONFIG_FILE);

    CORAS_TRY(serve_node_read(n, path, &text, err));
    return serve_toml_parse(text.ptr, text.len, path, ret, err);
}

int serve_node_list(const serve_node *n, const char *path, coras_strlist *ret, coras_error **err)
{
    coras_auto_free char *place = place_of(n, path);
    coras_auto_fd fd = -1;

    if (!place)
        return coras_fail_no_memory(err);
    fd = open(place, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT || errno == ENOTDIR ? 0
                                                   : coras_fail_errno(err, errno, "open %s", path);
    return coras_list_directory(fd, path, ret, err);
}

/* ---- mirrors ---- */

/* Any answer of a registry will do: one that wants a password is there. */
static int exchange(const char *url, bool any_certificate, int *ret_status, coras_error **err)
{
    const coras_request request = {
        .method = "GET", .url = url, .no_retry = true, .deadline_ms = coras_now_ms() + ANSWER_MS};
    const struct coras_http_config config = {.insecure = any_certificate,
                                             .stall_timeout_s = ANSWER_MS / 1000,
                                             .answer_timeout_s = ANSWER_MS / 1000};
    coras_auto(coras_http) http = NULL;
    coras_auto(coras_response) response = NULL;
    struct coras_exchange_end end = {0};
    coras_header_list headers = {0};
    coras_url parsed;
    int rc;

    CORAS_TRY(coras_url_parse(url, &parsed, err));
    CORAS_TRY(coras_http_new(&config, &http, err));
    rc = coras_http_exchange(
        http,
        &(struct coras_exchange){
            .method = "GET", .url = &parsed, .headers = &headers, .request = &request},
        &response, &end, err);
    if (rc == 0)
        *ret_status = coras_response_status(response);
    return rc;
}

/* The URL of its API. */
static int ask(const char *url, bool any_certificate, struct serve_mirror_asked *ret,
               coras_error **err)
{
    coras_auto(coras_error) why = NULL;
    int status = 0, rc = exchange(url, any_certificate, &status, &why);

    if (rc == CORAS_ERR_NO_MEMORY)
        return coras_fail_no_memory(err);
    ret->answers = rc == 0 && (status == 200 || status == 401);
    if (ret->answers)
        ret->how = coras_strdup("answers");
    else if (rc == 0)
        ret->how = coras_asprintf("answers %d to GET %s, as no registry does", status, url);
    else
        ret->how = coras_asprintf("does not answer: %s", coras_error_message(why));
    return ret->how ? 0 : coras_fail_no_memory(err);
}

static int ask_once(serve_node *n, const char *mirror, bool any_certificate,
                    const struct serve_mirror_asked **ret, coras_error **err)
{
    static const struct serve_mirror_asked passed_over = {
        .how = (char *)(uintptr_t) "was not asked: there are too many"};
    struct serve_mirror_asked asked = {NULL};

    coras_vec_foreach (a, &n->asked) {
        if (coras_streq(a->url, mirror)) {
            *ret = a;
            return 0;
        }
    }
    *ret = &passed_over;
    if (n->asked.len >= CORAS_LIMIT_DOCTOR_ASKED)
        return 0;
    if (coras_vec_grow(&n->asked, 1) < 0)
        return coras_fail_no_memory(err);
    CORAS_TRY(ask(mirror, any_certificate, &asked, err));
    asked.url = coras_strdup(mirror);
    if (!asked.url) {
        free(asked.how);
        return coras_fail_no_memory(err);
    }
    n->asked.items[n->asked.len++] = asked;
    *ret = &n->asked.items[n->asked.len - 1];
    return 0;
}

static bool is_same(const char *a, const char *b)
{
    coras_url one, other;

    return coras_url_parse(a, &one, NULL) == 0 && coras_url_parse(b, &other, NULL) == 0 &&
           coras_url_origin_equal(&one, &other);
}

/* Most runtimes put /v2/ behind the host, whatever path there is. */
static char *api_of(const struct serve_mirror *m)
{
    coras_url parsed;
    size_t len;

    if (coras_url_parse(m->url, &parsed, NULL) < 0)
        return NULL;
    len = (size_t)(parsed.authority.ptr + parsed.authority.len - m->url);
    return coras_asprintf("%.*s%s", (int)len, m->url, m->api_path ? m->api_path : "/v2/");
}

static int report_mirror(serve_node *n, struct serve_found *found,
                         const struct serve_mirror_asked *asked, const char *note,
                         coras_error **err)
{
    coras_auto_free char *message =
        coras_asprintf("%s%s%s", asked->how, note ? "; " : "", note ? note : "");

    if (!message)
        return coras_fail_no_memory(err);
    found->verdict = asked->answers ? SERVE_FOUND_USES : SERVE_FOUND_SILENT;
    found->message = message;
    return serve_report_add(&n->report, found, err);
}

static int report_other(serve_node *n, struct serve_found *found, coras_error **err)
{
    coras_auto_free char *message = coras_asprintf("it uses %s instead", found->mirror);

    if (!message)
        return coras_fail_no_memory(err);
    found->verdict = SERVE_FOUND_OTHER;
    found->message = message;
    return serve_report_add(&n->report, found, err);
}

int serve_node_found_mirror(serve_node *n, const struct serve_mirror *m, coras_error **err)
{
    struct serve_found found = {
        .runtime = m->runtime, .registry = m->registry, .mirror = m->url, .where = m->where};
    const struct serve_mirror_asked *asked = NULL;
    coras_auto_free char *api = api_of(m);

    if (!api) {
        found.verdict = SERVE_FOUND_BROKEN;
        found.message = "the address of the mirror is no URL of a host";
        return serve_report_add(&n->report, &found, err);
    }
    if (n->is_mirror_set && !is_same(m->url, n->mirror))
        return report_other(n, &found, err);
    CORAS_TRY(ask_once(n, api, m->any_certificate, &asked, err));
    return report_mirror(n, &found, asked, m->note, err);
}

int serve_node_found_broken(serve_node *n, const char *runtime, const char *path, coras_error **why,
                            coras_error **err)
{
    struct serve_found found = {.verdict = SERVE_FOUND_BROKEN, .runtime = runtime, .where = path};

    if (coras_error_code(*why) == CORAS_ERR_NO_MEMORY)
        return coras_fail_no_memory(err);
    found.message = coras_error_message(*why);
    CORAS_TRY(serve_report_add(&n->report, &found, err));
    coras_error_clear(why);
    return 0;
}
