# SPDX-License-Identifier: Apache-2.0
"""A reverse proxy that breaks things on purpose.

It understands as much HTTP/1.1 as the faults need: one request at a time per connection, bodies by
length or chunked. Each request is logged with what was really moved, so tests can count bytes.

    proxy = FaultProxy(registry.port).start()
    proxy.add(Fault(path="/blobs/sha256:", method="GET", cut_response=1000000, times=1))
"""

import dataclasses
import re
import socket
import struct
import threading
import time


@dataclasses.dataclass
class Fault:
    """What to do with matching requests; `times` counts down, None means always."""

    path: str = ""
    method: str = ""
    times: int | None = None
    cut_request: int | None = None  # close after this many bytes of the request body
    cut_response: int | None = None  # close after this many bytes of the response body
    reset: bool = False  # close with RST instead of FIN
    stall_response: int | None = None  # go silent after this many bytes of the response body
    until: threading.Event | None = None  # a silence that ends: what is left comes when it is set
    stall_head: bool = False  # take the request, never answer
    corrupt: int | None = None  # flip a bit of this byte of the response body
    drop_range: bool = False  # the registry does not see Range
    drop_response: bool = False  # the registry executes it, the answer is lost
    delay: float = 0.0
    rate: int | None = None  # response bytes a second
    status: int | None = None  # answer this instead of asking the registry
    headers: tuple = ()
    body: bytes = b""
    call: object = None  # called with the LoggedRequest before anything else

    def matches(self, request):
        if self.times == 0:
            return False
        return ((not self.method or request.method in self.method.split("|"))
                and re.search(self.path, request.target) is not None)


@dataclasses.dataclass
class LoggedRequest:
    method: str
    target: str
    headers: list
    body: bytes = b""  # the first 64 KiB
    sent: int = 0  # bytes of the request body that arrived here
    status: int = 0
    response_headers: list = dataclasses.field(default_factory=list)
    received: int = 0  # bytes of the response body handed to the client
    fault: object = None

    def header(self, name):
        values = [v for k, v in self.headers if k.lower() == name.lower()]
        return values[0] if values else None

    def raw(self):
        """Everything a client said, for searching secrets."""
        lines = [f"{self.method} {self.target}"] + [f"{k}: {v}" for k, v in self.headers]
        return "\n".join(lines) + "\n\n" + self.body.decode("latin-1")


class _Closed(Exception):
    pass


class _Reader:
    """Buffered reading of heads and bodies from a socket."""

    def __init__(self, sock):
        self.sock, self.buffer = sock, b""

    def head(self):
        while b"\r\n\r\n" not in self.buffer:
            if len(self.buffer) > 1 << 20:
                raise _Closed
            self._more()
        head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        lines = head.decode("latin-1").split("\r\n")
        headers = [tuple(part.strip() for part in line.split(":", 1)) for line in lines[1:]
                   if ":" in line]
        return lines[0], headers

    def _more(self):
        data = self.sock.recv(1 << 18)
        if not data:
            raise _Closed
        self.buffer += data

    def exactly(self, count):
        while count > 0:
            if not self.buffer:
                self._more()
            piece, self.buffer = self.buffer[:count], self.buffer[count:]
            count -= len(piece)
            yield piece

    def line(self):
        while b"\r\n" not in self.buffer:
            self._more()
        line, self.buffer = self.buffer.split(b"\r\n", 1)
        return line

    def chunks(self):
        while True:
            size = int(self.line().split(b";")[0], 16)
            yield from self.exactly(size)
            self.line()
            if size == 0:
                return

    def rest(self):
        while True:
            if self.buffer:
                piece, self.buffer = self.buffer, b""
                yield piece
            try:
                self._more()
            except _Closed:
                return

    def body(self, headers, request):
        """Pieces of the body that these headers announce."""
        named = {k.lower(): v for k, v in headers}
        if "chunked" in named.get("transfer-encoding", "").lower():
            return self.chunks()
        if "content-length" in named:
            return self.exactly(int(named["content-length"]))
        return iter(()) if request else self.rest()


