import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gleis.monitoring.multiplicity import combine, find_also, find_sure

EVIDENCE = st.dictionaries(st.text(min_size=1), st.floats(-5, 10), min_size=1, max_size=8)


@given(EVIDENCE, st.floats(0.001, 0.5))
def test_one_rule_said_three_ways(evidence, alpha):
    sure, also = find_sure(evidence, alpha), find_also(evidence, alpha)
    if abs(combine(evidence) + math.log10(alpha)) > 1e-9:
        assert bool(sure) == (combine(evidence) >= -math.log10(alpha))
    assert also[: len(sure)] == sure
    assert len(also) >= len(sure)
    mean = math.log10(sum(10**e for e in evidence.values()) / len(evidence))
    assert combine(evidence) <= mean + 1e-9


def test_e_bh_by_hand():
    """Five columns at 0.1: needed are 50, 25, 16.7, 12.5 and 10."""
    values = {"a": 60, "b": 20, "c": 17, "d": 9, "e": 1}
    evidence = {name: math.log10(value) for name, value in values.items()}
    assert find_also(evidence, 0.1) == ("a", "b", "c")
    assert find_sure(evidence, 0.1) == ("a",)
    assert combine(evidence) == pytest.approx(math.log10(60 / 5))


def test_nothing_found():
    assert find_also({"a": 0.0}, 0.05) == ()
    assert find_sure({"a": 1.0}, 0.05) == ()
