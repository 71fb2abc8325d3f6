/* SPDX-License-Identifier: Apache-2.0 */
/* What systemd's sd_listen_fds(3) and sd_notify(3) describe, without its library. */
#include "serve/operate/supervisor.h"

#include <stddef.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/environment.h"
#include "base/error.h"
#include "base/str.h"

/* Where the sockets begin. Spec: sd_listen_fds(3), SD_LISTEN_FDS_START. */
#define FIRST_SOCKET 3

void serve_supervisor_find(struct serve_supervisor *ret)
{
    struct coras_service_environment e;

    coras_environment_service(&e);
    *ret = (struct serve_supervisor){
        .notify_socket = e.notify_socket,
        .watchdog_ms = e.watchdog_ms,
        .sockets = e.sockets,
    };
}

int serve_supervisor_listen(const struct serve_supervisor *s, const char *where,
                            struct serve_listener *ret, coras_error **err)
{
    if (s->sockets == 0)
        return serve_listen(where, ret, err);
    if (s->sockets > 1)
        return coras_fail(err, CORAS_ERR_CONFIG, "%d sockets were handed over, expected one",
                          s->sockets);
    return serve_listen_inherited(FIRST_SOCKET, ret, err);
}

/* ---- telling ---- */

/* Nobody there to hear it is no failure of ours. */
static void tell(const struct serve_supervisor *s, const char *text)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t len = s->notify_socket ? strlen(s->notify_socket) : 0;
    int fd;

    if (len < 2 || len >= sizeof(address.sun_path))
        return;
    memcpy(address.sun_path, s->notify_socket, len);
    if (address.sun_path[0] == '@') /* a name outside of the file system */
        address.sun_path[0] = '\0';
    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return;
    (void)!sendto(fd, text, strlen(text), MSG_NOSIGNAL, (struct sockaddr *)&address,
                  (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len));
    close(fd);
}

void serve_supervisor_ready(const struct serve_supervisor *s, const char *address)
{
    coras_auto_buf text = CORAS_BUF_UNLIMITED;

    coras_buf_puts(&text, "READY=1");
    if (address)
        coras_buf_printf(&text, "\nSTATUS=listening on %s", address);
    if (!text.failed)
        tell(s, text.ptr);
}

void serve_supervisor_reloading(const struct serve_supervisor *s)
{
    coras_auto_buf text = CORAS_BUF_UNLIMITED;
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    coras_buf_printf(&text, "RELOADING=1\nMONOTONIC_USEC=%lld%06ld", (long long)now.tv_sec,
                     now.tv_nsec / 1000);
    if (!text.failed)
        tell(s, text.ptr);
}

void serve_supervisor_stopping(const struct serve_supervisor *s)
{
    tell(s, "STOPPING=1\nSTATUS=finishing what runs");
}

/* Twice in the time that it waits, so that one late sign is not the end. */
void serve_supervisor_tick(struct serve_supervisor *s, serve_health *health)
{
    int64_t now_ms = coras_now_ms();

    if (s->watchdog_ms == 0 || now_ms < s->sign_ms)
        return;
    if (serve_health_check(health, NULL).alive) {
        tell(s, "WATCHDOG=1");
        s->sign_ms = now_ms + s->watchdog_ms / 2 - 1000;
    }
}
