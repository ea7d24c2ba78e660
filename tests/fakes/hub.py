"""A model hub and GitHub's raw files on loopback: HEAD with the hub's headers, ranges, and every kind of trouble."""

import hashlib
import http.server
import re
import socket
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field

from safelight.engine.checkpoints.download import Places

COMMIT = "0" * 40


@dataclass
class Hub:
    """What is served, and what was asked for. Paths are `owner/name/path`."""

    files: dict[str, bytes] = field(default_factory=dict)
    breaks: dict[str, list[int]] = field(default_factory=dict)
    """Path -> bytes after which its next answers break off, one number per answer."""
    tags: dict[str, str] = field(default_factory=dict)
    """Path -> SHA-256, of files that are too large to be hashed with every answer."""
    gate: threading.Event | None = None
    """Set: answers stop after their first half until it is."""
    ranges: list[tuple[str, int]] = field(default_factory=list)
    """(path, first byte) of every GET."""
    headers: list[dict[str, str]] = field(default_factory=list)
    port: int = 0

    @property
    def places(self):
        return Places(f"http://127.0.0.1:{self.port}", f"http://127.0.0.1:{self.port}/raw")

    @property
    def environment(self):
        return {"HF_ENDPOINT": self.places.hub, "SAFELIGHT_GITHUB_ENDPOINT": self.places.github}


def path_of(url):
    """`owner/name/path` of a hub or raw address."""
    found = re.fullmatch(r"/(?:raw/)?([^/]+/[^/]+)/(?:resolve/)?[^/]+/(.+)", url)
    return f"{found[1]}/{found[2]}" if found else ""


def tag_of(url, data):
    """The hub's is the SHA-256 of the file; GitHub's only looks like one."""
    return hashlib.sha256(b"GitHub" + data if url.startswith("/raw/") else data).hexdigest()


@contextmanager
def hub(files):
    """Serves until left."""
    served = Hub(dict(files))

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *unused):
            pass

        def do_HEAD(self):
            self.answer(body=False)

        def do_GET(self):
            self.answer(body=True)

        def answer(self, *, body):
            served.headers.append(dict(self.headers))
            path = path_of(self.path)
            data = served.files.get(path)
            if data is None:
                self.send_response(404)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            first = int((self.headers.get("Range") or "bytes=0-")[6:].split("-")[0])
            self.send_response(206 if first else 200)
            if first:
                self.send_header("Content-Range", f"bytes {first}-{len(data) - 1}/{len(data)}")
            self.send_header("Content-Length", str(len(data) - first))
            self.send_header("ETag", f'"{served.tags.get(path) or tag_of(self.path, data)}"')
            self.send_header("X-Repo-Commit", COMMIT)
            self.end_headers()
            if body:
                served.ranges.append((path, first))
                self.write(path, data[first:])

        def write(self, path, data):
            if served.breaks.get(path):
                self.wfile.write(data[: served.breaks[path].pop(0)])
                self.wfile.flush()
                self.connection.shutdown(socket.SHUT_RDWR)
            elif served.gate is not None:
                self.wfile.write(data[: len(data) // 2])
                self.wfile.flush()
                served.gate.wait(20)
                self.wfile.write(data[len(data) // 2 :])
            else:
                self.wfile.write(data)

        def handle_one_request(self):
            try:
                super().handle_one_request()
            except (OSError, ValueError):  # the reader is gone, or the answer was broken off
                self.close_connection = True

    class Server(http.server.ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *unused):
            pass

    with Server(("127.0.0.1", 0), Handler) as server:
        served.port = server.server_address[1]
        thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.01))
        thread.start()
        try:
            yield served
        finally:
            if served.gate is not None:
                served.gate.set()
            server.shutdown()
            thread.join()
