"""Brings the review queue up to what the log holds."""

from __future__ import annotations

from collections.abc import Sequence

from gleis.contracts.review import Queued
from gleis.data.reviews import KIND
from gleis.store.home import Home
from gleis.store.log.logged import Logged

REVIEW = "review"
"""Flag of an answer that waits for a person."""
_ROWS = 20_000


def catch_up(home: Home) -> int:
    """Read the log on from where the queue stands, and take out what has a label by now.

    Returns
    -------
    int
        How many answers wait.
    """
    queue = home.reviews
    seen = queue.seen()
    while (page := home.log.flagged(REVIEW, seen, _ROWS))[0] > seen:
        seen, batches = page
        queue.take(flagged(batches), seen)
    names = queue.names()
    done = home.log.labelled(names)
    done |= set(home.facts.keys(KIND)) & set(names)
    queue.remove(sorted(done))
    return len(names) - len(done)


def take_new(home: Home, batches: Sequence[Logged]) -> None:
    """Take what a reader of the log has just read; a gap before it is read again."""
    if not batches:
        return
    seen = home.reviews.seen()
    if batches[0].seq > seen + 1:
        catch_up(home)
        seen = home.reviews.seen()
    new = [logged for logged in batches if logged.seq > seen]
    if new:
        home.reviews.take(flagged(new), new[-1].seq)


def flagged(batches: Sequence[Logged]) -> list[Queued]:
    """Return the answers among some that are to be reviewed."""
    found = []
    for logged in batches:
        rows = logged.batch.flags.get(REVIEW)
        if rows:
            ids, scores = logged.ids, logged.batch.outliers
            found += [
                Queued(
                    prediction_id=ids[row],
                    at=logged.batch.at,
                    outlier=None if scores is None else scores[row],
                )
                for row in rows
            ]
    return found
