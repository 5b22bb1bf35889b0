"""Gates on fairness that no evidence could ever answer are refused."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations, permutations
from typing import Any

from gleis.config.settings import Settings
from gleis.contracts.contract import Task
from gleis.contracts.errors import ConfigError
from gleis.evidence.fairness import binary, multiclass, rates, regression
from gleis.evidence.fairness.comparison import Definition
from gleis.governance.figure_names import FAIRNESS

_MOST = 4
"""Attributes of an intersection whose order is free."""


def check_fairness_gate(name: str, settings: Settings) -> None:
    """Refuse a figure, an attribute or a rate that no run of these settings measures.

    Parameters
    ----------
    name : str
        ``fairness.sex.disparate_impact``.
    settings : Settings

    Raises
    ------
    ConfigError
        What others call a figure, and the nearest name, are offered.
    """
    protected, task = settings.fairness.protected, settings.project.task
    if not protected:
        remedy = 'Write protected = ["sex"] under [fairness], with your columns.'
        raise _error(name, "fairness.protected names no column", name, remedy)
    outcomes = task == "binary" or settings.fairness.favourable is not None
    path, _, figure = name.removeprefix(FAIRNESS).rpartition(".")
    if not path:
        known = [*_names(binary.INDIVIDUAL), "consistency"] if outcomes else []
        what = f"over individuals of a {task} task there is no such figure"
        _check_known(name, what, figure, known)
        return
    crossings = list(_crossings(protected))
    if path in crossings:
        found = _disparities(task, outcomes=outcomes)
        _check_alias(name, figure, found)
        what = f"between groups of a {task} task there is no such figure"
        _check_known(name, what, figure, _names(found))
    elif any(path.startswith(f"{each}.") for each in crossings):
        _check_known(name, f"groups of a {task} task have no such rate", figure,
                     _rates(task, outcomes=outcomes))  # fmt: skip
    else:
        _check_known(name, "this is not in fairness.protected", path.partition(".")[0], crossings)


def _disparities(task: Task, *, outcomes: bool) -> list[Definition[Any]]:
    found: list[Definition[Any]] = []
    if task != "binary":
        found += regression.DISPARITIES if task == "regression" else multiclass.DISPARITIES
    return found + (list(binary.DISPARITIES) if outcomes else [])


def _rates(task: Task, *, outcomes: bool) -> list[str]:
    found: list[str] = []
    if task != "binary":
        found += regression.RATES if task == "regression" else multiclass.RATES
    return found + ([*rates.RATES, "roc_auc"] if outcomes else [])


def _names(definitions: Iterable[Definition[Any]]) -> list[str]:
    return [each.name for each in definitions]


def _check_alias(name: str, figure: str, known: Iterable[Definition[Any]]) -> None:
    """Say what a figure is called here, where another name of it was written."""
    for each in known:
        if figure != each.name and figure in each.aliases:
            remedy = f"Write {each.name}, which always equals it."
            raise _error(name, "this figure has another name here", figure, remedy)


def _crossings(protected: Sequence[str]) -> Iterator[str]:
    """Yield the names of all attributes and intersections, in any order of the attributes."""
    for size in range(1, len(protected) + 1):
        for chosen in combinations(protected, size):
            for order in permutations(chosen) if size <= _MOST else [chosen]:
                yield "*".join(order)


def _check_known(name: str, what: str, seen: str, known: Sequence[str]) -> None:
    if seen not in known:
        near = difflib.get_close_matches(seen, known, n=1)
        hint = f"Did you mean {near[0]}? " if near else ""
        raise _error(name, what, seen, f"{hint}Known: {', '.join(known) or 'none'}.")


def _error(name: str, what: str, seen: str, remedy: str) -> ConfigError:
    key = f"gates.{name}"
    return ConfigError(f"{key}: {what}", seen=seen, remedy=remedy, field=key)
