/* SPDX-License-Identifier: Apache-2.0 */
/* serve doctor: whether this node's container runtimes use a mirror. The registry's program looks.
 */
#include "base/error.h"
#include "cli/app/commands.h"
#include "cli/app/registry_program.h"
#include "cli/options/optgroups.h"

struct serve_doctor_state {
    struct opt_string root;
    struct opt_string mirror;
    struct opt_string format;
};

#define DOCTOR_AT(member) OPT_AT(struct serve_doctor_state, member)
static const struct opt serve_doctor_options[] = {
    {"root", 0, OPT_STRING, 0, DOCTOR_AT(root), NULL,
     "look at the files below this `directory`, as if it was /", NULL},
    {"mirror", 0, OPT_STRING, 0, DOCTOR_AT(mirror), NULL,
     "`URL` of the mirror that must be used; without it any will do, and the lines to write name "
     "http://127.0.0.1:5000",
     NULL},
    {"format", 0, OPT_STRING, 0, DOCTOR_AT(format), "text", "`kind` of output: text or json", NULL},
    OPT_END,
};
static const struct opt_use serve_doctor_groups[] = {{serve_doctor_options, 0, NULL, NULL}, {0}};

static int serve_doctor_prepare(struct call *call, coras_error **err)
{
    const char *format = ((const struct serve_doctor_state *)call->state)->format.value;

    if (coras_streq(format, "text") || coras_streq(format, "json"))
        return 0;
    return coras_fail(err, CORAS_ERR_INVALID_ARGUMENT, "--format must be text or json");
}

static int serve_doctor_run(struct call *call, coras_error **err)
{
    return registry_program_run(call, "doctor", err);
}

static const struct example serve_doctor_examples[] = {
    {"Look at this node", "serve doctor"},
    {"Tell whether it uses the cache at 10.0.0.5", "serve doctor --mirror http://10.0.0.5:5000"},
    {NULL, NULL},
};

const struct cmd cmd_serve_doctor = {
    .name = "doctor",
    .summary = "Tell whether this node's container runtimes use a mirror",
    .about =
        "Tell whether this node's container runtimes use a mirror: reads the configuration of "
        "containerd, docker, podman and CRI-O, asks each mirror, and shows what to write where. "
        "Changes nothing. The exit code is 1 when a mirror is bypassed, does not answer, or a "
        "file is broken",
    .examples = serve_doctor_examples,
    .options = serve_doctor_groups,
    .state_size = sizeof(struct serve_doctor_state),
    .prepare = serve_doctor_prepare,
    .run = serve_doctor_run,
};
