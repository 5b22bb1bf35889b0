"""The load client counts what a server really answered."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

CLIENT = Path(__file__).parents[2] / "benchmarks" / "measure" / "load_client.py"


class Answers(BaseHTTPRequestHandler):
    """200 for an even number, 422 for an odd one, in pieces or whole."""

    protocol_version = "HTTP/1.1"
    seen: Counter[int]
    chunked: bool

    def do_POST(self):
        number = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        status = 422 if number % 2 else 200
        self.seen[status] += 1
        self.send_response(status)
        if self.chunked:
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.wfile.write(b"2\r\nok\r\n0\r\n\r\n")
        else:
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"ok")

    def log_message(self, *_):
        pass


@pytest.mark.parametrize("chunked", [False, True])
def test_counts_are_the_servers(tmp_path, chunked):
    handler = type("Handler", (Answers,), {"seen": Counter(), "chunked": chunked})
    bodies = tmp_path / "bodies.txt"
    bodies.write_text("".join(f"{number}\n" for number in range(10)))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        told = ["127.0.0.1", str(server.server_port), "/predict", str(bodies), "3", "0.5"]
        done = subprocess.run(
            [sys.executable, str(CLIENT), *told], check=True, capture_output=True, text=True
        )
        server.shutdown()
    load = json.loads(done.stdout)
    assert load["answered"] == handler.seen[200] > 0
    assert load["refused"] == handler.seen[422] > 0
    assert load["broken"] == 0
    assert 0 < load["p50"] <= load["p99"] < load["seconds"]


def test_broken_connections_are_counted(tmp_path):
    class Closes(Answers):
        def do_POST(self):
            self.close_connection = True

    bodies = tmp_path / "bodies.txt"
    bodies.write_text("0\n")
    with ThreadingHTTPServer(("127.0.0.1", 0), Closes) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        told = ["127.0.0.1", str(server.server_port), "/predict", str(bodies), "1", "0.3"]
        done = subprocess.run(
            [sys.executable, str(CLIENT), *told], check=True, capture_output=True, text=True
        )
        server.shutdown()
    load = json.loads(done.stdout)
    assert load["broken"] > 0
    assert load["answered"] == load["refused"] == 0
