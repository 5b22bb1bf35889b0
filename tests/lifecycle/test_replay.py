"""Replays of what a client would be refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from gleis import Project
from gleis.contracts.errors import DataError
from gleis.lifecycle.results import Backtest
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
