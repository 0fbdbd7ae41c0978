"""The little of Google Cloud Storage's JSON interface that a lease needs, on loopback, in this process."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit


class GsServer(ThreadingHTTPServer):
    """Files of one bucket: name -> content, generation, time."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files: dict[str, tuple[bytes, int, datetime]] = {}
        self.logins: list[str | None] = []
        self.busy = 0
        """How many of the next requests are put off."""
        self.lock = threading.Lock()
        self.puts = 0

    @property
    def address(self) -> str:
        """HOST:PORT."""
        return f"127.0.0.1:{self.server_port}"


@contextmanager
def gs_server() -> Iterator[GsServer]:
    with GsServer() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield server
        finally:
            server.shutdown()


class _Handler(BaseHTTPRequestHandler):
    server: GsServer
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        asked, options = self._asked()
        _, _, name = asked.partition("/o/")
        with self.server.lock:
            found = self.server.files.get(unquote(name))
            listed = [one for one in self.server.files if one.startswith(options.get("prefix", ""))]
            if self._put_off():
                self._answer(503, {})
            elif not name:
                self._answer(200, {"kind": "storage#objects", "items": [self._about(one) for one in listed]})
            elif found is None or options.get("generation", str(found[1])) != str(found[1]):
                self._answer(404, {})
            elif options.get("alt") == "media":
                self._answer(200, found[0])
            else:
                self._answer(200, self._about(unquote(name)))

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers["Content-Length"]))
        asked, options = self._asked()
        if asked == "/token":
            self._answer(200, {"access_token": "granted", "expires_in": 3600, "token_type": "Bearer"})
            return
        with self.server.lock:
            found = self.server.files.get(options["name"])
            if self._put_off():
                self._answer(429, {})
            elif int(options["ifGenerationMatch"]) != (found[1] if found else 0):
                self._answer(412, {})
            else:
                self.server.puts += 1
                self.server.files[options["name"]] = (content, 1000 + self.server.puts, datetime.now(UTC))
                self._answer(200, self._about(options["name"]))

    def do_DELETE(self) -> None:
        del self.server.files[unquote(self._asked()[0].partition("/o/")[2])]
        self._answer(204, b"")

    def _put_off(self) -> bool:
        self.server.busy -= 1
        return self.server.busy >= 0

    def _asked(self) -> tuple[str, dict[str, str]]:
        self.server.logins.append(self.headers.get("Authorization"))
        parts = urlsplit(self.path)
        return parts.path, {name: values[0] for name, values in parse_qs(parts.query).items()}

    def _about(self, name: str) -> dict[str, Any]:
        content, generation, changed = self.server.files[name]
        when = changed.isoformat().replace("+00:00", "Z")
        about = {"name": name, "bucket": "bucket", "size": str(len(content)), "updated": when}
        return {**about, "kind": "storage#object", "generation": str(generation), "timeCreated": when}

    def _answer(self, status: int, content: bytes | dict[str, Any]) -> None:
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        pass
