from __future__ import annotations

from gleis import Project
from gleis.cli.sweeping import show_sweep
from gleis.contracts.figure import Figure
from gleis.contracts.frontier import FairnessSweep, LeftOut, SweepPoint
from trained_projects import trained


def _figure(value):
    return Figure(value=value, low=value - 0.1, high=value + 0.1)


def test_the_frontier_is_marked_and_alike_reasons_are_told_once(capsys):
    run = Project.open(trained()).runs()[0]
    points = [
        SweepPoint(
            mitigation=name,
            strength=strength,
            by_group=strength == 1.0,
            quality={"accuracy": _figure(0.9)},
            disparities={"equalized_odds_difference": _figure(0.2)},
            frontier=name is None,
        )
        for name, strength in ((None, 0.0), ("reject_option", 1.0))
    ]
    found = FairnessSweep(
        attribute="sex",
        quality="accuracy",
        greater_is_better=True,
        figure="equalized_odds_difference",
        train_rows=1200,
        test_rows=300,
        points=tuple(points),
        left_out=tuple(LeftOut(mitigation=name, reason="No.") for name in ("one", "other")),
        notes=("Something.",),
    )
    show_sweep(found, run)
    said = capsys.readouterr().out
    assert "1,200 rows fitted, 300 test rows" in said
    plain, mitigated = (line for line in said.splitlines() if "0.200 (0.100–0.300)" in line)
    assert plain.split()[:2] == ["no", "mitigation"]
    assert "*" in plain
    assert "*" not in mitigated
    assert "yes" in mitigated
    assert "not applied  one, other: No." in said
    assert "note  Something." in said
