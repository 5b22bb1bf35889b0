"""Replays of what a client would be refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from gleis import Project
from gleis.contracts.clock import SimulatedClock
from gleis.contracts.errors import DataError
from gleis.contracts.release import Ended
from gleis.contracts.run import Run
from gleis.lifecycle.results import Backtest
from gleis.registry.releases import Releases
from gleis.store.home import Home
from small_projects import make_shifting
from trained_projects import edit

SINCE = datetime(2024, 2, 21, tzinfo=UTC)
UNTIL = SINCE + timedelta(days=3)
FIRST = 20 * 120
"""Position of the first arrival."""
QUICK = {"evidence.bootstrap": 20}


def replayed(folder, flags=None, since=SINCE, until=UNTIL):
    project = Project.open(folder, QUICK | (flags or {}))
    (found,) = project.backtest(since, until, ["never"]).policies
    project.home.close()
    return found


def lose_prices(folder, where):
    price = f"[None if {where} else float(x) for i, x in enumerate(price)]"
    edit(folder / "shifting.py", '"price": price,', f'"price": {price},')


def test_more_arrivals_than_one_request_may_hold(tmp_path):
    folder = make_shifting(tmp_path / "p")
    whole, cut = replayed(folder), replayed(folder, {"serve.max_rows": 50})
    assert cut.rows == whole.rows == 360
    assert cut.figures == pytest.approx(whole.figures)


def test_moments_without_a_time_zone_are_utc(tmp_path):
    folder = make_shifting(tmp_path / "p")
    assert replayed(folder, {}, SINCE.replace(tzinfo=None), UNTIL.replace(tzinfo=None)).rows == 360


def test_arrivals_the_service_refuses_are_counted_and_left_out(tmp_path):
    """Training saw no missing price; two come on the first day, and one on the last."""
    folder = make_shifting(tmp_path / "p")
    lose_prices(folder, f"i in ({FIRST + 7}, {FIRST + 8}, {FIRST + 300})")
    found = replayed(folder)
    assert (found.rows, found.refused) == (357, 3)
    assert "price must be a finite number" in found.refusal


def test_a_replay_that_answers_nothing_says_why(tmp_path):
    folder = make_shifting(tmp_path / "p")
    lose_prices(folder, f"i >= {FIRST}")
    with pytest.raises(DataError, match="predicted none of 360 arrivals") as caught:
        replayed(folder)
    assert "price" in caught.value.seen


@pytest.mark.slow
def test_side_by_side_is_as_in_turn(tmp_path):
    """In processes of their own, and whatever the project's module prints."""
    folder = make_shifting(tmp_path / "p")
    edit(folder / "shifting.py", "    rows = visits()", "    rows = visits(); print('loading')")
    project = Project.open(folder, QUICK)
    until, seen = SINCE + timedelta(days=4), set()

    def replay(**facts):
        return project.backtest(SINCE, until, ["never", "every 2d"], **facts).policies

    def told(one):
        promoted = [(made.at, made.version.number) for made in one.promotions]
        return one.figures, one.weeks, one.alarms, one.decisions, one.fit_seconds, promoted

    def on_step(policy, at, tick):
        seen.add((policy, at))

    in_turn = replay()
    beside = replay(workers=2, on_step=on_step)
    assert [told(one) for one in beside] == [told(one) for one in in_turn]
    assert [one.retrainings for one in in_turn] == [0, 2]
    assert in_turn[1].fit_seconds > 0
    assert len(seen) == 2 * 4
    project.home.close()


def test_a_figure_that_is_undefined_is_left_out(tmp_path):
    """Nobody buys for three days: they have no ROC AUC, and the record can be read back."""
    folder = make_shifting(tmp_path / "p")
    bought = "np.where(np.arange(n) // A_DAY >= 20, 0, bought)"
    edit(folder / "shifting.py", '"bought": bought.astype(int)', f'"bought": {bought}.astype(int)')
    project = Project.open(folder, QUICK)
    result = project.backtest(SINCE, UNTIL, ["never", "monthly"])
    assert set(result.policies[0].figures) == {"log_loss", "brier"}
    assert set(result.best) == {"log_loss", "brier"}
    (kept,) = project.home.facts.all("backtest")
    assert msgspec.json.decode(kept, type=Backtest) == result
    assert ">-<" in result._repr_html_()
    assert project.report(result).is_file()
    project.home.close()


@pytest.mark.parametrize(
    "strategy",
    [
        pytest.param("canary", marks=pytest.mark.slow),
        pytest.param("ab", marks=pytest.mark.slow),
        pytest.param("shadow", marks=pytest.mark.slow),
    ],
)
def test_releases_are_replayed_by_the_same_code(tmp_path, strategy):
    """Candidates of a policy are tried beside the champion, with labels six hours late."""
    folder = make_shifting(tmp_path / "p")
    flags = QUICK | {
        "release.strategy": strategy,
        "release.share": 0.3,
        "release.min_rows": 100,
        "release.horizon": "10d",
        "triggers.schedule": "every 9d",
    }
    project = Project.open(folder, flags)
    until = SINCE + timedelta(days=25)
    (found,) = project.backtest(SINCE, until, ["project"]).policies
    (again,) = project.backtest(SINCE, until, ["project"]).policies
    assert found.rows == 25 * 120, "every arrival is answered, by one or the other"
    assert found.retrainings >= 2
    assert found.figures == again.figures, "a replay can be repeated"
    states = sorted((folder / ".gleis" / "backtests").iterdir())[0] / "0"
    home = Home(states)
    logged = [one.batch for one in home.log.read(0, 10**6)]
    challenger = [batch for batch in logged if batch.role == "challenger"]
    ends = [one for one in Releases(home, project.clock, None).history() if isinstance(one, Ended)]
    assert ends, "a release came to its end within the replay"
    if strategy == "shadow":
        assert not challenger
        assert home.shadows.end() > 0
    else:
        assert {batch.share for batch in challenger} == {0.3}
        assert {batch.share for batch in logged if batch.role == "champion"} <= {0.7, 1.0}
    assert len(found.promotions) == sum(end.outcome == "promoted" for end in ends)
    home.close()
    project.home.close()


def test_only_evidence_that_gates_ask_for_is_gathered_in_a_replay(tmp_path):
    """What no gate asks for decides nothing; the model's own figures stay."""
    folder = make_shifting(tmp_path / "p")
    live = Project.open(folder, QUICK)
    live.clock = SimulatedClock(SINCE)
    whole = live.run().outcome.run.evidence
    live.home.close()
    asked = {"gates.leakage": "none", "gates.log_loss": "better than simpler by -1"}
    replayed(folder, asked)
    (home,) = (Home(path.parent) for path in (folder / ".gleis" / "backtests").rglob("gleis.db"))
    runs = [msgspec.json.decode(body, type=Run) for body in home.facts.all("run")]
    home.close()
    (evidence,) = {run.id: run.evidence for run in runs if run.kind == "model"}.values()
    assert evidence.figures == whole.figures
    assert (evidence.leakage, evidence.simpler) == (whole.leakage, whole.simpler)
    assert whole.robustness is not None
    assert evidence.robustness is None
