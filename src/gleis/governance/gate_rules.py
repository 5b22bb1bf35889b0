"""The rules of ``[gates]``, read: what a figure must show."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

import msgspec

from gleis.contracts.errors import ConfigError

Rivals = Literal["baseline", "champion", "simpler"]
Relation = Literal[">=", "<=", ">", "<", "better", "none"]
BETTER = "better than baseline"
LEAKAGE = "leakage"
SIMPLER = "simpler"

_NUMBER = r"([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)"
_VALUE = r"(?P<value> by value)?"
_THRESHOLD = re.compile(rf"(?P<relation>>=|<=|>|<)\s*{_NUMBER}{_VALUE}")
_BETTER = re.compile(rf"better than (?P<rival>baseline|champion|simpler)(?: by {_NUMBER})?{_VALUE}")
_NO_WORSE = re.compile(rf"no worse than (?P<rival>baseline|champion|simpler) by {_NUMBER}{_VALUE}")
_LOSE = re.compile(rf"must lose(?: by {_NUMBER})?{_VALUE}")
_FORMS = (
    'Write ">= 0.6", "<= 0.2", "> 0", "< 1" or "better than baseline" (or champion, or simpler); '
    "docs/gates.md lists every form."
)


class Gate(msgspec.Struct, frozen=True, kw_only=True):
    """One rule of ``[gates]``, understood."""

    name: str
    """A figure: ``roc_auc``, ``slices.carrier.UA.roc_auc``, ``fairness.sex.accuracy_difference``;
    or ``leakage``, or ``simpler``."""
    rule: str
    """As it was written."""
    relation: Relation
    """``better`` holds a paired difference against the bound; ``none`` asks for no leak."""
    rival: Rivals | None = None
    """Of ``better``: whose figure must be worse."""
    bound: float = 0.0
    """What the interval's unfavourable end, or the value, is held against."""
    strict: bool = False
    """Of ``better``: whether the bound itself is not enough."""
    by_value: bool = False
    """Whether the value decides, whatever the interval: asked for in so many words."""


def parse_gate(name: str, rule: str) -> Gate:
    """Read one rule.

    Parameters
    ----------
    name : str
        Name of the figure.
    rule : str
        ``>= x``, ``<= x``, ``> x``, ``< x``; ``better than RIVAL``, ``better than RIVAL by x``,
        ``no worse than RIVAL by x``; of ``leakage``: ``none``; of ``simpler``: ``must lose``,
        ``must lose by x``. All but ``none`` may end with ``by value``.

    Raises
    ------
    ConfigError
        If the rule is anything else; the gate and the rule are named.

    Examples
    --------
    >>> parse_gate("roc_auc", ">= 0.60").bound
    0.6
    >>> parse_gate("simpler", "must lose by 0.01").rival
    'simpler'
    """
    text = " ".join(rule.split())
    gate = _read(name, text)
    if gate is None:
        raise ConfigError(
            f"gates.{name} is not a rule", seen=rule, remedy=_FORMS, field=f"gates.{name}"
        )
    if wrong := _misplaced(gate):
        raise ConfigError(
            f"gates.{name} cannot ask this", seen=rule, remedy=wrong, field=f"gates.{name}"
        )
    return gate


def parse_gates(gates: Mapping[str, str | Sequence[str]]) -> Iterator[Gate]:
    """Read ``[gates]``: a rule, or a list of rules, for each figure.

    Examples
    --------
    >>> [gate.rule for gate in parse_gates({"f1": [">= 0.5", "better than champion"]})]
    ['>= 0.5', 'better than champion']
    """
    for name, rules in gates.items():
        for rule in [rules] if isinstance(rules, str) else rules:
            yield parse_gate(name, rule)


def sections_asked(gates: Mapping[str, str | Sequence[str]]) -> frozenset[str]:
    """Return the fields of ``Evidence`` that these gates need beyond the figures.

    Examples
    --------
    >>> sorted(sections_asked({"roc_auc": ">= 0.6", "leakage": "none", "fairness.sex.x": "<= 1"}))
    ['fairness', 'leakage']
    """
    found = set()
    for gate in parse_gates(gates):
        section = gate.name.partition(".")[0]
        if gate.name.startswith("slices.worst."):
            found.add("worst_slice")
        elif section in ("fairness", "robustness", "importance", LEAKAGE, SIMPLER):
            found.add(section)
        if gate.rival == "simpler":
            found.add(SIMPLER)
    return frozenset(found)


def _read(name: str, text: str) -> Gate | None:
    if text == "none":
        return Gate(name=name, rule=text, relation="none")
    if match := _THRESHOLD.fullmatch(text):
        relation: Relation = match["relation"]  # type: ignore[assignment]
        return Gate(
            name=name,
            rule=text,
            relation=relation,
            bound=float(match[2]),
            by_value=bool(match["value"]),
        )
    if match := _LOSE.fullmatch(text):
        return _better(name, text, "simpler", match[1], by_value=bool(match["value"]))
    if match := _BETTER.fullmatch(text):
        rival: Rivals = match["rival"]  # type: ignore[assignment]
        return _better(name, text, rival, match[2], by_value=bool(match["value"]))
    if match := _NO_WORSE.fullmatch(text):
        rival = match["rival"]  # type: ignore[assignment]
        return _better(name, text, rival, str(-float(match[2])), by_value=bool(match["value"]))
    return None


def _better(name: str, text: str, rival: Rivals, by: str | None, *, by_value: bool) -> Gate:
    return Gate(
        name=name,
        rule=text,
        relation="better",
        rival=rival,
        bound=float(by or 0.0),
        strict=by is None,
        by_value=by_value,
    )


def _misplaced(gate: Gate) -> str:
    """Return what to write where a rule stands at the wrong name, else nothing."""
    if (gate.name == LEAKAGE) != (gate.relation == "none"):
        return 'Write leakage = "none"; other figures take a threshold or a rival.'
    loses = gate.rule.startswith("must lose")
    if (gate.name == SIMPLER) != loses:
        return 'Write simpler = "must lose by 0.01", or of a figure: "better than simpler by 0.01".'
    return ""
