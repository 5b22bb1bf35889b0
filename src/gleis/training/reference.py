"""What the package carries of its training: the reference profile and a test of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import polars as pl
from numpy.typing import NDArray

from gleis.contracts.outliers import OutlierMethod, OutlierModel
from gleis.contracts.profile import Reference
from gleis.data.profile import profile, sketch_number
from gleis.evidence.estimation.learn import learn_estimation
from gleis.evidence.losses import row_loss, score_columns
from gleis.evidence.outliers.fit import fit_outliers
from gleis.packaging.examples import Examples
from gleis.packaging.outliers.scorer import outlier_scorer
from gleis.training.prepare import Prepared

if TYPE_CHECKING:
    from gleis.contracts.ports import Scores

_EXAMPLES = 200
_BACKGROUND = 1_000


def make_reference(prepared: Prepared, scores: Scores) -> Reference:
    """Sketch features of all labelled rows; scores and losses of the test rows only.

    Scores on training rows would look better than they will ever be again.
    """
    contract = prepared.contract
    columns = score_columns(scores, contract)
    test = prepared.split.test
    target = prepared.target[test]
    rows = prepared.features[test]
    learned = learn_estimation(
        target, scores, {name: rows[name] for name in rows.columns}, contract, _days(prepared)
    )
    return Reference(
        features=profile(prepared.features, contract.names),
        scores=profile(pl.DataFrame(columns), list(columns)),
        loss=sketch_number(row_loss(target, scores, contract.task)),
        estimation=learned.estimation,
        no_estimation=learned.reason,
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
