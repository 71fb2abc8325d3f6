/* SPDX-License-Identifier: Apache-2.0 */
/* Alerts read from the bytes of a TLS connection. */
#include "rows.h"
#include "http/tls_watch.h"

static void messages_are_told_apart(void **state)
{
    static const struct {
        const char *name;
        bool incoming;
        const char *data;
        size_t len;
        struct coras_tls_watch seen;
    } rows[] = {
        {"nothing", true, "", 0, {0}},
        {"certificate required", true, "\x02\x74", 2, {.alert = 116}},
        {"our own objection", false, "\x02\x30", 2, {.refused = true}},
        {"goodbye", true, "\x01\x00", 2, {0}},
        {"cancelled by a user", true, "\x02\x5a", 2, {0}},
        {"head of a record", true, "\x16\x03\x03\x00\x7a", 5, {0}},
        {"plain HTTP", true, "HTTP/", 5, {.is_http = true}},
        {"plain HTTP of ours", false, "HTTP/", 5, {0}},
        {"longer message", true, "\x02\x74\x00", 3, {0}},
    };

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(rows); i++) {
        struct coras_tls_watch w = {0};
        IN_ROW(rows[i].name);
        coras_tls_watch_note(&w, rows[i].incoming, rows[i].data, rows[i].len);
        assert_int_equal(w.alert, rows[i].seen.alert);
        assert_int_equal(w.refused, rows[i].seen.refused);
        assert_int_equal(w.is_http, rows[i].seen.is_http);
    }
}

static void the_first_alert_counts(void **state)
{
    struct coras_tls_watch w = {0};

    (void)state;
    coras_tls_watch_note(&w, true, "\x02\x74", 2);
    coras_tls_watch_note(&w, true, "\x02\x28", 2);
    assert_int_equal(w.alert, 116);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_are_told_apart),
        cmocka_unit_test(the_first_alert_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
