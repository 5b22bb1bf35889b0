"""What is known about a model's treatment of groups of people."""

from __future__ import annotations

import msgspec

from gleis.contracts.figure import Figure


class GroupFigures(msgspec.Struct, frozen=True, kw_only=True):
    """Figures of one group: the rows that share a value of every attribute."""

    values: tuple[str, ...]
    """One for each of the attributes, in their order."""
    rows: int
    figures: dict[str, Figure]
    """Rates of this group by name; empty where it is smaller than the stated minimum: unknown,
    never fair."""

    @property
    def name(self) -> str:
        """The values joined by ``*``: ``female``, ``female*black``."""
        return "*".join(self.values)


class AttributeFairness(msgspec.Struct, frozen=True, kw_only=True):
    """One protected attribute, or an intersection of several."""

    attributes: tuple[str, ...]
    groups: tuple[GroupFigures, ...]
    """The largest first."""
    figures: dict[str, Figure]
    """Disparities between the known groups; empty if fewer than two are known."""
    unknown: tuple[str, ...] = ()
    """Names of the groups that are too small."""

    @property
    def name(self) -> str:
        """The attributes joined by ``*``: ``sex``, ``sex*race``."""
        return "*".join(self.attributes)


class Fairness(msgspec.Struct, frozen=True, kw_only=True):
    """Fairness on the test rows, by attribute and by all intersections."""

    min_group: int
    """Groups with fewer rows are unknown."""
    attributes: tuple[AttributeFairness, ...]
    figures: dict[str, Figure] = {}
    """Figures over individuals, such as the generalised entropy index."""
    mitigation: str | None = None
    """Name of the mitigation the model was made with."""
    notes: tuple[str, ...] = ()
