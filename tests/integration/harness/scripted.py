# SPDX-License-Identifier: Apache-2.0
"""A registry that serves exactly what a test gives it, lies included."""

import dataclasses
import hashlib
import http.server
import json
import re
import threading

IMAGE = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
EMPTY = {"mediaType": "application/vnd.oci.empty.v1+json",
         "digest": "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
         "size": 2, "data": "e30="}
TITLE = "org.opencontainers.image.title"


def sha256(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def compact(value):
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def layer(data, title=None, media_type="application/octet-stream", **members):
    """Descriptor of some bytes, any member overridden by keyword."""
    entry = {"mediaType": media_type, "digest": sha256(data), "size": len(data)}
    if title is not None:
        entry["annotations"] = {TITLE: title}
    entry.update(members)
    return entry


def manifest(layers, **members):
    value = {"schemaVersion": 2, "mediaType": IMAGE, "artifactType": "application/x.test",
             "config": EMPTY, "layers": layers}
    value.update(members)
    return {k: v for k, v in value.items() if v is not ...}


@dataclasses.dataclass
class Reply:
    status: int = 200
    headers: dict = dataclasses.field(default_factory=dict)
    body: bytes = b""
    endless: bytes = b""  # after the body, this again and again until the client goes


@dataclasses.dataclass
class Request:
    method: str
    path: str
    headers: dict
    body: bytes

    def raw(self):
        head = "\n".join(f"{k}: {v}" for k, v in self.headers.items())
        return f"{self.method} {self.path}\n{head}\n\n{self.body.decode('latin-1')}"


class Listener(http.server.ThreadingHTTPServer):
    """With a queue in which many find room: who does not is late by seconds, and some wait for no more than five."""

    daemon_threads = True
    request_queue_size = 128


class ScriptedRegistry:
    """Content by table, behaviour by rules.

    blob(data) and put(reference, bytes) add content (for every repository); on(method, path, reply)
    answers matching requests first: `reply` is a Reply or a function of the Request that returns
    one or None (go on). Uploads are accepted, verified and kept.
    """

    def __init__(self, host="127.0.0.1"):
        self.blobs, self.manifests, self.rules, self.log = {}, {}, [], []
        self.uploads = {}
        self.lock = threading.Lock()
        registry = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True  # head and body are two writes: no wait between them

            def log_message(self, *_):
                pass

            def handle_one_request(self):
                try:
                    super().handle_one_request()
                except (ConnectionError, TimeoutError):
                    self.close_connection = True

            def serve(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                if "chunked" in (self.headers.get("Transfer-Encoding") or ""):
                    body = self.read_chunks()
                request = Request(self.command, self.path, dict(self.headers), body)
                with registry.lock:
                    registry.log.append(request)
                registry.send(self, registry.answer(request))

            def read_chunks(self):
                data = b""
                while True:
                    size = int(self.rfile.readline().split(b";")[0], 16)
                    data += self.rfile.read(size)
                    self.rfile.readline()
                    if size == 0:
                        return data

            do_GET = do_HEAD = do_PUT = do_POST = do_PATCH = do_DELETE = serve

        self.http = Listener((host, 0), Handler)
        self.port = self.http.server_address[1]
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    @property
    def host(self):
        return f"localhost:{self.port}"

    def close(self):
        self.http.shutdown()
        self.http.server_close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # content ------------------------------------------------------------------------------------

    def blob(self, data, digest=None):
        """Serve bytes as a blob; under another digest than theirs when one is given."""
        self.blobs[digest or sha256(data)] = data
        return data

    def put(self, reference, value, media_type=None):
        """Serve a manifest under a tag (and its digest); returns the digest."""
        data = value if isinstance(value, bytes) else compact(value)
        if media_type is None:
            media_type = value.get("mediaType", IMAGE) if isinstance(value, dict) else IMAGE
        self.manifests[reference] = self.manifests[sha256(data)] = (data, media_type)
        return sha256(data)

    def artifact(self, reference, layers, **members):
        """Serve a manifest of (data, title) pairs and their blobs."""
        entries = []
        for data, title in layers:
            self.blob(data)
            entries.append(layer(data, title))
        self.blob(b"{}")
        return self.put(reference, manifest(entries, **members))

    def on(self, method, path, reply):
        self.rules.append((method, re.compile(path), reply))

    def requests(self, method=None, path=None):
        with self.lock:
            return [r for r in self.log if (method is None or r.method in method.split("|"))
                    and (path is None or re.search(path, r.path))]

    # answers ------------------------------------------------------------------------------------

    def answer(self, request):
        for method, path, reply in self.rules:
            if request.method in method.split("|") and path.search(request.path):
                found = reply(request) if callable(reply) else reply
                if found is not None:
                    return found
        path = request.path.split("?")[0]
        if path in ("/v2/", "/v2"):
            return Reply(200, {"Content-Type": "application/json"}, b"{}")
        if "/blobs/uploads/" in path:
            return self._upload(request, path)
        if "/blobs/" in path:
            return self._blob(request, path.rsplit("/", 1)[1])
        if "/manifests/" in path:
            return self._manifest(request, path.rsplit("/", 1)[1])
        if path.endswith("/tags/list"):
            tags = sorted(r for r in self.manifests if ":" not in r)
            return Reply(200, {"Content-Type": "application/json"},
                         compact({"name": path[4:-10], "tags": tags}))
        return Reply(404, {"Content-Type": "application/json"},
                     b'{"errors":[{"code":"NOT_FOUND","message":"no such thing"}]}')

    def _blob(self, request, digest):
        data = self.blobs.get(digest)
        if data is None:
            return Reply(404, {"Content-Type": "application/json"},
                         b'{"errors":[{"code":"BLOB_UNKNOWN","message":"blob unknown"}]}')
        headers = {"Content-Type": "application/octet-stream", "Docker-Content-Digest": digest,
                   "Accept-Ranges": "bytes"}
        match = re.fullmatch(r"bytes=(\d+)-(\d*)", request.headers.get("Range") or "")
        if match and int(match[1]) < len(data):
            first = int(match[1])
            last = min(int(match[2] or len(data) - 1), len(data) - 1)
            headers["Content-Range"] = f"bytes {first}-{last}/{len(data)}"
            return Reply(206, headers, data[first:last + 1])
        return Reply(200, headers, data)

    def _manifest(self, request, reference):
        if request.method == "PUT":
            self.put(reference, request.body, request.headers.get("Content-Type"))
            return Reply(201, {"Location": "/", "Docker-Content-Digest": sha256(request.body)})
        if request.method == "DELETE":
            return Reply(202 if self.manifests.pop(reference, None) else 404)
        if reference not in self.manifests:
            return Reply(404, {"Content-Type": "application/json"},
                         b'{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}')
        data, media_type = self.manifests[reference]
        return Reply(200, {"Content-Type": media_type, "Docker-Content-Digest": sha256(data)}, data)

    def _upload(self, request, path):
        session = path.rsplit("/", 1)[1]
        with self.lock:
            if request.method == "POST":
                session = f"s{len(self.uploads)}"
                self.uploads[session] = b""
            elif request.method in ("PATCH", "PUT"):
                self.uploads[session] = self.uploads.get(session, b"") + request.body
            held = self.uploads.get(session, b"")
        where = path.rsplit("/", 1)[0] + "/" + session
        headers = {"Location": where, "Range": f"0-{max(0, len(held) - 1)}"}
        if request.method != "PUT":
            return Reply(204 if request.method in ("GET", "DELETE") else 202, headers)
        digest = request.path.split("digest=")[1].split("&")[0].replace("%3A", ":")
        if digest != sha256(held):
            return Reply(400, {"Content-Type": "application/json"},
                         b'{"errors":[{"code":"DIGEST_INVALID","message":"bytes differ"}]}')
        self.blobs[digest] = held
        return Reply(201, {"Location": path.split("uploads/")[0] + digest})

    @staticmethod
    def send(handler, reply):
        handler.send_response_only(reply.status)
        names = {name.lower() for name in reply.headers}
        for name, value in reply.headers.items():
            for one in value if isinstance(value, list) else [value]:
                handler.send_header(name, one)
        if reply.endless:
            handler.send_header("Connection", "close")
        elif "content-length" not in names and "transfer-encoding" not in names:
            handler.send_header("Content-Length", str(len(reply.body)))
        handler.end_headers()
        try:
            if handler.command != "HEAD":
                handler.wfile.write(reply.body)
                while reply.endless:
                    handler.wfile.write(reply.endless)
        except OSError:
            handler.close_connection = True
        if reply.endless:
            handler.close_connection = True
