"""Everything a run learns about a model on rows the model has not seen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gleis.config.settings import EvidenceSettings
from gleis.contracts.contract import Contract
from gleis.contracts.evidence import Evidence, SliceFigures
from gleis.contracts.figure import Figure
from gleis.evidence.bootstrap import bootstrap_figures
from gleis.evidence.calibration import calibration_bins
from gleis.evidence.calibration_fit import CALIBRATION_FIGURES, calibration_figures
from gleis.evidence.checks import check_scores
from gleis.evidence.metrics import metrics_of
from gleis.evidence.slices import MAX_VALUES, slice_figures
from gleis.evidence.weighted import Floats

_FEW_GROUPS = 10
"""Fewer groups make intervals that are too narrow more often than they say."""


def examine(
    y: NDArray[np.generic],
    scores: Floats,
    baseline_scores: Floats | None,
    rows: pl.DataFrame,
    contract: Contract,
    settings: EvidenceSettings,
    seed: int,
    notes: Sequence[str] = (),
    clusters: NDArray[np.intp] | None = None,
    weights: Floats | None = None,
) -> Evidence:
    """Measure a model and its baseline on test rows.

    Parameters
    ----------
    y : ndarray, (n_rows,)
        Class index in the order of ``contract.classes``, or value (regression).
    scores : ndarray of float64, (n_rows,) or (n_rows, n_classes)
    baseline_scores : ndarray of float64, shaped as ``scores``, or None
        None for the baseline's own run: it has no gain over itself.
    rows : polars.DataFrame, n_rows high
        The test rows, for the slices.
    contract : Contract
    settings : EvidenceSettings
        Slices, replicates and the smallest slice.
    seed : int
        Seeds every resample.
    notes : sequence of str
        Plain sentences from the steps before, such as rows left out.
    clusters : ndarray of intp, (n_rows,), optional
        Group of each row, where whole groups test: their rows are not independent, so that
        intervals draw groups.
    weights : ndarray of float64, (n_rows,), optional
        Sampling weights, > 0. Calibration and the sections beside do not use them; a note says so.

    Returns
    -------
    Evidence
        An undefined figure is absent, and a note says so: a gate on it is unknown.

    Raises
    ------
    DataError
        If labels or scores cannot be measured; see ``check_scores``.
    ConfigError
        If a slice column is not among ``rows``.
    """
    task = contract.task
    check_scores(y, scores, task)
    if baseline_scores is not None:
        check_scores(y, baseline_scores, task)
    metrics = metrics_of(task)
    found = bootstrap_figures(
        y,
        scores,
        metrics,
        n_replicates=settings.bootstrap,
        seed=seed,
        baseline_scores=baseline_scores,
        clusters=clusters,
        weights=weights,
    )
    slices = slice_figures(
        y,
        scores,
        rows,
        settings.slices,
        task,
        n_replicates=settings.bootstrap,
        seed=seed,
        min_rows=settings.min_slice,
        clusters=clusters,
        weights=weights,
    )
    figures, baseline = dict(found.figures), dict(found.baseline)
    wanted = [metric.name for metric in metrics]
    if task == "binary":
        figures |= calibration_figures(y, scores)
        baseline |= {} if baseline_scores is None else calibration_figures(y, baseline_scores)
        wanted += CALIBRATION_FIGURES
    return Evidence(
        rows=len(y),
        figures=figures,
        baseline=baseline,
        gain=found.gain,
        slices=slices,
        calibration=calibration_bins(y, scores) if task == "binary" else (),
        notes=(
            *notes,
            *_grouped(clusters),
            *_weighted(weights),
            *_unknown(wanted, figures),
            *_thin(slices, rows, settings),
        ),
    )


def _grouped(clusters: NDArray[np.intp] | None) -> Iterator[str]:
    if clusters is not None:
        count = int(clusters.max()) + 1
        rough = "; of so few they are rough" if count < _FEW_GROUPS else ""
        yield f"Intervals draw the {count} groups that test, not single rows{rough}."


def _weighted(weights: Floats | None) -> Iterator[str]:
    """Say so, with Kish's effective number of rows."""
    if weights is not None:
        worth = weights.sum() ** 2 / (weights**2).sum()
        yield (
            "Figures and slices weigh the test rows; for intervals they are worth about "
            f"{worth:,.0f} rows of equal weight (Kish 1965, section 11.7). Calibration and the "
            "other sections do not weigh them."
        )


def _unknown(wanted: Sequence[str], figures: Mapping[str, Figure]) -> Iterator[str]:
    absent = [name for name in wanted if name not in figures]
    if absent:
        yield f"Undefined on the test rows, so unknown: {', '.join(absent)}."


def _thin(
    slices: Sequence[SliceFigures], rows: pl.DataFrame, settings: EvidenceSettings
) -> Iterator[str]:
    for column in settings.slices:
        thin = [part for part in slices if part.column == column and not part.figures]
        if thin:
            yield (
                f"{column}: unknown for {len(thin)} of its values, with fewer than "
                f"{settings.min_slice} test rows or one class only: "
                f"{_listed([part.value for part in thin])}."
            )
        values = rows[column].n_unique()
        if values > MAX_VALUES:
            yield f"{column}: its {MAX_VALUES} most frequent values of {values} were examined."


def _listed(names: Sequence[str], most: int = 10) -> str:
    rest = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + rest
