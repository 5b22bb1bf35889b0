"""What features, values and classes are called where a person reads about them."""

from __future__ import annotations

from typing import Literal

import msgspec

Language = Literal["en", "de"]
"""``en`` English, ``de`` German."""


class Wording(msgspec.Struct, frozen=True, kw_only=True):
    """Names in one language; what has none is called as in the data."""

    names: dict[str, str] = {}
    """Feature -> name, ``the loan``; feature and value -> what the value is called,
    ``married=1`` -> ``married``."""
    outcomes: dict[str, str] = {}
    """Class -> what it is for the person: ``approval``."""
