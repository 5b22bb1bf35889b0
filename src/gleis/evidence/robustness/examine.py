"""The metrics of a task after every kind of damage, beside those of the same rows before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gleis.contracts.contract import Contract, Task
from gleis.contracts.figure import Figure
from gleis.contracts.ports import Model
from gleis.contracts.robustness import Perturbed, Robustness
from gleis.evidence.bootstrap import figure_of, replicate
from gleis.evidence.checks import check_scores
from gleis.evidence.decisions import decide
from gleis.evidence.fairness.intervals import wilson
from gleis.evidence.losses import row_loss
from gleis.evidence.metrics import metrics_of
from gleis.evidence.robustness.adversarial import SHARE, errors_of, move_worst, rows_within
from gleis.evidence.robustness.damage import KINDS, Damage
from gleis.evidence.robustness.single import damage_worst_features
from gleis.evidence.robustness.table import Table, read_table
from gleis.evidence.robustness.usual import usual_of
from gleis.evidence.weighted import Floats, mean_of

QUICK = (3_000, 500)
"""Test rows that are damaged, and those whose worst moves are searched."""
SLOW = (1_000, 100)
"""The same for a model that is not compiled."""
_SAID = 200
"""Characters of an error that a description quotes."""
USUAL = 20_000
"""Training rows that are enough to say what is usual."""


@dataclass(frozen=True)
class Asked:
    """A model and what it is held to."""

    model: Model
    task: Task
    n_replicates: int
    seed: tuple[int, ...]

    def scores(self, table: Table) -> Floats:
        """Return what the model answers."""
        found = np.asarray(self.model.predict(table.columns()), dtype=np.float64)
        check_scores(np.zeros(len(table)), found, self.task)
        return found

    def try_scores(self, table: Table) -> Floats | str:
        """Return what the model answers, or why it refuses."""
        try:
            return self.scores(table)
        except Exception as error:  # noqa: BLE001 - whatever it raises, the service would fall back
            said = (str(error).splitlines() or [""])[0]
            return f"{type(error).__name__}: {said[:_SAID]}"


def examine_robustness(
    model: Model,
    rows: pl.DataFrame,
    y: NDArray[np.generic],
    train: pl.DataFrame,
    contract: Contract,
    *,
    n_replicates: int,
    seed: int,
    measurement_error: Mapping[str, float] | None = None,
    budget: tuple[int, int] = QUICK,
) -> Robustness:
    """Damage test rows in every way known, and measure what is left.

    For each kind: every metric of the task after it; ``<metric>_drop``, on the same rows, how much
    worse (positive is worse); ``flips``, the share of decisions that changed (classifiers); and
    ``score_change``: the mean of ``|f(x') - f(x)|``, for several classes half the sum over them.

    Parameters
    ----------
    model : Model
    rows : polars.DataFrame, n_rows high
        Test rows; a seeded sample is taken of many.
    y : ndarray, (n_rows,)
        Class index or value.
    train : polars.DataFrame
        Training rows, or a sample: what is usual is read from them.
    contract : Contract
    n_replicates : int
        Bootstrap replicates behind each interval.
    seed : int
    measurement_error : mapping of str to float, optional
        Error of numbers, in their units; 1% of the spread where nothing is said.
    budget : tuple of int
        Test rows that are damaged, and those of the adversarial search.

    Returns
    -------
    Robustness
        A kind that cannot be done to these features is absent, and a note says so. Where the model
        refuses damaged rows, there are no figures: unknown, not good.

    Raises
    ------
    ConfigError
        If ``measurement_error`` names something that is no number among the features.
    """
    asked = Asked(model, contract.task, n_replicates, (seed, *b"robustness"))
    rng = np.random.default_rng(asked.seed)
    at = rng.permutation(len(y))[: budget[0]]
    usual = read_table(train, contract)
    table = read_table(rows[at], contract, usual.words)
    known = usual_of(usual)
    truth = y[at]
    errors = errors_of(table, known, measurement_error or {})
    damages = [kind(table, known, asked.seed) for kind in KINDS]
    damages += damage_worst_features(table, known, _MeanLoss(asked, truth))
    found = _measure(asked, table, truth, damages)
    few = np.arange(min(rows_within(len(errors), budget[1]), len(at)))
    moved = _adversarial(asked, table.take(few), truth[few], errors, stated=measurement_error or {})
    found += _measure(asked, table.take(few), truth[few], [moved])
    notes = (*_sampled(len(y), len(at)), *_notes([*damages, moved]))
    return Robustness(rows=len(at), perturbations=tuple(found), notes=notes)


@dataclass(frozen=True)
class _MeanLoss:
    asked: Asked
    y: NDArray[np.generic]

    def __call__(self, table: Table) -> float | None:
        scores = self.asked.try_scores(table)
        if isinstance(scores, str):
            return None
        return float(row_loss(self.y[: len(table)], scores, self.asked.task).mean())


def _adversarial(
    asked: Asked,
    table: Table,
    y: NDArray[np.generic],
    errors: Mapping[str, float],
    stated: Mapping[str, float],
) -> Damage:
    name = f"adversarial_{SHARE * 100:g}pct"
    if not errors:
        return Damage(name, "", None, "no number can move within its error")

    def loss(tried: Table) -> Floats:
        return row_loss(np.resize(y, len(tried)), asked.scores(tried), asked.task)

    said = f"{SHARE:.0%} of its spread"
    if stated:
        said = f"its stated error, or {said} where none is stated"
    return Damage(
        name,
        f"On {len(table):,} rows each number is moved by up to {said}, to where the row's loss is "
        "largest; found by a greedy search, so the worst is at least this.",
        move_worst(table, errors, loss),
    )


def _measure(
    asked: Asked, table: Table, y: NDArray[np.generic], damages: Sequence[Damage]
) -> list[Perturbed]:
    """Measure all damages on the same resamples of the same rows."""
    before = asked.scores(table)
    answers = {
        each.name: asked.try_scores(each.table) for each in damages if each.table is not None
    }
    after = {name: scores for name, scores in answers.items() if not isinstance(scores, str)}
    figures = damage_figures(
        y, before, after, asked.task, n_replicates=asked.n_replicates, seed=asked.seed
    )
    found = []
    for each in damages:
        if each.name not in answers:
            continue
        answer = answers[each.name]
        said = f" The model refuses such rows: {answer}" if isinstance(answer, str) else ""
        found.append(
            Perturbed(
                name=each.name,
                description=each.description + said,
                figures=figures.get(each.name, {}),
            )
        )
    return found


def damage_figures(
    y: NDArray[np.generic],
    before: Floats,
    after: Mapping[str, Floats],
    task: Task,
    *,
    n_replicates: int,
    seed: int | Sequence[int],
    level: float = 0.95,
) -> dict[str, dict[str, Figure]]:
    """Return the metrics after damage, and by how much they are worse than before.

    Parameters
    ----------
    y : ndarray, (n_rows,)
    before : ndarray of float64, (n_rows,) or (n_rows, n_classes)
        Scores of the rows as they are.
    after : mapping of str to ndarray, shaped as ``before``
        Scores of the damaged rows, by kind of damage.
    task : str
    n_replicates : int
    seed : int or sequence of int
    level : float

    Returns
    -------
    dict of str to dict of str to Figure
        By kind: each metric, ``<metric>_drop``, ``score_change``, and for classes ``flips``. The
        drop is ``sign (m(before) - m(after))`` with sign -1 where smaller is better.

    Examples
    --------
    >>> y, before = np.array([0, 1] * 20), np.array([0.2, 0.9] * 20)
    >>> found = damage_figures(
    ...     y, before, {"noise": before / 2}, "binary", n_replicates=20, seed=0
    ... )
    >>> round(found["noise"]["accuracy_drop"].value, 3), found["noise"]["flips"].value
    (0.5, 0.5)
    """
    metrics = metrics_of(task)
    statistics = [metric.formula(y, before) for metric in metrics]
    for scores in after.values():
        statistics += [metric.formula(y, scores) for metric in metrics]
        statistics.append(mean_of(score_change(before, scores)))
    values, drawn = replicate(statistics, len(y), n_replicates=n_replicates, seed=seed)
    width = len(metrics)
    found: dict[str, dict[str, Figure]] = {}
    for k, kind in enumerate(after):
        start = width + k * (width + 1)
        figures: dict[str, Figure | None] = {}
        for m, metric in enumerate(metrics):
            at = start + m
            figures[metric.name] = figure_of(values[at], drawn[at], level)
            drop = metric.sign * (values[m] - values[at])
            drops = metric.sign * (drawn[m] - drawn[at])
            figures[f"{metric.name}_drop"] = figure_of(drop, drops, level)
        at = start + width
        figures["score_change"] = figure_of(values[at], drawn[at], level)
        if task != "regression":
            figures["flips"] = flips(before, after[kind], level)
        found[kind] = {name: figure for name, figure in figures.items() if figure is not None}
    return found


def score_change(before: Floats, after: Floats) -> Floats:
    """Return how far each row's score moved, (n_rows,): ``|f(x') - f(x)|``.

    For several classes half of its sum over them, the total variation distance, 0 to 1.

    Examples
    --------
    >>> score_change(np.array([[0.5, 0.5, 0.0]]), np.array([[0.2, 0.5, 0.3]])).round(9)
    array([0.3])
    """
    moved = np.abs(after - before)
    return moved if moved.ndim == 1 else np.asarray(moved.sum(axis=1) / 2)


def flips(before: Floats, after: Floats, level: float = 0.95) -> Figure:
    """Return the share of rows whose decision changed, with Wilson's interval.

    A bootstrap would say of no flip among 500 rows that there never is one.

    Examples
    --------
    >>> found = flips(np.full(500, 0.2), np.full(500, 0.3))
    >>> found.value, round(found.high, 4)
    (0.0, 0.0076)
    """
    changed = decide(after) != decide(before)
    low, high = wilson(np.array([float(changed.sum())]), np.array([float(len(changed))]), level)
    share = float(changed.mean())
    return Figure(value=share, low=float(low[0]), high=float(high[0]), level=level)


def _sampled(n_rows: int, n_used: int) -> Iterator[str]:
    if n_used < n_rows:
        yield f"{n_used:,} of {n_rows:,} test rows were damaged, a random sample."


def _notes(damages: Sequence[Damage]) -> Iterator[str]:
    """Say what was left as it was; the same note of two kinds is said once."""
    said: dict[str, list[str]] = {}
    for each in damages:
        if each.note:
            said.setdefault(each.note, []).append(each.name)
    for note, names in said.items():
        yield f"{', '.join(names)}: {note}."
