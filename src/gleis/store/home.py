"""The layout of a state folder, ``<project>/.gleis``."""

from __future__ import annotations

import secrets
import socket
from collections.abc import Callable
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

from gleis.config.durations import parse_duration
from gleis.contracts.errors import StoreError
from gleis.store.embedded import Embedded
from gleis.store.in_database import InDatabase, place_in_database
from gleis.store.objects.by_url import open_artifacts, open_objects, open_table, resolve_url
from gleis.store.objects.patience import Patience

if TYPE_CHECKING:
    from gleis.config.settings import Settings
    from gleis.contracts.ports import (
        ArtifactStore,
        FactStore,
        Outbox,
        ProjectLock,
        Reviews,
        StateStore,
    )
    from gleis.store.log.feedback_store import FeedbackStore
    from gleis.store.log.log_store import LogStore
    from gleis.store.postgres.stores import InPostgres
    from gleis.store.tables.table import DeltaTable


class _Closable(Protocol):
    def close(self) -> None: ...


Store = TypeVar("Store", bound=_Closable)


class Home:
    """Where everything of one project is kept; stores open when first used.

    Parameters
    ----------
    folder : Path
        The state folder; made when first needed.
    durable : bool
        False leaves syncing to the system: for the state of a replay, which can be made again.
    store : str, optional
        Where datasets, artifacts and packages are, if not in the folder: an absolute path, or
        ``s3://bucket/prefix``.
    database : InDatabase, optional
        Where ledger, states and logs are, if not in files of the folder.
    patience : Patience, optional
        How long a store that does not answer is asked again.

    Examples
    --------
    >>> import tempfile
    >>> home = Home(Path(tempfile.mkdtemp()) / ".gleis")
    >>> home.exists()
    False
    >>> home.states.put("cursor", b"7")
    >>> home.exists()
    True
    >>> home.close()
    """

    def __init__(
        self,
        folder: Path,
        *,
        durable: bool = True,
        store: str | None = None,
        database: InDatabase | None = None,
        patience: Patience | None = None,
    ) -> None:
        self.folder = folder.absolute()
        self.store = store
        self.database = database
        self.patience = patience or Patience()
        self.packages = self.folder / "packages"
        """Folder of the packages; with a store, of copies of those that are used here."""
        self.keys = self.folder / "keys"
        """Folder of the keys."""
        self.reports = self.folder / "reports"
        """Folder of the reports."""
        self.tracking_artifacts = self.folder / "mlflow"
        """Folder of MLflow's artifacts."""
        self._durable = durable
        self._claimed = False
        self._open: list[Callable[[], None]] = []

    def exists(self) -> bool:
        """Say whether the folder is there."""
        return self.folder.is_dir()

    def create(self) -> None:
        """Make the folder if need be, and see that it can be written.

        Raises
        ------
        StoreError
            It cannot be made or written: read-only, or something else is in its place.
        """
        probe = self.folder / f".probe-{secrets.token_hex(4)}"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            probe.write_bytes(b"")
            probe.unlink()
            ignore = self.folder / ".gitignore"
            if not ignore.exists():
                ignore.write_text("*\n")
        except OSError as error:
            raise StoreError(
                f"The state folder cannot be written: {error.strerror or error}",
                seen=str(self.folder),
                remedy="Make it writable, or set another folder: state in gleis.toml, or "
                "GLEIS_STATE.",
                field="state",
            ) from error

    @cached_property
    def artifacts(self) -> ArtifactStore:
        """Bytes by the hash of their content."""
        return open_artifacts(self.folder, self.store, self.patience, self.claim)

    def table(self, name: str) -> DeltaTable:
        """Return the table of a dataset."""
        return open_table(self.folder, self.store, name, self.patience, self.claim)

    def claim(self, *, again: bool = False) -> None:
        """See that the store is this ledger's, before this process writes to it.

        Parameters
        ----------
        again : bool
            Look even if it was looked before: something will be deleted.

        Raises
        ------
        BlockedError
            It is another ledger's.
        StoreError
            It fails.
        """
        if self.store is None or (self._claimed and not again):
            return
        from gleis.store.objects.owner import claim, owner_of

        owner = owner_of(self.facts, self.folder, self.database)
        claim(open_objects(self.store, self.patience), owner)
        self._claimed = True

    @cached_property
    def facts(self) -> FactStore:
        """The append-only ledger."""
        return self._keep(self._stores.facts())

    @cached_property
    def states(self) -> StateStore:
        """States of monitors, and cursors."""
        return self._keep(self._stores.states())

    @cached_property
    def outbox(self) -> Outbox:
        """Who has still to be told of what."""
        return self._keep(self._stores.outbox())

    def renew_outbox(self, at: datetime) -> Path:
        """Set a damaged outbox aside and begin an empty one; return where the old one is now."""
        if "outbox" in self.__dict__:
            outbox = self.__dict__.pop("outbox")
            self._open.remove(outbox.close)
            outbox.close()
        aside = self.folder / f"outbox-damaged-{at:%Y%m%dT%H%M%S}.db"
        for ending in ("", "-wal", "-shm"):
            file = self.folder / f"outbox.db{ending}"
            if file.exists():
                file.replace(f"{aside}{ending}")
        return aside

    @cached_property
    def log(self) -> LogStore:
        """The prediction log."""
        return self._keep(self._stores.log())

    @cached_property
    def feedback(self) -> FeedbackStore:
        """What people said of answers, beside the log."""
        return self._keep(self._stores.feedback())

    @cached_property
    def shadows(self) -> LogStore:
        """What shadows answered, apart from the log: nobody saw it, and nothing else counts it.

        The entity of a row is the id of the prediction that was given to its client.
        """
        return self._keep(self._stores.shadows())

    @cached_property
    def reviews(self) -> Reviews:
        """Answers that wait for a person: derived from the log."""
        return self._keep(self._stores.reviews())

    def lock(self, name: str) -> ProjectLock:
        """Return a lock of the project: whoever holds it is the only one, on all its machines."""
        return self._stores.lock(name)

    @cached_property
    def _stores(self) -> Embedded | InPostgres:
        self.create()
        if self.database is None:
            return Embedded(self.folder, durable=self._durable)
        from gleis.store.postgres.stores import InPostgres

        stores = InPostgres(self.database.url, self.database.schema, self.folder)
        self._open.append(stores.close)
        return stores

    def _keep(self, store: Store) -> Store:
        self._open.append(store.close)
        return store

    @property
    def rates(self) -> Path:
        """File in which this machine's serving processes count the requests of callers."""
        return self.folder / f"rates-{socket.gethostname()}.bin"

    @property
    def tracking_uri(self) -> str:
        """URL of MLflow's database."""
        if self.database is None:
            return f"sqlite:///{self.folder / 'mlflow.db'}"
        return self._stores.tracking_uri()

    def close(self) -> None:
        """Close what was opened; using a store afterwards raises StoreError."""
        while self._open:
            self._open.pop()()


def open_home(folder: Path, settings: Settings) -> Home:
    """Return the home of the project in ``folder``, wherever its settings say that things are.

    Raises
    ------
    ConfigError
        If ``store`` or ``database`` names no place that is known.
    """
    patience = parse_duration(settings.store_patience, "store_patience").total_seconds()
    return Home(
        folder / settings.state,
        store=resolve_url(settings.store, folder, "store") if settings.store else None,
        database=place_in_database(settings),
        patience=Patience(seconds=patience),
    )


def forget_predictions(folder: Path) -> None:
    """Remove the prediction logs of a closed state folder: of a replay, which can be made again."""
    for name in ("predictions.db", "shadows.db"):
        for path in folder.glob(f"{name}*"):
            path.unlink()
