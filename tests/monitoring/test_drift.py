import math
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
import polars as pl
import pytest

from gleis.contracts.errors import DataError, StoreError
from gleis.data.profile import profile
from gleis.monitoring.drift import DriftMonitor
from monitoring.matches import gone_on

ALARM = math.log10(1 / 0.05)
CARRIERS = np.array(["AA", "B6", "UA", "WN"])


def rows(rng, n, shift=0.0):
    """A number, a number often missing, one with many ties, a category and a flag."""
    return {
        "temp": rng.normal(10 + shift, 1, n),
        "gust": np.where(rng.random(n) < 0.3, np.nan, rng.gamma(2.0, size=n)),
        "hour": rng.integers(5, 23, n),
        "carrier": CARRIERS[rng.choice(4, p=[0.1, 0.2, 0.3, 0.4], size=n)].tolist(),
        "holiday": (rng.random(n) < 0.03).tolist(),
    }


def reference(rng, n):
    return profile(pl.DataFrame(rows(rng, n)), list(rows(rng, 1)))


def share_of_quiet_streams(n_streams, n_reference, n_rows, make, columns, block=250):
    """Share of quiet streams that alarm at 0.05, looked at after every block."""
    alarmed = 0
    for seed in range(n_streams):
        rng = np.random.default_rng([seed, n_reference])
        before = profile(pl.DataFrame(make(rng, n_reference)), columns)
        monitor = DriftMonitor(before, seed)
        highest = -math.inf
        for _ in range(n_rows // block):
            monitor.update(make(rng, block))
            highest = max(highest, monitor.combined)
        alarmed += highest >= ALARM
    return alarmed / n_streams


@pytest.mark.parametrize("n_reference", [150, 5000])
def test_quiet_streams_keep_the_rate(n_reference):
    """At most 5 %; with 200 streams, 10 % would be seen by chance once in 2,000 at exactly 5 %."""
    share = share_of_quiet_streams(
        200, n_reference, 2000, rows, list(rows(np.random.default_rng(), 1))
    )
    assert share <= 0.10


@pytest.mark.slow
def test_long_wide_quiet_streams_keep_the_rate():
    def wide(rng, n):
        return {f"x{i}": column for i, column in enumerate(rng.normal(size=(30, n)))}

    names = [f"x{i}" for i in range(30)]
    assert share_of_quiet_streams(200, 20_000, 20_000, wide, names, 1000) <= 0.05


def rows_until_alarm(monitor, make, step=20, limit=4000):
    for seen in range(step, limit, step):
        monitor.update(make(step))
        if monitor.combined >= ALARM:
            return seen
    return limit


def test_a_quarter_sigma_in_one_of_thirty_columns_is_found():
    delays = []
    for seed in range(7):
        rng = np.random.default_rng(seed)
        names = [f"x{i}" for i in range(30)]
        before = pl.DataFrame(rng.normal(size=(20_000, 30)), schema=names)
        monitor = DriftMonitor(profile(before, names), seed)
        monitor.update(dict(zip(names, rng.normal(size=(30, 5000)), strict=True)))

        def changed(n, rng=rng, names=names):
            block = dict(zip(names, rng.normal(size=(30, n)), strict=True))
            return block | {"x7": block["x7"] + 0.25}

        delays.append(rows_until_alarm(monitor, changed))
        evidence = monitor.evidence()
        assert max(evidence, key=lambda name: evidence[name]) == "x7"
    assert np.median(delays) <= 600


CHANGES = {
    "temp": lambda block, rng: block["temp"] + 1.0,
    "gust": lambda block, rng: np.where(
        rng.random(len(block["gust"])) < 0.3, np.nan, block["gust"]
    ),
    "hour": lambda block, rng: np.minimum(block["hour"], 18),
    "carrier": lambda block, rng: ["B6" if c == "AA" else c for c in block["carrier"]],
    "holiday": lambda block, rng: (rng.random(600) < 0.3).tolist(),
}


@pytest.mark.parametrize("column", CHANGES)
def test_every_kind_of_change_is_found_and_dated(column):
    rng = np.random.default_rng(5)
    monitor = DriftMonitor(reference(rng, 20_000))
    start = datetime(2013, 4, 1, tzinfo=UTC)
    times = [start + timedelta(minutes=i) for i in range(3600)]
    monitor.update(rows(rng, 3000), times[:3000])
    assert monitor.combined < ALARM
    block = rows(rng, 600)
    monitor.update(block | {column: CHANGES[column](block, rng)}, times[3000:])
    assert monitor.combined >= ALARM
    evidence = monitor.evidence()
    assert max(evidence, key=lambda name: evidence[name]) == column
    change = monitor.change(column)
    assert abs(change.rows - 600) < 120  # the learned bets need some rows first
    assert change.since == times[3600 - change.rows]
    assert change.effect > 0.03


def test_unseen_categories_are_found_soon():
    rng = np.random.default_rng(6)
    monitor = DriftMonitor(reference(rng, 20_000))
    block = rows(rng, 300)
    new = ["ZZ" if rng.random() < 0.1 else c for c in block["carrier"]]
    monitor.update(block | {"carrier": new})
    assert monitor.combined >= ALARM
    assert "unknown values" in monitor.change("carrier").words


def test_means_since_the_change():
    rng = np.random.default_rng(7)
    monitor = DriftMonitor(reference(rng, 5000))
    monitor.update(rows(rng, 1000))
    monitor.update(rows(rng, 500, shift=5.0))
    change = monitor.change("temp")
    assert change.mean == pytest.approx(15, abs=0.3)
    assert math.isnan(monitor.change("carrier").mean)
    assert monitor.change("gust").mean == pytest.approx(2, abs=0.6)


def cut(block, first, last):
    return {name: column[first:last] for name, column in block.items()}


@pytest.mark.parametrize("cuts", [[0, 1, 2, 700, 1500], [0, 1499, 1500], [0, 0, 1500]])
def test_cutting_rows_into_updates_makes_no_difference(cuts):
    rng = np.random.default_rng(8)
    before, block = reference(rng, 1000), rows(rng, 1500, shift=0.3)
    whole, parts = DriftMonitor(before, 3), DriftMonitor(before, 3)
    whole.update(block)
    for first, last in pairwise(cuts):
        parts.update(cut(block, first, last))
    assert parts.rows == whole.rows == 1500
    for name, value in whole.evidence().items():
        assert parts.evidence()[name] == pytest.approx(value, abs=1e-8)
        assert parts.change(name)[1:3] == pytest.approx(whole.change(name)[1:3])


def test_the_seed_breaks_ties_and_nothing_else():
    rng = np.random.default_rng(9)
    before, block = reference(rng, 1000), rows(rng, 500)
    one, same, other = (
        DriftMonitor(before, 1),
        DriftMonitor(before, 1),
        DriftMonitor(before, (1, 2)),
    )
    for monitor in (one, same, other):
        monitor.update(block)
    assert one.to_bytes() == same.to_bytes()
    assert one.evidence() != other.evidence()


def test_frames_and_lists_say_the_same():
    rng = np.random.default_rng(10)
    before, block = reference(rng, 1000), pl.DataFrame(rows(rng, 500))
    block = block.with_columns(pl.when(pl.int_range(500) % 9 > 0).then("carrier").alias("carrier"))
    one, two = DriftMonitor(before), DriftMonitor(before)
    one.update(block)
    two.update(block.to_dict(as_series=False))
    assert one.to_bytes() == two.to_bytes()


def test_state_goes_on_exactly():
    rng = np.random.default_rng(11)
    before = reference(rng, 1000)
    monitor = DriftMonitor(before, 4)
    monitor.update(rows(rng, 700, shift=0.2))
    monitor.restart(["temp"])
    monitor.update(rows(rng, 30))
    restored = gone_on(DriftMonitor(before, 4), monitor.to_bytes())
    block = rows(rng, 333)
    for one in (monitor, restored):
        one.update(block)
    assert restored.to_bytes() == monitor.to_bytes()
    assert restored.evidence() == monitor.evidence()


def test_state_of_another_reference_is_refused():
    rng = np.random.default_rng(12)
    state = DriftMonitor(reference(rng, 1000)).to_bytes()
    fewer = profile(pl.DataFrame({"temp": [1.0, 2.0]}), ["temp"])
    with pytest.raises(StoreError, match="another reference"):
        gone_on(DriftMonitor(fewer), state)


def test_restart_forgets_evidence_and_goes_on():
    rng = np.random.default_rng(13)
    monitor = DriftMonitor(reference(rng, 5000))
    monitor.update(rows(rng, 400, shift=1.0))
    kept = monitor.evidence()["hour"]
    monitor.restart(["temp"])
    assert monitor.evidence()["temp"] == 0.0
    assert monitor.evidence()["hour"] == kept
    assert monitor.change("temp").rows == 0
    monitor.update(rows(rng, 400, shift=1.0))
    assert monitor.evidence()["temp"] > 2
    assert monitor.change("temp").rows <= 400


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        ({"temp": None}, "temp"),
        ({"temp": [1.0]}, "different lengths"),
        ({"temp": ["warm"] * 5}, "warm"),
    ],
)
def test_bad_rows_change_nothing(broken, words):
    rng = np.random.default_rng(14)
    monitor = DriftMonitor(reference(rng, 500))
    state = monitor.to_bytes()
    block = rows(rng, 5) | broken
    with pytest.raises(DataError, match=words):
        monitor.update({k: v for k, v in block.items() if v is not None})
    with pytest.raises(DataError, match="1 times"):
        monitor.update(rows(rng, 5), [datetime.now(UTC)])
    assert monitor.to_bytes() == state


def test_no_columns_no_monitor():
    with pytest.raises(DataError, match="no column"):
        DriftMonitor(profile(pl.DataFrame({"a": [1]}), []))


@pytest.mark.parametrize("block", [None, timedelta(hours=1)])
def test_more_missing_values_are_found_soon(block):
    rng = np.random.default_rng(0)

    def rows(n, missing):
        values = rng.normal(size=n)
        values[rng.random(n) < missing] = np.nan
        return values

    reference = profile(pl.DataFrame({"x": rows(20_000, 0.01)}), ["x"])
    monitor = DriftMonitor(reference, block=block)
    start = datetime(2024, 1, 1, tzinfo=UTC)
    times = [start + timedelta(minutes=i) for i in range(6_000)]
    monitor.update({"x": rows(2_000, 0.01)}, times[:2_000])
    assert monitor.combined < math.log10(20)
    monitor.update({"x": rows(4_000, 0.05)}, times[2_000:])
    assert monitor.combined > math.log10(20)
    assert "missing" in monitor.change("x").words
