from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from gleis.contracts.alarm import Alarm, Expected, Moved
from gleis.contracts.profile import CategorySketch
from gleis.data.profile import bin_counts, sketch_number
from gleis.monitoring.standing import Run
from gleis.monitoring.telling import say_expected, say_moved, say_since, tell_shift, write_message

RNG = np.random.default_rng(0)
REFERENCE = sketch_number(RNG.normal(10, 2, size=20_000))
BEFORE = bin_counts(REFERENCE)
MOVING = Run(code=3, value=10.0, rows=1, since=0.0)
FEB = datetime(2013, 2, 23, 14, 5, tzinfo=UTC)


def told(values, run=MOVING):
    return tell_shift(REFERENCE, BEFORE, bin_counts(sketch_number(values, like=REFERENCE)), run)


def test_a_median_rises_or_falls():
    assert told(RNG.normal(7, 2, 500)).says.startswith("fell from a median of 9.99 to 6.")
    assert told(RNG.normal(12, 2, 500)).says.startswith("rose from a median of 9.99 to 1")
    high = f"{REFERENCE.high:.3g}"
    assert told(np.full(500, 99.0)).says == f"rose from a median of 9.99 to above {high}"


def test_a_change_of_spread_is_no_change_of_median():
    wide = told(RNG.normal(10, 4, 5000))
    assert wide.says == "spread out"
    assert wide.remark.startswith("the middle half was 8.6")
    assert told(RNG.normal(10, 0.5, 5000)).says == "drew together"


@pytest.mark.parametrize(
    ("code", "value", "says", "remark"),
    [
        (0, 0.0, "is missing in all rows", "was it renamed upstream?"),
        (16, 21.5, "stands still at 21.5", "100% of rows, at most 3% before"),
    ],
)
def test_what_stands_still_is_said_at_once(code, value, says, remark):
    live = np.zeros_like(BEFORE)
    live[code] = 60
    run = Run(code=code, value=value, rows=60, since=5.0)
    assert tell_shift(REFERENCE, BEFORE, live, run) == (says, remark, True)
    short = Run(code=code, value=value, rows=10, since=5.0)
    assert not tell_shift(REFERENCE, BEFORE, live, short).stands


@pytest.mark.parametrize(("code", "says"), [(2, "stands still at UA"), (3, "holds only unknown")])
def test_categories_stand_still_too(code, says):
    kinds = CategorySketch(categories=("AA", "UA"), counts=(60, 40), other=0, missing=0)
    live = np.zeros(4, dtype=np.int64)
    live[code] = 50
    run = Run(code=code, value=0.0, rows=50, since=0.0)
    assert tell_shift(kinds, bin_counts(kinds), live, run).says.startswith(says)


def test_missing_values_and_shares():
    gone = np.where(RNG.random(1000) < 0.4, np.nan, RNG.normal(10, 2, 1000))
    assert told(gone)[:2] == (f"is missing in {np.isnan(gone).mean():.1%} of rows", "0.0% before")
    flags = sketch_number([0] * 80 + [1] * 20)
    live = bin_counts(sketch_number([0] * 30 + [1] * 70, like=flags))
    assert tell_shift(flags, bin_counts(flags), live, MOVING).says == "changed"


DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("between", "now", "words"),
    [
        (None, FEB, " since 23 Feb"),
        (None, None, " since 23 Feb 2013"),
        ((FEB - 3 * DAY, FEB + 2 * DAY), FEB, " since 23 Feb (between 20 and 25 Feb)"),
        ((FEB - 25 * DAY, FEB), FEB, " since 23 Feb (between 29 Jan and 23 Feb)"),
        ((FEB - 60 * DAY, FEB), FEB, " since 23 Feb (between 25 Dec 2012 and 23 Feb)"),
        ((FEB, FEB), FEB, " since 23 Feb 14:05"),
        ((FEB - DAY / 24, FEB), FEB, " since 23 Feb 14:05 (between 13:05 and 14:05)"),
    ],
)
def test_moments_are_as_exact_as_is_known(between, now, words):
    assert say_since(FEB, between, now) == words


EXPECTED = Expected(figure="log_loss", before=0.5, change=0.03, low=0.01, high=0.05, rows=900)


def alarm(**more):
    moved = Moved(
        column="visib",
        psi=0.3,
        js=0.2,
        says="fell from a median of 10 to 6.2",
        since=FEB,
        between=(FEB - 3 * DAY, FEB + 2 * DAY),
        importance=0.18,
    )
    facts = {
        "id": "a",
        "kind": "drift",
        "at": FEB + 3 * DAY,
        "subject": "visib",
        "also": ("wind",),
        "evidence": 4.2,
        "threshold": 1.3,
        "promise": "at most 1 false alarm per year",
        "effect": 0.3,
        "since": FEB,
        "rows": 1000,
        "version": 3,
        "message": "",
        "moved": (Moved(column="wind", psi=0.1, js=0.1), moved),
    }
    return Alarm(**facts | more)


def test_an_alarm_is_a_sentence():
    assert write_message(alarm(expected=EXPECTED)) == (
        "`visib` fell from a median of 10 to 6.2 since 23 Feb (between 20 and 25 Feb); "
        "the model relies on it (18% of its importance); "
        "expected log loss +0.03 (+0.01 to +0.05); also changed: `wind`; "
        "evidence 10^4.2, alarm at 10^1.3; at most 1 false alarm per year"
    )


def test_what_is_recorded_says_so():
    assert "; too little to matter, so it is recorded only; " in write_message(alarm(harmless=True))
    assert "recorded" not in write_message(alarm(harmless=False))


@pytest.mark.parametrize(("share", "words"), [(0.0, "does not rely"), (0.002, "hardly relies")])
def test_a_column_the_model_passes_over(share, words):
    moved = Moved(column="wind", psi=0.1, js=0.1, says="rose", importance=share)
    assert say_moved(moved) == ["`wind` rose", f"the model {words} on it"]


def test_of_many_columns_the_heaviest_are_named():
    others = [Moved(column=f"x{i}", psi=0.1, js=0.1, importance=0.3 - i / 10) for i in range(7)]
    many = alarm(also=tuple(one.column for one in others), moved=(*alarm().moved, *others))
    words = write_message(many)
    assert "; also changed: `x0` (30%), `x1` (20%), `x2` (10%), `x3` and 3 more; " in words


def test_large_and_negative_expectations():
    better = Expected(figure="rmse", before=9, change=-12.345, low=-15, high=-0.02, rows=900)
    assert say_expected(better) == "expected rmse -12.35 (-15.00 to -0.02)"
