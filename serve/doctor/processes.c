/* SPDX-License-Identifier: Apache-2.0 */
/* Which runtimes run, since when and with which words: from /proc of the node. */
#include "serve/doctor/node.h"

#include <unistd.h>
#include "base/alloc.h"
#include "base/error.h"
#include "base/fs.h"
#include "base/limits.h"

#define PROC_FILE_MAX (256 * CORAS_KIB)
/* Of /proc/PID/stat behind the name, which stands in brackets: the 22nd of all. */
#define STARTED_FIELD 20

void serve_process_clear(struct serve_process *p)
{
    coras_strlist_clear(&p->words);
}

static int read_proc(const serve_node *n, const char *pid, const char *file, coras_buf *ret,
                     coras_error **err)
{
    coras_auto_free char *path =
        coras_asprintf("%s/proc/%s%s%s", n->root, pid, *pid ? "/" : "", file);

    if (!path)
        return coras_fail_no_memory(err);
    coras_buf_reset(ret);
    return coras_read_file(AT_FDCWD, path, PROC_FILE_MAX, ret, err);
}

static bool is_named(const serve_node *n, const char *pid, const char *name)
{
    coras_auto_buf comm = CORAS_BUF_INIT(PROC_FILE_MAX);

    return coras_is_digit(*pid) && read_proc(n, pid, "comm", &comm, NULL) == 0 &&
           coras_str_eq(coras_str_trim((coras_str){comm.ptr, comm.len}), name);
}

/* The number that follows `count` blanks. */
static bool number_behind(const char *text, int count, int64_t *ret)
{
    for (; text && count > 0; count--) {
        text = strchr(text, ' ');
        text = text ? text + 1 : NULL;
    }
    return text && coras_parse_int64((coras_str){text, strspn(text, "0123456789")}, ret);
}

static bool boot_time(const serve_node *n, int64_t *ret)
{
    coras_auto_buf stat = CORAS_BUF_INIT(PROC_FILE_MAX);
    const char *line;

    if (read_proc(n, "", "stat", &stat, NULL) < 0)
        return false;
    line = strstr(stat.ptr, "btime ");
    return line && number_behind(line, 1, ret);
}

static int64_t started_s(const serve_node *n, const char *pid)
{
    coras_auto_buf stat = CORAS_BUF_INIT(PROC_FILE_MAX);
    int64_t ticks = 0, booted = 0, a_second = sysconf(_SC_CLK_TCK);
    const char *bracket;

    if (read_proc(n, pid, "stat", &stat, NULL) < 0 || !boot_time(n, &booted) || a_second <= 0)
        return 0;
    bracket = strrchr(stat.ptr, ')');
    return bracket && number_behind(bracket, STARTED_FIELD, &ticks) ? booted + ticks / a_second : 0;
}

static int take_words(const coras_buf *line, coras_strlist *ret, coras_error **err)
{
    for (size_t at = 0; at < line->len; at += strlen(line->ptr + at) + 1)
        CORAS_TRY(coras_strlist_add(ret, line->ptr + at, err));
    return 0;
}

int serve_node_find_process(const serve_node *n, const char *name, struct serve_process *ret,
                            coras_error **err)
{
    coras_auto_value(coras_strlist) pids = {0};
    coras_auto_buf line = CORAS_BUF_INIT(PROC_FILE_MAX);

    CORAS_TRY(serve_node_list(n, "/proc", &pids, err));
    for (size_t i = 0; i < pids.len; i++) {
        if (!is_named(n, pids.items[i], name))
            continue;
        CORAS_TRY(read_proc(n, pids.items[i], "cmdline", &line, err));
        ret->started_s = started_s(n, pids.items[i]);
        return take_words(&line, &ret->words, err);
    }
    return coras_fail(err, CORAS_ERR_NOT_FOUND, "%s does not run", name);
}
