"""The rows a package carries for explanations."""

from __future__ import annotations

from typing import Any

import msgspec

BACKGROUND = "background.json"


class Background(msgspec.Struct, frozen=True, kw_only=True):
    """Training rows that stand for what the model is asked about, by column.

    Explanations draw from them what a feature might have been.
    """

    features: dict[str, list[Any]]
    """Feature -> values, each (n_rows,); None marks a missing value."""
    immutable: tuple[str, ...] = ()
    """Features that a person cannot change."""
