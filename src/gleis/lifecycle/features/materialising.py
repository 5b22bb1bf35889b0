"""The newest known row of every entity brought into an online store, for the project and models."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from gleis.config.datasets import dataset_spec
from gleis.contracts.clock import utc
from gleis.contracts.errors import DataError
from gleis.contracts.features import KnownRow, ViewUse
from gleis.contracts.ports import OnlineStore
from gleis.data.beside import Tables
from gleis.data.features.entity_keys import entity_keys
from gleis.data.features.joining import view_use
from gleis.data.features.point_in_time import newest_known, next_change
from gleis.data.features.view import FeatureView
from gleis.data.features.viewed import Viewed, view_rows
from gleis.lifecycle.features.generations import Generation, Generations
from gleis.lifecycle.features.notes import Note, find_note, notes_of, read_note, write_note
from gleis.lifecycle.workbench import Workbench
from gleis.store.online.rows import encode_row
from gleis.training.served import view_code

KEPT = timedelta(days=1)
"""For so long rows stay that nothing needs: a promotion may be under way elsewhere."""


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
    models: tuple[int, ...] = ()
    """Versions for which the view is kept as it was; none: it is the project's own, as it is."""


class Materialising:
    """Brings views into an open store.

    Parameters
    ----------
    bench : Workbench
    store : OnlineStore
    tables : Tables
    generations : Generations
    """

    def __init__(
        self, bench: Workbench, store: OnlineStore, tables: Tables, generations: Generations
    ) -> None:
        self._bench = bench
        self._store = store
        self._tables = tables
        self._generations = generations
        self._now = bench.clock.now()

    def present(self, view: FeatureView, *, anew: bool) -> tuple[str, Materialised]:
        """Bring a view of the project up to now; return the table's name and what was done."""
        use = uncalled(self._bench, view)
        found = find_note(self._store, use)
        if found is not None and not anew and self._is_current(found[1], view.source):
            return found[0], self._nothing(view.name, *found)
        viewed = view_rows(view, self._tables)
        use = named_by(use, viewed)
        return use.stored, self._write(use, viewed, own=True)

    def former(
        self, generation: Generation, own: FeatureView | None, *, anew: bool
    ) -> Materialised:
        """Bring a view up to now as models were trained with it.

        Parameters
        ----------
        generation : Generation
        own : FeatureView, optional
            The project's view of this name: if its code is the same, it is called.
        anew : bool
            Look at every row again.

        Raises
        ------
        ProjectError, DataError
            The view does not run any more, or its columns are others than they were.
        """
        use, models = generation
        note = read_note(self._store, use.stored)
        if note is not None and not anew and self._is_current(note, use.source):
            done = self._nothing(use.view, use.stored, note)
            return msgspec.structs.replace(done, models=models)
        view = own if own is not None and self._code(own) == use.code else None
        view = view or self._generations.view(use)
        if use.event:
            view = dated(view, use)
        viewed = view_rows(view, self._tables)
        check_columns(use, viewed)
        return msgspec.structs.replace(self._write(use, viewed, own=False), models=models)

    def sweep(self, wanted: set[str]) -> list[str]:
        """Delete the tables that have not been wanted for a day; return their names."""
        gone = []
        for table, note in notes_of(self._store):
            if table in wanted:
                if note.left is not None:
                    write_note(self._store, table, msgspec.structs.replace(note, left=None))
            elif note.left is None:
                write_note(self._store, table, msgspec.structs.replace(note, left=self._now))
            elif self._now - note.left >= KEPT:
                self._store.drop(table)
                gone.append(table)
        return gone

    def _write(self, use: ViewUse, viewed: Viewed, *, own: bool) -> Materialised:
        rows = online_rows(viewed, self._now, use.features)
        written = self._store.replace(use.stored, rows)
        note = Note(
            version=self._tables.version(use.source).label,
            at=self._now,
            next=next_change(viewed.rows, self._now, event=viewed.event, known=viewed.known),
            entity=viewed.view.entity,
            features=use.features,
            code=use.code,
            event=use.event,
            known=use.known,
            own=own,
        )
        write_note(self._store, use.stored, note)
        return Materialised(
            view=use.view,
            version=note.version,
            entities=len(rows),
            changed=written.changed,
            removed=written.removed,
            current=False,
        )

    def _nothing(self, view: str, table: str, note: Note) -> Materialised:
        return Materialised(
            view=view,
            version=note.version,
            entities=self._store.count(table),
            changed=0,
            removed=0,
            current=True,
        )

    def _is_current(self, note: Note, source: str) -> bool:
        latest = self._bench.dataset(source).latest()
        if latest is None or note.version != latest.label:
            return False
        return note.at <= self._now and (note.next is None or self._now < note.next)

    def _code(self, view: FeatureView) -> str:
        return view_code(self._bench.folder, view.module, view.name)


def uncalled(bench: Workbench, view: FeatureView) -> ViewUse:
    """Return what is known of a view of the project before it is called: not its features.

    The event time is empty where neither the view nor its dataset names one.
    """
    spec = dataset_spec(bench.settings, view.source)
    event = view.time or spec.time or ""
    return ViewUse(
        view=view.name,
        source=view.source,
        entity=tuple((name, name) for name in view.entity),
        features=(),
        time="",
        module=view.module,
        code=view_code(bench.folder, view.module, view.name),
        event=event,
        known=view.known or spec.known or event,
    )


def named_by(use: ViewUse, viewed: Viewed) -> ViewUse:
    """Return a use with the features that the view's rows turned out to have."""
    made = view_use(viewed, use.time, dict(use.entity))
    return msgspec.structs.replace(made, code=use.code)


def dated(view: FeatureView, use: ViewUse) -> FeatureView:
    """Return a view whose times are those a model was trained by, whatever the settings say now."""
    return FeatureView(
        view.function,
        source=view.source,
        entity=view.entity,
        time=use.event,
        known=use.known,
        ttl=view.ttl,
    )


def check_columns(use: ViewUse, viewed: Viewed) -> None:
    """See that a view makes what it made when a model was trained with it.

    Raises
    ------
    DataError
        It does not: its dataset has other columns, or columns of other types.
    """
    kinds = dict(zip(viewed.features, viewed.kinds, strict=True))
    known = dict(zip(use.features, use.kinds, strict=False))
    for name in use.features:
        if name not in kinds or kinds[name] != known.get(name, kinds[name]):
            raise DataError(
                f"{use.view} makes {name} otherwise than when a model was trained with it",
                seen=kinds.get(name, "not at all"),
                remedy=f"Bring {use.source} back as it was, or train anew: gleis run.",
                field=name,
            )


def online_rows(
    viewed: Viewed, at: datetime, features: Sequence[str] | None = None
) -> dict[str, bytes]:
    """Return the row of each entity that counts at a moment, as an online store keeps it.

    Parameters
    ----------
    viewed : Viewed
    at : datetime
    features : sequence of str, optional
        Which, in this order; by default all of the view's.
    """
    newest = newest_known(
        viewed.rows, utc(at), entity=viewed.view.entity, event=viewed.event, known=viewed.known
    )
    keys = entity_keys([newest[name].to_list() for name in viewed.view.entity])
    times = [newest[name].dt.epoch("us").to_list() for name in (viewed.event, viewed.known)]
    values = newest.select(viewed.features if features is None else features).rows()
    return {
        str(key): encode_row(KnownRow(event, known, of_row))
        for key, event, known, of_row in zip(keys, *times, values, strict=True)
    }
