/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Running a docker-credential program: started without a shell, fed by a pipe, its output, messages
 * and time bounded, its end waited for.
 */
#include "auth/credential_helper.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/error.h"
#include "base/fs.h"
#include "codec/json.h"
#include "base/limits.h"
#include "base/str.h"

enum { STEP_MS = 50 }; /* between two looks at the cancel flag */

static const char not_found_text[] = "credentials not found in native keychain";

struct helper_run {
    const char *program;
    const coras_cancel *cancel;
    pid_t pid;
    int64_t deadline_ms;
    int messages; /* read end of its stderr, not blocking; -1 when it was closed */
    size_t shown; /* bytes of it that went on to ours */
};

static bool name_is_valid(const char *name)
{
    for (const char *p = name; *p; p++)
        if (!coras_is_alnum(*p) && *p != '.' && *p != '_' && *p != '-')
            return false;
    return *name && strspn(name, ".") < strlen(name);
}

/* What goes to a helper must be one line, or it could pass for another request. */
static bool is_one_line(const char *s)
{
    for (; *s; s++)
        if ((unsigned char)*s < ' ' || *s == 0x7f)
            return false;
    return true;
}

static int open_pipe(int *ret_read_end, int *ret_write_end, coras_error **err)
{
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) < 0)
        return coras_fail_errno(err, errno, "pipe");
    *ret_read_end = ends[0];
    *ret_write_end = ends[1];
    return 0;
}

/*
 * The input fits the pipe's buffer, so it is written before the program starts: no second thread,
 * no SIGPIPE from a program that does not read.
 */
static int fill_pipe(const coras_buf *input, int *ret_read_end, coras_error **err)
{
    coras_auto_fd read_end = -1;
    coras_auto_fd write_end = -1;

    CORAS_TRY(open_pipe(&read_end, &write_end, err));
    if (input->len > CORAS_LIMIT_HELPER_OUTPUT)
        return coras_fail(err, CORAS_ERR_TOO_LARGE, "credential exceeds %d bytes",
                          CORAS_LIMIT_HELPER_OUTPUT);
    if (fcntl(write_end, F_SETFL, O_NONBLOCK) < 0)
        return coras_fail_errno(err, errno, "pipe");
    CORAS_TRY(coras_write_full(write_end, input->ptr, input->len, err));
    *ret_read_end = read_end;
    read_end = -1;
    return 0;
}

/* The program starts as from a shell: nothing that this thread or process ignores or blocks. */
static void init_signals(posix_spawnattr_t *attributes)
{
    sigset_t none, all;

    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_init(attributes);
    posix_spawnattr_setsigmask(attributes, &none);
    posix_spawnattr_setsigdefault(attributes, &all);
    posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
}

/* What this process has open beside the three streams is none of the helper's business. */
static void keep_files_back(posix_spawn_file_actions_t *actions)
{
#ifdef __GLIBC__
    posix_spawn_file_actions_addclosefrom_np(actions, STDERR_FILENO + 1);
#else
    /* musl, in the program that has everything inside: whatever it starts is to have none of it. */
    (void)actions;
    (void)syscall(SYS_close_range, (long)STDERR_FILENO + 1, (long)UINT_MAX,
                  (long)CLOSE_RANGE_CLOEXEC);
#endif
}

static int spawn(struct helper_run *run, const char *action, int input, int output, int messages,
                 coras_error **err)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    char *argv[] = {(char *)(uintptr_t)run->program, (char *)(uintptr_t)action, NULL};

    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, messages, STDERR_FILENO);
    keep_files_back(&actions);
    init_signals(&attributes);
    int rc = posix_spawnp(&run->pid, run->program, &actions, &attributes, argv, environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    if (rc == ENOENT || rc == EACCES) {
        rc = coras_fail(err, CORAS_ERR_NOT_FOUND,
                        "exec: \"%s\": executable file not found in $PATH", run->program);
        coras_advise_with(err, CORAS_HINT_INSTALL_HELPER, run->program);
        return rc;
    }
    return rc ? coras_fail_errno(err, rc, "exec: \"%s\"", run->program) : 0;
}

static int check_time(const struct helper_run *run, coras_error **err)
{
    CORAS_TRY(coras_cancel_check(run->cancel, err));
    if (coras_now_ms() >= run->deadline_ms)
        return coras_fail(err, CORAS_ERR_CONFIG, "%s gave no answer within %d s", run->program,
                          CORAS_LIMIT_HELPER_SECONDS);
    return 0;
}

/* Whether they could be shown. */
static bool show_messages(const char *text, size_t len)
{
    coras_auto_buf shown = CORAS_BUF_UNLIMITED;

    coras_escape_lines(&shown, text, len);
    return coras_buf_done(&shown, NULL) == 0 &&
           coras_write_full(STDERR_FILENO, shown.ptr, shown.len, NULL) == 0;
}

