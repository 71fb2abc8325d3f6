/* SPDX-License-Identifier: Apache-2.0 */
/* Link headers: the next page. */
#include "support.h"
#include "base/str.h"
#include "registry/link_header.h"

static void next_links_are_found(void **state)
{
    static const struct {
        const char *header, *want; /* NULL: none */
    } rows[] = {
        {"</v2/n/tags/list?last=x&n=50>; rel=\"next\"", "/v2/n/tags/list?last=x&n=50"},
        {"<https://h/v2/?a=b>; rel=next", "https://h/v2/?a=b"},
        {"</p?next_page=t%3D>; REL=\"NEXT\"", "/p?next_page=t%3D"},
        {"</bare>", "/bare"},
        {"</a>; rel=\"prev\", </b>; rel=\"next\"", "/b"},
        {"</a>;rel=prev,</b>;rel=next", "/b"},
        {"</a>; title=\"x, <y>; rel=next\"; rel=prev, </b>; rel=next", "/b"},
        {"</a>; title=\"quote \\\" inside\"; rel=next", "/a"},
        {"</a>; rel=\"prev next\"", "/a"},
        {"</a>; rel=prev; rel=next", NULL}, /* RFC 8288, 3.3: later ones are ignored */
        {"</a>; rel=\"nextpage\"", NULL},
        {"</a,b;c>; rel=next", "/a,b;c"},
        {" < /blank > ; rel = next ", "/blank"},
        {"</a>; rel=\"next", "/a"}, /* cut in the middle */
        {"</a", NULL},
        {"<", NULL},
        {"", NULL},
        {"rel=next", NULL},
        {"</a>; rel=", NULL},
        {"</a>;;; , </b>; rel=last", "/a"},
        {"</a>; rel=\"prev\\", NULL},
    };

    (void)state;
    for (size_t i = 0; i < CORAS_ARRAY_LEN(rows); i++) {
        coras_str got = {NULL, 0};
        bool found = coras_link_next(rows[i].header, &got);
        if (found != (rows[i].want != NULL) || (found && !coras_str_eq(got, rows[i].want)))
            fail_msg("%s gave %.*s", rows[i].header, (int)got.len, got.ptr ? got.ptr : "");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(next_links_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
