"""Predictions by the hundred thousand leave nothing behind in memory."""

from __future__ import annotations

import asyncio
import gc
import os
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from small_packages import ROW, ChampionOnly

from gleis.contracts.clock import SystemClock
from gleis.contracts.deployment import Version
from gleis.packaging.load import load_package
from gleis.serving.metrics import Metrics
from gleis.serving.service import Service
from gleis.serving.turns import Turns
from gleis.store.log.group_commit import GroupCommit
from gleis.store.log.sqlite_log import SqlitePredictionLog
from signing_keys import TRUST

TOGETHER = 400


def resident():
    """Return this process's resident memory in MB."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs /proc")
@pytest.mark.parametrize("rows", [60_000, pytest.param(2_000_000, marks=pytest.mark.slow)])
@pytest.mark.timeout(1800)
def test_memory_is_flat(packages, tmp_path, rows):
    package = load_package(packages["rule"].path, None, TRUST)
    version = Version(
        number=1,
        digest=package.digest,
        location="p",
        run="r",
        registered_at=datetime.now(UTC),
        passed=True,
    )
    service = Service(package, version, SystemClock(), name="flights")
    metrics = Metrics("flights")
    metrics.serving(service)
    log = SqlitePredictionLog(tmp_path / "predictions.db", durable=False)
    commits = GroupCommit(log)
    turns = Turns(commits, metrics, ChampionOnly(), 5.0)

    async def ask(count, first):
        for turn in range(0, count, TOGETHER):
            asked = []
            for at in range(first + turn, first + turn + TOGETHER):
                # Every value new: a cache of values or ids would grow.
                row = ROW | {"flight": str(at), "distance": 80 + at / 7, "carrier": f"{at}"}
                asked.append(turns.ask(service, service.typed.one(msgspec.json.encode(row))))
            await asyncio.gather(*asked)

    warm = 20_000
    asyncio.run(ask(warm, 0))
    before = resident()
    asyncio.run(ask(rows, warm))
    grown = resident() - before
    commits.close()
    log.close()
    assert grown < 12, f"{grown:.1f} MB more after {rows:,} rows"
