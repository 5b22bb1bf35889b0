from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from gleis.evidence.estimation.record import Check, Record

DAY = datetime(2013, 4, 1, tzinfo=UTC)


def check(held, number=0):
    start = DAY + timedelta(weeks=number)
    truth = 0.5 if held else 0.9
    until = start + timedelta(weeks=1)
    return Check(
        start=start, until=until, rows=500, estimated=0.5, low=0.4, high=0.6, realised=truth
    )


def test_an_estimator_that_keeps_its_claim_is_rarely_disbelieved():
    rng, doubted = np.random.default_rng(0), 0
    for _ in range(300):
        record = Record()
        for held in rng.random(80) >= 0.05:
            record = record.add(check(bool(held)))
        doubted += not record.believed
    assert doubted <= 0.05 * 300 + 3 * np.sqrt(300 * 0.05 * 0.95)


@pytest.mark.parametrize(("share", "within"), [(1.0, 2), (0.5, 12)])
def test_one_that_does_not_is_soon(share, within):
    rng, needed = np.random.default_rng(1), []
    for _ in range(100):
        record = Record()
        while record.believed and record.checked < 200:
            record = record.add(check(bool(rng.random() >= share)))
        needed.append(record.checked)
    assert np.median(needed) <= within


def test_a_record_counts_and_keeps_the_last_ones():
    record = Record()
    for number in range(70):
        record = record.add(check(held=True, number=number))
    assert (record.checked, record.held, len(record.latest)) == (70, 70, 60)
    assert record.latest[-1].start == DAY + timedelta(weeks=69)
    assert record.evidence < 0
    late = record
    while late.believed:
        late = late.add(check(held=False, number=late.checked))
    assert late.refuted == late.latest[-1].until
    assert not late.add(check(held=True)).believed
