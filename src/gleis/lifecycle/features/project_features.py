"""Feature views of a project: which there are, and their newest rows in the online store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec
import polars as pl

from gleis.contracts.contract import Contract
from gleis.contracts.deployment import Version
from gleis.contracts.errors import GleisError, RegistryError, StoreError
from gleis.contracts.ports import OnlineStore
from gleis.data.beside import Tables, tables_open
from gleis.data.features.consistency import Difference, find_differences
from gleis.data.features.entity_keys import entity_key
from gleis.data.features.joining import join_features
from gleis.data.features.registered import find_view, views_of
from gleis.lifecycle.features.batch import completed
from gleis.lifecycle.features.generations import Generation, Generations
from gleis.lifecycle.features.materialising import KEPT, Materialised, Materialising, uncalled
from gleis.lifecycle.features.notes import Note, find_note, notes_of
from gleis.lifecycle.workbench import Workbench
from gleis.serving.batch.sources import Source
from gleis.store.online.rows import decode_row
from gleis.store.online.store import open_online
from gleis.training.served import view_code

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gleis.data.features.on_demand import OnDemand
    from gleis.data.features.view import FeatureView


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
    models: tuple[int, ...] = ()
    """Versions that look up these rows."""
    own: bool = True
    """Whether it is the project's view as it is; False: as it was when models were trained."""
    until: datetime | None = None
    """When the rows will be deleted, as nothing needs them; None: something does."""


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
        self._generations = Generations(bench)

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

    def materialise(
        self, names: Sequence[str] = (), *, anew: bool = False, also: Sequence[Version] = ()
    ) -> list[Materialised]:
        """Bring the newest known row of every entity into the online store.

        Of the project's views, and of those that its live models were trained with, as they were
        then. Only what differs is written; done again, or after a kill, it ends the same. Nothing
        is done for a view whose dataset has no new version and of which no row became known since.
        Rows that no model and no view has needed for a day are deleted.

        Parameters
        ----------
        names : sequence of str
            Which views; by default all.
        anew : bool
            Write even if there is nothing new.
        also : sequence of Version
            Models that are not live, but will be.

        Raises
        ------
        RegistryError
            There is no such view.
        ProjectError, DataError, StoreError
            A view fails, its dataset has no rows, or the store does. What a model needs besides is
            told if it fails, and stops nothing.
        """
        views = self.views()
        chosen = {name: find_view(views, name) for name in names} or views
        needed = self._generations.needed(also)
        with self._online() as store, self._tables() as tables:
            doing = Materialising(self._bench, store, tables, self._generations)
            present = dict(doing.present(view, anew=anew) for view in chosen.values())
            done = [*present.values()]
            for table, generation in needed.items():
                view = generation.use.view
                if table not in present and (view in chosen or view not in views):
                    done += self._former(doing, generation, views, anew=anew)
            if self._generations.complete:
                others = [view for name, view in views.items() if name not in chosen]
                found = [find_note(store, uncalled(self._bench, view)) for view in others]
                wanted = {*present, *needed, *(pair[0] for pair in found if pair is not None)}
                for table in doing.sweep(wanted):
                    self._bench.tell("features", f"{table}: deleted, nothing needs it")
        return done

    def _former(
        self,
        doing: Materialising,
        generation: Generation,
        views: Mapping[str, FeatureView],
        *,
        anew: bool,
    ) -> list[Materialised]:
        own = views.get(generation.use.view)
        try:
            return [doing.former(generation, own, anew=anew)]
        except StoreError:
            raise
        except GleisError as error:
            models = ", ".join(map(str, generation.versions))
            self._bench.tell("features", f"not kept current for version {models}: {error}")
            return []

    def completed(self, source: Source, contract: Contract) -> Source:
        """Return a table on disk with the features that a model's rows may leave out."""
        return completed(source, contract, self._bench)

    def states(self) -> list[ViewState]:
        """Return every view and what the online store holds of it, and of what models know."""
        needed = self._generations.needed()
        with self._online() as store:
            states, seen = [], set[str]()
            for view in self.views().values():
                found = find_note(store, uncalled(self._bench, view))
                states.append(self._state(view, found, needed, store))
                seen |= {found[0]} if found is not None else set()
            for table, note in notes_of(store):
                if table not in seen:
                    states.append(self._former_state(table, note, needed.get(table), store))
            return states

    def show(self, name: str, entity: Sequence[str]) -> Known | None:
        """Return what a lookup of an entity finds now; None if nothing."""
        view = find_view(self.views(), name)
        if len(entity) != len(view.entity):
            raise RegistryError(
                f"{name} is looked up by {', '.join(view.entity)}",
                seen=list(entity),
                remedy=f"Give {len(view.entity)} values.",
            )
        with self._online() as store:
            found = find_note(store, uncalled(self._bench, view))
            if found is None:
                return None
            table, note = found
            (body,) = store.look_up(table, [entity_key(entity) or ""])
        if body is None:
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

    def tables(self) -> set[str]:
        """Return the names of what the online store holds: one query."""
        with self._online() as store:
            return {*store.tables()}

    def due(self) -> datetime | None:
        """Return when there is something to do next about the online store; None if unknown."""
        with self._online() as store:
            notes = [note for _, note in notes_of(store)]
        becomes_known = [note.next for note in notes if note.next and note.left is None]
        deleted = [note.left + KEPT for note in notes if note.left is not None]
        return min((*becomes_known, *deleted), default=None)

    def _state(
        self,
        view: FeatureView,
        found: tuple[str, Note] | None,
        needed: Mapping[str, Generation],
        store: OnlineStore,
    ) -> ViewState:
        table, note = found if found is not None else ("", None)
        latest = self._bench.dataset(view.source).latest()
        return ViewState(
            view=view.name,
            source=view.source,
            entity=view.entity,
            ttl=view.ttl.total_seconds() if view.ttl is not None else None,
            code=view_code(self._bench.folder, view.module, view.name)[:16],
            latest=latest.label if latest is not None else None,
            version=note.version if note is not None else None,
            at=note.at if note is not None else None,
            entities=store.count(table) if note is not None else 0,
            features=note.features if note is not None else (),
            models=needed[table].versions if table in needed else (),
        )

    def _former_state(
        self, table: str, note: Note, generation: Generation | None, store: OnlineStore
    ) -> ViewState:
        source = note.version.rpartition("@")[0]
        known = source in {*self._bench.settings.datasets, self._bench.settings.project.name}
        latest = self._bench.dataset(source).latest() if known else None
        return ViewState(
            view=table.rpartition("@")[0],
            source=source,
            entity=note.entity,
            ttl=generation.use.ttl if generation is not None else None,
            code=note.code[:16],
            latest=latest.label if latest is not None else None,
            version=note.version,
            at=note.at,
            entities=store.count(table),
            features=note.features,
            models=generation.versions if generation is not None else (),
            own=False,
            until=None if note.left is None else note.left + KEPT,
        )

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


def _moment(micros: int) -> datetime:
    return datetime.fromtimestamp(micros / 1e6, UTC)
