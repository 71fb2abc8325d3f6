/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the machine allows: a plain client of a registry that moves, writes and hashes, and does
 * nothing else. No TLS, no redirects, no retries, no names.
 *
 *     bound get PORT CONNECTIONS DIRECTORY < paths      one file for each line
 *     bound put PORT CONNECTIONS REPOSITORY FILE...     POST, PATCH while hashing, PUT
 *
 * A blob of a MiB and more is hashed by a thread beside, which reads it back from the page cache.
 * For benchmarks on loopback: what another program needs more than this is its own.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* A large block of an allocator begins 16 bytes into a page, whereto some processors copy at a
 * third of their speed: pieces begin elsewhere. */
enum {
    PIECE = 256 * 1024,
    INTO_PAGE = 1024,
    PAGE = 4096,
    HEAD_MAX = 16 * 1024,
    BESIDE = 1024 * 1024,
    CONNECTIONS_MAX = 64
};

static struct {
    int port, items, out;
    char **names;
    const char *repository;
    atomic_int next;
} work;

static void die(const char *what)
{
    fprintf(stderr, "bound: %s: %s\n", what, errno ? strerror(errno) : "unexpected");
    exit(1);
}

static char *new_piece(void)
{
    char *page = aligned_alloc(PAGE, PIECE + PAGE);

    if (!page)
        die("memory");
    return page + INTO_PAGE;
}

/* ---- hashing ---- */

/* The file that is hashed as far as it is there. */
struct hashing {
    int fd;
    int64_t size;
    int64_t front; /* under lock */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    pthread_t thread;
    unsigned char digest[EVP_MAX_MD_SIZE];
};

static int64_t wait_beyond(struct hashing *h, int64_t position)
{
    pthread_mutex_lock(&h->lock);
    while (h->front <= position)
        pthread_cond_wait(&h->changed, &h->lock);
    int64_t front = h->front;
    pthread_mutex_unlock(&h->lock);
    return front;
}

static void *hash_all(void *user)
{
    struct hashing *h = user;
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    char *piece = new_piece();

    if (!md || !EVP_DigestInit_ex(md, EVP_sha256(), NULL))
        die("hash");
    for (int64_t at = 0; at < h->size;) {
        int64_t ready = wait_beyond(h, at) - at;
        ssize_t n = pread(h->fd, piece, ready < PIECE ? (size_t)ready : PIECE, at);
        if (n <= 0)
            die("read back");
        EVP_DigestUpdate(md, piece, (size_t)n);
        at += n;
    }
    EVP_DigestFinal_ex(md, h->digest, NULL);
    EVP_MD_CTX_free(md);
    free(piece - INTO_PAGE);
    return NULL;
}

static void hash_begin(struct hashing *h, int fd, int64_t size, int64_t front)
{
    *h = (struct hashing){.fd = fd, .size = size, .front = front};
    pthread_mutex_init(&h->lock, NULL);
    pthread_cond_init(&h->changed, NULL);
    if (size >= BESIDE && (errno = pthread_create(&h->thread, NULL, hash_all, h)) != 0)
        die("thread");
}

static void hash_advance(struct hashing *h, int64_t front)
{
    pthread_mutex_lock(&h->lock);
    h->front = front;
    pthread_cond_signal(&h->changed);
    pthread_mutex_unlock(&h->lock);
}

static void hash_end(struct hashing *h)
{
    if (h->size >= BESIDE)
        pthread_join(h->thread, NULL);
    else
        hash_all(h);
}

/* ---- requests ---- */

/* A connection, and what was read from it beyond the last head. */
struct connection {
    int fd;
    char head[HEAD_MAX + 1], *piece;
    size_t have, used;
};

static void connect_to(struct connection *c)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)work.port)};
    int one = 1;

    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    c->piece = new_piece();
    if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&to, sizeof(to)) < 0)
        die("connect");
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
}

static void send_all(struct connection *c, const char *data, size_t len)
{
    for (ssize_t n; len; data += n, len -= (size_t)n)
        if ((n = send(c->fd, data, len, MSG_NOSIGNAL)) <= 0)
            die("send");
}

static void ask(struct connection *c, const char *method, const char *path, int64_t body)
{
    char text[4096];
    int n = snprintf(text, sizeof(text), "%s %s HTTP/1.1\r\nHost: localhost:%d\r\n", method, path,
                     work.port);
    if (body >= 0)
        n += snprintf(text + n, sizeof(text) - (size_t)n,
                      "Content-Type: application/octet-stream\r\nContent-Length: %lld\r\n",
                      (long long)body);
    n += snprintf(text + n, sizeof(text) - (size_t)n, "\r\n");
    send_all(c, text, (size_t)n);
}

/* The value of a header up to the end of its line; NULL: none. */
static const char *header_of(const struct connection *c, const char *name)
{
    const char *found = strcasestr(c->head, name);

    return found ? found + strlen(name) : NULL;
}

