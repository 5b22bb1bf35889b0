"""What scores rows for an outlier model, in microseconds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from gleis.contracts.outliers import EcodOutliers, ForestOutliers, OutlierModel, Strangeness
from gleis.packaging.outliers.forest import ForestScorer
from gleis.packaging.outliers.mahalanobis import MahalanobisScorer
from gleis.packaging.outliers.tails import EcodScorer

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class OutlierScorer(Protocol):
    """Scores rows: the higher, the stranger. Scores of two packages do not compare."""

    threshold: float
    """A row with a higher score is an outlier."""

    def score(
        self, columns: Mapping[str, Sequence[Any]], numbers: NDArray[np.float64] | None = None
    ) -> NDArray[np.float64]:
        """Score rows.

        Parameters
        ----------
        columns : mapping of str to sequence, each (n_rows,)
            The contract's features; None or NaN is missing.
        numbers : ndarray of float64, (n_numeric, n_rows), optional
            Those of ``numeric`` as a matrix, NaN where missing, if it was made already.

        Returns
        -------
        ndarray of float64, (n_rows,)
        """
        ...

    def explain(self, row: Mapping[str, Any]) -> list[Strangeness]:
        """Say what each feature has to do with a row's score, the strangest first.

        Parameters
        ----------
        row : mapping of str to value
            The contract's features.

        Returns
        -------
        list of Strangeness
            Features that add something; what ``adds`` means is each method's own.
        """
        ...


def outlier_scorer(model: OutlierModel, numeric: Sequence[str] = ()) -> OutlierScorer:
    """Return what scores rows for a model; another method is entered here.

    Parameters
    ----------
    model : OutlierModel
    numeric : sequence of str
        Names of the rows of the matrix that ``score`` may be handed.

    Raises
    ------
    PackageError
        The model's arrays do not fit together.
    """
    if isinstance(model, ForestOutliers):
        return ForestScorer(model, numeric)
    if isinstance(model, EcodOutliers):
        return EcodScorer(model, numeric)
    return MahalanobisScorer(model, numeric)
