/* SPDX-License-Identifier: Apache-2.0 */
/* Status lines on stdout, for each kind of event. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

#include "base/error.h"
#include "base/fs.h"
#include "cli/output/display.h"
#include "oci/descriptor.h"

#define OUTPUT_MAX 4096

static const struct display_words words = {.start = "Pushing",
                                           .done = "Pushed ",
                                           .exists = "Exists ",
                                           .skipped = "Skipped",
                                           .mounted = "Mounted"};

static void print_headline(void *user)
{
    (void)user;
    puts("headline");
}

static void send_events(const struct display_settings *settings)
{
    struct display *display = display_new(settings);
    coras_auto_value(coras_descriptor) desc = CORAS_DESCRIPTOR_INIT;
    coras_digest digest;
    assert_int_equal(coras_digest_of(CORAS_SHA256, "{}", 2, &digest, NULL), 0);
    assert_int_equal(coras_descriptor_set(&desc, "a/b", &digest, 2, NULL), 0);
    const coras_event events[] = {
        {.kind = CORAS_EVENT_PREPARING, .text = "hi.txt"},
        {.kind = CORAS_EVENT_HASHING, .text = "hi.txt", .offset = 1, .total = 2},
        {.kind = CORAS_EVENT_START, .desc = &desc, .name = "hi.txt", .named = true},
        {.kind = CORAS_EVENT_PROGRESS, .desc = &desc, .name = "hi.txt", .offset = 1},
        {.kind = CORAS_EVENT_DONE, .desc = &desc, .name = "hi.txt", .named = true},
        {.kind = CORAS_EVENT_EXISTS, .desc = &desc, .name = "a/b"},
        {.kind = CORAS_EVENT_SKIPPED, .desc = &desc, .name = "a/b"},
        {.kind = CORAS_EVENT_MOUNTED, .desc = &desc, .name = "\x1b[2Jx", .named = true},
        {.kind = CORAS_EVENT_KEPT, .offset = 1, .total = 2},
        {.kind = CORAS_EVENT_TAGGED, .text = "v1"},
        {.kind = CORAS_EVENT_TAGGED, .text = "v2"},
    };
    for (size_t i = 0; i < CORAS_ARRAY_LEN(events); i++)
        display_event(&events[i], display);
    display_finish(display);
    display_free(display);
}

/* What the events print on stdout. */
static void assert_prints(const struct display_settings *settings, const char *text)
{
    coras_auto_fd fd = -1;
    char out[OUTPUT_MAX + 1];
    size_t n = 0;
    assert_int_equal(coras_tmpfile(NULL, &fd, NULL), 0);
    fflush(stdout);
    int saved = dup(STDOUT_FILENO);
    assert_true(dup2(fd, STDOUT_FILENO) >= 0);
    send_events(settings);
    fflush(stdout);
    assert_true(dup2(saved, STDOUT_FILENO) >= 0);
    close(saved);
    assert_int_equal(coras_pread_full(fd, out, OUTPUT_MAX, 0, &n, NULL), 0);
    out[n] = '\0';
    assert_string_equal(out, text);
}

static void what_is_kept_becomes_a_hint(void **state)
{
    const struct display_settings settings = {.words = &words};
    const coras_event kept = {.kind = CORAS_EVENT_KEPT, .offset = 1536, .total = 4096};
    struct display *display = display_new(&settings);
    coras_auto(coras_error) err = NULL;
    coras_auto(coras_error) other = NULL;

    (void)state;
    coras_fail(&err, CORAS_ERR_CANCELLED, "interrupt");
    display_advise(display, &err);
    assert_null(coras_error_hint(err));
    display_event(&kept, display);
    display_event(&kept, display);
    display_advise(display, &err);
    assert_string_equal(coras_error_hint(err),
                        "3 KB of 8 KB are kept: run the same command again to go on");
    coras_fail(&other, CORAS_ERR_NO_SPACE, "full");
    coras_hint(&other, "free some space");
    display_advise(display, &other);
    assert_string_equal(coras_error_hint(other), "free some space");
    display_free(display);
}

static void status_lines_follow_the_events(void **state)
{
    const struct display_settings settings = {.words = &words, .headline = print_headline};
    (void)state;
    assert_prints(&settings, "Preparing hi.txt\n"
                             "Pushing 44136fa355b3 hi.txt\n"
                             "Pushed  44136fa355b3 hi.txt\n"
                             "Exists  44136fa355b3 a/b\n"
                             "Mounted 44136fa355b3 \\x1b[2Jx\n"
                             "headline\n"
                             "Tagged v1\n"
                             "Tagged v2\n");
}

static void terse_output_names_files_only(void **state)
{
    const struct display_settings settings = {.words = &words, .terse = true};
    (void)state;
    assert_prints(&settings, "Pushing 44136fa355b3 hi.txt\n"
                             "Pushed  44136fa355b3 hi.txt\n"
                             "Mounted 44136fa355b3 \\x1b[2Jx\n"
                             "Tagged v1\n"
                             "Tagged v2\n");
}

static void structured_output_has_no_status_lines(void **state)
{
    const struct display_settings settings = {.words = &words, .quiet = true};
    (void)state;
    assert_prints(&settings, "");
}

static void without_a_display_nothing_happens(void **state)
{
    const coras_event event = {.kind = CORAS_EVENT_TAGGED, .text = "v1"};
    (void)state;
    display_event(&event, NULL);
    display_finish(NULL);
    display_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_kept_becomes_a_hint),
        cmocka_unit_test(status_lines_follow_the_events),
        cmocka_unit_test(terse_output_names_files_only),
        cmocka_unit_test(structured_output_has_no_status_lines),
        cmocka_unit_test(without_a_display_nothing_happens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
