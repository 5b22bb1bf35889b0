"""Many processes writing to the same files at once."""

from __future__ import annotations

import subprocess
import sys

from gleis.store.home import Home

WRITER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from gleis.contracts.prediction import Batch, Label
from gleis.store.home import Home

now = datetime(2013, 7, 4, tzinfo=UTC)
home = Home(Path(sys.argv[1]))
for number in range(50):
    entity = f"{sys.argv[2]}-{number}"
    home.facts.append("run", entity, b"{}", now)
    home.facts.append_once("claim", str(number), sys.argv[2].encode(), now)
    home.log.label([Label(value=number, entity=entity)], now)
    batch = Batch(at=now, version=1, digest="d", fallback=False, rows=1, features={"x": [1.0]},
                  scores=[0.5], entities=[entity], times=[None], flags={})
    home.log.append([batch])
    home.states.put(sys.argv[2], str(number).encode())
    home.artifacts.put(str(number).encode())
"""


def test_eight_processes_fifty_times_each(tmp_path):
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path / ".gleis"), str(number)],
            stderr=subprocess.PIPE,
            text=True,
        )
        for number in range(8)
    ]
    complaints = [process.communicate()[1] for process in processes]
    assert complaints == [""] * 8
    home = Home(tmp_path / ".gleis")
    assert home.facts.verify() == 8 * 50 + 50
    assert len(home.facts.keys("run")) == 400
    assert len(list(home.facts.all("claim"))) == 50
    counts = home.log.counts()
    assert (counts.predictions, counts.matched, counts.pending) == (400, 400, 0)
    assert all(home.states.get(str(number)) == b"49" for number in range(8))
    home.close()
