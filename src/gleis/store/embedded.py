"""The stores of a project that is on its own: SQLite files in its state folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from gleis.store.facts import SqliteFacts
from gleis.store.lock import Lock
from gleis.store.outbox import SqliteOutbox
from gleis.store.states import SqliteStates

if TYPE_CHECKING:
    from gleis.store.log.feedback import SqliteFeedback
    from gleis.store.log.sqlite_log import SqlitePredictionLog
    from gleis.store.review_queue import ReviewQueue


class Embedded:
    """Opens the stores that are files of a folder.

    Parameters
    ----------
    folder : Path
        The state folder, which must exist.
    durable : bool
        False leaves syncing to the system, see `Database`.
    """

    def __init__(self, folder: Path, *, durable: bool = True) -> None:
        self._folder = folder
        self._durable = durable

    def facts(self) -> SqliteFacts:
        """Open the ledger."""
        return SqliteFacts(self._folder / "gleis.db", durable=self._durable)

    def states(self) -> SqliteStates:
        """Open the states."""
        return SqliteStates(self._folder / "states.db", durable=self._durable)

    def outbox(self) -> SqliteOutbox:
        """Open the outbox."""
        return SqliteOutbox(self._folder / "outbox.db", durable=self._durable)

    def reviews(self) -> ReviewQueue:
        """Open the review queue."""
        from gleis.store.review_queue import ReviewQueue

        return ReviewQueue(self._folder / "reviews.db", durable=self._durable)

    def log(self) -> SqlitePredictionLog:
        """Open the prediction log."""
        from gleis.store.log.sqlite_log import SqlitePredictionLog

        return SqlitePredictionLog(self._folder / "predictions.db", durable=self._durable)

    def shadows(self) -> SqlitePredictionLog:
        """Open the log of shadows."""
        from gleis.store.log.sqlite_log import SqlitePredictionLog

        return SqlitePredictionLog(self._folder / "shadows.db", durable=self._durable)

    def feedback(self) -> SqliteFeedback:
        """Open the feedback, in the log's file."""
        from gleis.store.log.feedback import SqliteFeedback

        return SqliteFeedback(self._folder / "predictions.db", durable=self._durable)

    def lock(self, name: str) -> Lock:
        """Return a lock among the processes of this machine."""
        return Lock(self._folder / name)

    def tracking_uri(self) -> str:
        """Return the URL of MLflow's database."""
        return f"sqlite:///{self._folder / 'mlflow.db'}"

    def close(self) -> None:
        """Close nothing: each store has a file of its own."""
