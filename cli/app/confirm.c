/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asking before something is deleted.
 */
#include "cli/app/confirm.h"

#include <stdio.h>

#include "base/alloc.h"
#include "base/error.h"
#include "cli/output/metadata.h"
#include "cli/app/terminal.h"
#include "cli/app/auto.h"

int delete_check(const struct delete_options *d, coras_error **err)
{
    if (!d->descriptor.value || d->force.value)
        return 0;
    return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT,
                      "must apply --force to confirm the deletion if the descriptor is outputted");
}

int delete_missing(struct call *call, const struct delete_options *d,
                   const struct target_options *t, const char *what, int rc, coras_error **err)
{
    if (rc != CORAS_ERR_NOT_FOUND)
        return rc;
    if (err)
        coras_error_clear(err);
    if (d->force.value && !d->descriptor.value) {
        printf("Missing %s\n", t->raw);
        return 0;
    }
    call->scope = SCOPE_LOCAL; /* these are our words, not the registry's */
    return coras_fail(err, rc, "%s: the specified %s does not exist", t->raw, what);
}

int delete_confirmed(const struct delete_options *d, const struct target_options *t,
                     const coras_descriptor *desc, const char *what, const char *suffix,
                     coras_error **err)
{
    char digest[CORAS_DIGEST_TEXT_MAX];
    coras_digest_format(&desc->digest, digest);
    if (!d->force.value) {
        bool confirmed = false;
        coras_auto_free char *question = coras_asprintf(
            "Are you sure you want to delete the %s \"%s\"%s?", what, digest, suffix);
        if (!question)
            return coras_fail_no_memory(err);
        CORAS_TRY(terminal_confirm(question, &confirmed, err));
        if (!confirmed)
            return 0;
    }
    int rc = coras_delete(t->target, desc, err);
    if (rc < 0)
        return coras_wrap(err, rc, "failed to delete %s", t->raw);
    if (d->descriptor.value)
        return descriptor_print(desc, d->pretty.value, err);
    printf("Deleted [%s] %s\n", target_kind(t), t->raw);
    return 0;
}
