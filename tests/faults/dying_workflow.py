"""A process that retrains durably and dies in the first step not yet died in; a test runs it."""

from __future__ import annotations

import os
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path

import msgspec

import gleis.lifecycle.durable as durable
from gleis.config.load import load_settings
from gleis.contracts.clock import SimulatedClock
from gleis.lifecycle.triggers import on_demand
from gleis.lifecycle.workbench import Workbench
from gleis.store.home import Home

NOW = datetime(2024, 2, 21, tzinfo=UTC)


def main(folder: Path, died: Path, moment: str) -> None:
    settings = load_settings(folder, environment={})
    bench = Workbench(folder, settings, Home(folder / ".gleis"), SimulatedClock(NOW), tracked=False)
    bench.home.create()
    original = durable.durably

    def deadly(name, kind, step):
        def dying():
            if moment == "before":
                die_once(name)
            result = step()
            if moment == "after":
                die_once(name)
            return result

        return original(name, kind, dying)

    def die_once(name):
        seen = died.read_text().splitlines() if died.exists() else []
        if name not in seen:
            with died.open("a") as file:
                file.write(name + "\n")
                file.flush()
                os.fsync(file.fileno())
            os.kill(os.getpid(), signal.SIGKILL)

    durable.durably = deadly
    # The id of the workflow: every start of this process means the same one.
    decision = msgspec.structs.replace(on_demand(NOW, "test"), id="the-same")
    with durable.Workflows(bench.home.folder, bench) as workflows:
        outcome = workflows.retrain(bench, decision)
    print(f"done {outcome.version.number} {outcome.promoted}", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
