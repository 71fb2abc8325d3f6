/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the number of connections that helped is kept between processes (lane_memory.h).
 */
#include "client/lane_memory.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/str.h"
#include "client/client.h"
#include "client/host_facts.h"
#include "client/remembered.h"

enum {
    AGE_MAX_S = 24 * 60 * 60, /* networks change: we move, or the host does */
    ENTRY_LIMIT = 1024,
    CONNECTIONS_MAX = 64, /* nobody has written more */
};

/* "<cache>/hosts/<hash of its name>" */
static char *entry_path(const char *cache_dir, const char *host)
{
    coras_auto_free char *dir = coras_remembered_dir(cache_dir, "hosts");

    return dir ? coras_remembered_path(dir, host) : NULL;
}

/* "<seconds since 1970> <connections>\n" */
static bool parse_entry(coras_str text, int64_t *ret_when_s, int64_t *ret_connections)
{
    const char *space = memchr(text.ptr, ' ', text.len);

    if (!space || text.ptr[text.len - 1] != '\n')
        return false;
    coras_str when = {text.ptr, (size_t)(space - text.ptr)};
    coras_str connections = {space + 1, text.len - when.len - 2};
    return coras_parse_int64(when, ret_when_s) && coras_parse_int64(connections, ret_connections);
}

unsigned coras_lane_memory_read(const char *cache_dir, const char *host, int64_t now_s)
{
    coras_auto_buf text = CORAS_BUF_INIT(ENTRY_LIMIT);
    coras_auto_free char *path = cache_dir ? entry_path(cache_dir, host) : NULL;
    int64_t when_s, connections;

    if (!path || coras_read_file(AT_FDCWD, path, ENTRY_LIMIT, &text, NULL) < 0 || !text.len ||
        !parse_entry((coras_str){text.ptr, text.len}, &when_s, &connections))
        return 0;
    bool believed = when_s <= now_s && now_s - when_s < AGE_MAX_S;
    return believed && connections > 0 && connections <= CONNECTIONS_MAX ? (unsigned)connections
                                                                         : 0;
}

/* No fsync: what a power cut damages does not parse, which means "not known". */
void coras_lane_memory_write(const char *cache_dir, const char *host, unsigned connections,
                             int64_t now_s)
{
    coras_auto_free char *path = cache_dir ? entry_path(cache_dir, host) : NULL;
    coras_auto_free char *text = coras_asprintf("%lld %u\n", (long long)now_s, connections);
    __attribute__((cleanup(coras_replacement_clear))) struct coras_replacement r =
        CORAS_REPLACEMENT_INIT;

    if (!path || !text || coras_replacement_open(AT_FDCWD, path, 0600, &r, NULL) < 0)
        return;
    if (coras_write_full(r.fd, text, strlen(text), NULL) == 0)
        (void)!coras_replacement_commit(&r, false, NULL); /* not remembered, then */
}

unsigned coras_client_known_lanes(coras_client *client, const char *host)
{
    coras_host_facts facts = coras_client_host_facts(client, host);

    if (facts.lanes)
        return facts.lanes;
    return coras_lane_memory_read(coras_client_cache_dir(client), host, coras_wall_s());
}

void coras_client_learn_lanes(coras_client *client, const char *host, unsigned connections)
{
    coras_host_facts facts = coras_client_host_facts(client, host);

    if (facts.lanes == connections)
        return;
    coras_client_learn_host(client, host, &(coras_host_facts){.lanes = connections});
    coras_lane_memory_write(coras_client_cache_dir(client), host, connections, coras_wall_s());
}
