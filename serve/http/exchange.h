/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One exchange: a request as the operations see it, and the answer they make. Knows nothing of the
 * HTTP library: front reads the request and sends the answer.
 *
 * Course: front reads the head and calls serve_exchange_open(), _admit() and _begin(), each on a
 * thread that may take as long as it takes; as soon as there is an answer (status set), no more is
 * called. Begin says what to do with the body: nothing, collect it in `body`, or hand it to
 * `upload`. After the body serve_exchange_end() makes the answer, or serve_exchange_go_on() does,
 * which is called until that is possible. serve_exchange_clear() runs in every case, with an upload
 * cut off in the middle too.
 *
 * Threads: one at a time.
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
#include "serve/operate/stock.h"
#include "serve/http/waiter.h"
#include "serve/http/workers.h"
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
    struct serve_stock stock;
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

struct serve_exchange;

enum serve_method {
    SERVE_GET,
    SERVE_HEAD,
    SERVE_POST,
    SERVE_PUT,
    SERVE_PATCH,
    SERVE_DELETE,
    SERVE_OTHER_METHOD
};

/* There is nothing yet: the waiter will be woken. */
#define SERVE_STREAM_LATER (-2)

/*
 * A body that comes into being while it is sent: by one of two functions, or by none, which tells
 * the length alone (HEAD).
 */
struct serve_stream {
    /* Up to `cap` bytes of the body from `at` on, at least one; 0: it ends here, which only a body
     * of unknown length does; negative: it cannot go on, and the connection is cut. It may wait for
     * the next bytes: it is called by a worker. */
    ssize_t (*read)(void *user, int64_t at, char *buffer, size_t cap);
    /* The same where nobody has to wait: SERVE_STREAM_LATER, and the waiter is woken when it is
     * worth to ask again, if not before. Without a waiter the first look is all that is wanted. */
    ssize_t (*follow)(void *user, int64_t at, char *buffer, size_t cap, serve_waiter *waiter);
    void (*close)(void *user); /* in every case, once */
    void *user;                /* NULL: the body is no stream */
};

/* An answer that has to wait for something, which occupies no thread. */
struct serve_pending {
    /* Look, without waiting. WORK: on a worker of SERVE_WORK_ORIGIN `work` is called, and then this
     * again. */
    enum serve_progress {
        SERVE_PROGRESS_DONE,  /* answered */
        SERVE_PROGRESS_LATER, /* the waiter is woken when it is worth to look again */
        SERVE_PROGRESS_WORK
    } (*go_on)(struct serve_exchange *x, void *user, serve_waiter *waiter);
    void (*work)(struct serve_exchange *x, void *user);
    void (*close)(void *user); /* in every case, once */
    void *user;                /* NULL: it is not pending */
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
    enum serve_route_error route_error;
    char *asked;            /* the repository as the client named it: for what it is told */
    serve_place place;      /* the same at its upstream, if there is one */
    serve_content *content; /* that of the repository; borrowed from the registry */
    int64_t content_length; /* -1: none was sent */
    const char *(*header)(void *connection, const char *name);
    void *connection;
    struct serve_session_holder client; /* how another request can end this one */
    bool (*is_gone)(void *connection);  /* the client hung up, or will have to */
    bool may_ask;                       /* upstreams: on this thread */
    bool has_to_ask;                    /* and that is what is missing for an answer */
    struct serve_pending pending;
    struct serve_followed {
        struct serve_flight *flight; /* somebody else's question, that was waited for */
        bool landed;                 /* no: it took too long */
    } followed;                      /* proxy/following.h */
    struct serve_flight *leading;    /* a question that this one will ask, on another thread */
    struct serve_brought {
        coras_digest digest; /* of a blob that was waited for */
        int rc;              /* how that ended */
    } brought;
    size_t children_done; /* of a pushed manifest: from the first, that were brought or here */
    bool is_ending;       /* the body is complete */
    const char *peer;     /* address of the client, borrowed from front */
    const char *network;  /* what counts as one address; borrowed */
    char *user;           /* who it is; NULL = nobody */
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

/* The head is complete: understand it. What it takes to find out who asks. */
enum serve_work serve_exchange_open(struct serve_exchange *x, struct serve_job *job);
/* Whether they may; answers when not. */
void serve_exchange_admit(struct serve_exchange *x);
/* What it takes to begin. */
enum serve_work serve_exchange_work(const struct serve_exchange *x);
/* Answers, or leaves answer.status 0: for lack of a body; for something that is pending; or because
 * an upstream has to be asked (has_to_ask), and this is to be called again with `may_ask`. */
void serve_exchange_begin(struct serve_exchange *x);
/* A piece of the body. */
void serve_exchange_data(struct serve_exchange *x, const void *data, size_t len);
/* The body is complete. What it takes to end, if nothing is pending; and ending: answers, or leaves
 * something pending. */
enum serve_work serve_exchange_end_work(const struct serve_exchange *x);
void serve_exchange_end(struct serve_exchange *x);
/* Something is pending: is it still? */
enum serve_progress serve_exchange_go_on(struct serve_exchange *x, serve_waiter *waiter);

/* ---- for the operations ---- */
static inline const char *serve_exchange_header(const struct serve_exchange *x, const char *name)
{
    return x->header(x->connection, name);
}
/* false: upstreams are asked by others, and the operation comes again there. */
static inline bool serve_exchange_may_ask(struct serve_exchange *x)
{
    x->has_to_ask = !x->may_ask;
    return x->may_ask;
}
/* Whether nobody waits for the answer any more. */
static inline bool serve_exchange_is_gone(const struct serve_exchange *x)
{
    return x->is_gone && x->is_gone(x->connection);
}
/* Whether this is in the value of a header (NULL: there is none). Only its first
 * CORAS_LIMIT_REQUEST_LIST bytes are looked at. */
bool serve_list_names(const char *list, const char *text);
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
