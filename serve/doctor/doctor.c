/* SPDX-License-Identifier: Apache-2.0 */
/* Going round: arguments, every kind of runtime, the report. */
#include "serve/doctor/doctor.h"

#include <errno.h>
#include <stdio.h>
#include "base/environment.h"
#include "base/error.h"
#include "http/url.h"
#include "serve/doctor/node.h"

#define USUAL_MIRROR "http://127.0.0.1:5000"

static bool take_value(const char *word, const char *name, const char **ret)
{
    if (!coras_str_starts(word, name))
        return false;
    *ret = word + strlen(name);
    return true;
}

static int take_argument(serve_node *n, bool *as_json, const char *word, coras_error **err)
{
    coras_url url;

    const char *format = "text";

    if (take_value(word, "--format=", &format))
        *as_json = coras_streq(format, "json");
    else if (take_value(word, "--mirror=", &n->mirror))
        n->is_mirror_set = true;
    else if (!take_value(word, "--root=", &n->root))
        return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT, "unknown argument %s", word);
    if (n->is_mirror_set && coras_url_parse(n->mirror, &url, NULL) < 0)
        return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT,
                          "--mirror must be a URL such as " USUAL_MIRROR);
    return 0;
}

static int look_around(serve_node *n, coras_error **err)
{
    CORAS_TRY(serve_doctor_containerd(n, err));
    CORAS_TRY(serve_doctor_docker(n, err));
    return serve_doctor_podman(n, err);
}

static int print(const serve_node *n, bool as_json, coras_error **err)
{
    coras_auto_buf text = CORAS_BUF_UNLIMITED;

    if (as_json)
        serve_report_put_json(&n->report, &text);
    else
        serve_report_put_text(&n->report, &text);
    CORAS_TRY(coras_buf_done(&text, err));
    if (fwrite(text.ptr, 1, text.len, stdout) < text.len || fflush(stdout) != 0)
        return coras_fail_errno(err, errno, "write standard output");
    return 0;
}

int serve_doctor_visit(char **argv, bool *ret_good, coras_error **err)
{
    serve_node node = {.root = "", .mirror = USUAL_MIRROR};
    bool as_json = false;
    struct coras_account_environment account;
    int rc = 0;

    for (; rc == 0 && *argv; argv++)
        rc = take_argument(&node, &as_json, *argv, err);
    coras_environment_account(&account);
    node.home = account.home;
    if (!*node.root) /* else it is not the one that we run on */
        node.registries_conf = account.registries_conf;
    if (rc == 0)
        rc = look_around(&node, err);
    if (rc == 0)
        rc = print(&node, as_json, err);
    *ret_good = serve_report_is_good(&node.report);
    serve_node_clear(&node);
    return rc;
}
