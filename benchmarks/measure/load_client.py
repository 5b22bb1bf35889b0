"""What ``load.lua`` does where there is no wrk: a raw asyncio client in a process of its own.

``python load_client.py HOST PORT PATH BODIES CONNECTIONS SECONDS`` prints the same JSON.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from itertools import cycle
from pathlib import Path
from statistics import quantiles


class Tally:
    """What has been answered so far."""

    def __init__(self, requests: list[bytes], until: float) -> None:
        self.next = cycle(requests).__next__
        self.until = until
        self.latencies: list[float] = []
        self.refused = self.broken = 0


class Conversation(asyncio.Protocol):
    """One connection that asks again as soon as it is answered."""

    def __init__(self, tally: Tally, over: asyncio.Future[None]) -> None:
        self.tally, self.over = tally, over
        self.buffer = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.ask()

    def ask(self) -> None:
        self.asked = time.perf_counter()
        if self.asked >= self.tally.until:
            self.transport.close()
        else:
            self.transport.write(self.tally.next())

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        head = self.buffer.find(b"\r\n\r\n")
        if head < 0 or not self.complete(head):
            return
        if self.buffer[9:12] == b"200":
            self.tally.latencies.append(time.perf_counter() - self.asked)
        else:
            self.tally.refused += 1
        self.buffer.clear()
        self.ask()

    def complete(self, head: int) -> bool:
        headers = bytes(self.buffer[:head]).lower()
        start = headers.find(b"content-length:")
        if start < 0:
            return self.buffer.endswith(b"0\r\n\r\n")
        length = int(headers[start + 15 :].split(b"\r\n", 1)[0])
        return len(self.buffer) >= head + 4 + length

    def connection_lost(self, exc: Exception | None) -> None:
        self.tally.broken += time.perf_counter() < self.tally.until
        if not self.over.done():
            self.over.set_result(None)


async def converse(host: str, port: int, tally: Tally) -> None:
    loop = asyncio.get_running_loop()
    while time.perf_counter() < tally.until:
        over = loop.create_future()
        await loop.create_connection(lambda over=over: Conversation(tally, over), host, port)
        await over


async def drive(host: str, port: int, path: str, bodies: Path, connections: int, seconds: float):
    head = f"POST {path} HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Type: application/json\r\n"
    requests = [
        f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body
        for body in bodies.read_bytes().splitlines()
    ]
    started = time.perf_counter()
    tally = Tally(requests, started + seconds)
    talks = [converse(host, port, tally) for _ in range(connections)]
    await asyncio.wait_for(asyncio.gather(*talks), seconds + 60)
    times = quantiles(tally.latencies, n=100) if len(tally.latencies) > 1 else [float("nan")] * 99
    return {
        "answered": len(tally.latencies),
        "refused": tally.refused,
        "broken": tally.broken,
        "seconds": time.perf_counter() - started,
        "p50": times[49],
        "p99": times[98],
    }


def main() -> None:
    host, port, path, bodies, connections, seconds = sys.argv[1:]
    try:
        from uvloop import run
    except ImportError:
        from asyncio import run
    job = drive(host, int(port), path, Path(bodies), int(connections), float(seconds))
    print(json.dumps(run(job)))


if __name__ == "__main__":
    main()
