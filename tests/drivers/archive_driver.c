/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packs and unpacks from the command line, for tests against other programs.
 *
 *     archive_driver pack DIR NAME OUT [THREADS]    prints the tar's digest
 *     archive_driver unpack ARCHIVE PARENT NAME TITLE [TAR_DIGEST]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/fs.h"
#include "archive/pack_dir.h"
#include "archive/unpack.h"

static int pack(char **argv, unsigned threads, coras_error **err)
{
    struct coras_packed_dir packed;
    const struct coras_pack_dir_options opts = {.threads = threads};
    CORAS_TRY(coras_pack_directory(argv[0], argv[1], &opts, &packed, err));
    coras_auto_fd in = packed.fd;
    coras_auto_fd out = open(argv[2], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (out < 0)
        return coras_fail(err, CORAS_ERR_IO, "open %s", argv[2]);
    int64_t offset = 0;
    while (offset < packed.size) {
        char buf[4096];
        size_t got;
        CORAS_TRY(coras_pread_full(in, buf, sizeof(buf), offset, &got, err));
        CORAS_TRY(coras_write_full(out, buf, got, err));
        offset += (int64_t)got;
    }
    char text[CORAS_DIGEST_TEXT_MAX];
    puts(coras_digest_format(&packed.tar_digest, text));
    return 0;
}

static int unpack(char **argv, const char *tar_digest, coras_error **err)
{
    coras_auto_fd blob = open(argv[0], O_RDONLY | O_CLOEXEC);
    coras_auto_fd parent = open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct stat st;
    coras_digest digest;
    if (blob < 0 || parent < 0 || fstat(blob, &st) < 0)
        return coras_fail(err, CORAS_ERR_IO, "open %s or %s", argv[0], argv[1]);
    if (tar_digest)
        CORAS_TRY(coras_digest_parse(tar_digest, &digest, err));
    const struct coras_unpack_request request = {
        .blob_fd = blob,
        .size = st.st_size,
        .parent_dirfd = parent,
        .stage_dirfd = parent,
        .dirname = argv[2],
        .title = argv[3],
        .tar_digest = tar_digest ? &digest : NULL,
        .no_sync = true,
    };
    return coras_unpack(&request, err);
}

int main(int argc, char **argv)
{
    coras_auto(coras_error) err = NULL;
    int rc = CORAS_ERR_INVALID_ARGUMENT;
    if (argc >= 5 && strcmp(argv[1], "pack") == 0)
        rc = pack(argv + 2, argc > 5 ? (unsigned)strtoul(argv[5], NULL, 10) : 0, &err);
    else if (argc >= 6 && strcmp(argv[1], "unpack") == 0)
        rc = unpack(argv + 2, argc > 6 ? argv[6] : NULL, &err);
    if (rc < 0)
        fprintf(stderr, "%s: %s\n", coras_error_name(rc), err ? coras_error_message(err) : "usage");
    return rc < 0;
}
