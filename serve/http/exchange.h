/*
 * One exchange: a request as the operations see it, and the answer they make. Knows nothing of the
 * HTTP library: front.c fills the request and sends the answer.
 *
 * Course: front reads the head and calls coras_exchange_begin(). That answers at once (status set),
 * or says what to do with the body: nothing, collect it in `body`, or hand it to `upload`. After
 * the body coras_exchange_end() makes the answer. coras_exchange_clear() runs in every case, with
 * an upload cut off in the middle too.
 */
#ifndef CORAS_SERVE_HTTP_EXCHANGE_H
#define CORAS_SERVE_HTTP_EXCHANGE_H

#include "serve/access/access.h"
#include "serve/storage/metadata.h"
#include "serve/api/routes.h"
#include "serve/server.h"
#include "serve/storage/sessions.h"

/* What all requests share. */
struct coras_registry {
    struct coras_server_options options; /* const; defaults filled in */
    coras_blob_store *store;
    coras_metadata *metadata;
    coras_sessions *sessions;
    coras_access *access;
    bool loopback_only; /* const: bound to a loopback address */
};

enum coras_method {
    CORAS_GET,
    CORAS_HEAD,
    CORAS_POST,
    CORAS_PUT,
    CORAS_PATCH,
    CORAS_DELETE,
    CORAS_OTHER_METHOD
};

/* Room for the headers of the busiest answer. */
#define CORAS_ANSWER_HEADERS_MAX 32

struct coras_answer {
    int status; /* 0 = none yet */
    struct {
        const char *name; /* static */
        char *value;
    } headers[CORAS_ANSWER_HEADERS_MAX];
    size_t header_count;
    coras_buf body;
    int fd; /* the body is `length` bytes of it from `offset`; -1 = the body is `body` */
    int64_t offset, length;
    bool close;       /* the connection does not go on */
    bool incomplete;  /* a header is missing for lack of memory: not to be sent */
    const char *note; /* static; for the log */
};

struct coras_exchange {
    struct coras_registry *registry;
    /* request */
    enum coras_method method;
    char *target; /* as sent */
    struct coras_route route;
    int64_t content_length; /* -1: none was sent */
    const char *(*header)(void *connection, const char *name);
    void *connection;
    struct coras_session_holder client; /* how another request can end this one */
    const char *peer;                   /* address of the client, borrowed from front */
    char *user;                         /* who it is; NULL = nobody */
    /* body */
    coras_buf body;          /* collected up to its limit */
    bool body_wanted;        /* collect */
    bool body_too_large;     /* more came than the limit */
    coras_session *upload;   /* append; acquired by this exchange */
    coras_error *body_error; /* why appending failed */
    coras_digest expected;   /* digest= of an upload; algorithm 0 = none */
    bool upload_is_own;      /* made by this request: goes with it unless it succeeds */
    bool finishing;          /* a PUT or a POST with digest= */
    int64_t received;        /* bytes of body */
    struct coras_answer answer;
};

void coras_exchange_init(struct coras_exchange *x, struct coras_registry *registry);
void coras_exchange_clear(struct coras_exchange *x);

/* The head is complete. Answers, or leaves answer.status 0 to take the body. */
void coras_exchange_begin(struct coras_exchange *x);
/* A piece of the body. */
void coras_exchange_data(struct coras_exchange *x, const void *data, size_t len);
/* The body is complete: answers. */
void coras_exchange_end(struct coras_exchange *x);

/* ---- for the operations ---- */
static inline const char *coras_exchange_header(const struct coras_exchange *x, const char *name)
{
    return x->header(x->connection, name);
}
/* Whether a list of entity tags (`*` counts; NULL = none) names this digest: weakly too, and
 * without quotes, as some clients do. */
bool coras_etag_named(const char *list, const coras_digest *digest);
/* Add a header; the value is formatted. Without memory for it the answer is not sent at all. */
void coras_answer_header(struct coras_exchange *x, const char *name, const char *fmt, ...)
    CORAS_PRINTF(3, 4);
void coras_answer_digest(struct coras_exchange *x, const char *header, const coras_digest *digest);
/* Status without a body. */
void coras_answer_empty(struct coras_exchange *x, int status);
/* answer.body is complete, of this type. */
void coras_answer_body(struct coras_exchange *x, int status, const char *content_type);

#endif
