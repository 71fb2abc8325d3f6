/* SPDX-License-Identifier: Apache-2.0 */
/* What a manifest says in a line. */
#include "serve/page/site.h"

#include "base/vec.h"

int64_t serve_site_size(const coras_manifest *m)
{
    int64_t sum = m->has_config ? m->config.size : 0;

    coras_vec_foreach (layer, &m->layers) {
        if (layer->size < 0 || __builtin_add_overflow(sum, layer->size, &sum))
            return -1;
    }
    return sum;
}

const char *serve_site_type(const coras_manifest *m)
{
    const char *type = coras_manifest_effective_artifact_type(m);

    return type && *type ? type : m->media_type ? m->media_type : "";
}
