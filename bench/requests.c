/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ask a server for one thing again and again: requests PORT METHOD PATH CONNECTIONS SECONDS
 *
 * Keeps the connections open, one request at a time on each, from one thread. Prints requests per
 * second, and the median and 99th percentile of their times in milliseconds.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define HEAD_MAX        8192
#define TIMES_MAX       4000000
#define EVENTS          256
#define CONNECTIONS_MAX 100000

struct connection {
    int fd;
    char head[HEAD_MAX];
    size_t have; /* bytes of the head */
    long body;   /* bytes of the body that are still to come; -1: the head is not complete */
    double began;
};

static char request[HEAD_MAX];
static int is_head;
static double times[TIMES_MAX];
static size_t answered;

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void fail(const char *what)
{
    fprintf(stderr, "requests: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void ask(struct connection *c)
{
    c->have = 0;
    c->body = -1;
    c->began = now();
    if (write(c->fd, request, strlen(request)) != (ssize_t)strlen(request))
        fail("write");
}

/* Called with a complete head at c->head. */
static long body_length(const struct connection *c)
{
    const char *line = strcasestr(c->head, "\r\nContent-Length:");

    if (strncmp(c->head, "HTTP/1.1 2", 10) != 0) {
        fprintf(stderr, "requests: %.40s\n", c->head);
        exit(1);
    }
    return is_head || !line ? 0 : strtol(line + 17, NULL, 10);
}

static void take(struct connection *c, const char *data, size_t len)
{
    char *end;
    size_t part = len < HEAD_MAX - 1 - c->have ? len : HEAD_MAX - 1 - c->have;

    if (c->body < 0) {
        memcpy(c->head + c->have, data, part);
        c->have += part;
        c->head[c->have] = '\0';
        end = strstr(c->head, "\r\n\r\n");
        if (!end)
            return;
        c->body =
            body_length(c) - (long)(c->have - (size_t)(end + 4 - c->head)) - (long)(len - part);
    } else {
        c->body -= (long)len;
    }
    if (c->body <= 0) {
        if (answered < TIMES_MAX)
            times[answered] = now() - c->began;
        answered++;
        ask(c);
    }
}

static void open_connection(struct connection *c, int port, int poll)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};
    struct epoll_event event = {.events = EPOLLIN, .data = {.ptr = c}};
    int one = 1;

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&address, sizeof(address)) < 0)
        fail("connect");
    (void)setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    if (epoll_ctl(poll, EPOLL_CTL_ADD, c->fd, &event) < 0)
        fail("epoll_ctl");
    ask(c);
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static void run(int poll, double until)
{
    static char data[1 << 16];
    struct epoll_event events[EVENTS];

    while (now() < until) {
        int count = epoll_wait(poll, events, EVENTS, 100);
        for (int i = 0; i < count; i++) {
            struct connection *c = events[i].data.ptr;
            ssize_t got = read(c->fd, data, sizeof(data));
            if (got <= 0)
                fail("read");
            take(c, data, (size_t)got);
        }
    }
}

int main(int argc, char **argv)
{
    int poll = epoll_create1(EPOLL_CLOEXEC), count = argc == 6 ? (int)strtol(argv[4], NULL, 10) : 0;
    struct connection *connections;
    double began;
    size_t kept;

    if (count < 1 || count > CONNECTIONS_MAX) {
        fprintf(stderr, "usage: requests PORT METHOD PATH CONNECTIONS SECONDS\n");
        return 2;
    }
    connections = calloc((size_t)count, sizeof(*connections));
    if (poll < 0 || !connections)
        fail("begin");
    is_head = strcmp(argv[2], "HEAD") == 0;
    snprintf(request, sizeof(request),
             "%s %s HTTP/1.1\r\nHost: localhost\r\nAccept: "
             "application/vnd.oci.image.manifest.v1+json\r\n\r\n",
             argv[2], argv[3]);
    for (int i = 0; i < count; i++)
        open_connection(&connections[i], (int)strtol(argv[1], NULL, 10), poll);
    began = now();
    run(poll, began + strtod(argv[5], NULL));
    kept = answered < TIMES_MAX ? answered : TIMES_MAX;
    if (kept == 0)
        fail("no answer");
    qsort(times, kept, sizeof(*times), compare);
    printf("%.0f %.3f %.3f\n", (double)answered / (now() - began), times[kept / 2] * 1e3,
           times[kept * 99 / 100] * 1e3);
    free(connections);
    return 0;
}
