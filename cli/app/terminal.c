/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is asked of a terminal: lines, and secrets without an echo.
 */
#include "cli/app/terminal.h"

#include <errno.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/limits.h"
#include "base/str.h"
#include "cli/app/interrupt.h"

#define SECRET_LIMIT CORAS_MIB /* tokens are some KiB at most */

/* One byte, so that nothing behind a line is taken from whoever reads stdin next. 1, 0 at the end.
 */
static int read_byte(char *ret, coras_error **err)
{
    CORAS_TRY(interrupt_wait_readable(STDIN_FILENO, err));
    ssize_t n = read(STDIN_FILENO, ret, 1);
    if (n < 0)
        return coras_fail_errno(err, errno, "read /dev/stdin");
    return (int)n;
}

static void drop_last(coras_buf *line, char c)
{
    if (line->len && line->ptr[line->len - 1] == c)
        coras_buf_truncate(line, line->len - 1);
}

/* Move the text out and wipe what was read beside it. */
static int take_secret(coras_buf *text, char **ret, coras_error **err)
{
    int rc = coras_buf_done(text, err);
    char *copy = rc == 0 ? coras_strndup(text->ptr, text->len) : NULL;
    if (text->cap)
        coras_wipe(text->ptr, text->cap);
    if (rc == 0 && !copy)
        rc = coras_fail_no_memory(err);
    if (rc == 0)
        *ret = copy;
    return rc;
}

int terminal_read_secret_all(char **ret, coras_error **err)
{
    coras_auto_buf text = CORAS_BUF_INIT(SECRET_LIMIT);
    for (;;) {
        if (!coras_buf_reserve(&text, CORAS_KIB))
            break;
        CORAS_TRY(interrupt_wait_readable(STDIN_FILENO, err));
        ssize_t n = read(STDIN_FILENO, text.ptr + text.len, CORAS_KIB);
        if (n < 0)
            return coras_fail_errno(err, errno, "read /dev/stdin");
        if (n == 0)
            break;
        text.len += (size_t)n;
        text.ptr[text.len] = '\0';
    }
    drop_last(&text, '\n');
    drop_last(&text, '\r');
    return take_secret(&text, ret, err);
}

static int read_line(char **ret, coras_error **err)
{
    coras_auto_buf line = CORAS_BUF_INIT(SECRET_LIMIT);
    char c = 0;
    int n;
    while ((n = read_byte(&c, err)) > 0 && c != '\n')
        coras_buf_putc(&line, c);
    CORAS_TRY(n);
    drop_last(&line, '\r');
    return take_secret(&line, ret, err);
}

int terminal_ask(const char *prompt, char **ret, coras_error **err)
{
    fputs(prompt, stdout);
    fflush(stdout);
    return read_line(ret, err);
}

int terminal_ask_secret(const char *prompt, char **ret, coras_error **err)
{
    struct termios saved;
    if (tcgetattr(STDIN_FILENO, &saved) < 0)
        return terminal_ask(prompt, ret, err); /* not a terminal */
    struct termios silent = saved;
    silent.c_lflag &= ~(tcflag_t)ECHO;
    (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent); /* at worst the secret is seen */
    int rc = terminal_ask(prompt, ret, err);
    (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &saved);
    fputc('\n', stdout);
    return rc;
}

int terminal_confirm(const char *question, bool *ret, coras_error **err)
{
    coras_auto_free char *answer = NULL;
    coras_auto_free char *prompt = coras_asprintf("%s [y/N] ", question);
    if (!prompt)
        return coras_fail_no_memory(err);
    CORAS_TRY(terminal_ask(prompt, &answer, err));
    *ret = coras_str_ieq(answer, "y") || coras_str_ieq(answer, "yes");
    if (!*ret)
        fputs("Operation cancelled.\n", stdout);
    return 0;
}

void terminal_size(unsigned *ret_width, unsigned *ret_height)
{
    struct winsize size = {0};
    bool known = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0;
    *ret_width = known ? size.ws_col : 0;
    *ret_height = known ? size.ws_row : 0;
}