/* What it has said to the user goes on to them, harmless and bounded: it may ask for a key. */
static void pass_messages(struct helper_run *run)
{
    enum { MOST_READS = 64 }; /* what a pipe holds: the clock is looked at in between */
    char chunk[CORAS_KIB];

    for (int i = 0; run->messages >= 0 && i < MOST_READS; i++) {
        ssize_t n = read(run->messages, chunk, sizeof(chunk));
        if (n == 0)
            coras_close_fd(&run->messages);
        if (n <= 0)
            return; /* no more for now */
        if (run->shown < CORAS_LIMIT_HELPER_OUTPUT)
            run->shown += show_messages(chunk, (size_t)n) ? (size_t)n : CORAS_LIMIT_HELPER_OUTPUT;
    }
}

static int read_output(struct helper_run *run, int fd, coras_buf *output, coras_error **err)
{
    for (;;) {
        struct pollfd p[] = {{.fd = fd, .events = POLLIN}, {.fd = run->messages, .events = POLLIN}};
        CORAS_TRY(check_time(run, err));
        if (poll(p, CORAS_ARRAY_LEN(p), STEP_MS) <= 0)
            continue;
        if (p[1].revents)
            pass_messages(run);
        if (!p[0].revents)
            continue;
        if (!coras_buf_reserve(output, 1))
            return coras_fail(err, CORAS_ERR_CONFIG, "%s printed more than %d bytes", run->program,
                              CORAS_LIMIT_HELPER_OUTPUT);
        size_t room = output->limit - output->len;
        char chunk[CORAS_KIB];
        ssize_t n = read(fd, chunk, room < sizeof(chunk) ? room : sizeof(chunk));
        if (n == 0)
            return 0;
        if (n < 0 && errno != EINTR)
            return coras_fail_errno(err, errno, "read from %s", run->program);
        if (n > 0)
            coras_buf_put(output, chunk, (size_t)n);
        coras_wipe(chunk, sizeof(chunk));
    }
}

/* The exit status; a program that closed its output but does not end counts against the time. */
static int wait_end(struct helper_run *run, int *ret_status, coras_error **err)
{
    for (;;) {
        pid_t pid = waitpid(run->pid, ret_status, WNOHANG);
        pass_messages(run);
        if (pid == run->pid || (pid < 0 && errno != EINTR)) {
            if (pid < 0)
                *ret_status = 0; /* someone else's SIGCHLD handling took it; the output decides */
            run->pid = 0;
            return 0;
        }
        CORAS_TRY(check_time(run, err));
        poll(NULL, 0, 2);
    }
}

static void end_child(struct helper_run *run)
{
    if (run->pid <= 0)
        return;
    kill(run->pid, SIGKILL);
    while (waitpid(run->pid, NULL, 0) < 0 && errno == EINTR)
        ;
}

static int start_child(struct helper_run *run, const char *action, const coras_buf *input,
                       int *ret_read_end, coras_error **err)
{
    coras_auto_fd stdin_end = -1;
    coras_auto_fd write_end = -1;
    coras_auto_fd stderr_end = -1;

    CORAS_TRY(fill_pipe(input, &stdin_end, err));
    CORAS_TRY(open_pipe(ret_read_end, &write_end, err));
    CORAS_TRY(open_pipe(&run->messages, &stderr_end, err));
    if (fcntl(run->messages, F_SETFL, O_NONBLOCK) < 0)
        return coras_fail_errno(err, errno, "pipe");
    return spawn(run, action, stdin_end, write_end, stderr_end, err);
}

static int run_child(struct helper_run *run, const char *action, const coras_buf *input,
                     coras_buf *output, int *ret_status, coras_error **err)
{
    coras_auto_fd read_end = -1;

    CORAS_TRY(start_child(run, action, input, &read_end, err));
    int rc = read_output(run, read_end, output, err);
    if (rc == 0)
        rc = wait_end(run, ret_status, err);
    end_child(run);
    return rc;
}

/* Runs `docker-credential-NAME ACTION`; a failing exit is 1 with what it printed, trimmed. */
static int run_helper(const char *name, const char *action, const coras_cancel *cancel,
                      const coras_buf *input, coras_buf *output, coras_error **err)
{
    int status = 0;

    if (!name_is_valid(name)) {
        coras_auto_free char *shown = coras_escape_dup(name);
        return coras_fail(err, CORAS_ERR_CONFIG, "bad name of a credential helper: \"%s\"",
                          shown ? shown : "");
    }
    coras_auto_free char *program = coras_asprintf("docker-credential-%s", name);
    if (!program)
        return coras_fail_no_memory(err);
    struct helper_run run = {
        .program = program,
        .cancel = cancel,
        .deadline_ms = coras_now_ms() + CORAS_LIMIT_HELPER_SECONDS * 1000,
        .messages = -1,
    };
    int rc = run_child(&run, action, input, output, &status, err);
    coras_close_fd(&run.messages);
    CORAS_TRY(rc);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : 1;
}

