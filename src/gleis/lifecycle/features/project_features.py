"""Feature views of a project: which there are, and their newest rows in the online store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec
import polars as pl

from gleis.contracts.clock import utc
from gleis.contracts.contract import Contract
from gleis.contracts.errors import RegistryError
from gleis.contracts.features import KnownRow
from gleis.contracts.ports import OnlineStore
from gleis.data.beside import Tables, tables_open
from gleis.data.features.consistency import Difference, find_differences
from gleis.data.features.entity_keys import entity_key, entity_keys
from gleis.data.features.joining import join_features
from gleis.data.features.point_in_time import newest_known, next_change
from gleis.data.features.registered import find_view, views_of
from gleis.data.features.viewed import Viewed, view_rows
from gleis.lifecycle.features.batch import completed
from gleis.lifecycle.workbench import Workbench
from gleis.serving.batch.sources import Source
from gleis.store.online.rows import decode_row, encode_row
from gleis.store.online.store import open_online
from gleis.training.served import view_code

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gleis.data.features.on_demand import OnDemand
    from gleis.data.features.view import FeatureView


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """What an online store knows of a view beside its rows."""

    version: str
    """Dataset version they were made from: ``weather@v3``."""
    at: datetime
    """Moment at which they were the newest known."""
    next: datetime | None
    """Moment at which a row of that version becomes known next; None: all are."""
    entity: tuple[str, ...]
    features: tuple[str, ...]


class Materialised(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one view."""

    view: str
    version: str
    entities: int
    changed: int
    """Rows that were written."""
    removed: int
    current: bool
    """True if there was nothing to do."""


