# SPDX-License-Identifier: Apache-2.0
"""The servers of a benchmark: started, counted, stopped."""

import hashlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
EMPTY = "application/vnd.oci.empty.v1+json"

NGINX = """
user root; daemon off; worker_processes 2; pid {work}/nginx.pid; error_log {work}/nginx.log;
events {{ worker_connections 1024; }}
http {{
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000;
  client_body_temp_path {work}/t1; proxy_temp_path {work}/t2; fastcgi_temp_path {work}/t3;
  uwsgi_temp_path {work}/t4; scgi_temp_path {work}/t5;
  client_max_body_size 0; default_type application/octet-stream;
  ssl_certificate {work}/tls.crt; ssl_certificate_key {work}/tls.key;
  server {{
    listen 127.0.0.1:{plain}; listen 127.0.0.1:{tls} ssl;
    root {work}/nginx;
    location ~ /manifests/ {{ default_type {manifest}; }}
    location ~ /referrers/ {{ default_type {index}; try_files $uri /none; }}
    location ~ /tags/ {{ default_type application/json; }}
  }}
  server {{
    listen 127.0.0.1:{front} ssl;
    location / {{
      proxy_pass http://{sink}; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_set_header Host $http_host; proxy_request_buffering off; proxy_buffering off;
    }}
  }}
}}
"""


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def wait_for(port, name):
    for _ in range(500):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.01)
    sys.exit(f"bench: {name} did not start")


class Servers:
    def __init__(self, work, helpers):
        self.work, self.helpers, self.running = work, helpers, []

    def start(self, argv, **options):
        process = subprocess.Popen([str(a) for a in argv], **options)
        self.running.append(process)
        return process

    def registry(self, name):
        port, config = free_port(), self.work / f"{name}.json"
        config.write_text(json.dumps({
            "version": 0.1, "log": {"level": "error", "accesslog": {"disabled": True}},
            "storage": {"filesystem": {"rootdirectory": str(self.work / name)},
                        "delete": {"enabled": True},
                        "maintenance": {"uploadpurging": {"enabled": False}}},
            "http": {"addr": f"127.0.0.1:{port}", "secret": "bench"}}))
        self.start(["docker-registry", "serve", config], stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL, env={**os.environ, "OTEL_TRACES_EXPORTER": "none"})
        wait_for(port, "docker-registry")
        return f"localhost:{port}"

    def sink(self):
        process = self.start([self.helpers / "sink"], stdout=subprocess.PIPE, text=True)
        return "localhost:" + process.stdout.readline().split()[1]

    def link(self, host, *options):
        """A slow link before a server: its address, and a function that tells what went over it."""
        process = self.start([self.helpers / "link", *options, host.split(":")[1]],
                             stdout=subprocess.PIPE, text=True)

        def counts():
            process.send_signal(signal.SIGUSR1)
            return process.stdout.readline().strip()

        return "localhost:" + process.stdout.readline().split()[1], counts

    def nginx(self, sink):
        """Plain, TLS, and TLS before the sink; None without nginx."""
        program = os.environ.get("BENCH_NGINX") or shutil.which("nginx") or shutil.which("/usr/sbin/nginx")
        if not program:
            print("(no nginx: scenarios with it are left out; BENCH_NGINX= names one)")
            return None
        ports = {name: free_port() for name in ("plain", "tls", "front")}
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                        "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
                        "-keyout", self.work / "tls.key", "-out", self.work / "tls.crt"],
                       check=True, stderr=subprocess.DEVNULL)
        config = self.work / "nginx.conf"
        config.write_text(NGINX.format(work=self.work, sink=sink, manifest=MANIFEST,
                                       index=INDEX, **ports))
        self.put("none", b'{"schemaVersion":2,"mediaType":"%s","manifests":[]}' % INDEX.encode())
        self.start([program, "-e", self.work / "nginx.log", "-c", config],
                   stderr=subprocess.DEVNULL)
        wait_for(ports["plain"], "nginx")
        return {name: f"localhost:{port}" for name, port in ports.items()}

    def put(self, path, content):
        """A file of nginx's."""
        path = self.work / "nginx" / path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    @staticmethod
    def manifest(registry, repository):
        request = urllib.request.Request(f"http://{registry}/v2/{repository}/manifests/v1",
                                         headers={"Accept": MANIFEST})
        with urllib.request.urlopen(request) as answer:
            return answer.read()

    def layers(self, registry, repository):
        """The paths of an artifact's layers."""
        return [f"/v2/{repository}/blobs/{layer['digest']}"
                for layer in json.loads(self.manifest(registry, repository))["layers"]]

    def put_manifest(self, repository, text):
        """Under its tag and its digest, which is returned."""
        digest = "sha256:" + hashlib.sha256(text).hexdigest()
        for name in ("v1", digest):
            self.put(f"v2/{repository}/manifests/{name}", text)
        return digest

    def publish(self, registry, repository):
        """What is in docker-registry, as files that nginx serves; the paths of its blobs."""
        text = self.manifest(registry, repository)
        self.put_manifest(repository, text)
        top = self.work / "nginx/v2" / repository
        (top / "blobs").mkdir(parents=True, exist_ok=True)
        manifest = json.loads(text)
        for blob in [manifest["config"], *manifest["layers"]]:
            value = blob["digest"].split(":")[1]
            target = top / "blobs" / blob["digest"]
            if not target.exists():
                os.link(self.work / "registry/docker/registry/v2/blobs/sha256" / value[:2] / value
                        / "data", target)
        return [f"/v2/{repository}/blobs/{layer['digest']}" for layer in manifest["layers"]]

    def publish_files(self, repository, files):
        """An artifact of small contents by name, made by ourselves."""
        def descriptor(content, media_type="application/octet-stream", **more):
            digest = "sha256:" + hashlib.sha256(content).hexdigest()
            self.put(f"v2/{repository}/blobs/{digest}", content)
            return {"mediaType": media_type, "digest": digest, "size": len(content), **more}

        layers = [descriptor(content, annotations={"org.opencontainers.image.title": name})
                  for name, content in files]
        return self.put_manifest(repository, json.dumps(
            {"schemaVersion": 2, "mediaType": MANIFEST, "artifactType": "application/x.bench",
             "config": descriptor(b"{}", EMPTY), "layers": layers}).encode())

    def cpu(self):
        """Seconds that all servers have used."""
        parents, ticks = {str(p.pid) for p in self.running}, 0
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/stat") as stat:
                    fields = stat.read().rpartition(")")[2].split()
            except OSError:
                continue
            if pid in parents or fields[1] in parents:
                ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def stop_last(self):
        process = self.running.pop()
        process.terminate()
        process.wait()

    def close(self):
        while self.running:
            self.stop_last()