/* Reads a head; returns the length of its body. */
static int64_t read_head(struct connection *c)
{
    char *end = NULL;

    c->have = c->used = 0;
    while (!end) {
        ssize_t n = recv(c->fd, c->head + c->have, HEAD_MAX - c->have, 0);
        if (n <= 0)
            die("no answer");
        c->have += (size_t)n;
        c->head[c->have] = 0;
        end = strstr(c->head, "\r\n\r\n");
    }
    c->used = (size_t)(end + 4 - c->head);
    errno = 0;
    if (strncmp(c->head, "HTTP/1.1 2", 10) != 0)
        die(c->head);
    const char *length = header_of(c, "\r\nContent-Length: ");
    return length ? strtoll(length, NULL, 10) : 0;
}

static void write_all(int fd, const char *data, size_t len, int64_t at)
{
    if (pwrite(fd, data, len, at) != (ssize_t)len)
        die("write");
}

static void receive(struct connection *c, int fd, int64_t size, struct hashing *h)
{
    int64_t at = (int64_t)(c->have - c->used);

    write_all(fd, c->head + c->used, (size_t)at, 0);
    while (at < size) {
        ssize_t n = recv(c->fd, c->piece, PIECE, 0);
        if (n <= 0)
            die("receive");
        write_all(fd, c->piece, (size_t)n, at);
        at += n;
        hash_advance(h, at);
    }
    hash_advance(h, at);
}

static void get(struct connection *c, int item)
{
    struct hashing h;
    char name[32];

    ask(c, "GET", work.names[item], -1);
    int64_t size = read_head(c);
    snprintf(name, sizeof(name), "%d", item);
    int fd = openat(work.out, name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0)
        die(name);
    hash_begin(&h, fd, size, 0);
    receive(c, fd, size, &h);
    hash_end(&h);
    close(fd);
}

static void send_file(struct connection *c, int fd, int64_t size)
{
    for (int64_t at = 0; at < size;) {
        ssize_t n = pread(fd, c->piece, PIECE, at);
        if (n <= 0)
            die("read");
        send_all(c, c->piece, (size_t)n);
        at += n;
    }
}

static void put(struct connection *c, int item)
{
    struct hashing h;
    struct stat st;
    char path[2048], session[1024];
    int fd = open(work.names[item], O_RDONLY | O_CLOEXEC);

    if (fd < 0 || fstat(fd, &st) < 0)
        die(work.names[item]);
    hash_begin(&h, fd, st.st_size, st.st_size);
    snprintf(path, sizeof(path), "/v2/%s/blobs/uploads/", work.repository);
    ask(c, "POST", path, 0);
    read_head(c);
    const char *location = header_of(c, "\r\nLocation: ");
    if (!location)
        die("no location");
    snprintf(session, sizeof(session), "%.*s", (int)strcspn(location, "\r"), location);
    const char *host = strstr(session, "//");
    const char *where = host ? strchr(host + 2, '/') : session;
    ask(c, "PATCH", where, st.st_size);
    send_file(c, fd, st.st_size);
    read_head(c);
    hash_end(&h);
    int n =
        snprintf(path, sizeof(path), "%s%cdigest=sha256:", where, strchr(where, '?') ? '&' : '?');
    for (int i = 0; i < 32; i++)
        n += snprintf(path + n, sizeof(path) - (size_t)n, "%02x", h.digest[i]);
    ask(c, "PUT", path, 0);
    read_head(c);
    close(fd);
}

static void *run(void *user __attribute__((unused)))
{
    static _Thread_local struct connection c;
    int item;

    connect_to(&c);
    while ((item = atomic_fetch_add(&work.next, 1)) < work.items) {
        if (work.repository)
            put(&c, item);
        else
            get(&c, item);
    }
    return NULL;
}

/* The lines of standard input. */
static void read_names(void)
{
    char line[2048];

    work.names = calloc(1 << 20, sizeof(char *));
    while (work.names && work.items < 1 << 20 && fgets(line, sizeof(line), stdin)) {
        line[strcspn(line, "\n")] = 0;
        work.names[work.items++] = strdup(line);
    }
}

int main(int argc, char **argv)
{
    pthread_t threads[CONNECTIONS_MAX];

    if (argc < 5 || (strcmp(argv[1], "get") != 0 && strcmp(argv[1], "put") != 0)) {
        fprintf(stderr, "usage: bound get PORT CONNECTIONS DIRECTORY | "
                        "put PORT CONNECTIONS REPOSITORY FILE...\n");
        return 2;
    }
    work.port = (int)strtol(argv[2], NULL, 10);
    int connections = (int)strtol(argv[3], NULL, 10);
    if (argv[1][0] == 'p') {
        work.repository = argv[4];
        work.names = argv + 5;
        work.items = argc - 5;
    } else if ((work.out = open(argv[4], O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0) {
        die(argv[4]);
    } else {
        read_names();
    }
    if (connections < 1 || connections > CONNECTIONS_MAX)
        die("connections");
    for (int i = 0; i < connections; i++)
        if ((errno = pthread_create(&threads[i], NULL, run, NULL)) != 0)
            die("thread");
    for (int i = 0; i < connections; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
