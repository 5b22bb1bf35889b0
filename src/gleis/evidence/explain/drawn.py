"""What the charts of explanations have in common: colours, data, labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from gleis.contracts.contract import Contract
from gleis.contracts.explanation import Condition, Value
from gleis.contracts.wording import Wording
from gleis.evidence.explain.speaker import Speaker
from gleis.evidence.explain.written import written

RISES, FALLS, QUIET, FAINT = "#0072B2", "#D55E00", "#7F7F7F", "#BFBFBF"
"""Okabe and Ito's blue and vermilion, and greys."""
WIDTH = 420
_WRAP = 100
"""Characters of a line."""
Chart = Any


def data(values: Sequence[Mapping[str, Any]]) -> alt.InlineData:
    """Return rows as data that the chart carries."""
    return alt.InlineData(values=list(values))


def title(text: str, *subtitle: str) -> alt.Title:
    """Return a title, with its lines below it."""
    lines = [line for line in subtitle if line]
    return alt.Title(text, subtitle=lines, anchor="start", frame="group")


def shown(feature: str, value: Value, contract: Contract, names: Wording) -> str:
    """Return a value of a feature as a person reads it, with its unit."""
    column = next((each for each in contract.features if each.name == feature), None)
    return written(value, column, "en", names)


def called(feature: str, names: Wording) -> str:
    """Return what a feature is called, or several shuffled together."""
    return " + ".join(names.names.get(part, part) for part in feature.split(" + "))


def outcome(label: Value, contract: Contract, names: Wording) -> str:
    """Return what a class is called."""
    return names.outcomes.get(str(label), f"{called(contract.target, names)} = {label}")


def score_axis(of: str | None, contract: Contract, names: Wording) -> str:
    """Return what a score is."""
    if of is None:
        return called(contract.target, names)
    return f"chance of {outcome(of, contract, names)}"


def rule_text(rule: Sequence[Condition], contract: Contract, names: Wording) -> str:
    """Return conditions with the names of their features, joined."""
    return " and ".join(condition_text(each, contract, names) for each in rule)


def condition_text(condition: Condition, contract: Contract, names: Wording) -> str:
    """Return a condition as it stands, or with the names that its feature and value have."""
    if condition.feature not in names.names:
        return condition.text
    return Speaker(contract, "en", names).condition(condition)


def wrapped(notes: Sequence[str]) -> list[str]:
    """Break sentences into lines of a subtitle."""
    lines = []
    for note in notes:
        line = ""
        for word in note.split():
            if len(line) + len(word) > _WRAP:
                lines.append(line.strip())
                line = ""
            line += f" {word}"
        lines.append(line.strip())
    return lines
