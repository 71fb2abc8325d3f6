#include <stdio.h>

#include "base/cancel.h"
#include "base/str.h"
#include "cli/command.h"
#include "cli/interrupt.h"

/* The program speaks of itself by the name that it was called with. */
static const char *program_name(const char *argv0)
{
    const char *slash = argv0 ? strrchr(argv0, '/') : NULL;
    const char *base = slash ? slash + 1 : argv0;
    return base && coras_streq(base, "oras") ? "oras" : "coras";
}

int main(int argc, char **argv)
{
    static coras_cancel cancel; /* reached from the signal handler */
    interrupt_install(&cancel);
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    int code = cli_run(program_name(argc > 0 ? argv[0] : NULL), argc, argv, &cancel);
    interrupt_remove();
    return code;
}
