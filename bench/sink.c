/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A registry that has nothing, accepts everything and keeps only the number of bytes, so that a
 * push is limited by the client and not by the registry: sink [PORT]
 *
 * Prints "listening PORT" when ready. HEAD and GET answer 404, POST opens an upload, PATCH and PUT
 * are read and dropped without being copied to user space. A mount of what was put into the same
 * repository is answered as registries do: that much is remembered. GET /bytes tells the count so
 * far. One thread for each connection. For benchmarks on loopback only: nothing is verified.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    HEAD_MAX = 64 * 1024,
    TARGET_MAX = 4096,
    HEADERS_MAX = TARGET_MAX + 128,
    SESSIONS = 1 << 20,
    BLOBS = 1 << 20,
    HEX = 64, /* of a SHA-256 */
    TAKE = 4 * 1024 * 1024
};

static atomic_ullong bytes_total;
static atomic_uint next_session;
static atomic_ullong session_bytes[SESSIONS];
static atomic_ullong blobs_put[BLOBS]; /* by the last bits; a later one takes the place */

/* A connection and what was read from it beyond the last head. */
struct conn {
    int fd;
    size_t have;
    char head[HEAD_MAX + 1];
};

struct request {
    char method[8];
    char target[TARGET_MAX];
    uint64_t length;
    bool chunked;
    bool expects;
};

/* Read until the buffer holds a whole head; returns its length or 0 at the end. */
static size_t read_head(struct conn *conn)
{
    for (;;) {
        conn->head[conn->have] = '\0';
        char *end = strstr(conn->head, "\r\n\r\n");
        if (end != NULL)
            return (size_t)(end - conn->head) + 4;
        if (conn->have == HEAD_MAX)
            return 0;
        ssize_t got = recv(conn->fd, conn->head + conn->have, HEAD_MAX - conn->have, 0);
        if (got <= 0)
            return 0;
        conn->have += (size_t)got;
    }
}

/* The value of a header in a head, or NULL. */
static const char *header(const char *head, const char *name)
{
    size_t length = strlen(name);
    for (const char *line = strstr(head, "\r\n"); line != NULL; line = strstr(line, "\r\n")) {
        line += 2;
        if (strncasecmp(line, name, length) == 0 && line[length] == ':')
            return line + length + 1 + strspn(line + length + 1, " ");
    }
    return NULL;
}

/* Copy the word before `end` characters; false when it does not fit. */
static bool take_word(const char **at, char *out, size_t size)
{
    size_t length = strcspn(*at, " \r\n");
    if (length == 0 || length >= size)
        return false;
    memcpy(out, *at, length);
    out[length] = '\0';
    *at += length + 1;
    return true;
}

static bool parse(const char *head, struct request *ret)
{
    const char *at = head;
    if (!take_word(&at, ret->method, sizeof ret->method) ||
        !take_word(&at, ret->target, sizeof ret->target))
        return false;
    const char *length = header(head, "Content-Length");
    const char *coding = header(head, "Transfer-Encoding");
    ret->length = length != NULL ? strtoull(length, NULL, 10) : 0;
    ret->chunked = coding != NULL && strncasecmp(coding, "chunked", 7) == 0;
    ret->expects = header(head, "Expect") != NULL;
    return true;
}

/* Drop `count` bytes of body: first what is buffered, then in the kernel. */
static bool drop(struct conn *conn, uint64_t count)
{
    size_t held = conn->have < count ? conn->have : (size_t)count;
    memmove(conn->head, conn->head + held, conn->have - held);
    conn->have -= held;
    count -= held;
    while (count > 0) {
        ssize_t got = recv(conn->fd, NULL, count < TAKE ? (size_t)count : TAKE, MSG_TRUNC);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        count -= (uint64_t)got;
    }
    return true;
}

/* Drop a chunked body; returns whether it ended well. */
static bool drop_chunks(struct conn *conn, uint64_t *total)
{
    for (;;) {
        conn->head[conn->have] = '\0';
        char *end = strstr(conn->head, "\r\n");
        if (end == NULL) {
            ssize_t got = recv(conn->fd, conn->head + conn->have, 256, 0);
            if (got <= 0 || conn->have + 512 > HEAD_MAX)
                return false;
            conn->have += (size_t)got;
            continue;
        }
        uint64_t size = strtoull(conn->head, NULL, 16);
        if (!drop(conn, (uint64_t)(end - conn->head) + 2) || !drop(conn, size + 2))
            return false;
        *total += size;
        if (size == 0)
            return true;
    }
}

static bool reply(struct conn *conn, const char *status, const char *headers, const char *body)
{
    char text[HEADERS_MAX + 256];
    int length = snprintf(text, sizeof text, "HTTP/1.1 %s\r\nContent-Length: %zu\r\n%s\r\n%s",
                          status, strlen(body), headers, body);
    return length > 0 && (size_t)length < sizeof text &&
           send(conn->fd, text, (size_t)length, MSG_NOSIGNAL) == length;
}

