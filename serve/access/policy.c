/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the files of users and rules. */
#include "serve/access/policy.h"

#include "base/alloc.h"
#include "base/error.h"
#include "base/fs.h"
#include "base/limits.h"

static int read_text(const char *path, coras_buf *text, coras_error **err)
{
    if (coras_read_file(AT_FDCWD, path, CORAS_LIMIT_CONFIG_FILE, text, err) < 0)
        return coras_error_recode(err, CORAS_ERR_CONFIG);
    return 0;
}

static int read_passwords(serve_policy *p, const char *path, coras_error **err)
{
    coras_auto_buf text = CORAS_BUF_INIT(CORAS_LIMIT_CONFIG_FILE);
    int rc;

    CORAS_TRY(read_text(path, &text, err));
    rc = serve_htpasswd_parse(text.ptr, text.len, path, &p->passwords, err);
    coras_wipe(text.ptr, text.len);
    return rc;
}

static int read_rules(serve_policy *p, const char *path, coras_error **err)
{
    coras_auto_buf text = CORAS_BUF_INIT(CORAS_LIMIT_CONFIG_FILE);

    CORAS_TRY(read_text(path, &text, err));
    return serve_rules_parse(text.ptr, text.len, path, &p->rules, err);
}

int serve_policy_read(const char *htpasswd, const char *rules, serve_policy **ret,
                      coras_error **err)
{
    coras_auto(serve_policy) p = coras_new(serve_policy);

    if (!p)
        return coras_fail_no_memory(err);
    atomic_init(&p->holders, 1);
    if (htpasswd)
        CORAS_TRY(read_passwords(p, htpasswd, err));
    if (rules)
        CORAS_TRY(read_rules(p, rules, err));
    *ret = coras_steal(&p);
    return 0;
}

serve_policy *serve_policy_ref(serve_policy *p)
{
    atomic_fetch_add(&p->holders, 1);
    return p;
}

void serve_policy_unref(serve_policy *p)
{
    if (!p || atomic_fetch_sub(&p->holders, 1) > 1)
        return;
    serve_htpasswd_free(p->passwords);
    serve_rules_free(p->rules);
    free(p);
}
