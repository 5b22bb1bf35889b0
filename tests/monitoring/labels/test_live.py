from datetime import timedelta

import msgspec
import numpy as np
import polars as pl
import pytest

from gleis.contracts.contract import Contract
from gleis.contracts.errors import StoreError
from gleis.data.profile import profile
from gleis.evidence.measure import measure
from gleis.monitoring.labels.live import LivePerformance
from gleis.monitoring.labels.maturity import DAY, HOUR, Maturity
from monitoring.matches import START, logged, match

CONTRACT = Contract(task="binary", features=(), target="late", classes=("0", "1"))
SCORES = profile(pl.DataFrame({"score": np.random.default_rng(0).beta(2, 2, 4000)}), ["score"])
MATURITY = Maturity(matures=6 * HOUR, window=3 * DAY)
NOW = START + timedelta(days=2)


def make(state=None):
    return LivePerformance(MATURITY, CONTRACT, SCORES, 3, state)


def stream(seed=0, n=600):
    rng = np.random.default_rng(seed)
    scores = rng.beta(2, 2, n)
    y = (rng.random(n) < scores).astype(int)
    times = [START + timedelta(minutes=i) for i in range(n)]
    known = [
        msgspec.structs.replace(match(f"r{i}", float(s), int(t)), event_time=at)
        for i, (s, t, at) in enumerate(zip(scores, y, times, strict=True))
    ]
    return scores, y, logged(1, {}, scores.tolist()), known


def test_figures_are_the_gates_on_mature_answers():
    scores, y, batch, known = stream()
    live = make()
    assert live.measure(NOW) is None
    live.see([batch], known)
    assert live.measure(START) is None, "none is mature"
    seen = live.measure(NOW, n_replicates=0)
    assert seen.rows == 600
    for name, value in measure(y, scores, "binary").items():
        assert seen.as_labelled[name].value == pytest.approx(value)
    assert live.measure(NOW + timedelta(days=9)) is None


def test_order_and_portions_make_no_difference():
    _, _, batch, known = stream()
    whole, parts = make(), make()
    whole.see([batch], known[:400])
    parts.see([batch], [])
    for i in np.random.default_rng(1).permutation(400):
        parts.see([], [known[i]])
    first, second = whole.measure(NOW, n_replicates=0), parts.measure(NOW, n_replicates=0)
    for name, figure in first.corrected.items():
        assert second.corrected[name].value == pytest.approx(figure.value, abs=1e-12)


def test_others_labels_and_labels_of_answers_not_seen_do_not_count():
    _, _, batch, known = stream()
    live = make()
    others = [msgspec.structs.replace(one, version=2) for one in known[:100]]
    fallback = [msgspec.structs.replace(one, fallback=True) for one in known[100:200]]
    early = [
        msgspec.structs.replace(one, event_time=START - timedelta(days=1)) for one in known[200:300]
    ]
    live.see([batch], [*others, *fallback, *early, match("r", 0.5, "perhaps")])
    assert live.measure(NOW) is None


def test_a_second_label_counts():
    _, y, batch, known = stream()
    live = make()
    live.see([batch], known)
    before = live.measure(NOW, n_replicates=0).as_labelled["log_loss"].value
    again = [msgspec.structs.replace(known[5], value=1 - int(y[5]), relabelled=True)]
    live.see([], again)
    assert live.measure(NOW, n_replicates=0).as_labelled["log_loss"].value != before


def test_state_goes_on_exactly():
    _, _, batch, known = stream()
    live = make()
    live.see([batch], known[:300])
    again = make(live.to_bytes())
    for one in (live, again):
        one.see([], known[300:])
    assert again.to_bytes() == live.to_bytes()
    assert again.measure(NOW) == live.measure(NOW)
    assert len(live.to_bytes()) < 250_000
    with pytest.raises(StoreError, match="damaged"):
        make(b"no")
