/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One exchange: a request as the operations see it, and the answer they make. Knows nothing of the
 * HTTP library: front.c fills the request and sends the answer.
 *
 * Course: front reads the head and calls serve_exchange_begin(). That answers at once (status set),
 * or says what to do with the body: nothing, collect it in `body`, or hand it to `upload`. After
 * the body serve_exchange_end() makes the answer. serve_exchange_clear() runs in every case, with
 * an upload cut off in the middle too.
 */
#ifndef SERVE_HTTP_EXCHANGE_H
#define SERVE_HTTP_EXCHANGE_H

#include "serve/access/access.h"
#include "serve/api/budget.h"
#include "serve/storage/blob_store.h"
#include "serve/storage/content.h"
#include "serve/api/routes.h"
#include "serve/operate/health.h"
#include "serve/operate/metrics.h"
#include "serve/operate/reload.h"
#include "serve/options.h"
#include "serve/proxy/names.h"
#include "serve/storage/sessions.h"
#include "serve/storage/uses.h"

/* What all requests share. */
struct serve_registry {
    struct serve_options options; /* const; defaults filled in */
    serve_blob_store *store;      /* the directory */
    serve_blobs *blobs;           /* where blobs are */
    struct serve_far_store *far;  /* that keeps them, when it is not the directory */
    serve_metadata *metadata;
    serve_sessions *sessions;
    struct serve_own_content own;  /* the directory as content */
    struct serve_layouts *layouts; /* that are served in place; NULL: none */
    serve_uses *uses;              /* of blobs that may have to go; NULL: none have to */
    serve_access *access;
    serve_upstreams *upstreams; /* where content comes from that is not here; may be empty */
    struct serve_fills *fills;  /* what is on its way from there; NULL: nothing ever is */
    serve_metrics *metrics;     /* what is counted; NULL counts nothing */
    serve_health *health;
    struct serve_reloads reloads; /* files that are read again on demand */
    serve_budget *reading;        /* headers of weights that are read for pages */
    serve_budget *bodies;         /* bytes of bodies that are being collected */
    serve_budget
        *parsing;       /* bytes of documents that are being parsed: each costs many times that */
    bool loopback_only; /* const: bound to a loopback address */
    bool is_workplace;  /* const: the directory is none of its own: layouts/workplace.h */
    bool read_only;     /* const: nothing in the directory is changed */
    bool disk_was_full; /* const: read-only for that reason */
};

enum serve_method {
    SERVE_GET,
    SERVE_HEAD,
    SERVE_POST,
    SERVE_PUT,
    SERVE_PATCH,
    SERVE_DELETE,
    SERVE_OTHER_METHOD
};

/*
 * A body that comes into being while it is sent. Called on the thread of the connection, which may
 * wait in it for the next bytes.
 */
struct serve_stream {
    /* Up to `cap` bytes of the body from `at` on, at least one; 0: it ends here, which only a body
     * of unknown length does; negative: it cannot go on, and the connection is cut. NULL: only the
     * length is told (HEAD). */
    ssize_t (*read)(void *user, int64_t at, char *buffer, size_t cap);
    void (*close)(void *user); /* in every case, once */
    void *user;                /* NULL: the body is no stream */
};

/* By its name in a request line. */
enum serve_method serve_method_of(const char *name);

/* Room for the headers of the busiest answer. */
#define SERVE_ANSWER_HEADERS_MAX 32

struct serve_answer {
    int status; /* 0 = none yet */
    struct {
        const char *name; /* static */
        char *value;
    } headers[SERVE_ANSWER_HEADERS_MAX];
    size_t header_count;
    coras_buf body;
    int fd; /* the body is `length` bytes of it from `offset`; -1 = the body is `body` */
    int64_t offset, length;
    struct serve_stream stream; /* the body is `length` bytes of it; -1 = nobody knows how many */
    bool close;                 /* the connection does not go on */
    bool incomplete;            /* a header is missing for lack of memory: not to be sent */
    const char *note;           /* static; for the log */
};

struct serve_exchange {
    struct serve_registry *registry;
    /* request */
    enum serve_method method;
    char *target;             /* as sent */
    char *authority;          /* "host:port" of a target that is a whole URL, else NULL */
    struct serve_route route; /* its repository is the name here */
    char *asked;              /* the repository as the client named it: for what it is told */
    serve_place place;        /* the same at its upstream, if there is one */
    serve_content *content;   /* that of the repository; borrowed from the registry */
    int64_t content_length;   /* -1: none was sent */
    const char *(*header)(void *connection, const char *name);
    void *connection;
    struct serve_session_holder client; /* how another request can end this one */
    bool (*is_gone)(void *connection);  /* the client hung up, or will have to */
    const char *peer;                   /* address of the client, borrowed from front */
    const char *network;                /* what counts as one address; borrowed */
    char *user;                         /* who it is; NULL = nobody */
    /* body */
    coras_buf body;          /* collected up to its limit */
    bool body_wanted;        /* collect */
    bool body_too_large;     /* more came than the limit */
    bool no_room;            /* too many bodies are being collected */
    size_t body_budget;      /* bytes taken for `body` */
    serve_session *upload;   /* append; acquired by this exchange */
    coras_error *body_error; /* why appending failed */
    coras_digest expected;   /* digest= of an upload; algorithm 0 = none */
    bool upload_is_own;      /* made by this request: goes with it unless it succeeds */
    bool finishing;          /* a PUT or a POST with digest= */
    int64_t received;        /* bytes of body */
    bool holds_blob;         /* route.digest is being read: it does not go meanwhile */
    struct serve_answer answer;
};

void serve_exchange_init(struct serve_exchange *x, struct serve_registry *registry);
void serve_exchange_clear(struct serve_exchange *x);

/* The head is complete. Answers, or leaves answer.status 0 to take the body. */
void serve_exchange_begin(struct serve_exchange *x);
/* A piece of the body. */
void serve_exchange_data(struct serve_exchange *x, const void *data, size_t len);
/* The body is complete: answers. */
void serve_exchange_end(struct serve_exchange *x);

/* ---- for the operations ---- */
static inline const char *serve_exchange_header(const struct serve_exchange *x, const char *name)
{
    return x->header(x->connection, name);
}
/* Whether nobody waits for the answer any more. */
static inline bool serve_exchange_is_gone(const struct serve_exchange *x)
{
    return x->is_gone && x->is_gone(x->connection);
}
/* Whether a list of entity tags (`*` counts; NULL = none) names this digest: weakly too, and
 * without quotes, as some clients do. */
bool serve_etag_named(const char *list, const coras_digest *digest);
/* Add a header; the value is formatted. Without memory for it the answer is not sent at all. */
void serve_answer_header(struct serve_exchange *x, const char *name, const char *fmt, ...)
    CORAS_PRINTF(3, 4);
void serve_answer_digest(struct serve_exchange *x, const char *header, const coras_digest *digest);
/* Status without a body. */
void serve_answer_empty(struct serve_exchange *x, int status);
/* answer.body is complete, of this type. */
void serve_answer_body(struct serve_exchange *x, int status, const char *content_type);

#endif
