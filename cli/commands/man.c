/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The manual, made from the command tables: `coras __man` prints the page of the program, and
 * `coras __man DIRECTORY` writes it and a page for each command there, when the program is
 * installed.
 */
#include <fcntl.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/fs.h"
#include "base/str.h"
#include "cli/app/commands.h"
#include "cli/app/help.h"

/* Text as roff shows it: no escapes, no requests at the start of a line, no hyphens of print. */
static void put_roff(coras_buf *out, const char *text)
{
    bool line_start = out->len == 0 || out->ptr[out->len - 1] == '\n';
    for (; *text; text++) {
        if (line_start && (*text == '.' || *text == '\''))
            coras_buf_puts(out, "\\&");
        if (*text == '\\')
            coras_buf_puts(out, "\\e");
        else if (*text == '-')
            coras_buf_puts(out, "\\-");
        else
            coras_buf_putc(out, *text);
        line_start = *text == '\n';
    }
}

static void put_marked_roff(coras_buf *out, const char *text, const char *program)
{
    coras_auto_buf plain = CORAS_BUF_UNLIMITED;
    help_put_text(&plain, text, program);
    put_roff(out, plain.ptr);
}

static bool put_option(struct opt_ref ref, void *user)
{
    coras_buf *out = user;
    coras_auto_free char *name = opt_full_name(ref);
    coras_auto_buf help = CORAS_BUF_UNLIMITED;
    if (!name || ref.opt->flags & OPT_HIDDEN)
        return true;
    help_put_option_text(&help, ref);
    coras_buf_puts(out, ".TP\n.B ");
    if (opt_letter(ref))
        coras_buf_printf(out, "\\-%c, ", opt_letter(ref));
    coras_buf_puts(out, "\\-\\-");
    put_roff(out, name);
    coras_buf_putc(out, '\n');
    put_roff(out, help.ptr);
    if (ref.opt->initial && *ref.opt->initial) {
        coras_buf_puts(out, " (default ");
        put_roff(out, ref.opt->initial);
        coras_buf_putc(out, ')');
    }
    coras_buf_putc(out, '\n');
    return true;
}

static void put_examples(coras_buf *out, const struct cmd *cmd, const char *program)
{
    for (const struct example *e = cmd->examples; e && e->what; e++) {
        coras_buf_puts(out, ".PP\n");
        put_roff(out, e->what);
        coras_buf_puts(out, ":\n.PP\n.nf\n.RS 4\n");
        for (const char *line = e->lines; *line;) {
            size_t len = strcspn(line, "\n");
            bool raw = coras_str_starts(line, "$ ");
            coras_auto_free char *copy = coras_strndup(raw ? line + 2 : line, raw ? len - 2 : len);
            coras_auto_free char *shown =
                copy ? coras_asprintf("%s%s%s\n", raw ? "" : program, raw ? "" : " ", copy) : NULL;
            put_roff(out, shown ? shown : "");
            line += len + (line[len] == '\n');
        }
        coras_buf_puts(out, ".RE\n.fi\n");
    }
}

/* ---- the page of a command ---- */

/* "coras model pull" is described by the page coras-model-pull. */
static char *page_name(const char *path)
{
    char *name = coras_strdup(path);
    for (char *c = name; c && *c; c++)
        *c = *c == ' ' ? '-' : *c;
    return name;
}

static void put_title(coras_buf *out, const char *name)
{
    coras_buf_puts(out, ".TH ");
    put_roff(out, name);
    coras_buf_puts(out, " 1 \"\" \"coras " CORAS_VERSION "\" \"User Commands\"\n.SH NAME\n");
}

static void put_command(coras_buf *out, const struct cmd *cmd, const char *program,
                        const char *path, const char *name)
{
    coras_auto_buf usage = CORAS_BUF_UNLIMITED;
    put_title(out, name);
    put_roff(out, name);
    coras_buf_puts(out, " \\- ");
    put_marked_roff(out, cmd->summary, program);
    coras_buf_puts(out, "\n.SH SYNOPSIS\n.B ");
    help_put_use_line(&usage, cmd, path);
    put_roff(out, usage.ptr);
    coras_buf_puts(out, "\n.SH DESCRIPTION\n");
    put_marked_roff(out, cmd->about ? cmd->about : cmd->summary, program);
    coras_buf_puts(out, "\n.SH OPTIONS\n");
    opt_each(cmd, put_option, out);
    if (cmd->examples)
        coras_buf_puts(out, ".SH EXAMPLES\n");
    put_examples(out, cmd, program);
    coras_buf_puts(out, ".SH SEE ALSO\n.BR coras (1)\n");
}

/* ---- all commands, in the order of the tables ---- */

struct visit {
    const char *program;
    int (*command)(struct visit *visit, const struct cmd *cmd, const char *path, coras_error **err);
    coras_buf *list;       /* that the page of the program gets */
    const char *directory; /* that a page for each goes to */
};

