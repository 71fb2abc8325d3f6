/* SPDX-License-Identifier: Apache-2.0 */
/* Progress for programs: which lines the events become, and what the sums are. */
#include "support.h"

#include <stdio.h>
#include <unistd.h>

#include "base/fs.h"
#include "cli/output/report.h"
#include "oci/descriptor.h"

#define OUTPUT_MAX 4096

static void make_content(const char *text, coras_descriptor *ret)
{
    coras_digest digest;

    assert_int_equal(coras_digest_of(CORAS_SHA256, text, strlen(text), &digest, NULL), 0);
    assert_int_equal(coras_descriptor_set(ret, "a/b", &digest, (int64_t)strlen(text), NULL), 0);
}

/* Run the events with what is written to stderr going into `out`. */
static void run_events(const coras_event *events, size_t count, char *out)
{
    coras_auto_fd fd = -1;
    size_t n = 0;
    int saved = dup(STDERR_FILENO);

    assert_int_equal(coras_tmpfile(NULL, &fd, NULL), 0);
    assert_true(dup2(fd, STDERR_FILENO) >= 0);
    struct report *report = report_new("coras pull", "r.io/a:v1");
    for (size_t i = 0; i < count; i++)
        report_event(&events[i], report);
    report_done(report);
    report_free(report);
    assert_true(dup2(saved, STDERR_FILENO) >= 0);
    close(saved);
    assert_int_equal(coras_pread_full(fd, out, OUTPUT_MAX, 0, &n, NULL), 0);
    out[n] = '\0';
}

static int64_t number(const coras_json *line, const char *key)
{
    int64_t n = -1;

    coras_json_int(coras_json_get(line, key), &n);
    return n;
}

/* "event bytes/total name result transferred", a line for each but those that depend on the clock.
 */
static void summarize(char *out, coras_buf *ret)
{
    char *rest = NULL;

    for (char *line = strtok_r(out, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        coras_auto(coras_json) json = NULL;
        assert_int_equal(coras_json_parse(line, strlen(line), &json, NULL), 0);
        const char *event = coras_json_get_string(json, "event");
        const char *name = coras_json_get_string(json, "name");
        const char *result = coras_json_get_string(json, "result");
        assert_non_null(coras_json_get_string(json, "time"));
        if (strcmp(event, "total") == 0 || strcmp(event, "progress") == 0)
            continue;
        coras_buf_printf(ret, "%s %lld/%lld %s %s %lld\n", event, (long long)number(json, "bytes"),
                         (long long)number(json, "total"), name ? name : "-", result ? result : "-",
                         (long long)number(json, "transferred"));
    }
}

static void assert_tells(const coras_event *events, size_t count, const char *text)
{
    char out[OUTPUT_MAX + 1];
    coras_auto_buf seen = CORAS_BUF_UNLIMITED;

    run_events(events, count, out);
    summarize(out, &seen);
    assert_string_equal(seen.ptr, text);
}

static void content_counts_once(void **state)
{
    coras_auto_value(coras_descriptor) a = CORAS_DESCRIPTOR_INIT;
    coras_auto_value(coras_descriptor) b = CORAS_DESCRIPTOR_INIT;

    (void)state;
    make_content("four", &a);
    make_content("sixsix", &b);
    const coras_event events[] = {
        {.kind = CORAS_EVENT_EXPECTED, .desc = &a, .name = "a.bin", .named = true},
        {.kind = CORAS_EVENT_EXPECTED, .desc = &b, .name = "b.bin", .named = true},
        {.kind = CORAS_EVENT_EXPECTED, .desc = &a, .name = "again.bin", .named = true},
        {.kind = CORAS_EVENT_START, .desc = &a, .name = "a.bin", .named = true},
        {.kind = CORAS_EVENT_PROGRESS, .desc = &a, .name = "a.bin", .named = true, .offset = 3},
        {.kind = CORAS_EVENT_RETRYING,
         .desc = &a,
         .name = "a.bin",
         .named = true,
         .offset = 2,
         .text = "cut"},
        {.kind = CORAS_EVENT_SKIPPED, .desc = &b, .name = "b.bin", .named = true},
        {.kind = CORAS_EVENT_DONE, .desc = &a, .name = "a.bin", .named = true, .offset = 4},
        {.kind = CORAS_EVENT_RESTORED, .desc = &a, .name = "again.bin", .named = true},
    };
    assert_tells(events, CORAS_ARRAY_LEN(events),
                 "begin -1/-1 - - -1\n"
                 "start 0/4 a.bin - -1\n"
                 "retry 2/4 a.bin - -1\n"
                 "end 6/6 b.bin skipped -1\n"
                 "end 4/4 a.bin transferred -1\n"
                 "end 4/4 again.bin restored -1\n"
                 "done 10/10 - - 4\n");
}

static void what_gets_its_digest_later_counts_once(void **state)
{
    coras_auto_value(coras_descriptor) a = CORAS_DESCRIPTOR_INIT;

    (void)state;
    make_content("four", &a);
    const coras_event events[] = {
        {.kind = CORAS_EVENT_EXPECTED, .text = "a.bin", .total = 4},
        {.kind = CORAS_EVENT_HASHING, .text = "a.bin", .offset = 1, .total = 4},
        {.kind = CORAS_EVENT_START, .desc = &a, .name = "a.bin", .named = true},
        {.kind = CORAS_EVENT_FAILED, .desc = &a, .name = "a.bin", .named = true},
        {.kind = CORAS_EVENT_KEPT, .offset = 2, .total = 4},
        {.kind = CORAS_EVENT_TAGGED, .text = "v1"},
    };
    assert_tells(events, CORAS_ARRAY_LEN(events),
                 "begin -1/-1 - - -1\n"
                 "hashing 1/4 a.bin - -1\n"
                 "start 0/4 a.bin - -1\n"
                 "failed 0/4 a.bin - -1\n"
                 "kept 2/4 - - -1\n"
                 "tagged -1/-1 - - -1\n"
                 "done 0/4 - - 0\n");
}

static void without_a_report_nothing_happens(void **state)
{
    const coras_event event = {.kind = CORAS_EVENT_TAGGED, .text = "v1"};

    (void)state;
    report_event(&event, NULL);
    report_done(NULL);
    report_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(content_counts_once),
        cmocka_unit_test(what_gets_its_digest_later_counts_once),
        cmocka_unit_test(without_a_report_nothing_happens),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
