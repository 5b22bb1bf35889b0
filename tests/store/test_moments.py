from __future__ import annotations

from datetime import UTC, datetime, timezone

from hypothesis import given
from hypothesis import strategies as st

from gleis.store.moments import from_micros, to_micros

offsets = st.timedeltas().filter(lambda d: abs(d.total_seconds()) < 86_000).map(timezone)
early, late = datetime(1900, 1, 1), datetime(2200, 1, 1)


@given(st.datetimes(early, late, timezones=offsets))
def test_exact_there_and_back(moment):
    back = from_micros(to_micros(moment))
    assert back == moment
    assert back.tzinfo is UTC


@given(
    st.datetimes(early, late, timezones=st.just(UTC)), st.datetimes(early, late, timezones=offsets)
)
def test_order_is_kept(one, other):
    assert (to_micros(one) < to_micros(other)) == (one < other)


def test_a_naive_moment_is_utc():
    assert to_micros(datetime(2013, 7, 4)) == to_micros(datetime(2013, 7, 4, tzinfo=UTC))
