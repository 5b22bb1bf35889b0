"""Features that are looked up or computed: which view, by which field, known since when."""

from __future__ import annotations

import hashlib

import msgspec


class ViewUse(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A feature view, as rows were joined with it."""

    view: str
    """Name of the function."""
    source: str
    """Dataset its rows come from."""
    entity: tuple[tuple[str, str], ...]
    """Columns of the view that name the entity, each with that of the rows, the request's field."""
    features: tuple[str, ...]
    time: str
    """Column of the rows with the moment at which features must be known."""
    module: str
    """Module of the project that holds the function."""
    ttl: float | None = None
    """Seconds after its event from which a row is too old; None: never."""
    code: str = ""
    """Hash of the code the view reaches; the trainer writes it."""
    event: str = ""
    """Column of the view's rows with the event time."""
    known: str = ""
    """Column of the view's rows with the known-since time; the event time's where there is none."""
    kinds: tuple[str, ...] = ()
    """Kinds of ``features``, in their order; none in packages of gleis 0.1."""
    text: tuple[tuple[str, str], ...] = ()
    """Files of the project with what the view reaches, and their text; the trainer writes it.

    With it the loop keeps the rows of a served model current when the project's view is another
    already. A service never runs it.
    """

    @property
    def stored(self) -> str:
        """Name of the view's rows in an online store: other code or columns, other rows."""
        if not self.kinds:
            return f"{self.view}@{self.code[:16]}"
        columns = zip(self.features, self.kinds, strict=True)
        entity = [name for name, _ in self.entity]
        told = msgspec.json.encode((self.code, entity, self.event, self.known, [*columns]))
        return f"{self.view}@{hashlib.sha256(told).hexdigest()[:16]}"


class Computed(msgspec.Struct, frozen=True, kw_only=True):
    """Features that a function computes from other columns of the same row."""

    name: str
    """Name of the function."""
    inputs: tuple[tuple[str, str], ...]
    """Columns and their kinds, or ``moment``, in the order of the function's parameters."""
    features: tuple[str, ...]
    text: str
    """The function's source with all it needs: audited before it is run."""


class ServedFeatures(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a request need not bring along: it is looked up, or computed."""

    views: tuple[ViewUse, ...] = ()
    computed: tuple[Computed, ...] = ()

    @property
    def features(self) -> tuple[str, ...]:
        """Names of all of them."""
        looked_up = [name for use in self.views for name in use.features]
        return (*looked_up, *(name for use in self.computed for name in use.features))

    @property
    def fields(self) -> tuple[str, ...]:
        """Columns that lookups and functions start from, and that they do not make."""
        made = set(self.features)
        named = [field for use in self.views for _, field in use.entity]
        named += [name for use in self.computed for name, _ in use.inputs]
        return tuple(dict.fromkeys(name for name in named if name not in made))

    @property
    def origins(self) -> dict[str, ViewUse | Computed]:
        """What makes each feature; equal for two models whose rows are completed alike."""
        made: dict[str, ViewUse | Computed] = {}
        for use in self.views:
            made |= dict.fromkeys(use.features, msgspec.structs.replace(use, text=()))
        for function in self.computed:
            made |= dict.fromkeys(function.features, function)
        return made

    @property
    def times(self) -> tuple[str, ...]:
        """Columns with the moment at which features must be known; a request may leave them out."""
        return tuple(dict.fromkeys(use.time for use in self.views))


class KnownRow(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What an online store knows of an entity: its newest row."""

    at: int
    """Event time, microseconds since 1970."""
    known: int
    """Known since, as ``at``."""
    values: tuple[str | int | float | bool | None, ...]
    """In the order of the view's features; None is a missing value."""


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """What it took to make an online store hold what it should."""

    changed: int
    """Rows that are new, or other than before."""
    removed: int
    """Rows of entities that are there no more."""