static int visit_commands(struct visit *visit, const struct cmd *parent, const char *path,
                          coras_error **err)
{
    for (const struct cmd *const *child = parent->children; child && *child; child++) {
        coras_auto_free char *own = coras_asprintf("%s %s", path, (*child)->name);
        if (!own)
            return coras_fail_no_memory(err);
        if ((*child)->flags & CMD_HIDDEN)
            continue;
        if ((*child)->run || !(*child)->children)
            CORAS_TRY(visit->command(visit, *child, own, err));
        CORAS_TRY(visit_commands(visit, *child, own, err));
    }
    return 0;
}

static int list_command(struct visit *visit, const struct cmd *cmd, const char *path,
                        coras_error **err)
{
    coras_auto_free char *name = page_name(path);
    if (!name)
        return coras_fail_no_memory(err);
    coras_buf_puts(visit->list, ".TP\n.BR ");
    put_roff(visit->list, name);
    coras_buf_puts(visit->list, " (1)\n");
    put_marked_roff(visit->list, cmd->summary, visit->program);
    coras_buf_putc(visit->list, '\n');
    return 0;
}

static int write_page(const char *directory, const char *name, coras_buf *page, coras_error **err)
{
    coras_auto_free char *path = coras_asprintf("%s/%s.1", directory, name);
    CORAS_TRY(coras_buf_done(page, err));
    if (!path)
        return coras_fail_no_memory(err);
    return coras_write_file_atomic(AT_FDCWD, path, page->ptr, page->len, 0644, err);
}

static int write_command(struct visit *visit, const struct cmd *cmd, const char *path,
                         coras_error **err)
{
    coras_auto_buf page = CORAS_BUF_UNLIMITED;
    coras_auto_free char *name = page_name(path);
    if (!name)
        return coras_fail_no_memory(err);
    put_command(&page, cmd, visit->program, path, name);
    return write_page(visit->directory, name, &page, err);
}

/* ---- the page of the program ---- */

static void put_frame(coras_buf *out, const char *program)
{
    put_title(out, "coras");
    coras_buf_puts(out, "coras, oras \\- artifacts in OCI registries\n.SH SYNOPSIS\n");
    coras_buf_printf(out, ".B %s\n.I command\n[flags] [arguments]\n", program);
    coras_buf_puts(out,
                   ".SH DESCRIPTION\n"
                   "Pushes files to OCI registries and image layouts, pulls, copies and inspects "
                   "them. Called by the name\n.B oras\nthe program speaks of itself by that "
                   "name.\n.SH COMMANDS\n");
}

static void put_environment(coras_buf *out)
{
    static const char *const rows[][2] = {
        {"ORAS_CACHE", "directory of an OCI layout that remembers what was fetched"},
        {"ORAS_HTTP_TIMEOUT", "seconds without progress before a transfer counts as stalled (60); "
                              "an answer may take ten "
                              "times as long to begin"},
        {"DOCKER_CONFIG", "directory of the credential file config.json"},
        {"HTTP_PROXY, HTTPS_PROXY, NO_PROXY", "proxies, also in lower case"},
        {"SSL_CERT_FILE, SSL_CERT_DIR", "certificates of trusted authorities"},
        {"TMPDIR", "directory for temporary files"},
    };
    coras_buf_puts(out, ".SH ENVIRONMENT\n");
    for (size_t i = 0; i < CORAS_ARRAY_LEN(rows); i++)
        coras_buf_printf(out, ".TP\n.B %s\n%s\n", rows[i][0], rows[i][1]);
    coras_buf_puts(out, ".SH EXIT STATUS\n0 on success, 1 on any failure.\n");
}

static int put_program(coras_buf *out, const char *program, coras_error **err)
{
    struct visit list = {.program = program, .command = list_command, .list = out};
    put_frame(out, program);
    CORAS_TRY(visit_commands(&list, &cmd_root, program, err));
    put_environment(out);
    return coras_buf_done(out, err);
}

static int man_run(struct call *call, coras_error **err)
{
    coras_auto_buf out = CORAS_BUF_UNLIMITED;
    struct visit pages = {.program = call->program, .command = write_command};
    CORAS_TRY(put_program(&out, call->program, err));
    if (call->nargs == 0) {
        fputs(out.ptr, stdout);
        return 0;
    }
    pages.directory = call->args[0];
    CORAS_TRY(write_page(pages.directory, call->program, &out, err));
    return visit_commands(&pages, &cmd_root, call->program, err);
}

const struct cmd cmd_man = {
    .name = "__man",
    .use = "[directory]",
    .summary = "Print the manual page, or write all pages into a directory",
    .max_args = 1,
    .flags = CMD_HIDDEN,
    .run = man_run,
};
