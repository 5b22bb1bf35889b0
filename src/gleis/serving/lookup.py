"""Rows of a request completed: features looked up by entity, and computed from what is there."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from time import monotonic
from typing import Any, NamedTuple

import msgspec

from gleis.contracts.clock import Clock
from gleis.contracts.contract import Contract
from gleis.contracts.errors import GleisError, InvalidRowError, ProjectError
from gleis.contracts.features import Computed, KnownRow, ServedFeatures, ViewUse
from gleis.contracts.ports import OnlineStore
from gleis.data.features.compute import MOMENT, as_column, as_values, compute
from gleis.data.features.entity_keys import entity_key
from gleis.data.features.formula import make_formula
from gleis.serving.carried import read_moment
from gleis.serving.fields import place
from gleis.store.online.rows import decode_rows

_log = logging.getLogger(__name__)
LACKING = "features: missing"
"""Flag of rows that the model cannot answer, because features could not be looked up."""
_PAUSE = 1.0
"""Seconds for which a store that failed is not asked again."""
_EXPECTED = {
    "number": "a number",
    "integer": "a number",
    "boolean": "true or false",
    "category": "a text",
    MOMENT: "a time",
}

_ABSENT = object()

Row = Mapping[str, Any]
Flags = dict[str, list[int]]


class Completed(NamedTuple):
    """Rows that hold every feature."""

    rows: list[dict[str, Any]]
    flags: Flags
    """``"weather_now: too old"`` -> positions."""


class Lookups:
    """Completes the rows of one model's requests.

    What a row holds stays as it is, null included; only what it leaves out is looked up or
    computed. A feature that cannot be is null, and its row is flagged: never a silent zero.

    Parameters
    ----------
    contract : Contract
        Says what is served.
    store : OnlineStore
    clock : Clock
        Dates rows without a time of their own.
    always : bool
        Let the baseline answer every row whose features could not be looked up; by default only
        where training saw no missing value of such a feature.
    """

    def __init__(
        self, contract: Contract, store: OnlineStore, clock: Clock, *, always: bool = False
    ) -> None:
        served = contract.served or ServedFeatures()
        inputs = {name for use in served.computed for name, _ in use.inputs}
        wanted = {*contract.names, *inputs}
        names = {*contract.names, contract.id, contract.time}
        self.near = store.near
        """True if completing waits for no network."""
        self.contract = relaxed(contract)
        """The contract that completed rows must keep: what is served may be missing."""
        self._views = [_View(use, wanted, store, clock) for use in served.views]
        self._computed = [_Computation(use, wanted) for use in served.computed]
        self._extra = {*served.fields, *served.times, *served.features} - names
        self._strict = {
            column.name
            for column in contract.features
            if column.name in served.features and not column.nullable
        }
        self._always = always

    def complete(self, rows: Sequence[Row]) -> Completed:
        """Return rows with every feature.

        Raises
        ------
        InvalidRowError
            A field that features are looked up by, or computed from, is missing or of another
            type, or a feature is null without leave.
        """
        flags: Flags = {}
        for position, row in enumerate(rows):
            if type(row) is not dict or None in row.values():
                self._check(row, place(position, len(rows)))
        full = [dict(row) for row in rows]
        for view in self._views:
            view.fill(full, flags)
        unfound = {position for positions in flags.values() for position in positions}
        for computation in self._computed:
            computation.fill(full, flags)
        lacking = unfound if self._always else set[int]()
        for at, row in enumerate(full):
            if None in row.values() and any(row[name] is None for name in self._strict):
                lacking.add(at)
        if lacking:
            flags[LACKING] = sorted(lacking)
        for name in self._extra:
            for row in full:
                row.pop(name, None)
        return Completed(full, flags)

    def _check(self, row: Row, where: str) -> None:
        """Refuse what is no row, and a null where training saw none."""
        if not isinstance(row, Mapping):
            raise InvalidRowError(
                f"{where}a row is an object of feature names and values",
                seen=row,
                remedy="Send an object.",
            )
        for name in sorted(self._strict & row.keys()):
            if row[name] is None:
                raise InvalidRowError(
                    f"{where}{name} must not be null",
                    remedy="Leave it out: then it is looked up.",
                    field=name,
                )


class _View:
    """One view: asked for rows that lack a feature of it."""

    def __init__(self, use: ViewUse, wanted: set[str], store: OnlineStore, clock: Clock) -> None:
        self._use = use
        self._table = use.stored
        self._fields = tuple(field for _, field in use.entity)
        self._places = [at for at, name in enumerate(use.features) if name in wanted]
        self._names = [use.features[at] for at in self._places]
        self._unknown = dict.fromkeys(self._names)
        self._whole = len(self._names) == len(use.features)
        self._ttl = None if use.ttl is None else round(use.ttl * 1e6)
        self._store = store
        self._clock = clock
        self._failed_at: float | None = None

    def fill(self, rows: list[dict[str, Any]], flags: Flags) -> None:
        wanted = self._unknown.keys()
        asked = [at for at, row in enumerate(rows) if not row.keys() >= wanted]
        if not asked:
            return
        keys = [self._key(rows[at], at, len(rows)) for at in asked]
        now = _micros(self._clock.now())
        for at, key, known in zip(asked, keys, self._find(keys), strict=True):
            row = rows[at]
            why = self._why_not(row, key, known, now, at, len(rows))
            if why is None and known is not None:
                rows[at] = {**self._features(known), **row}
            else:
                flags.setdefault(f"{self._use.view}: {why}", []).append(at)
                rows[at] = {**self._unknown, **row}

    def _features(self, known: KnownRow) -> dict[str, Any]:
        if self._whole:
            return dict(zip(self._names, known.values, strict=True))
        return {name: known.values[at] for name, at in zip(self._names, self._places, strict=True)}

    def _key(self, row: Row, at: int, total: int) -> str | None:
        values = [row.get(field, _ABSENT) for field in self._fields]
        if len(values) == 1 and type(values[0]) is str:
            return values[0]
        for field, value in zip(self._fields, values, strict=True):
            if value is _ABSENT:
                raise InvalidRowError(
                    f"{place(at, total)}{field} is missing",
                    remedy=f"Send it: {self._use.view} is looked up by it. Or send "
                    f"{', '.join(self._names)}.",
                    field=field,
                )
        try:
            return entity_key(values)
        except TypeError:
            bad = next(f for f in self._fields if not isinstance(row[f], str | int | None))
            raise InvalidRowError(
                f"{place(at, total)}{bad} names no entity",
                seen=row[bad],
                remedy="Send a text or a whole number.",
                field=bad,
            ) from None

    def _find(self, keys: Sequence[str | None]) -> Sequence[KnownRow | None] | Sequence[None]:
        """Look up; nothing is found while the store is down."""
        if self._failed_at is not None and monotonic() - self._failed_at < _PAUSE:
            return [None] * len(keys)
        wanted = list(dict.fromkeys(key for key in keys if key is not None))
        try:
            bodies = self._store.look_up(self._table, wanted) if wanted else []
            found = dict(zip(wanted, decode_rows(bodies), strict=True))
        except GleisError as error:
            if self._failed_at is None:
                _log.warning("%s cannot be looked up: %s", self._use.view, error)
            self._failed_at = monotonic()
            return [None] * len(keys)
        self._failed_at = None
        return [None if key is None else found[key] for key in keys]

    def _why_not(
        self, row: Row, key: str | None, known: KnownRow | None, now: int, at: int, total: int
    ) -> str | None:
        """Say why what is there cannot be used; None if it can."""
        if known is None:
            return "unknown" if self._failed_at is None or key is None else "unavailable"
        time = row.get(self._use.time)
        if time is not None:
            now = _micros(read_moment(time, self._use.time, place(at, total)))
        if known.at > now or known.known > now:
            return "not known then"
        return "too old" if self._ttl is not None and now - known.at > self._ttl else None


class _Computation:
    """One function on demand: called for rows that lack a feature of it."""

    def __init__(self, use: Computed, wanted: set[str]) -> None:
        self._use = use
        self._formula = make_formula(use.text, use.name)
        self._features = [name for name in use.features if name in wanted]
        self._failed_before = False

    def fill(self, rows: list[dict[str, Any]], flags: Flags) -> None:
        asked = [
            at for at, row in enumerate(rows) if not all(name in row for name in self._features)
        ]
        if not asked:
            return
        columns = [self._column(rows, asked, *known) for known in self._use.inputs]
        try:
            found = compute(self._formula, columns, self._use.name, len(asked))
            values = {name: as_values(found[name]) for name in self._features}
        except (ProjectError, KeyError) as error:
            if not self._failed_before:
                self._failed_before = True
                _log.warning("features on demand are missing: %s", error)
            flags.setdefault(f"{self._use.name}: failed", []).extend(asked)
            values = {name: [None] * len(asked) for name in self._features}
        for name, column in values.items():
            for at, value in zip(asked, column, strict=True):
                rows[at].setdefault(name, value)

    def _column(
        self, rows: list[dict[str, Any]], asked: Sequence[int], name: str, kind: str
    ) -> Any:
        values = []
        for at in asked:
            if name not in rows[at]:
                raise InvalidRowError(
                    f"{place(at, len(rows))}{name} is missing",
                    remedy=f"Send it: {self._use.name} is computed from it.",
                    field=name,
                )
            value = rows[at][name]
            if kind == MOMENT and value is not None:
                value = read_moment(value, name, place(at, len(rows)))
            values.append(value)
        try:
            return as_column(values, kind)
        except (TypeError, ValueError, OverflowError):
            raise self._wrong(values, asked, name, kind, len(rows)) from None

    def _wrong(
        self, values: list[Any], asked: Sequence[int], name: str, kind: str, total: int
    ) -> InvalidRowError:
        for at, value in zip(asked, values, strict=True):
            try:
                as_column([value], kind)
            except (TypeError, ValueError, OverflowError):
                return InvalidRowError(
                    f"{place(at, total)}{name} must be {_EXPECTED[kind]}",
                    seen=value,
                    remedy=f"Send {_EXPECTED[kind]}: {self._use.name} is computed from it.",
                    field=name,
                )
        raise AssertionError("a value is wrong")  # pragma: no cover


def relaxed(contract: Contract) -> Contract:
    """Return a contract under which all that is looked up or computed may be missing.

    Whoever asks is not to blame for what is not found: no check minds it.
    """
    served = set(contract.served.features) if contract.served is not None else set()
    features = tuple(
        msgspec.structs.replace(column, nullable=True) if column.name in served else column
        for column in contract.features
    )
    checks = contract.checks
    if checks is not None:
        rows = tuple(
            msgspec.structs.replace(check, nulls=False) if check.column in served else check
            for check in checks.rows
            if check.rule != "present" or check.column not in served
        )
        checks = msgspec.structs.replace(checks, rows=rows)
    return msgspec.structs.replace(contract, features=features, checks=checks)


Find = Callable[[Contract], "Lookups | None"]
"""Returns what completes the rows of a model; None if its requests hold everything."""


def _micros(moment: datetime) -> int:
    return round(moment.timestamp() * 1e6)
