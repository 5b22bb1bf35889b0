"""What the package carries of its training: the reference profile and a test of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import polars as pl
from numpy.typing import NDArray

from gleis.contracts.outliers import OutlierMethod, OutlierModel
from gleis.contracts.profile import LossByScore, Profile, Reference, SeasonEvery, Seasons
from gleis.data.profile import profile, sketch_number
from gleis.data.season import count_seasons
from gleis.data.target import name_targets
from gleis.evidence.estimation.learn import learn_estimation
from gleis.evidence.losses import row_loss, score_columns
from gleis.evidence.outliers.fit import fit_outliers
from gleis.evidence.score_places import cut_places, score_places
from gleis.packaging.examples import Examples
from gleis.packaging.outliers.scorer import outlier_scorer
from gleis.training.prepare import Prepared

if TYPE_CHECKING:
    from gleis.contracts.ports import Scores

_EXAMPLES = 200
_BACKGROUND = 1_000
_LOSSES = 8
"""Bins of the loss within a bin of the score."""


def make_reference(
    prepared: Prepared, scores: Scores, season: SeasonEvery | None = None
) -> Reference:
    """Sketch features of all labelled rows; scores and losses of the test rows only.

    Scores on training rows would look better than they will ever be again. With ``season`` all of
    them by hour of the day or of the week as well.
    """
    contract, test = prepared.contract, prepared.split.test
    columns = score_columns(scores, contract)
    target, rows = prepared.target[test], prepared.features[test]
    loss = row_loss(target, scores, contract.task)
    learned = learn_estimation(
        target, scores, {name: rows[name] for name in rows.columns}, contract, _days(prepared)
    )
    found = Reference(
        features=profile(prepared.features, contract.names),
        scores=profile(pl.DataFrame(columns), list(columns)),
        loss=sketch_number(loss),
        label=profile(pl.DataFrame({"label": name_targets(prepared.target, contract)}), ["label"]),
        loss_by_score=_by_score(scores, loss),
        estimation=learned.estimation,
        no_estimation=learned.reason,
    )
    return found if season is None else _by_season(prepared, columns, loss, found, season)


def _by_season(
    prepared: Prepared,
    columns: Mapping[str, NDArray[np.float64]],
    loss: NDArray[np.float64],
    found: Reference,
    season: SeasonEvery,
) -> Reference:
    test, time = prepared.split.test, prepared.contract.time
    if time is None:
        return found
    stamps = prepared.rows[time].cast(pl.Datetime("us")).dt.epoch("us").to_numpy() / 1e6
    losses = Profile(rows=len(loss), columns={"loss": found.loss})
    features = prepared.features.to_dict()
    seasons = Seasons(
        features=count_seasons(found.features, features, stamps, season),
        scores=count_seasons(found.scores, columns, stamps[test], season),
        loss=count_seasons(losses, {"loss": loss}, stamps[test], season),
    )
    return msgspec.structs.replace(found, seasons=seasons)


def _by_score(scores: Scores, losses: NDArray[np.float64]) -> LossByScore | None:
    places = score_places(scores)
    edges = cut_places(places)
    if not len(edges):
        return None
    bins = np.searchsorted(edges, places, side="left")
    return LossByScore(
        edges=tuple(edges.tolist()),
        losses=tuple(sketch_number(losses[bins == k], bins=_LOSSES) for k in range(len(edges) + 1)),
    )


def _days(prepared: Prepared) -> NDArray[np.intp] | None:
    """Number the day of each test row, 0, 1, ...; None where rows have no times."""
    time = prepared.contract.time
    moments = prepared.rows[time][prepared.split.test] if time is not None else pl.Series()
    if not isinstance(moments.dtype, pl.Datetime | pl.Date) or moments.null_count():
        return None
    days = moments.cast(pl.Date)
    return days.rank("dense").to_numpy().astype(np.intp) - 1


def make_outliers(
    prepared: Prepared, rate: float, method: OutlierMethod = "mahalanobis", seed: int = 0
) -> OutlierModel:
    """Fit an outlier model on the training rows; a share of ``rate`` of them lies beyond it.

    Scores at the threshold itself do not count, so with many equal rows it may be fewer.
    """
    rows = prepared.features[prepared.split.train]
    fitted = fit_outliers(rows, prepared.contract, method, seed)
    columns = {name: rows[name].to_list() for name in rows.columns}
    scores = outlier_scorer(fitted).score(columns)
    threshold = float(np.quantile(scores, 1.0 - rate, method="higher"))
    return msgspec.structs.replace(fitted, threshold=threshold, rate=rate)


def make_background(prepared: Prepared, seed: int) -> dict[str, list[Any]]:
    """Draw up to 1,000 training rows, in their order: feature -> values."""
    train = prepared.split.train
    if len(train) > _BACKGROUND:
        train = np.sort(np.random.default_rng(seed).choice(train, _BACKGROUND, replace=False))
    rows = prepared.features[train]
    return {name: rows[name].to_list() for name in rows.columns}


def make_examples(prepared: Prepared, scores: Scores) -> Examples:
    """Take test rows spread over the whole test part, with their scores."""
    test = prepared.split.test
    picked = np.unique(np.linspace(0, len(test) - 1, min(_EXAMPLES, len(test))).astype(np.int64))
    rows = prepared.features[test[picked]]
    return Examples(
        features={name: rows[name].to_list() for name in rows.columns},
        scores=scores[picked].tolist(),
        target=prepared.target[test][picked].tolist(),
    )