class ViewState(msgspec.Struct, frozen=True, kw_only=True):
    """One view, and what the online store holds of it."""

    view: str
    source: str
    entity: tuple[str, ...]
    ttl: float | None
    """Seconds."""
    code: str
    latest: str | None
    """Newest version of its dataset."""
    version: str | None
    """The one in the online store; None: nothing was materialised of this code."""
    at: datetime | None
    entities: int
    features: tuple[str, ...]


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What a lookup of an entity finds now."""

    view: str
    entity: str
    at: datetime
    known: datetime
    expired: bool
    features: dict[str, Any]


class ProjectFeatures:
    """Feature views of one project.

    Parameters
    ----------
    bench : Workbench
    """

    def __init__(self, bench: Workbench) -> None:
        self._bench = bench

    def views(self) -> dict[str, FeatureView]:
        """Return the feature views of the project's module and its ``features.py``, by name."""
        return views_of(self._bench.module)

    def join(
        self,
        rows: Any,
        views: Sequence[FeatureView | OnDemand],
        *,
        time: str | None = None,
        entity: Mapping[str, str] | None = None,
    ) -> pl.DataFrame:
        """Join rows with features, as ``gleis.join_features`` does within ``load``."""
        with self._tables():
            return join_features(rows, views, time=time, entity=entity)

    def materialise(self, names: Sequence[str] = (), *, anew: bool = False) -> list[Materialised]:
        """Bring the newest known row of every entity into the online store.

        Only what differs is written; done again, or after a kill, it ends the same. Nothing is
        done for a view whose dataset has no new version and of which no row became known since.

        Parameters
        ----------
        names : sequence of str
            Which views; by default all.
        anew : bool
            Write even if there is nothing new.

        Raises
        ------
        RegistryError
            There is no such view.
        ProjectError, DataError, StoreError
            A view fails, its dataset has no rows, or the store does.
        """
        chosen = [find_view(self.views(), name) for name in names] or [*self.views().values()]
        with self._online() as store, self._tables() as tables:
            return [self._materialise(view, store, tables, anew) for view in chosen]

    def completed(self, source: Source, contract: Contract) -> Source:
        """Return a table on disk with the features that a model's rows may leave out."""
        return completed(source, contract, self._bench)

    def states(self) -> list[ViewState]:
        """Return every view and what the online store holds of it."""
        with self._online() as store:
            return [self._state(view, store) for view in self.views().values()]

    def show(self, name: str, entity: Sequence[str]) -> Known | None:
        """Return what a lookup of an entity finds now; None if nothing."""
        view = find_view(self.views(), name)
        table = self._table(view)
        if len(entity) != len(view.entity):
            raise RegistryError(
                f"{name} is looked up by {', '.join(view.entity)}",
                seen=list(entity),
                remedy=f"Give {len(view.entity)} values.",
            )
        with self._online() as store:
            note, (body,) = (
                self._note(view, store),
                store.look_up(table, [entity_key(entity) or ""]),
            )
        if note is None or body is None:
            return None
        row = decode_row(body)
        at = _moment(row.at)
        return Known(
            view=name,
            entity=", ".join(entity),
            at=at,
            known=_moment(row.known),
            expired=view.ttl is not None and self._bench.clock.now() - at > view.ttl,
            features=dict(zip(note.features, row.values, strict=True)),
        )

    def forget(self, entity: Sequence[str]) -> int:
        """Delete an entity's rows of every view, at whatever state of its code; return how many.

        Its rows in the datasets must go first, or they are brought in again.
        """
        key = entity_key(entity)
        with self._online() as store:
            removed = sum(store.remove(table, [key or ""]) for table in store.tables())
            store.scrub()
            return removed

    def check(self, name: str, instants: int = 20) -> list[Difference]:
        """Replay moments of the past: a join must find what would have been looked up then.

        A view that looks at other rows than its own (a mean over all, a window that reaches into
        what was corrected later) may not: its joined features then say more than was known.

        Parameters
        ----------
        name : str
            Of the view.
        instants : int
            Moments, evenly over those at which something became known.
        """
        view = find_view(self.views(), name)
        with self._tables() as tables:
            rows = tables.scan(view.source).collect()
            return find_differences(view, rows, tables.spec(view.source), instants)

    def due(self) -> datetime | None:
        """Return when a row becomes known next of what is in the online store; None if unknown."""
        with self._online() as store:
            notes = [self._note(view, store) for view in self.views().values()]
        return min((note.next for note in notes if note is not None and note.next), default=None)

    def _materialise(
        self, view: FeatureView, store: OnlineStore, tables: Tables, anew: bool
    ) -> Materialised:
        table, note, now = self._table(view), self._note(view, store), self._bench.clock.now()
        latest = self._bench.dataset(view.source).latest()
        if (
            note is not None
            and latest is not None
            and not anew
            and _current(note, latest.label, now)
        ):
            return Materialised(
                view=view.name,
                version=note.version,
                entities=store.count(table),
                changed=0,
                removed=0,
                current=True,
            )
        viewed = view_rows(view, tables)
        rows = online_rows(viewed, now)
        written = store.replace(table, rows)
        done = Note(
            version=tables.version(view.source).label,
            at=now,
            next=next_change(viewed.rows, now, event=viewed.event, known=viewed.known),
            entity=view.entity,
            features=tuple(viewed.features),
        )
        store.write_note(table, msgspec.msgpack.encode(done))
        return Materialised(
            view=view.name,
            version=done.version,
            entities=len(rows),
            changed=written.changed,
            removed=written.removed,
            current=False,
        )

    def _state(self, view: FeatureView, store: OnlineStore) -> ViewState:
        table, note = self._table(view), self._note(view, store)
        latest = self._bench.dataset(view.source).latest()
        return ViewState(
            view=view.name,
            source=view.source,
            entity=view.entity,
            ttl=view.ttl.total_seconds() if view.ttl is not None else None,
            code=table.rpartition("@")[2],
            latest=latest.label if latest is not None else None,
            version=note.version if note is not None else None,
            at=note.at if note is not None else None,
            entities=store.count(table) if note is not None else 0,
            features=note.features if note is not None else (),
        )

    def _table(self, view: FeatureView) -> str:
        code = view_code(self._bench.folder, view.module, view.name)
        return f"{view.name}@{code[:16]}"

    def _note(self, view: FeatureView, store: OnlineStore) -> Note | None:
        body = store.note(self._table(view))
        return None if body is None else msgspec.msgpack.decode(body, type=Note)

    @contextmanager
    def _online(self) -> Iterator[OnlineStore]:
        settings = self._bench.settings
        store = open_online(self._bench.home, settings.features.online, settings.project.name)
        try:
            yield store
        finally:
            store.close()

    @contextmanager
    def _tables(self) -> Iterator[Tables]:
        with tables_open(self._bench.home, self._bench.settings) as tables:
            yield tables


def online_rows(viewed: Viewed, at: datetime) -> dict[str, bytes]:
    """Return the row of each entity that counts at a moment, as an online store keeps it.

    Examples
    --------
    See ``ProjectFeatures.materialise``.
    """
    newest = newest_known(
        viewed.rows, utc(at), entity=viewed.view.entity, event=viewed.event, known=viewed.known
    )
    keys = entity_keys([newest[name].to_list() for name in viewed.view.entity])
    times = [newest[name].dt.epoch("us").to_list() for name in (viewed.event, viewed.known)]
    values = newest.select(viewed.features).rows()
    return {
        str(key): encode_row(KnownRow(event, known, of_row))
        for key, event, known, of_row in zip(keys, *times, values, strict=True)
    }


def _current(note: Note, latest: str, now: datetime) -> bool:
    return note.version == latest and note.at <= now and (note.next is None or now < note.next)


def _moment(micros: int) -> datetime:
    return datetime.fromtimestamp(micros / 1e6, UTC)
