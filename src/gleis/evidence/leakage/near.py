"""Test rows that are nearly training rows: measured twice, jittered, rounded."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gleis.contracts.leakage import Leak
from gleis.evidence.leakage.copies import (
    LEAST_ROWS,
    copied_rows,
    figures_said,
    split_figures,
)
from gleis.evidence.leakage.sampling import sample_rows
from gleis.evidence.leakage.sides import Finding, Sides
from gleis.evidence.leakage.words import counted
from gleis.evidence.weighted import Floats

NEIGHBOURS = 5
SHARE = 0.02
"""Share of the test rows from which on near-copies are worth a word."""
SURE_SHARE = 0.05
"""Share from which on they are certain."""
_STRANGERS = 0.001
"""Chance by which a row that is a stranger looks like a near-copy."""
_FARTHER = 0.25
"""A near-copy is at least four times nearer than the fifth neighbour, in any dimension."""
_TEST_ROWS, _TRAIN_ROWS = 500, 100_000
_DIMENSIONS = 32
_BLOCK, _CHUNK = 128, 64


def find_near_copies(sides: Sides, seed: int) -> Finding:
    """Compare each test row's nearest training row with its fifth nearest.

    Among strangers, in a space of d dimensions, the nearest one's distance r1 and the fifth's r5
    obey ``P(r1 < q r5) = 1 - (1 - q^d)^4``, whatever the density. The median of ``r1 / r5`` tells
    d, even if many rows are near-copies; d tells the q which strangers undercut once in 1,000.
    Rows that do are near-copies. Numbers are compared in standard deviations; other features
    must be equal.

    Parameters
    ----------
    sides : Sides
    seed : int

    Returns
    -------
    Finding
        A sign from 2% of the test rows on, certain from 5% on. Exact copies do not count here.

    References
    ----------
    Facco, E. et al. (2017). Estimating the intrinsic dimension of datasets by a minimal
    neighborhood information. Scientific Reports 7:12140, eq. 3; for the first and the fifth
    neighbour: ``q^d`` has a Beta(1, 4) distribution.
    """
    numeric = [c.name for c in sides.contract.features if c.kind in ("number", "integer")]
    other = [c.name for c in sides.contract.features if c.name not in numeric]
    if len(sides.train) < 10 * NEIGHBOURS or not numeric:
        return Finding()
    train = sides.train[sample_rows(len(sides.train), _TRAIN_ROWS, seed)]
    test = sides.test[sample_rows(len(sides.test), 4 * _TEST_ROWS, seed)]
    features = sides.rows.select(sides.contract.names)
    fresh = test[~copied_rows(features[train], features[test])][:_TEST_ROWS]
    if len(fresh) < 10 * NEIGHBOURS:
        return Finding()
    points = _points(sides.rows[np.concatenate([train, fresh])], numeric, seed)
    nearest, distances = _neighbours(points[: len(train)], points[len(train) :])
    first, fifth = distances[:, 0], distances[:, -1]
    near = (fifth > 0) & (first <= _threshold(first, fifth) * fifth)
    for name in other:
        own, theirs = sides.rows[name][fresh], sides.rows[name][train[nearest[:, 0]]]
        near &= own.eq_missing(theirs).to_numpy()
    return _finding(sides, fresh, near, seed)


def _finding(sides: Sides, fresh: NDArray[np.int64], near: NDArray[np.bool_], seed: int) -> Finding:
    count, share = int(near.sum()), float(near.mean())
    if count < LEAST_ROWS or share < SHARE:
        said = f"Near-copies: {count} among {len(near)} test rows, as strangers have too."
        return Finding((said,))
    place = np.searchsorted(sides.test, fresh)
    part = Sides(
        rows=sides.rows,
        y=sides.y,
        train=sides.train,
        test=fresh,
        contract=sides.contract,
        scores=None if sides.scores is None else sides.scores[place],
    )
    figures = split_figures(part, near, seed)
    certain = share >= SURE_SHARE
    said = (
        f"{counted(count, len(near))} test rows looked at are nearly a training row, much nearer "
        f"than strangers come: measured twice, or one moment after the other"
        f"{figures_said(figures)}. Keep what belongs together on one side with [split] group."
    )
    leak = Leak(kind="duplicates", column=None, certain=certain, reason=said, figures=figures)
    return Finding(leaks=(leak,))


def _threshold(first: Floats, fifth: Floats) -> float:
    """Return the share of the fifth distance that strangers undercut once in 1,000."""
    known = (fifth > 0) & (first > 0)
    if not known.any():
        return 0.0
    ratio = float(np.median(first[known] / fifth[known]))
    half = 1 - 0.5 ** (1 / (NEIGHBOURS - 1))  # median of Beta(1, 4)
    dimension = np.log(half) / np.log(min(max(ratio, 1e-12), 1 - 1e-12))
    rare = 1 - (1 - _STRANGERS) ** (1 / (NEIGHBOURS - 1))
    return float(min(_FARTHER, rare ** (1 / max(dimension, 1.0))))


def _points(rows: pl.DataFrame, numeric: list[str], seed: int) -> Floats:
    """Standardise; null is a place of its own. Many features are projected at random to 32."""
    columns = []
    for name in numeric:
        numbers = rows[name].cast(pl.Float64).fill_null(np.nan).to_numpy()
        known = numbers[np.isfinite(numbers)]
        spread = float(known.std()) if len(known) else 0.0
        if not spread:
            continue
        scaled = (numbers - known.mean()) / spread
        columns.append(np.where(np.isfinite(scaled), scaled, 10.0))
    points: Floats = np.column_stack(columns) if columns else np.zeros((rows.height, 1))
    if points.shape[1] > _DIMENSIONS:
        rng = np.random.default_rng(seed)
        points = points @ rng.normal(size=(points.shape[1], _DIMENSIONS)) / np.sqrt(_DIMENSIONS)
    return points


def _neighbours(train: Floats, test: Floats) -> tuple[NDArray[np.intp], Floats]:
    """Return the five nearest training rows of each test row, and their distances, ascending.

    Distances to all are computed in float32 by one product of matrices; the nearest of each block
    are then measured again, exactly.
    """
    pad = -len(train) % _BLOCK
    low = np.pad(train.T.astype(np.float32), ((0, 0), (0, pad)))
    length = np.einsum("ij,ij->j", low, low)
    length[len(train) :] = np.inf
    nearest = np.empty((len(test), NEIGHBOURS), dtype=np.intp)
    distances = np.empty((len(test), NEIGHBOURS))
    for start in range(0, len(test), _CHUNK):
        asked = test[start : start + _CHUNK]
        squares = length - 2 * (asked.astype(np.float32) @ low)
        blocks = squares.reshape(len(asked), -1, _BLOCK).min(axis=2)
        kept = min(2 * NEIGHBOURS, blocks.shape[1])
        chosen = np.argpartition(blocks, kept - 1, axis=1)[:, :kept]
        members = (chosen[:, :, None] * _BLOCK + np.arange(_BLOCK)).reshape(len(asked), -1)
        valid = members < len(train)
        gaps = train[np.minimum(members, len(train) - 1)] - asked[:, None, :]
        exact = np.where(valid, np.sqrt(np.einsum("ijk,ijk->ij", gaps, gaps)), np.inf)
        order = np.argsort(exact, axis=1, kind="stable")[:, :NEIGHBOURS]
        nearest[start : start + len(asked)] = np.take_along_axis(members, order, axis=1)
        distances[start : start + len(asked)] = np.take_along_axis(exact, order, axis=1)
    return nearest, distances
