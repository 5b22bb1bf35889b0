"""Numbers, shares and values as a language writes them."""

from __future__ import annotations

import math
from collections.abc import Sequence

from gleis.contracts.contract import Column
from gleis.contracts.explanation import Value
from gleis.contracts.wording import Language, Wording

_NARROW = "\u00a0"
"""German puts a space, which does not break, before %."""
_AND: dict[Language, str] = {"en": "and", "de": "und"}
_OR: dict[Language, str] = {"en": "or", "de": "oder"}
_YES: dict[Language, tuple[str, str]] = {"en": ("no", "yes"), "de": ("nein", "ja")}
_MISSING: dict[Language, str] = {"en": "not given", "de": "nicht angegeben"}


def number(value: float, language: Language, digits: int = 7) -> str:
    """Write a number with so many significant digits at most; all digits before the point.

    Examples
    --------
    >>> number(1234.5, "en"), number(1234.5, "de"), number(0.000123456789, "de", 3)
    ('1,234.5', '1.234,5', '0,000123')
    >>> number(150000, "de"), number(-2.0, "en"), number(1e21, "en")
    ('150.000', '-2', '1,000,000,000,000,000,000,000')
    """
    if not math.isfinite(value):
        return str(value)
    size = math.floor(math.log10(abs(value))) if value else 0
    places = max(0, digits - 1 - size)
    text = f"{value:,.{places}f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return _localised("0" if text == "-0" else text, language)


def share(value: float, language: Language) -> str:
    r"""Write a share as a percentage: whole, or with a digit more near 0 and 1.

    Examples
    --------
    >>> share(0.423, "en"), share(0.0042, "en"), share(0.9996, "en"), share(1.0, "en")
    ('42%', '0.4%', 'more than 99.9%', '100%')
    >>> share(0.00001, "de").split("\u00a0")
    ['weniger als 0,1', '%']
    """
    percent = "%" if language == "en" else f"{_NARROW}%"
    if value in {0.0, 1.0}:
        return f"{value:.0%}"[:-1] + percent
    if value < 0.0005:
        return (
            f"{'less than' if language == 'en' else 'weniger als'} {_tenth(0.1, language)}{percent}"
        )
    if value > 0.9995:
        return (
            f"{'more than' if language == 'en' else 'mehr als'} {_tenth(99.9, language)}{percent}"
        )
    near = value < 0.01 or value > 0.99
    text = _tenth(100 * value, language) if near else f"{100 * value:.0f}"
    return text + percent


def points(value: float, language: Language) -> str:
    """Write a difference of two shares.

    Examples
    --------
    >>> points(0.0812, "en"), points(0.0812, "de")
    ('8.1 percentage points', '8,1 Prozentpunkte')
    """
    unit = "percentage points" if language == "en" else "Prozentpunkte"
    return f"{number(100 * value, language, 2)} {unit}"


def written(value: Value, column: Column | None, language: Language, wording: Wording) -> str:
    """Write a value of a feature: its own name if it has one, else with its unit.

    Parameters
    ----------
    value : str, float, int, bool or None
    column : Column or None
        The feature; None for what is none.
    language : str
    wording : Wording

    Examples
    --------
    >>> loan = Column(name="loan", kind="number", unit="EUR")
    >>> written(1500.5, loan, "de", Wording()), written(None, loan, "de", Wording())
    ('1.500,5 EUR', 'nicht angegeben')
    >>> written(1, None, "en", Wording()), written("yes", None, "de", Wording())
    ('1', 'ja')
    """
    if column is not None:
        shown = int(value) if isinstance(value, float) and value.is_integer() else value
        named = wording.names.get(f"{column.name}={str(shown).lower()}")
        named = named or wording.names.get(f"{column.name}={shown}")
        if named:
            return named
    if value is None:
        return _MISSING[language]
    if isinstance(value, bool):
        return _YES[language][value]
    if isinstance(value, str):
        return _YES[language][value == "yes"] if value in {"yes", "no"} else value
    text = number(value, language)
    return f"{text} {column.unit}" if column is not None and column.unit else text


def listed(items: Sequence[str], language: Language, *, alternatives: bool = False) -> str:
    """Join items as a sentence does.

    Examples
    --------
    >>> listed(["a", "b", "c"], "en"), listed(["a", "b"], "de", alternatives=True)
    ('a, b and c', 'a oder b')
    """
    if len(items) < 2:
        return "".join(items)
    word = (_OR if alternatives else _AND)[language]
    return f"{', '.join(items[:-1])} {word} {items[-1]}"


def _tenth(value: float, language: Language) -> str:
    return _localised(f"{value:.1f}".removesuffix(".0"), language)


def _localised(text: str, language: Language) -> str:
    return text if language == "en" else text.translate(str.maketrans(",.", ".,"))
