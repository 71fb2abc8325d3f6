/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every amount that an outsider controls, with the reason for its bound. Each has a test at the
 * limit and one beyond.
 */
#ifndef CORAS_BASE_LIMITS_H
#define CORAS_BASE_LIMITS_H

#define CORAS_KIB 1024
#define CORAS_MIB (1024 * 1024)

/* Configuration files of container runtimes, which the doctor reads. */
#define CORAS_LIMIT_TOML_VALUES  10000 /* real files have hundreds */
#define CORAS_LIMIT_TOML_STRING  (64 * CORAS_KIB)
#define CORAS_LIMIT_TOML_DEPTH   32
#define CORAS_LIMIT_DOCTOR_FILES 256 /* that others name */
#define CORAS_LIMIT_DOCTOR_ASKED 16  /* mirrors; each may take seconds */
/* What requests to the registry say. */
#define CORAS_LIMIT_REQUEST_LIST                                                                   \
    (8 * CORAS_KIB)                       /* of Accept and If-None-Match; more is not read         \
                                           */
#define CORAS_LIMIT_REQUEST_VIA CORAS_KIB /* eight caches name themselves in some 300 bytes */
/* Layouts that are served in place: who can copy something there must not cost without end. */
#define CORAS_LIMIT_LAYOUT_DIRECTORIES 200000 /* looked into for the list of repositories */
#define CORAS_LIMIT_LAYOUTS_TOLD       1000   /* that the log hears of */
#define CORAS_LIMIT_MANIFEST                                                                       \
    (4 * CORAS_MIB) /* registries accept at least this; clients read at most this */
#define CORAS_LIMIT_INDEX_JSON       (64 * CORAS_MIB)  /* a layout may hold very many tags */
#define CORAS_LIMIT_ERROR_BODY       (64 * CORAS_KIB)  /* an error is a sentence */
#define CORAS_LIMIT_ERROR_TEXT       CORAS_KIB         /* shown of one registry message */
#define CORAS_LIMIT_TOKEN_BODY       (128 * CORAS_KIB) /* real tokens are 1-16 KiB */
#define CORAS_LIMIT_REMEMBERED       1024 /* tokens and the like of one client, which may live long */
#define CORAS_LIMIT_TOKEN_LIFE_S     86400 /* whatever a service says: a day, then ask again */
#define CORAS_LIMIT_HEADERS          (300 * CORAS_KIB) /* libcurl's own bound since 8.3 */
#define CORAS_LIMIT_CHALLENGE        (8 * CORAS_KIB)
#define CORAS_LIMIT_CHALLENGES       8
#define CORAS_LIMIT_CHALLENGE_PARAMS 32
#define CORAS_LIMIT_REDIRECTS        10
#define CORAS_LIMIT_UNSIZED_BLOB     (4096LL * CORAS_MIB) /* read to learn its size */
#define CORAS_LIMIT_PAGES            10000
#define CORAS_LIMIT_LIST_BYTES       (64 * CORAS_MIB) /* all pages of a list, which are kept */
#define CORAS_LIMIT_JSON_DEPTH       2048
#define CORAS_LIMIT_INDEX_DEPTH      16
#define CORAS_LIMIT_REFERRER_DEPTH   64
#define CORAS_LIMIT_REFERRER_LISTS   10000   /* a server may invent referrers without end */
#define CORAS_LIMIT_NODES            1000000 /* of one graph: the largest real ones have thousands */
#define CORAS_LIMIT_HELPER_OUTPUT    (64 * CORAS_KIB)
#define CORAS_LIMIT_HELPER_SECONDS   60
#define CORAS_LIMIT_LOCK_SECONDS     60 /* another process of ours is done by then, or hangs */
#define CORAS_LIMIT_PEM_FILE         (16 * CORAS_MIB) /* a pool of authorities */
#define CORAS_LIMIT_CONFIG_FILE      (4 * CORAS_MIB)
#define CORAS_LIMIT_PATH             4096 /* PATH_MAX */
#define CORAS_LIMIT_COMPONENT        255  /* NAME_MAX */
#define CORAS_LIMIT_UNPACK_DEPTH     256  /* directories in each other: a stack frame for each */
#define CORAS_LIMIT_GLOB             1024 /* a pattern: a match costs its length for each byte */
#define CORAS_LIMIT_ACCESS_RULES     1000 /* each request asks all of them */
#define CORAS_LIMIT_GLOB_DEPTH       16   /* choices in choices */
#define CORAS_LIMIT_TREE_DEPTH       64   /* directories in a model's directory */
#define CORAS_LIMIT_GGUF_GLANCE      (64 * CORAS_KIB) /* where a file says what kind it is of */
#define CORAS_LIMIT_MODEL_RECORD     (64 * CORAS_MIB) /* of the files of one model in the cache */
#define CORAS_LIMIT_TAR_RECORD       CORAS_MIB        /* one PAX or GNU long-name record */
#define CORAS_LIMIT_PACKAGE_WARNINGS 64               /* more of one package tell nobody more */
#define CORAS_LIMIT_ZSTD_WINDOW_LOG  27               /* 128 MiB: what zstd itself takes unasked */
#define CORAS_LIMIT_RETRY_AFTER_S    300
#define CORAS_LIMIT_COMMIT_S         3600 /* a registry that stores a blob and does not say so */
#define CORAS_LIMIT_URL              (64 * CORAS_KIB) /* signed storage URLs reach several KiB */

