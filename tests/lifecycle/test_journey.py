from __future__ import annotations

from datetime import UTC, datetime

import pytest

from benches import START, open_bench
from gleis import Project
from gleis.contracts.errors import DataError
from gleis.lifecycle.journal import Journal
from gleis.lifecycle.journey import run_on_demand
from small_projects import make_shifting


def test_two_runs_as_of_one_moment_are_both_promoted(tmp_path):
    """``gleis run --as-of`` stands still: trying parameters one after the other must work."""
    folder = make_shifting(tmp_path / "p")
    for flags, number in (({}, 2), ({"params.C": 0.5}, 3)):
        bench = open_bench(folder, flags)
        assert bench.clock.now() == START
        outcome = run_on_demand(bench)
        assert outcome.promoted
        assert outcome.version.number == number
        assert bench.deployments.champion().version.number == number
        assert Journal(bench.home.facts).last_trained().version == number
        bench.home.close()


def test_later_rows_are_not_known_at_an_earlier_moment(tmp_path):
    folder = make_shifting(tmp_path / "p")
    early, late = datetime(2024, 2, 15, tzinfo=UTC), datetime(2024, 2, 25, tzinfo=UTC)
    for moment in (early, late):
        project = Project.open(folder, as_of=moment)
        assert project.run().run.dataset.last < moment
        project.home.close()

    again = Project.open(folder, {"params.C": 0.5}, as_of=datetime(2024, 2, 20, tzinfo=UTC))
    run = again.run().run
    assert run.dataset.version == 1
    assert run.dataset.last < early
    again.home.close()

    never = Project.open(folder, as_of=datetime(2024, 2, 10, tzinfo=UTC))
    with pytest.raises(DataError, match="2024-02-09 18:00") as caught:
        never.run()
    assert "--set state" in caught.value.remedy
    never.home.close()


def test_a_later_moment_knows_more_rows(tmp_path):
    folder = make_shifting(tmp_path / "p")
    rows = []
    for day in (21, 21, 25):
        project = Project.open(folder, as_of=datetime(2024, 2, day, tzinfo=UTC))
        result = project.run()
        rows.append((result.unchanged, result.run.dataset.rows))
        project.home.close()
    assert [unchanged for unchanged, _ in rows] == [False, True, False]
    assert rows[0][1] == rows[1][1] < rows[2][1]


def test_a_source_edited_while_it_ran_is_not_unchanged(tmp_path):
    folder = make_shifting(tmp_path / "p")
    bench = open_bench(folder)

    def edit_after_the_fit(step, detail):
        if step == "examine" and "fit" in bench.cache.durations:
            text = (folder / "shifting.py").read_text()
            changed = text.replace("LogisticRegression(**params)", "LogisticRegression(C=0.1)")
            (folder / "shifting.py").write_text(changed)

    bench.tell = edit_after_the_fit
    first = run_on_demand(bench)
    assert "C=0.1" in (folder / "shifting.py").read_text()
    bench.home.close()

    project = Project.open(folder, as_of=START)
    result = project.run()
    assert not result.unchanged
    assert result.run.model != first.run.model
    assert result.run.code.reached != first.run.code.reached
    project.home.close()
