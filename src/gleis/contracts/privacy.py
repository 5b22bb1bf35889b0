"""What a scan for personal data found, and how sure it is."""

from __future__ import annotations

from typing import Literal

import msgspec

Level = Literal["found", "possible"]


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of personal data in one column."""

    column: str
    kind: str
    """``email``, ``iban``, ``card``, ...: docs/privacy.md lists them."""
    level: Level
    """``found``: the values say so, beyond chance. ``possible``: the name, or few values."""
    share: float
    """Share of the looked-at values that hold one, 0 to 1."""
    values: int
    """Distinct values that hold a valid one."""
    candidates: int
    """Distinct values of the right form, valid or not."""
    chance: float | None
    """Share of random values of this form that pass its check; None: there is no check."""
    p_value: float | None
    """Chance that so many of the candidates pass if they are random; None without a check."""
    named: bool
    """Whether the column's name says so too."""
    examples: tuple[str, ...]
    """At most three, masked."""
    why: str
    """One sentence."""


class Scan(msgspec.Struct, frozen=True, kw_only=True):
    """A scan of one table."""

    rows: int
    scanned: int
    """Rows looked at, drawn at random by ``seed``; all of them in a full scan."""
    seed: int
    columns: tuple[str, ...]
    """Columns whose values were looked at; of others only the name."""
    findings: tuple[Finding, ...]
    missed: float
    """Chance that this scan missed what stands in one row of a thousand; 0 in a full scan."""

    @property
    def found(self) -> tuple[Finding, ...]:
        """Findings that the values prove."""
        return tuple(finding for finding in self.findings if finding.level == "found")
