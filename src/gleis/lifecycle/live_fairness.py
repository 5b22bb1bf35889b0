"""How the champion treats groups of people in production, beside what its evidence promised."""

from __future__ import annotations

from datetime import timedelta

from gleis.contracts.errors import ConfigError, UnavailableError
from gleis.contracts.live_fairness import LiveFairness
from gleis.lifecycle.maturing import read_maturity
from gleis.lifecycle.parts import read_parts
from gleis.lifecycle.served_groups import ServedGroups
from gleis.lifecycle.workbench import Workbench
from gleis.monitoring.labels.people import People

_ROWS = 20_000


def find_live_fairness(bench: Workbench) -> LiveFairness:
    """Read the log's window and compare groups; the monitors are not asked and not changed.

    Raises
    ------
    UnavailableError
        Nothing is live.
    ConfigError
        ``fairness.protected`` names no column.
    """
    live = bench.deployments.champion()
    if live is None:
        name = bench.settings.project.name
        raise UnavailableError(f"{name} has no champion", remedy="Train one: gleis run.")
    settings = bench.settings.fairness
    if not settings.protected:
        raise ConfigError(
            "there are no groups to compare",
            seen=list(settings.protected),
            remedy='Name columns: [fairness] protected = ["sex"].',
            field="fairness.protected",
        )
    parts, now, maturity = read_parts(bench, live.version), bench.clock.now(), read_maturity(bench)
    people = People(maturity, parts.contract, settings)
    groups = ServedGroups(bench, parts.contract, live.version.number)
    since = now - timedelta(seconds=maturity.window)
    after, cursor = bench.home.log.since(since - timedelta(seconds=maturity.matures))
    while batches := bench.home.log.read(after, _ROWS):
        after = batches[-1].seq
        groups.see(people, batches, [])
    while matched := bench.home.log.matched(cursor, _ROWS):
        cursor = matched[-1].cursor
        groups.see(people, [], matched)
    found = people.find(now, n_replicates=bench.settings.evidence.bootstrap)
    return LiveFairness(
        version=live.version.number,
        since=since,
        until=now,
        answers=found.rows,
        unknown=found.unknown,
        labelled=found.labelled_rows,
        live=found.figures(),
        evidence=parts.evidence.fairness,
        notes=found.notes,
    )
