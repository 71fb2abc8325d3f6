# SPDX-License-Identifier: Apache-2.0
"""Much of something: layers, tags, referrers, bytes. Time should grow with it, memory hardly.

What is only listed is served by nginx as one document. The sparse file is 64 GiB of zeros, which
both programs read and hash; it takes minutes and runs when --only names it.
"""

import json
import os

from servers import INDEX, MANIFEST

GIB = 1 << 30


def run(bench, host, sink):
    scale = bench.options.scale
    layers(bench, host, sink, int(10000 * scale) or 1)
    tags(bench, host, int(100000 * scale) or 1)
    referrers(bench, host, int(1000 * scale) or 1)
    if bench.options.only:
        sparse(bench, sink, int(64 * GIB * scale))


def layers(bench, host, sink, count):
    if not (bench.wants("scale-push-10000-layers") or bench.wants("scale-pull-10000-layers")):
        return
    files = [(f"layer{i:05}", os.urandom(1024)) for i in range(count)]
    where, out = bench.work / "in/10000", bench.work / "out"
    where.mkdir(parents=True)
    for name, content in files:
        (where / name).write_bytes(content)
    bench.servers.publish_files("scale/layers", files)
    number = iter(range(1000))
    bench.scenario("scale-push-10000-layers", lambda who: bench.measure(
        who, ["push", f"{sink}/scale/layers{next(number)}:v1", *(name for name, _ in files)], where,
        bench.fresh(bench.work / "cache-fresh")))
    bench.scenario("scale-pull-10000-layers", lambda who: bench.measure(
        who, ["pull", f"{host}/scale/layers:v1", "-o", bench.fresh(out)]))
    bench.fresh(out)


def tags(bench, host, count):
    bench.servers.put("v2/scale/tags/tags/list", json.dumps(
        {"name": "scale/tags", "tags": [f"v1.{i:06}" for i in range(count)]}).encode())
    bench.scenario("scale-list-100000-tags",
                   lambda who: bench.measure(who, ["repo", "tags", f"{host}/scale/tags"]))


def referrers(bench, host, count):
    digest = bench.servers.publish_files("scale/referrers", [("model.bin", b"weights")])
    found = [{"mediaType": MANIFEST, "digest": f"sha256:{i:064x}", "size": 500,
              "artifactType": "application/x.signature"} for i in range(count)]
    bench.servers.put(f"v2/scale/referrers/referrers/{digest}", json.dumps(
        {"schemaVersion": 2, "mediaType": INDEX, "manifests": found}).encode())
    bench.scenario("scale-discover-1000", lambda who: bench.measure(
        who, ["discover", f"{host}/scale/referrers@{digest}", "--format", "json", "--depth", "1"]))


def sparse(bench, sink, size):
    if not bench.wants("scale-push-64g-sparse"):
        return
    where = bench.work / "in/sparse"
    where.mkdir(parents=True)
    with open(where / "model.bin", "wb") as file:
        file.truncate(size)
    bench.scenario("scale-push-64g-sparse", lambda who: bench.measure(
        who, ["push", f"{sink}/scale/sparse:v1", "model.bin"], where,
        bench.fresh(bench.work / "cache-fresh")), 1)
