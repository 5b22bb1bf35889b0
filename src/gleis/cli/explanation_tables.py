"""Explanations as small tables on a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from gleis.cli.output import print_table, say
from gleis.contracts.explanation import (
    Anchor,
    Contributions,
    Counterfactuals,
    Effect,
    Fidelity,
    Importance,
    Surrogate,
)
from gleis.contracts.figure import Figure
from gleis.contracts.wording import Language, Wording
from gleis.evidence.explain.phrases import MEASURES

if TYPE_CHECKING:
    from gleis.lifecycle.explaining import Told

_GERMAN = {
    "feature": "Merkmal",
    "value": "Wert",
    "contribution": "Beitrag",
    "start": "Ausgangswert",
    "sum": "Summe",
    "condition": "Bedingung",
    "way": "Weg",
    "from": "von",
    "to": "nach",
    "score": "Ergebnis",
    "mean": "Mittel",
    "low": "von",
    "high": "bis",
    "rule": "Regel",
    "rows": "Zeilen",
    "asked": "verlangt",
    "everything": "alles",
}
_MOST = 15


def show_table(told: Told, language: Language, names: Wording) -> None:
    """Print the table of an explanation, and how far it holds.

    Parameters
    ----------
    told : Told
    language : {"en", "de"}
    names : Wording
        What features are called.
    """
    headers, rows = _table(told, names)
    print_table([_word(header, language) for header in headers], _translated(rows, language))
    if told.explanation.fidelity:
        say()
    for check in told.explanation.fidelity:
        say(_check(check, language))


def _table(told: Told, names: Wording) -> tuple[list[str], list[list[Any]]]:
    found = told.explanation
    if isinstance(found, Contributions):
        return _contributions(found, told.row or {}, names)
    if isinstance(found, Anchor):
        return ["condition"], [[condition.text] for condition in found.rule] or [["everything"]]
    if isinstance(found, Counterfactuals):
        return _counterfactuals(found, names)
    if isinstance(found, Effect):
        return _effect(found, names)
    if isinstance(found, Importance):
        ranked = list(found.features.items())[:_MOST]
        headers = ["feature", found.unit, "low", "high"]
        return headers, [[_called(name, names), *_ends(figure)] for name, figure in ranked]
    return _surrogate(found)


def _contributions(
    found: Contributions, row: dict[str, Any], names: Wording
) -> tuple[list[str], list[list[Any]]]:
    ranked = sorted(found.contributions.items(), key=lambda item: -abs(item[1]))
    shown = [
        [_called(name, names), _plain(found.conditions.get(name, row.get(name))), value]
        for name, value in ranked
    ]
    ends = [["start", "", found.base_value], ["sum", found.link, found.value]]
    return ["feature", "value", "contribution"], [ends[0], *shown, ends[1]]


def _counterfactuals(found: Counterfactuals, names: Wording) -> tuple[list[str], list[list[Any]]]:
    rows: list[list[Any]] = []
    for way, each in enumerate(found.found, start=1):
        for name, (before, after) in each.changes.items():
            rows.append([way, _called(name, names), _plain(before), _plain(after), each.score])
    return ["way", "feature", "from", "to", "score"], rows


def _effect(found: Effect, names: Wording) -> tuple[list[str], list[list[Any]]]:
    if found.surface:
        headers = [f"{_called(found.feature, names)} \\ {_called(found.beside, names)}"]
        rows = zip(found.grid, found.surface, strict=True)
        return (
            [*headers, *(_plain(value) or "-" for value in found.beside_grid)],
            [[_plain(value), *numbers] for value, numbers in rows],
        )
    headers, columns = [_called(found.feature, names), "mean"], [found.values]
    if found.low:
        headers, columns = [*headers, "low", "high"], [*columns, found.low, found.high]
    lines = zip(found.grid, *columns, strict=True)
    return headers, [[_plain(value), *numbers] for value, *numbers in lines]


def _surrogate(found: Surrogate) -> tuple[list[str], list[list[Any]]]:
    return ["rule", "score", "rows"], [
        [" and ".join(condition.text for condition in rule) or "everything", score, rows]
        for rule, score, rows in found.rules
    ]


def _check(check: Fidelity, language: Language) -> str:
    between = "" if check.low is None else f" ({check.low:.3g} .. {check.high:.3g})"
    asked = f"   {_word('asked', language)} {check.asked}" if check.asked else ""
    measure = MEASURES[language].get(check.measure, check.measure)
    return f"{measure}: {check.value:.3g}{between}{asked}"


def _ends(figure: Figure) -> tuple[float, float, float]:
    return figure.value, figure.low, figure.high


def _called(feature: str, names: Wording) -> str:
    return names.names.get(feature, feature)


def _plain(value: Any) -> str | None:
    """Write a value as it is in the data: the fractions of a table say nothing of it."""
    if value is None:
        return None
    return f"{value:g}" if isinstance(value, float) else str(value)


def _translated(rows: Sequence[Sequence[Any]], language: Language) -> list[list[Any]]:
    marks = {"start", "sum", "everything"}
    return [
        [_word(cell, language) if isinstance(cell, str) and cell in marks else cell for cell in row]
        for row in rows
    ]


def _word(text: str, language: Language) -> str:
    return _GERMAN.get(text, text) if language == "de" else text
