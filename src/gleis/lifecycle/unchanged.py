"""Has all of it been done before? Answered without loading anything heavy."""

from __future__ import annotations

from pathlib import Path

import msgspec

from gleis.config.durations import parse_duration
from gleis.config.settings import Settings
from gleis.contracts.alarm import Decision
from gleis.contracts.clock import Clock, SimulatedClock
from gleis.contracts.dataset import DatasetVersion
from gleis.contracts.deployment import Version
from gleis.contracts.run import Run
from gleis.data.checking.digest import checks_digest, is_checked
from gleis.data.reviews import count_reviews, known_by
from gleis.data.versions import DatasetVersions
from gleis.lifecycle.results import Outcome
from gleis.registry.deployments import Deployments
from gleis.store.home import Home
from gleis.training.keys import load_code, run_key


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """Under the key of a run: what it came to."""

    run: str
    version: Version
    promoted: bool


def find_unchanged(folder: Path, settings: Settings, home: Home, clock: Clock) -> Outcome | None:
    """Return the earlier outcome if data, code, settings and environment are as they were.

    The newest dataset version stands for the data as long as ``load`` and what it reaches is
    unchanged; whether the source itself has new rows only ``gleis data add`` or
    ``gleis run --refresh`` can tell.
    """
    versions = DatasetVersions(home, settings)
    dataset = versions.latest()
    if dataset is None or not versions.vouched(dataset, load_code(folder, settings)):
        return None
    now = clock.now()
    if not is_checked(home, dataset, checks_digest(settings, folder)):
        return None
    if versions.waits(dataset, count_reviews(home.facts, now)) or not known_by(dataset, now):
        return None
    if isinstance(clock, SimulatedClock) and not _as_of(dataset, settings, clock):
        return None
    kept = home.states.get(f"run/{run_key(folder, settings, dataset)}")
    if kept is None:
        return None
    done = msgspec.json.decode(kept, type=Done)
    record = home.facts.latest("run", done.run)
    if record is None:
        return None
    run = msgspec.json.decode(record, type=Run)
    champion = _champion(home, clock)
    if not _same_rival(run, done.version.number, champion):
        return None
    return Outcome(
        decision=Decision(id="unchanged", at=now, retrain=False, kind="demand", reason="unchanged"),
        at=now,
        run=run,
        version=done.version,
        promoted=done.promoted,
        unchanged=True,
        champion=champion,
    )


def _as_of(dataset: DatasetVersion, settings: Settings, clock: Clock) -> bool:
    """Say whether the version holds what was known at the moment that is pretended."""
    delay = parse_duration(settings.project.label_delay, "project.label_delay")
    return dataset.provenance.until == clock.now() - delay


def _same_rival(run: Run, number: int, champion: int | None) -> bool:
    """Say whether a run that was compared with a champion would be with the same one now."""
    rival = run.evidence.champion
    return rival is None or champion == number or rival.name == f"v{champion}"


def _champion(home: Home, clock: Clock) -> int | None:
    live = Deployments(home, clock).champion()
    return live.version.number if live is not None else None


def keep_done(home: Home, key: str, outcome: Outcome) -> None:
    """Remember, under the key it was made under, what this outcome came to."""
    done = Done(run=outcome.run.id, version=outcome.version, promoted=outcome.promoted)
    home.states.put(f"run/{key}", msgspec.json.encode(done))