/* Answer a part of an upload: where it goes on and how much is there. */
static bool reply_session(struct conn *conn, const char *target, unsigned session,
                          const char *status)
{
    char headers[HEADERS_MAX];
    unsigned long long there = atomic_load(&session_bytes[session % SESSIONS]);
    size_t base = strcspn(target, "?");
    const char *uploads = strstr(target, "/blobs/uploads/");
    if (uploads != NULL)
        base = (size_t)(uploads - target) + strlen("/blobs/uploads/");
    snprintf(headers, sizeof headers, "Location: %.*s%u\r\nRange: 0-%llu\r\n", (int)base, target,
             session, there > 0 ? there - 1 : 0);
    return reply(conn, status, headers, "");
}

static unsigned session_of(const char *target)
{
    const char *uploads = strstr(target, "/blobs/uploads/");
    return uploads != NULL ? (unsigned)strtoul(uploads + 15, NULL, 10) : 0;
}

/* FNV-1a over a repository and the digest behind `name` in the query; 0: there is none. */
static uint64_t blob_of(const char *target, const char *name)
{
    const char *repository_end = strstr(target, "/blobs/"), *value = strstr(target, name);
    uint64_t hash = 14695981039346656037U;
    if (repository_end == NULL || value == NULL)
        return 0;
    value += strlen(name);
    size_t length = strcspn(value, "&");
    if (length < HEX)
        return 0;
    for (const char *p = target; p < repository_end; p++)
        hash = (hash ^ (unsigned char)*p) * 1099511628211U;
    for (const char *p = value + length - HEX; p < value + length; p++)
        hash = (hash ^ (unsigned char)*p) * 1099511628211U;
    return hash;
}

static bool answer(struct conn *conn, const struct request *request, uint64_t body)
{
    const char *target = request->target;
    uint64_t blob = blob_of(target, strcmp(request->method, "PUT") == 0 ? "digest=" : "mount=");
    if (strcmp(request->method, "POST") == 0) {
        if (blob != 0 && atomic_load(&blobs_put[blob % BLOBS]) == blob)
            return reply(conn, "201 Created", "Location: /\r\n", "");
        unsigned session = atomic_fetch_add(&next_session, 1) + 1;
        atomic_store(&session_bytes[session % SESSIONS], 0);
        return reply_session(conn, target, session, "202 Accepted");
    }
    if (strcmp(request->method, "PATCH") == 0) {
        unsigned session = session_of(target);
        atomic_fetch_add(&session_bytes[session % SESSIONS], body);
        return reply_session(conn, target, session, "202 Accepted");
    }
    if (strcmp(request->method, "PUT") == 0) {
        if (blob != 0)
            atomic_store(&blobs_put[blob % BLOBS], blob);
        return reply(conn, "201 Created", "Location: /\r\n", "");
    }
    if (strcmp(request->method, "DELETE") == 0)
        return reply(conn, "202 Accepted", "", "");
    if (strcmp(target, "/bytes") == 0) {
        char text[32];
        snprintf(text, sizeof text, "%llu\n", (unsigned long long)atomic_load(&bytes_total));
        return reply(conn, "200 OK", "", text);
    }
    if (strcmp(target, "/v2/") == 0)
        return reply(conn, "200 OK", "Content-Type: application/json\r\n", "{}");
    return reply(conn, "404 Not Found", "", "");
}

static bool serve_one(struct conn *conn)
{
    size_t length = read_head(conn);
    struct request request = {0};
    if (length == 0 || !parse(conn->head, &request))
        return false;
    memmove(conn->head, conn->head + length, conn->have - length);
    conn->have -= length;
    if (request.expects) {
        static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
        if (send(conn->fd, go_on, sizeof go_on - 1, MSG_NOSIGNAL) < 0)
            return false;
    }
    uint64_t body = request.length;
    if (request.chunked) {
        body = 0;
        if (!drop_chunks(conn, &body))
            return false;
    } else if (!drop(conn, body)) {
        return false;
    }
    atomic_fetch_add(&bytes_total, body);
    return answer(conn, &request, body);
}

static void *serve(void *user)
{
    struct conn *conn = user;
    while (serve_one(conn)) {
    }
    close(conn->fd);
    free(conn);
    return NULL;
}

static int listen_on(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int one = 1, big = 8 * 1024 * 1024;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &big, sizeof big);
    socklen_t length = sizeof address;
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) != 0 ||
        listen(fd, 128) != 0 || getsockname(fd, (struct sockaddr *)&address, &length) != 0) {
        perror("sink");
        exit(1);
    }
    printf("listening %d\n", ntohs(address.sin_port));
    fflush(stdout);
    return fd;
}

int main(int argc, char **argv)
{
    signal(SIGPIPE, SIG_IGN);
    int listener = listen_on(argc > 1 ? (int)strtol(argv[1], NULL, 10) : 0);
    for (;;) {
        struct conn *conn = calloc(1, sizeof *conn);
        if (conn == NULL)
            return 1;
        conn->fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        pthread_t thread;
        if (conn->fd < 0 || pthread_create(&thread, NULL, serve, conn) != 0) {
            free(conn);
            continue;
        }
        int one = 1;
        setsockopt(conn->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        pthread_detach(thread);
    }
}
