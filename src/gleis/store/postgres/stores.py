"""The stores of a project that are schemas of a PostgreSQL database."""

from __future__ import annotations

from pathlib import Path

from gleis.store.postgres.facts import PostgresFacts
from gleis.store.postgres.feedback import PostgresFeedback
from gleis.store.postgres.lock import PostgresLock
from gleis.store.postgres.log import PostgresPredictionLog
from gleis.store.postgres.outbox import PostgresOutbox
from gleis.store.postgres.postgres import Postgres
from gleis.store.postgres.reviews import PostgresReviews
from gleis.store.postgres.states import PostgresStates
from gleis.store.postgres.url import sqlalchemy_url


class InPostgres:
    """Opens the stores of one project; they share its connections.

    Parameters
    ----------
    url : str
    schema : str
    folder : Path
        The state folder of this machine, for what is not in the database.
    """

    def __init__(self, url: str, schema: str, folder: Path) -> None:
        self.database = Postgres(url, schema)
        self._folder = folder

    def facts(self) -> PostgresFacts:
        """Open the ledger."""
        return PostgresFacts(self.database)

    def states(self) -> PostgresStates:
        """Open the states."""
        return PostgresStates(self.database)

    def outbox(self) -> PostgresOutbox:
        """Open the outbox."""
        return PostgresOutbox(self.database)

    def reviews(self) -> PostgresReviews:
        """Open the review queue."""
        return PostgresReviews(self.database)

    def log(self) -> PostgresPredictionLog:
        """Open the prediction log."""
        return PostgresPredictionLog(self.database)

    def shadows(self) -> PostgresPredictionLog:
        """Open the log of shadows."""
        return PostgresPredictionLog(self.database, prefix="shadow_")

    def feedback(self) -> PostgresFeedback:
        """Open the feedback."""
        return PostgresFeedback(self.database)

    def lock(self, name: str) -> PostgresLock:
        """Return a lock among the processes of all machines."""
        return PostgresLock(self.database, name)

    def tracking_uri(self) -> str:
        """Return the URL of MLflow's tables: a schema beside the project's, made if need be."""
        schema = f"mlflow_{self.database.schema}"
        self.database.make_schema(schema)
        return sqlalchemy_url(self.database.address.url, schema)

    def close(self) -> None:
        """Close the connections."""
        self.database.close()