/* A helper's failure, in the words it printed; unless they are an answer, which is a secret. */
static int helper_failed(const char *name, const coras_buf *output, coras_error **err)
{
    coras_auto_buf shown = CORAS_BUF_UNLIMITED;
    coras_str text = coras_str_trim((coras_str){output->ptr, output->len});

    if (!text.len || *text.ptr != '{')
        coras_escape(&shown, text.ptr, text.len, CORAS_LIMIT_ERROR_TEXT);
    if (!shown.len)
        return coras_fail(err, CORAS_ERR_CONFIG, "docker-credential-%s failed without a message",
                          name);
    int rc = coras_fail(err, CORAS_ERR_CONFIG, "%s", shown.ptr);
    coras_auto_free char *program = coras_asprintf("docker-credential-%s", name);
    coras_advise_with(err, CORAS_HINT_HELPER_WORDS, program);
    return rc;
}

static int check_key(const char *key, coras_error **err)
{
    if (is_one_line(key))
        return 0;
    return coras_fail(err, CORAS_ERR_INVALID_REFERENCE,
                      "registry name with a control character is not given to a helper");
}

static int take_answer(const char *name, const coras_buf *output, coras_cred *ret,
                       coras_error **err)
{
    coras_auto(coras_json) root = NULL;

    if (coras_json_parse(output->ptr, output->len, &root, NULL) < 0 ||
        coras_json_type_of(root) != CORAS_JSON_OBJECT)
        return coras_fail(err, CORAS_ERR_CONFIG, "docker-credential-%s printed no valid JSON",
                          name);
    const char *username = coras_json_get_string(root, "Username");
    const char *secret = coras_json_get_string(root, "Secret");
    if (!secret || !*secret)
        return 0; /* some helpers say so for anonymous access */
    if (!is_one_line(secret) || (username && !is_one_line(username)))
        return coras_fail(err, CORAS_ERR_CONFIG,
                          "docker-credential-%s gave a credential with a control character", name);
    bool is_token = username && coras_streq(username, "<token>");
    char **place = is_token ? &ret->refresh_token : &ret->password;
    *place = coras_strdup(secret);
    if (!is_token)
        ret->username = coras_strdup(username ? username : "");
    return *place && (is_token || ret->username) ? 1 : coras_fail_no_memory(err);
}

int coras_helper_get(const char *name, const char *key, const coras_cancel *cancel, coras_cred *ret,
                     coras_error **err)
{
    coras_auto_buf input = CORAS_BUF_UNLIMITED;
    coras_auto_buf output = CORAS_BUF_INIT(CORAS_LIMIT_HELPER_OUTPUT);
    coras_auto_value(coras_cred) cred = {0};

    CORAS_TRY(check_key(key, err));
    coras_buf_puts(&input, key);
    int rc = run_helper(name, "get", cancel, &input, &output, err);
    CORAS_TRY(rc);
    if (rc > 0) {
        coras_str text = coras_str_trim((coras_str){output.ptr, output.len});
        return coras_str_eq(text, not_found_text) ? 0 : helper_failed(name, &output, err);
    }
    rc = take_answer(name, &output, &cred, err);
    coras_wipe(output.ptr, output.len);
    if (rc > 0) {
        *ret = cred;
        cred = (coras_cred){0};
    }
    return rc;
}

int coras_helper_store(const char *name, const char *key, const coras_cred *cred,
                       const coras_cancel *cancel, coras_error **err)
{
    coras_auto_buf input = CORAS_BUF_UNLIMITED;
    coras_auto_buf output = CORAS_BUF_INIT(CORAS_LIMIT_HELPER_OUTPUT);
    coras_json_writer w = CORAS_JSON_WRITER(&input, 0);
    bool is_token = cred->refresh_token && *cred->refresh_token;
    const char *secret = is_token ? cred->refresh_token : cred->password;

    CORAS_TRY(check_key(key, err));
    w.keep_html = true; /* "<token>" as it is */
    coras_jw_object(&w);
    coras_jw_member(&w, "ServerURL", key);
    coras_jw_member(&w, "Username", is_token ? "<token>" : cred->username ? cred->username : "");
    coras_jw_member(&w, "Secret", secret ? secret : "");
    coras_jw_end_object(&w);
    int rc = coras_buf_done(&input, err);
    if (rc == 0)
        rc = run_helper(name, "store", cancel, &input, &output, err);
    coras_wipe(input.ptr, input.len);
    return rc > 0 ? helper_failed(name, &output, err) : rc;
}

int coras_helper_erase(const char *name, const char *key, const coras_cancel *cancel,
                       coras_error **err)
{
    coras_auto_buf input = CORAS_BUF_UNLIMITED;
    coras_auto_buf output = CORAS_BUF_INIT(CORAS_LIMIT_HELPER_OUTPUT);

    CORAS_TRY(check_key(key, err));
    coras_buf_puts(&input, key);
    int rc = run_helper(name, "erase", cancel, &input, &output, err);
    if (rc > 0) {
        coras_str text = coras_str_trim((coras_str){output.ptr, output.len});
        return coras_str_eq(text, not_found_text) ? 0 : helper_failed(name, &output, err);
    }
    return rc;
}