/* Threads of the registry beside those that serve connections; made when there is work. */
#define CORAS_LIMIT_WORKERS_READ  8  /* the database and the disk answer no faster to more */
#define CORAS_LIMIT_WORKERS_WRITE 16 /* most of their time they wait for the disk, together */
#define CORAS_LIMIT_WORKERS_BODY  16 /* and two for each processor */
#define CORAS_LIMIT_WORKERS_PASSWORD                                                               \
    2                                 /* bcrypt is slow on purpose, and starves everything else    \
                                       */
#define CORAS_LIMIT_WORKERS_ORIGIN 96 /* a third for one upstream at most */
#define CORAS_LIMIT_WORKERS_STREAM 32

/* Fills of a cache. */
#define CORAS_LIMIT_FILLS     32 /* at a time from one registry; each is a connection and a thread */
#define CORAS_LIMIT_AHEAD     8  /* parts of one blob that come out of turn at a time */
#define CORAS_LIMIT_AHEAD_ALL 64 /* of all */

/* Pickles: what is kept of one that is scanned. What does not fit is treated as unknown. */
#define CORAS_LIMIT_PICKLE_NAME       512 /* one module or name; real ones have some tens */
#define CORAS_LIMIT_PICKLE_NAMES      100000
#define CORAS_LIMIT_PICKLE_NAME_BYTES (4 * CORAS_MIB)
#define CORAS_LIMIT_PICKLE_STACK      131072 /* runs of equal values */
#define CORAS_LIMIT_PICKLE_MEMO       CORAS_MIB
#define CORAS_LIMIT_PICKLE_IMPORTS    1024 /* different ones of one pickle */
#define CORAS_LIMIT_PICKLE_DOUBTFUL   256
#define CORAS_LIMIT_PICKLE_DEPTH      3 /* pickles in byte strings of pickles */
/* Scans of models: what is kept and read of what a stranger made. */
#define CORAS_LIMIT_SCAN_FINDINGS    10000
#define CORAS_LIMIT_SCAN_DETAIL      (4 * CORAS_KIB)  /* text of one finding */
#define CORAS_LIMIT_SCAN_DOCUMENT    (4 * CORAS_MIB)  /* a configuration, a template */
#define CORAS_LIMIT_SCAN_SEARCH      (64 * CORAS_MIB) /* of a remote file that is only searched */
#define CORAS_LIMIT_SCAN_INFLATED    (16384LL * CORAS_MIB) /* of one compressed stream */
#define CORAS_LIMIT_SCAN_CHOSEN      4096 /* members of a zip archive that are looked into */
#define CORAS_LIMIT_SCAN_MEMBERS     64   /* of these, whose names promise nothing */
#define CORAS_LIMIT_SCAN_KERAS_DEPTH 64
#define CORAS_LIMIT_SCAN_DEPTH       3      /* archives in archives */
#define CORAS_LIMIT_ZIP_MEMBERS      200000 /* the largest checkpoints have tens of thousands */

