"""Answers and truths as the prediction log gives them back."""

from datetime import UTC, datetime, timedelta

from gleis.contracts.prediction import Batch
from gleis.store.log.logged import Logged, Matched

START = datetime(2013, 4, 1, tzinfo=UTC)


def logged(seq, features, scores, *, version=3, fallback=False, flags=None, at=START):
    n = len(scores)
    batch = Batch(
        at=at,
        version=version,
        digest="d",
        fallback=fallback,
        rows=n,
        features=features,
        scores=list(scores),
        entities=[None] * n,
        times=[at + timedelta(minutes=i) for i in range(n)],
        flags=flags or {},
    )
    return Logged(seq, "t", 0, batch)


def match(name, score, value, *, version=3, fallback=False, again=False, at=START):
    return Matched(
        cursor=0,
        prediction_id=name,
        predicted_at=at,
        event_time=None,
        version=version,
        score=score,
        value=value,
        label_at=at,
        fallback=fallback,
        relabelled=again,
    )


def gone_on(monitor, state):
    """Return a fresh monitor that goes on from a state."""
    monitor.restore(state)
    return monitor
