"""A local server of files that can be told to fail in every way a real one does. No pytest."""

from __future__ import annotations

import contextlib
import hashlib
import io
import threading
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

from albert_fast.models.fetch import hub


def packed(folder: Path, inside: str = "") -> bytes:
    """Return a zip of a folder's files, with `inside` before their names."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.iterdir()):
            archive.write(path, inside + path.name)
    return out.getvalue()


def network_variables() -> list[str]:
    """Return the names of all variables that change how something is fetched."""
    proxies = [f"{kind}_PROXY" for kind in ("HTTP", "HTTPS", "ALL", "NO")]
    return [*hub.OFFLINE_VARIABLES, "HF_TOKEN", *proxies, *map(str.lower, proxies)]


@dataclass
class Behaviour:
    """How the server answers. `cuts` are used up one by one: a cut answer ends after so many bytes of its body."""

    files: dict[str, bytes]
    statuses: list[int] = field(default_factory=list)
    cuts: list[int] = field(default_factory=list)
    redirects: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    ranges: bool = True
    with_length: bool = True
    with_etag: bool = True
    stall: float = 0.0
    block: int = 1 << 20
    pause: float = 0.0
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    url: str = ""

    def etag(self, path: str) -> str:
        return f'"{hashlib.md5(self.files[path], usedforsecurity=False).hexdigest()}"'

    def asked(self, header: str) -> list[str | None]:
        """Return a header of every request so far."""
        return [headers.get(header) for _, headers in self.requests]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        b = self.server.behaviour
        path = urlsplit(self.path).path
        b.requests.append((self.path, dict(self.headers)))
        if b.stall:
            time.sleep(b.stall)
        status = b.statuses.pop(0) if b.statuses else 200
        if status != 200:
            self._reply(status, b"<html>no</html>", {"Content-Type": "text/html", "Retry-After": "0"})
        elif path in b.redirects:
            self._reply(302, b"", {"Location": b.redirects[path]})
        elif path not in b.files:
            self._reply(404, b"<html>not here</html>", {"Content-Type": "text/html"})
        else:
            self._file(b, path)

    def _file(self, b: Behaviour, path: str) -> None:
        data = b.files[path]
        headers = dict(b.headers)
        if b.with_etag:
            headers.setdefault("ETag", b.etag(path))
        asked = self.headers.get("Range", "")
        unchanged = self.headers.get("If-Range") in (None, headers.get("ETag"), headers.get("Last-Modified"))
        if b.ranges and asked.startswith("bytes=") and unchanged:
            begin = int(asked[6:].removesuffix("-"))
            if begin >= len(data):
                self._reply(416, b"", {"Content-Range": f"bytes */{len(data)}"})
                return
            headers["Content-Range"] = f"bytes {begin}-{len(data) - 1}/{len(data)}"
            self._reply(206, data[begin:], headers)
        else:
            self._reply(200, data, headers)

    def _reply(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        b = self.server.behaviour
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if b.with_length:
            self.send_header("Content-Length", str(len(body)))
        else:
            self.send_header("Connection", "close")
            self.close_connection = True
        self.end_headers()
        if status in (200, 206) and b.cuts:
            body = body[: b.cuts.pop(0)]
            self.close_connection = True
        with contextlib.suppress(OSError):  # the client may have had enough
            for begin in range(0, len(body), b.block):
                self.wfile.write(body[begin : begin + b.block])
                if b.pause:
                    time.sleep(b.pause)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64
    behaviour: Behaviour

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: clients that go away are part of the tests."""


@contextlib.contextmanager
def serve(files: dict[str, bytes]) -> Iterator[Behaviour]:
    """Serve files on the loopback interface until the block ends."""
    server = _Server(("127.0.0.1", 0), _Handler)
    server.behaviour = Behaviour(files, url=f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server.behaviour
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