/* Model files: what their reference readers bound, and what keeps the reading in 64 MiB. */
#define CORAS_LIMIT_SAFETENSORS_HEADER 100000000 /* the format's own constant */
#define CORAS_LIMIT_TENSORS            (1 << 20) /* of one file; the largest real ones have 10^5 */
#define CORAS_LIMIT_TENSOR_NAME        4096
#define CORAS_LIMIT_TENSOR_RANK        64
#define CORAS_LIMIT_METADATA_TEXT      (64 * CORAS_KIB) /* told of one value; the rest is read past */
#define CORAS_LIMIT_TENSORS_CHOSEN     (1 << 18)        /* of one model; they are kept meanwhile */
#define CORAS_LIMIT_METADATA_KEPT      4096             /* texts that go from one file to another */
#define CORAS_LIMIT_GGUF_HEADER        (256 * CORAS_MIB) /* the largest vocabularies have 12 MiB */
#define CORAS_LIMIT_GGUF_STRING        (64 * CORAS_MIB)
#define CORAS_LIMIT_GGUF_KEY           65535            /* the format's own */
#define CORAS_LIMIT_GGUF_PAIRS         (1 << 20)        /* real files have less than a hundred */
#define CORAS_LIMIT_GGUF_ELEMENTS      (1 << 24)        /* of one array */
#define CORAS_LIMIT_GGUF_TENSORS       (32 * CORAS_MIB) /* kept about all tensors of one file */
#define CORAS_LIMIT_MODEL_CONFIG       CORAS_MIB /* config.json; parsed it takes 16 times as much */
#define CORAS_LIMIT_SHARDS             10000     /* files that an index.json names */
#define CORAS_LIMIT_SHARDS_SHOWN       100       /* missing ones; a name may claim 99999 */

/* What model packages say of a model. */
#define CORAS_LIMIT_FRONT_MATTER    (256 * CORAS_KIB) /* head of a model card */
#define CORAS_LIMIT_CARD_FIELDS     256
#define CORAS_LIMIT_CARD_VALUES     256 /* of one field: lists of languages, tags */
#define CORAS_LIMIT_CARD_VALUE      CORAS_KIB
#define CORAS_LIMIT_CARD_ANNOTATION (8 * CORAS_KIB) /* a list in one annotation of a manifest */
#define CORAS_LIMIT_DTYPES          256 /* formats have some dozens; a header may invent more */

/* Models as lists of files, and what is read of them. */
#define CORAS_LIMIT_MODEL_FILES    1000000 /* of one package; the largest real ones have 10^4 */
#define CORAS_LIMIT_MODEL_INDEX    (32 * CORAS_MIB) /* 10^5 tensors take nine */
#define CORAS_LIMIT_MODEL_WORD     256              /* the name of an architecture */
#define CORAS_LIMIT_TENSOR_LIST    (32 * CORAS_MIB) /* in memory, of all files of a model */
#define CORAS_LIMIT_DIFF_VALUES    100000           /* of documents that are compared */
#define CORAS_LIMIT_MODEL_DEPTH    64               /* of directories in a local one */
#define CORAS_LIMIT_MODEL_WARNINGS 100              /* a stranger's mistakes may have no end */
#define CORAS_LIMIT_MODEL_BEGINNING                                                                \
    (256 * CORAS_MIB) /* read from the start where a registry knows no ranges: any header */

/* A store elsewhere (serve --blobs): its answers, the words of them that are shown, and the file of
 * credentials. */
#define CORAS_LIMIT_S3_ANSWER      (4 * CORAS_MIB) /* a page of a thousand keys has 1 MiB at most */
#define CORAS_LIMIT_S3_WORDS       256
#define CORAS_LIMIT_S3_CREDENTIALS (64 * CORAS_KIB)

#endif
