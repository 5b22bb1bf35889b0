from __future__ import annotations

from datetime import UTC, datetime

import pytest

from gleis.store.review_queue import Queued, ReviewQueue

AT = datetime(2013, 7, 4, 12, tzinfo=UTC)


@pytest.fixture
def queue(tmp_path):
    queue = ReviewQueue(tmp_path / "reviews.db")
    yield queue
    queue.close()


def queued(seq, position=0, outlier=9.5):
    return Queued(prediction_id=f"{seq}-{position}-5ca1ab1e", at=AT, outlier=outlier)


def test_the_oldest_come_first_and_as_they_were(queue):
    found = [queued(12), queued(2, 10), queued(2, 9, None), queued(100)]
    queue.take(found, 100)
    assert queue.first(3) == [found[2], found[1], found[0]]
    assert queue.names() == [one.prediction_id for one in (found[2], found[1], found[0], found[3])]
    assert (queue.count(), queue.seen()) == (4, 100)


def test_what_is_done_does_not_come_back_with_a_slower_reader(queue):
    queue.take([queued(3), queued(4)], 4)
    queue.remove([queued(3).prediction_id, "nobody"])
    queue.take([queued(3)], 4)
    queue.take([queued(3)], 2)
    assert queue.names() == [queued(4).prediction_id]
    assert queue.seen() == 4
    assert not queue.holds(queued(3).prediction_id)
    assert queue.holds(queued(4).prediction_id)


def test_another_process_sees_the_same(queue, tmp_path):
    queue.take([queued(1)], 1)
    other = ReviewQueue(tmp_path / "reviews.db")
    assert other.first(5) == [queued(1)]
    other.remove([queued(1).prediction_id])
    assert queue.count() == 0
    other.close()
