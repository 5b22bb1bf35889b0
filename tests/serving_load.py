"""Clients that ask a service without pause and remember what it acknowledged."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections import Counter
from pathlib import Path

import httpx

from gleis.store.home import Home

SERVING = Path(__file__).parent / "serving"
PREPARE = """
import sys
from pathlib import Path
sys.path[:0] = sys.argv[1:3]
from small_packages import BINARY, EVENING, Home, Registry, SystemClock, build, promote
home = Home(Path(sys.argv[3]))
built = build(home.packages, BINARY, run="rule", rule=EVENING)
promote(Registry(home, "small", SystemClock()), built, "first")
"""
ROW = {"distance": 800.0, "temp": None, "hour": 17, "carrier": "UA"}
CLIENTS = 16


def prepare(folder: Path) -> Path:
    """Make a state folder with a rule as champion."""
    tests = str(SERVING.parent)
    subprocess.run([sys.executable, "-c", PREPARE, str(SERVING), tests, str(folder)], check=True)
    return folder


class Load:
    """What clients were told, and by whom nobody was."""

    def __init__(self) -> None:
        self.acknowledged: dict[str, str] = {}
        """Prediction id -> the row's own id."""
        self.labelled: set[str] = set()
        """Prediction ids whose label was acknowledged."""
        self.failures: list[object] = []
        """What went wrong other than a connection that was cut."""
        self.cut = 0
        """Connections that were cut."""
        self._turn = 0

    async def run(self, port: int, until: asyncio.Event, clients: int = CLIENTS) -> None:
        """Ask with several clients until told to stop; whoever is cut off connects again."""
        limits = httpx.Limits(max_connections=clients, max_keepalive_connections=clients)
        base = f"http://127.0.0.1:{port}"
        async with httpx.AsyncClient(base_url=base, limits=limits, timeout=20) as client:
            await asyncio.gather(*(self._ask(client, until) for _ in range(clients)))

    async def _ask(self, client: httpx.AsyncClient, until: asyncio.Event) -> None:
        while not until.is_set():
            self._turn += 1
            rows = [
                ROW | {"flight": f"{self._turn}-{row}"} for row in range(1 + 2 * (self._turn % 2))
            ]
            body = rows if len(rows) > 1 or self._turn % 4 else rows[0]
            try:
                response = await client.post("/predict", json=body)
                if response.status_code != 200:
                    self.failures.append((response.status_code, response.text))
                    continue
                told = response.json()
                told = told.get("predictions", [told])
                for row, answer in zip(rows, told, strict=True):
                    if answer["prediction_id"] in self.acknowledged:
                        self.failures.append(f"{answer['prediction_id']} was given out twice")
                    self.acknowledged[answer["prediction_id"]] = row["flight"]
                if self._turn % 5 == 0:
                    await self._label(client, told[0]["prediction_id"])
            except (httpx.TransportError, OSError):
                self.cut += 1
                await asyncio.sleep(0.01)

    async def _label(self, client: httpx.AsyncClient, name: str) -> None:
        response = await client.post("/labels", json={"prediction_id": name, "label": 1})
        if response.json() == {"accepted": 1, "unknown": [], "changed": []}:
            self.labelled.add(name)
        else:
            self.failures.append(response.text)

    def check(self, state: Path) -> int:
        """Hold what was acknowledged against the log; return how many rows are in doubt.

        Every acknowledged prediction is there, once; so is every acknowledged label.
        """
        assert not self.failures, self.failures[:3]
        log = Home(state).log
        logged = [
            (name, entity)
            for entry in log.read(limit_rows=10**9)
            for name, entity in zip(entry.ids, entry.batch.entities, strict=True)
        ]
        matched = Counter(match.prediction_id for match in log.matched(limit=10**9))
        log.close()
        found = dict(logged)
        assert len(found) == len(logged), "no id twice"
        twice = [entity for entity, times in Counter(found.values()).items() if times > 1]
        assert not twice, f"{twice[:3]} logged twice"
        lost = [name for name in self.acknowledged if name not in found]
        assert not lost, f"{len(lost)} acknowledged and lost: {lost[:3]}"
        wrong = [name for name, entity in self.acknowledged.items() if found[name] != entity]
        assert not wrong, f"{wrong[:3]} are other rows"
        assert self.labelled <= matched.keys()
        assert set(matched.values()) <= {1}
        return len(logged) - len(self.acknowledged)
