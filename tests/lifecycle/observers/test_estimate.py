"""The estimate of a live model: fed from the log, kept between processes, checked by labels."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from benches import START, with_champion
from gleis.contracts.prediction import Label
from gleis.lifecycle.asking import predict
from gleis.lifecycle.watching import Watching
from small_projects import make_shifting


@pytest.fixture
def bench(tmp_path):
    bench = with_champion(make_shifting(tmp_path / "p"))
    yield bench
    bench.home.close()


def rows(rng, n, price=10.0):
    prices = rng.normal(price, 3, n).clip(1)
    return [{"price": float(p), "pages": int(rng.integers(1, 9)), "channel": "web"} for p in prices]


def day(bench, watching, number, asked, truth=None):
    """Answer rows in one day, label them if wanted, and look the next midnight."""
    bench.clock.move_to(START + timedelta(days=number, hours=12))
    answers = predict(bench, asked)
    ids = [one["prediction_id"] for one in answers]
    bench.clock.move_to(START + timedelta(days=number + 1, hours=1))
    if truth is not None:
        labels = [
            Label(prediction_id=name, value=value, at=bench.clock.now())
            for name, value in zip(ids, truth, strict=True)
        ]
        bench.home.log.label(labels, bench.clock.now())
    return watching.observe(bench.clock.now())


def test_estimates_go_on_in_the_next_process(bench):
    rng, watching = np.random.default_rng(0), Watching(bench)
    for number in range(3):
        day(bench, watching, number, rows(rng, 60))
    first = watching.summary()["estimate"]
    assert first["rows"] == 180
    figure = first["figures"]["log_loss"]
    assert figure["low"] < figure["estimated"] < figure["high"]
    assert figure["realised"] is None
    watching.keep()
    assert Watching(bench).summary()["estimate"] == first
