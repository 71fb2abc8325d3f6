/* SPDX-License-Identifier: Apache-2.0 */
/*
 * explain: what an error code means and what helps. Hidden behind --markdown, the page
 * docs/errors.md.
 */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/likeness.h"
#include "base/str.h"
#include "cli/app/commands.h"
#include "cli/app/explanations.h"
#include "cli/app/help.h"
#include "cli/options/optgroups.h"

struct explain_state {
    struct opt_bool markdown;
};

static const struct opt explain_options[] = {
    {"markdown", 0, OPT_BOOL, OPT_HIDDEN, OPT_AT(struct explain_state, markdown), NULL,
     "print the page of all codes", NULL},
    OPT_END,
};
static const struct opt_use explain_groups[] = {
    {explain_options, 0, NULL, NULL},
    {0},
};

static void put_one(coras_buf *out, const struct explanation *e, const char *program)
{
    coras_buf_printf(out, "%s: %s\n\nCause:  ", explanation_name(e), explanation_meaning(e));
    help_put_text(out, e->cause, program);
    coras_buf_puts(out, "\nRemedy: ");
    help_put_text(out, e->remedy, program);
    coras_buf_putc(out, '\n');
}

static void put_all(coras_buf *out)
{
    const struct explanation *e;

    for (size_t i = 0; (e = explanation_at(i)); i++)
        coras_buf_printf(out, "%-20s %s\n", explanation_name(e), explanation_meaning(e));
}

static void put_page(coras_buf *out, const char *program)
{
    const struct explanation *e;

    coras_buf_puts(
        out,
        "# Errors and fixes\n\n"
        "Every failure has a code. `--error-format json` shows it ([progress.md](progress.md)), `");
    coras_buf_printf(
        out,
        "%s explain CODE` prints\nwhat stands here, and programs see it as `CORAS_ERR_CODE` and "
        "`CorasError.code`.\n",
        program);
    for (size_t i = 0; (e = explanation_at(i)); i++) {
        coras_buf_printf(out, "\n## %s\n\n*%s.* ", explanation_name(e), explanation_meaning(e));
        help_put_text(out, e->cause, program);
        coras_buf_puts(out, "\n\n**What to do.** ");
        help_put_text(out, e->remedy, program);
        coras_buf_putc(out, '\n');
    }
}

/* A slip for each three letters; or a part of the name, such as "digest". */
static bool is_near(const char *word, const char *code)
{
    size_t len = strlen(word);

    return (len >= 3 && strcasestr(code, word)) || coras_count_edits(word, code) * 3 <= len;
}

static int fail_unknown(const char *word, coras_error **err)
{
    coras_auto_buf near = CORAS_BUF_UNLIMITED;
    const struct explanation *e;
    int rc = coras_fail(err, CORAS_ERR_INVALID_ARGUMENT, "there is no error code \"%s\"", word);

    for (size_t i = 0; *word && (e = explanation_at(i)); i++)
        if (is_near(word, explanation_name(e)))
            coras_buf_printf(&near, "%s%s", near.len ? ", " : "", explanation_name(e));
    if (near.len && coras_buf_done(&near, NULL) == 0)
        coras_hint(err, "without a code all are listed; near is %s", near.ptr);
    else
        coras_hint(err, "without a code all are listed");
    return rc;
}

static int explain_run(struct call *call, coras_error **err)
{
    const struct explain_state *s = call->state;
    coras_auto_buf out = CORAS_BUF_UNLIMITED;

    if (s->markdown.value) {
        put_page(&out, call->program);
    } else if (!call->nargs) {
        put_all(&out);
    } else {
        const struct explanation *e = explanation_find(call->args[0]);
        if (!e)
            return fail_unknown(call->args[0], err);
        put_one(&out, e, call->program);
    }
    CORAS_TRY(coras_buf_done(&out, err));
    fputs(out.ptr, stdout);
    return 0;
}

static const struct example explain_examples[] = {
    {"Tell what a code means and what helps", "explain UNAUTHORIZED"},
    {"List all codes", "explain"},
    {NULL, NULL},
};

const struct cmd cmd_explain = {
    .name = "explain",
    .use = "[flags] [<code>]",
    .summary = "Explain an error code: its cause, and what to do about it",
    .examples = explain_examples,
    .options = explain_groups,
    .state_size = sizeof(struct explain_state),
    .max_args = 1,
    .flags = CMD_NO_FILES,
    .run = explain_run,
};
