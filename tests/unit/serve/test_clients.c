/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of connections: which of them make room for others, and which are too slow.
 */
#include "support.h"

#include <sys/socket.h>
#include <unistd.h>
#include "serve/http/clients.h"

struct pair {
    int ours, theirs;
};

static struct pair open_pair(void)
{
    int ends[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), 0);
    return (struct pair){ends[0], ends[1]};
}

static void close_pair(struct pair p)
{
    close(p.ours);
    close(p.theirs);
}

static bool is_cut(struct pair p)
{
    char c;

    return recv(p.theirs, &c, 1, 0) == 0;
}

static void the_oldest_makes_room(void **state)
{
    const struct sockaddr address = {.sa_family = AF_UNIX};
    serve_clients *t = serve_clients_new(&(struct serve_client_limits){.most = 1, .idle_ms = 1000});
    struct pair first = open_pair(), second = open_pair();

    (void)state;
    assert_true(serve_clients_admit(t, first.ours, &address));
    serve_client *c = serve_client_start(t, first.ours);
    assert_non_null(c);
    assert_true(serve_clients_admit(t, second.ours, &address));
    assert_true(is_cut(first));
    assert_false(is_cut(second));
    serve_client_end(t, c);
    serve_clients_refuse(t, second.ours);
    assert_int_equal(serve_clients_count(t), 0);
    serve_clients_free(t);
    close_pair(first);
    close_pair(second);
}

/* Until it is served nobody knows whether the number is still its own. */
static void one_that_is_not_served_is_cut_as_it_starts(void **state)
{
    const struct sockaddr address = {.sa_family = AF_UNIX};
    serve_clients *t = serve_clients_new(&(struct serve_client_limits){.most = 1, .idle_ms = 1000});
    struct pair first = open_pair(), second = open_pair();

    (void)state;
    assert_true(serve_clients_admit(t, first.ours, &address));
    assert_true(serve_clients_admit(t, second.ours, &address));
    assert_false(is_cut(first));
    serve_client *c = serve_client_start(t, first.ours);
    assert_true(is_cut(first));
    serve_client_end(t, c);
    serve_clients_free(t); /* the second, too */
    close_pair(first);
    close_pair(second);
}

/* As when the disk takes nothing for longer than a client may be silent. */
static void one_whose_bytes_we_do_not_take_is_not_too_slow(void **state)
{
    const struct sockaddr address = {.sa_family = AF_UNIX};
    serve_clients *t = serve_clients_new(&(struct serve_client_limits){.most = 1, .idle_ms = 0});
    struct pair pair = open_pair();
    char byte = 'x';

    (void)state;
    assert_true(serve_clients_admit(t, pair.ours, &address));
    serve_client *c = serve_client_start(t, pair.ours);
    serve_client_enter(t, c, SERVE_PHASE_RECEIVING);
    assert_int_equal(send(pair.theirs, &byte, 1, 0), 1);
    serve_clients_tick(t);
    serve_clients_tick(t);
    assert_false(is_cut(pair));
    assert_int_equal(recv(pair.ours, &byte, 1, 0), 1);
    serve_clients_tick(t);
    assert_true(is_cut(pair));
    serve_client_end(t, c);
    serve_clients_free(t);
    close_pair(pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_oldest_makes_room),
        cmocka_unit_test(one_that_is_not_served_is_cut_as_it_starts),
        cmocka_unit_test(one_whose_bytes_we_do_not_take_is_not_too_slow),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
