/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside of unpacking: the tree that is being made (unpack_tree.c) and its way into the target
 * (unpack_merge.c). For unpack.c only.
 */
#ifndef CORAS_ARCHIVE_UNPACK_TREE_H
#define CORAS_ARCHIVE_UNPACK_TREE_H

#include "archive/unpack_notes.h"
#include "codec/tar.h"

struct coras_tree {
    int root_fd;
    const char *title;       /* cleaned */
    const char *target_path; /* for messages */
    /* The directory that was used last. */
    coras_buf parent;
    int parent_fd;
    coras_notes dirs;     /* whose mode or time is set when their content is complete */
    coras_notes links;    /* whose targets only the kernel can judge, when all is there */
    bool has_modes;       /* in `dirs` */
    bool has_exact_modes; /* as the members say, whatever the umask */
};

/* `root_fd` is borrowed; strings too. */
void coras_tree_init(struct coras_tree *tree, int root_fd, const char *title,
                     const char *target_path);
void coras_tree_clear(struct coras_tree *tree);

/* Make a directory or a link, or open a new file for its content: *ret_fd is -1 for what takes
 * none. */
CORAS_MUST_CHECK int coras_tree_make(struct coras_tree *tree, const coras_tar_entry *entry,
                                     int *ret_fd, coras_error **err);
/* Refuse links that lead out of the tree. After the last entry. */
CORAS_MUST_CHECK int coras_tree_check_links(struct coras_tree *tree, coras_error **err);
/* Modes and times of directories, beneath `root_fd` (the tree, or where it went). */
CORAS_MUST_CHECK int coras_tree_finish_dirs(struct coras_tree *tree, int root_fd,
                                            coras_error **err);

/*
 * Move everything beneath `from_fd` into the directory `to_fd`. Conflicts are looked for first, so
 * that a refusal leaves the target as it was. `title` is for messages. `keeps_modes`: a file that
 * is replaced keeps the mode that its owner gave it.
 */
CORAS_MUST_CHECK int coras_tree_merge(int from_fd, int to_fd, const char *title, bool keeps_modes,
                                      coras_error **err);

/* Write back everything on the file system of `fd`. `shown` is for the message. */
CORAS_MUST_CHECK int coras_sync_file_system(int fd, const char *shown, coras_error **err);

#endif