class FaultProxy:
    def __init__(self, port, upstream_host="127.0.0.1"):
        self.upstream = (upstream_host, port)
        self.faults, self.log = [], []
        self.lock = threading.Lock()
        self.closing = threading.Event()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self.listener.getsockname()[1]
        self.open = set()

    @property
    def host(self):
        return f"localhost:{self.port}"

    def start(self):
        self.accepting = threading.Thread(target=self._accept, daemon=True)
        self.accepting.start()
        return self

    def add(self, fault):
        with self.lock:
            self.faults.append(fault)
        return fault

    def clear(self):
        with self.lock:
            self.faults.clear()
            self.log.clear()

    def kill_at_piece(self, number, start):
        """Run the process of start(), killed when its PATCH of this number begins; returns how many
        began. Counts are at zero then."""
        pieces = []

        def kill(_):
            pieces.append(1)
            if len(pieces) == number:
                process.kill()
                process.wait()
        self.add(Fault("/blobs/uploads/", "PATCH", call=kill))
        process = start()
        process.communicate(timeout=60)
        self.clear()
        return len(pieces)

    def requests(self, method=None, path=None):
        with self.lock:
            return [r for r in self.log if (method is None or r.method in method.split("|"))
                    and (path is None or re.search(path, r.target))]

    def received(self, path="/blobs/sha256:", method="GET"):
        """Response body bytes that went to clients."""
        return sum(r.received for r in self.requests(method, path))

    def sent(self, path="/blobs/uploads/", method="PATCH|PUT|POST"):
        """Request body bytes that came from clients."""
        return sum(r.sent for r in self.requests(method, path))

    def close(self):
        self.closing.set()
        # one that is left waiting may wait on with the number of the socket, which the next proxy gets
        self.listener.shutdown(socket.SHUT_RDWR)
        self.accepting.join()
        self.listener.close()
        with self.lock:
            sockets = list(self.open)
        for sock in sockets:
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.close()

    def _accept(self):
        while not self.closing.is_set():
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self.lock:
                self.open.add(client)
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        reader = _Reader(client)
        try:
            while self._one(client, reader):
                pass
        except (_Closed, OSError, ValueError):
            pass
        finally:
            with self.lock:
                self.open.discard(client)
            client.close()

    def _pick(self, request):
        with self.lock:
            self.log.append(request)
            for fault in self.faults:
                if fault.matches(request):
                    if fault.times is not None:
                        fault.times -= 1
                    request.fault = fault
                    return fault
        return Fault()

    def _one(self, client, reader):
        """Serve one request; returns whether the connection goes on."""
        first, headers = reader.head()
        method, target, _ = first.split(" ", 2)
        request = LoggedRequest(method, target, headers)
        fault = self._pick(request)
        if fault.call:
            fault.call(request)
        if fault.delay:
            self.closing.wait(fault.delay)
        if fault.stall_head:
            self.closing.wait(120)
            return False
        if fault.status is not None:
            return self._answer_self(client, reader, request, fault)
        upstream = socket.create_connection(self.upstream, 30)
        upstream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            if not self._forward_request(client, reader, upstream, request, fault):
                return False
            return self._forward_response(client, upstream, request, fault)
        finally:
            upstream.close()

    def _answer_self(self, client, reader, request, fault):
        request.status = fault.status
        expects = (request.header("Expect") or "").lower() == "100-continue"
        if not expects:
            for piece in reader.body(request.headers, True):
                request.sent += len(piece)
        lines = [f"HTTP/1.1 {fault.status} Fault", f"Content-Length: {len(fault.body)}"]
        lines += [f"{k}: {v}" for k, v in fault.headers]
        if expects:
            lines.append("Connection: close")
        client.sendall("\r\n".join(lines).encode() + b"\r\n\r\n"
                       + (b"" if request.method == "HEAD" else fault.body))
        return not expects

    def _forward_request(self, client, reader, upstream, request, fault):
        headers = [(k, v) for k, v in request.headers
                   if k.lower() not in ("connection", "expect")
                   and not (fault.drop_range and k.lower() == "range")]
        lines = [f"{request.method} {request.target} HTTP/1.1"]
        lines += [f"{k}: {v}" for k, v in headers] + ["Connection: close"]
        if (request.header("Expect") or "").lower() == "100-continue":
            client.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        upstream.sendall("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n")
        chunked = "chunked" in (request.header("Transfer-Encoding") or "").lower()
        for piece in reader.body(request.headers, True):
            if fault.cut_request is not None and request.sent + len(piece) > fault.cut_request:
                piece = piece[:max(0, fault.cut_request - request.sent)]
                self._send_piece(upstream, piece, chunked)
                request.sent += len(piece)
                self._cut(client, fault)
                return False
            self._send_piece(upstream, piece, chunked)
            request.sent += len(piece)
            if len(request.body) < 1 << 16:
                request.body += piece[:1 << 16]
        if chunked:
            upstream.sendall(b"0\r\n\r\n")
        return True

    @staticmethod
    def _send_piece(sock, piece, chunked):
        if piece:
            sock.sendall(b"%x\r\n%s\r\n" % (len(piece), piece) if chunked else piece)

    def _forward_response(self, client, upstream, request, fault):
        reader = _Reader(upstream)
        first, headers = reader.head()
        request.status, request.response_headers = int(first.split(" ", 2)[1]), headers
        if fault.drop_response:
            for _ in reader.rest():
                pass
            self._cut(client, fault)
            return False
        if fault.rate:  # a slow link holds little that its sender is rid of
            client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 16)
        bodiless = request.method == "HEAD" or request.status in (204, 304)
        named = {k.lower(): v for k, v in headers}
        sized = "content-length" in named or bodiless
        chunked = not sized
        kept = [(k, v) for k, v in headers
                if k.lower() not in ("connection", "transfer-encoding", "keep-alive")]
        if chunked:
            kept.append(("Transfer-Encoding", "chunked"))
        kept += list(fault.headers)
        client.sendall((first + "\r\n" + "".join(f"{k}: {v}\r\n" for k, v in kept)
                        + "\r\n").encode("latin-1"))
        if bodiless:
            return True
        for piece in reader.body(headers, False):
            if not self._pass(client, request, fault, piece, chunked):
                return False
        if chunked:
            client.sendall(b"0\r\n\r\n")
        return True

    def _pass(self, client, request, fault, piece, chunked):
        """Hand one piece of a response to the client; False when the fault ends it."""
        at = request.received
        if fault.corrupt is not None and at <= fault.corrupt < at + len(piece):
            broken = bytearray(piece)
            broken[fault.corrupt - at] ^= 0x10
            piece = bytes(broken)
        limit = fault.cut_response if fault.cut_response is not None else fault.stall_response
        ends = limit is not None and at <= limit < at + len(piece)
        rest = piece[limit - at:] if ends else b""
        self._hand_on(client, request, piece[:limit - at] if ends else piece, chunked)
        if fault.rate:
            time.sleep(len(piece) / fault.rate)
        if ends and fault.until:
            fault.until.wait(120)
            self._hand_on(client, request, rest, chunked)
        elif ends and fault.stall_response is not None:
            self.closing.wait(120)
            return False
        elif ends:
            self._cut(client, fault)
            return False
        return True

    def _hand_on(self, client, request, piece, chunked):
        """It counts before it is sent: who has it may look at once how much came."""
        request.received += len(piece)
        try:
            self._send_piece(client, piece, chunked)
        except OSError:
            request.received -= len(piece)
            raise

    @staticmethod
    def _cut(client, fault):
        if fault.reset:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.close()
