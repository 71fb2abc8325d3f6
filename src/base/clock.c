#include "base/clock.h"

#include <errno.h>
#include <sys/random.h>
#include <string.h>
#include "base/error.h"

#define NS_PER_S 1000000000L

int64_t coras_now_ms(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t coras_wall_s(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_REALTIME, &ts);
    return ts.tv_sec;
}

void coras_cond_init(pthread_cond_t *cond)
{
    pthread_condattr_t attr;

    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(cond, &attr);
    pthread_condattr_destroy(&attr);
}

struct timespec coras_deadline_ms(int64_t from_now_ms)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    ts.tv_sec += from_now_ms / 1000;
    ts.tv_nsec += from_now_ms % 1000 * 1000000;
    if (ts.tv_nsec >= NS_PER_S) {
        ts.tv_sec++;
        ts.tv_nsec -= NS_PER_S;
    }
    return ts;
}

static void put_date_time(coras_buf *out, const struct tm *tm)
{
    coras_buf_printf(out, "%04d-%02d-%02dT%02d:%02d:%02d", tm->tm_year + 1900, tm->tm_mon + 1,
                     tm->tm_mday, tm->tm_hour, tm->tm_min, tm->tm_sec);
}

void coras_format_rfc3339(coras_buf *out, int64_t wall_s)
{
    time_t t = (time_t)wall_s;
    struct tm tm = {.tm_mday = 1, .tm_year = 70};

    (void)gmtime_r(&t, &tm); /* fails only beyond the year 2^31 */
    put_date_time(out, &tm);
    coras_buf_putc(out, 'Z');
}

static void put_fraction(coras_buf *out, long ns)
{
    int digits = 9;

    if (ns <= 0 || ns >= NS_PER_S)
        return;
    for (; ns % 10 == 0; ns /= 10)
        digits--;
    coras_buf_printf(out, ".%0*ld", digits, ns);
}

void coras_format_rfc3339_nano(coras_buf *out, const struct timespec *ts)
{
    struct tm tm = {.tm_mday = 1, .tm_year = 70};
    long offset_min;

    (void)localtime_r(&ts->tv_sec, &tm);
    put_date_time(out, &tm);
    put_fraction(out, ts->tv_nsec);
    offset_min = tm.tm_gmtoff / 60;
    if (offset_min == 0)
        coras_buf_putc(out, 'Z');
    else
        coras_buf_printf(out, "%c%02ld:%02ld", offset_min < 0 ? '-' : '+', labs(offset_min) / 60,
                         labs(offset_min) % 60);
}

void coras_random(void *p, size_t len)
{
    unsigned char *at = p;

    while (len) {
        ssize_t n = getrandom(at, len, 0);
        if (n > 0) {
            at += n;
            len -= (size_t)n;
        }
        /* The only failure is EINTR: the buffer is valid and the flags are none. */
    }
}

uint32_t coras_random_below(uint32_t bound)
{
    uint32_t n, unfair;

    if (bound < 2)
        return 0;
    unfair = (uint32_t)(-bound) % bound; /* 2^32 mod bound: values below would come up once more */
    do {
        coras_random(&n, sizeof(n));
    } while (n < unfair);
    return n % bound;
}
