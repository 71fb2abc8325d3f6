/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The working directory of a pull: names from an artifact to places below the output directory.
 * Content lands in a private directory there; final names appear together at the end, when
 * everything is verified and on disk.
 */
#ifndef CORAS_OPS_PULL_FILES_H
#define CORAS_OPS_PULL_FILES_H

#include <pthread.h>
#include <sys/stat.h>

#include "archive/layers.h"
#include "base/fs.h"
#include "base/map.h"
#include "model/package.h"
#include "transfer/run.h"

#define CORAS_STAGE_NAME ".coras-partial"

/* One file that the artifact names. */
typedef struct coras_place {
    coras_descriptor desc;           /* as the manifest has it */
    const coras_descriptor *content; /* borrowed: what is transferred, for all its names */
    char *title;                     /* as the manifest has it, or as the user named the config */
    char *relative; /* cleaned path below the output directory; NULL: outside of it */
    char *absolute;
    const coras_package_entry *entry; /* borrowed: what a package says of it; NULL: only a title */
    bool unpack;                      /* an archive that becomes a directory */
    bool in_tree;        /* an archive of a package: its members join those of others */
    bool is_root;        /* titled ".": it is unpacked into the output directory */
    bool listed;         /* belongs into the result's list */
    bool right;          /* was there already, with these bytes */
    bool existed;        /* something stood under the name before */
    bool placed;         /* by this pull */
    bool is_opaque;      /* what it becomes does not give the content's bytes back */
    bool has_other_mode; /* `right`, but for the mode or time that are recorded */
    char prepared[CORAS_TEMP_NAME_BYTES]; /* in the stage: decompressed, complete; or "" */
    bool is_synced_state;                 /* `state` is that of verified bytes that are on disk */
    struct stat state;                    /* of the file when it got its name */
    unsigned missing_dirs;                /* directories above that were not there before */
    struct coras_place *same_as;          /* second name of content that another place has */
} coras_place;

/* The places of one content. */
struct coras_content_places {
    coras_place *first;
    coras_place *file;    /* the first that is a file, whose bytes can be copied; or NULL */
    coras_place *archive; /* the last that is opaque; or NULL */
    size_t count;
};

typedef struct coras_workdir {
    coras_run *run;
    const coras_pull_options *opts;
    mode_t dir_mode, file_mode;              /* of what is made new, before the umask */
    bool shares;                             /* files may be hard links to others */
    char *absolute;                          /* of the output directory */
    unsigned missing_dirs;                   /* it and those above that were not there before */
    int dirfd;                               /* the output directory */
    int stagefd;                             /* private directory in it; -1 until needed */
    char fresh_stage[CORAS_TEMP_NAME_BYTES]; /* its name when it is not the shared one, else "" */
    pthread_mutex_t lock;
    /* under lock */
    coras_map *titles;   /* by absolute path: coras_place */
    coras_map *contents; /* by digest: struct coras_content_places */
    struct {
        coras_place **items;
        size_t len, cap;
    } places;
    bool has_archives;               /* places in a tree */
    struct coras_choosing *choosing; /* borrowed: which of their members are wanted */
    coras_layers *layers;            /* of the places that are in a tree; while committing */
    bool keep_partials;              /* what failed can be resumed */
    bool partials_spoilt; /* a failed sync: their bytes may be lost, and none will say so again */
} coras_workdir;

CORAS_MUST_CHECK int coras_workdir_open(coras_workdir *w, coras_run *run,
                                        const coras_pull_options *opts, coras_error **err);
/* Also removes what is left in the private directory, unless it can be resumed. */
void coras_workdir_close(coras_workdir *w);

/*
 * A name of the artifact, for content that may have others; `entry` is NULL, or what a package says
 * of it (borrowed). EXISTS "<title>: duplicate name" when other content has it. *ret (NULL for the
 * same content twice under one name) is owned by the workdir. No check of safety yet.
 */
CORAS_MUST_CHECK int coras_workdir_add(coras_workdir *w, const coras_descriptor *content,
                                       const coras_descriptor *desc, const char *title,
                                       const coras_package_entry *entry, coras_place **ret,
                                       coras_error **err);

/* Give a place another path (checked by the package) while nothing has its name yet. EXISTS. */
CORAS_MUST_CHECK int coras_workdir_move(coras_workdir *w, coras_place *p, const char *path,
                                        coras_error **err);

/* The first place that was added for this content, which is that of `content` then; NULL: none. */
coras_place *coras_workdir_first(coras_workdir *w, const coras_descriptor *content);

/* Whether the place may be written, in upstream's words: UNSAFE_PATH, EXISTS. Sets place->right
 * when nothing is to be done. */
CORAS_MUST_CHECK int coras_workdir_check(coras_workdir *w, coras_place *place, coras_error **err);

/* The same for a dry run: nothing is made, not even the output directory. */
CORAS_MUST_CHECK int coras_workdir_look(coras_workdir *w, coras_place *place, coras_error **err);

/* Whether there is room for all places together: known before the first byte comes, not hours later
 * with the last file. NO_SPACE with the numbers. */
CORAS_MUST_CHECK int coras_workdir_check_room(coras_workdir *w, coras_error **err);

/* Whether a file or directory with the place's content stands under its name. */
bool coras_workdir_is_right(coras_workdir *w, const coras_place *place);

/* Where the bytes of this content land: directory (borrowed) and file name (free). */
CORAS_MUST_CHECK int coras_workdir_stage(coras_workdir *w, const coras_descriptor *desc,
                                         int *ret_dirfd, char **ret_name, coras_error **err);

/* Name of content in the private directory (free); NULL when out of memory. */
char *coras_workdir_staged_name(const coras_digest *digest);

/* Everything landed: sync, give the final names, unpack. On failure what is new is taken away
 * again. */
CORAS_MUST_CHECK int coras_workdir_commit(coras_workdir *w, coras_error **err);

#endif
