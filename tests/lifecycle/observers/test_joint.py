"""The nightly look at how features go together."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from benches import open_bench, with_champion
from gleis.lifecycle.asking import predict
from gleis.lifecycle.observers.joint import make_joint
from gleis.lifecycle.observers.observer import Watched
from gleis.lifecycle.parts import read_parts
from small_projects import make_shifting

RATE = "0.25 per year"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = make_shifting(tmp_path_factory.mktemp("joint") / "p")
    with_champion(folder).home.close()
    return folder


@pytest.fixture
def bench(folder):
    bench = open_bench(folder)
    yield bench
    bench.home.close()


def watched(bench, kept=None, former=None):
    live = bench.deployments.champion()
    parts, now = read_parts(bench, live.version), bench.clock.now()
    return Watched(
        bench=bench,
        version=live.version,
        parts=parts,
        now=now,
        rate=RATE,
        kept=kept,
        former=former,
    )


def serve_a_night(bench, rng, *, tied):
    """Answer visits: pages and price as ever by themselves, ``tied`` together or not."""
    price = rng.normal(10, 2, 150)
    pages = rng.integers(1, 12, 150)
    if tied:
        pages = np.sort(pages)[np.argsort(np.argsort(price))]
    channels = rng.choice(["web", "shop", "phone"], 150)
    rows = zip(price, pages, channels, strict=True)
    predict(bench, [{"price": float(p), "pages": int(n), "channel": str(c)} for p, n, c in rows])
    bench.clock.move_to(bench.clock.now() + timedelta(days=1))


def test_features_that_go_together_alarm_though_none_changed(bench):
    rng = np.random.default_rng(0)
    observer = make_joint(watched(bench))
    alarms = []
    for _ in range(9):
        serve_a_night(bench, rng, tied=True)
        alarms += observer.alarms(bench.clock.now())
        observer = make_joint(watched(bench, kept=observer.to_bytes()))
    (alarm,) = alarms
    assert alarm.kind == "joint"
    assert alarm.subject == "price and pages"
    assert "correlation" in alarm.message
    assert alarm.evidence >= alarm.threshold
    assert observer.summary()["nights"] >= 3
    assert {figure.name for figure in observer.figures()} == {
        "gleis_joint_evidence",
        "gleis_joint_auc",
    }


def test_quiet_nights_are_quiet_and_a_thin_one_says_why(bench):
    rng = np.random.default_rng(1)
    bench.clock.move_to(bench.clock.now() + timedelta(days=30))
    observer = make_joint(watched(bench))
    for _ in range(4):
        serve_a_night(bench, rng, tied=False)
        assert not observer.alarms(bench.clock.now())
    assert observer.summary()["nights"] == 3
    bench.clock.move_to(bench.clock.now() + timedelta(days=1))
    observer.alarms(bench.clock.now())
    assert "not compared: 0 answers" in observer.summary()["note"]


def test_it_is_not_made_where_rows_are_alike_or_nobody_wants_it(folder):
    for flags in ({"triggers.drift.block": "1d"}, {"monitor.joint": "none"}):
        bench = open_bench(folder, flags)
        assert make_joint(watched(bench)) is None
        bench.home.close()
