/* SPDX-License-Identifier: Apache-2.0 */
/* The style of the pages: readable in light and dark, narrow and wide, with a visible focus. */
#include "serve/page/site.h"

static const char style[] =
    ":root{color-scheme:light dark}\n"
    "body{font:16px/1.5 system-ui,sans-serif;margin:0 auto;max-width:72rem;padding:0 1rem 3rem}\n"
    "header{border-bottom:1px solid #8886;padding:.75rem 0}\n"
    "header a{font-weight:600;text-decoration:none}\n"
    "h1{overflow-wrap:anywhere}\n"
    "table{border-collapse:collapse;width:100%}\n"
    "th,td{border-bottom:1px solid #8884;padding:.3rem .6rem .3rem 0;text-align:left;"
    "vertical-align:top;overflow-wrap:anywhere}\n"
    "th[scope=row]{font-weight:500;width:14rem}\n"
    ".n{text-align:right;white-space:nowrap}\n"
    "pre{background:#8882;border-radius:.3rem;overflow-x:auto;padding:.6rem}\n"
    ":focus-visible{outline:3px solid;outline-offset:2px}\n"
    "main:focus{outline:none}\n"
    ".skip{left:-99rem;position:absolute}\n"
    ".skip:focus{left:.5rem;top:.5rem}\n"
    ".warn{border-left:.3rem solid #c60;padding-left:.6rem}\n";

void serve_site_style(struct serve_exchange *x)
{
    coras_buf_puts(&x->answer.body, style);
    serve_answer_header(x, "Cache-Control", "max-age=300");
    serve_answer_body(x, 200, "text/css; charset=utf-8");
}
