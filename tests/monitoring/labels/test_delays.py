import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gleis.monitoring.labels.delays import Delays


@given(st.lists(st.floats(1.01, 1e8), min_size=1, max_size=200), st.floats(0.0, 1.0))
def test_quantiles_are_known_to_two_percent(values, q):
    delays = Delays()
    delays.see(np.array(values))
    exact = float(np.quantile(values, q, method="lower"))
    assert delays.quantile(q) == pytest.approx(exact, rel=0.0201)


def test_sketches_merge_and_stay_small():
    rng = np.random.default_rng(0)
    values = rng.lognormal(9, 3, 40_000)
    first, second, whole = Delays(), Delays(), Delays()
    first.see(values[:1000])
    second.see(values[1000:])
    whole.see(values)
    assert first.merge(second) == whole
    assert len(whole.counts) <= 521
    assert math.isnan(Delays().quantile(0.5))
    whole.see(np.array([-5.0, 0.0]))
    assert whole.quantile(0.0) == 0.0
