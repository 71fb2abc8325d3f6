/* SPDX-License-Identifier: Apache-2.0 */
/* Small JSON files that say whose an upload is. */
#include "serve/storage/sidecar.h"

#include <errno.h>
#include <stdio.h>
#include "base/alloc.h"
#include "base/error.h"
#include "base/fs.h"
#include "codec/json.h"

#define SIDECAR_MAX 4096

void serve_sidecar_clear(serve_sidecar *s)
{
    free(s->repository);
    free(s->user);
    free(s->owner);
    *s = (serve_sidecar){0};
}

const char *serve_sidecar_name(const char *id, char name[static SERVE_SIDECAR_NAME_MAX])
{
    snprintf(name, SERVE_SIDECAR_NAME_MAX, "%s.json", id);
    return name;
}

int serve_sidecar_write(int uploads_fd, const serve_session *s, const char *owner,
                        coras_error **err)
{
    coras_auto_buf text = CORAS_BUF_INIT(SIDECAR_MAX);
    coras_json_writer w = CORAS_JSON_WRITER(&text, 0);
    char name[SERVE_SIDECAR_NAME_MAX];
    coras_auto_fd fd = -1;

    coras_jw_object(&w);
    coras_jw_member(&w, "repository", s->repository);
    coras_jw_member(&w, "user", s->user);
    coras_jw_member(&w, "owner", owner);
    coras_jw_member(&w, "algorithm", coras_digest_algorithm_name(s->algorithm));
    coras_jw_end_object(&w);
    CORAS_TRY(coras_buf_done(&text, err));
    fd = openat(uploads_fd, serve_sidecar_name(s->id, name),
                O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return coras_fail_errno(err, errno, "create %s", name);
    return coras_write_full(fd, text.ptr, text.len, err);
}

static int algorithm_of(const char *name)
{
    for (int i = CORAS_SHA256; name && i <= CORAS_SHA512; i++) {
        if (coras_streq(name, coras_digest_algorithm_name(i)))
            return i;
    }
    return CORAS_SHA256;
}

int serve_sidecar_read(int uploads_fd, const char *id, serve_sidecar *ret, coras_error **err)
{
    coras_auto_buf text = CORAS_BUF_INIT(SIDECAR_MAX);
    coras_auto(coras_json) json = NULL;
    char name[SERVE_SIDECAR_NAME_MAX];
    const char *repository, *user, *owner;

    CORAS_TRY(coras_read_file(uploads_fd, serve_sidecar_name(id, name), SIDECAR_MAX, &text, err));
    CORAS_TRY(coras_json_parse(text.ptr, text.len, &json, err));
    repository = coras_json_get_string(json, "repository");
    user = coras_json_get_string(json, "user");
    owner = coras_json_get_string(json, "owner");
    if (!repository || !user)
        return coras_fail(err, CORAS_ERR_CONFIG, "%s: incomplete", name);
    ret->repository = coras_strdup(repository);
    ret->user = coras_strdup(user);
    ret->owner = coras_strdup(owner ? owner : "");
    ret->algorithm = algorithm_of(coras_json_get_string(json, "algorithm"));
    return ret->repository && ret->user && ret->owner ? 0 : coras_fail_no_memory(err);
}

void serve_sidecar_drop_lone(int uploads_fd, const char *name)
{
    char id[SERVE_SESSION_ID_LEN + 1];
    struct stat st;

    if (strlen(name) != SERVE_SIDECAR_NAME_MAX - 1 || !coras_str_ends(name, ".json"))
        return;
    memcpy(id, name, SERVE_SESSION_ID_LEN);
    id[SERVE_SESSION_ID_LEN] = '\0';
    if (fstatat(uploads_fd, id, &st, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT)
        (void)unlinkat(uploads_fd, name, 0);
}
