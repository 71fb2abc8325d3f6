/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Telling local files from references, and opening either.
 */
#include "cli/options/modelref.h"

#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"
#include "cli/app/run_options.h"
#include "coras/reference.h"

/* A path shows by how it begins; another text is one if it is there and names no content. */
static bool is_local_path(const char *raw)
{
    coras_reference parsed = {0};
    bool names_content = false;

    if (*raw == '/' || coras_streq(raw, ".") || coras_streq(raw, "..") ||
        coras_str_starts(raw, "./") || coras_str_starts(raw, "../"))
        return true;
    if (coras_reference_parse(raw, &parsed, NULL) == 0)
        names_content = parsed.reference != NULL;
    coras_reference_clear(&parsed);
    return !names_content && access(raw, F_OK) == 0;
}

int model_parse(struct call *call, struct model_options *m, const char *raw, coras_error **err)
{
    m->raw = raw;
    m->is_local =
        !m->target.oci_layout.value && !*m->target.oci_layout_path.value && is_local_path(raw);
    CORAS_TRY(platform_check(&m->platform, err));
    return m->is_local ? 0 : target_parse(call, &m->target, raw, err);
}

/* A secret is read from stdin once. */
static int share_secret(const struct remote_options *from, struct remote_options *to,
                        coras_error **err)
{
    if (!from->stdin_secret)
        return 0;
    to->stdin_secret = coras_strdup(from->stdin_secret);
    return to->stdin_secret ? 0 : coras_fail_no_memory(err);
}

int model_parse_two(struct call *call, struct model_options *a, struct model_options *b,
                    coras_error **err)
{
    *b = *a; /* nothing in them is owned yet but the lists, which the table frees once */
    CORAS_TRY(model_parse(call, a, call->args[0], err));
    if (!a->is_local) {
        b->target.remote.password_stdin.value = false;
        b->target.remote.identity_token_stdin.value = false;
    }
    CORAS_TRY(model_parse(call, b, call->args[1], err));
    return share_secret(&a->target.remote, &b->target.remote, err);
}

int model_open(struct call *call, struct model_options *m, coras_error **err)
{
    coras_run_options run = run_options(call, NULL, NULL);

    run.on_event = NULL;
    if (m->is_local)
        return coras_model_open_path(m->raw, &run, &m->model, err);
    CORAS_TRY(target_open(call, &m->target, CORAS_LAYOUT_READ, NULL, err));
    CORAS_TRY(target_require_reference(call, &m->target, err));
    return coras_model_open(m->target.target, m->target.reference, platform_wanted(&m->platform),
                            &run, &m->model, err);
}

void model_clear(struct model_options *m)
{
    coras_model_free(m->model);
    target_clear(&m->target);
    coras_platform_clear(&m->platform.platform);
}
