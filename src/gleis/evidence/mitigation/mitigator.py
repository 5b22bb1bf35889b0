"""What all mitigations share: parameters, groups, and an inner model that may not see them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, is_regressor
from sklearn.metrics import accuracy_score, r2_score
from sklearn.utils import get_tags
from sklearn.utils.validation import check_is_fitted

from gleis.contracts.errors import ConfigError
from gleis.evidence.mitigation.groups import find_groups, group_names
from gleis.evidence.mitigation.tables import visible


class Mitigator(BaseEstimator):  # type: ignore[misc]
    """A scikit-learn estimator around another one; see the subclasses.

    ``fit(X, y, groups=None)`` takes a table of polars or pandas, (n_rows, n_columns), labels or
    values (n_rows,), and the group of each row; by default it reads the groups from the
    ``protected`` columns of ``X``. ``strength`` goes from 0, which changes nothing, to 1.
    ``hidden`` names columns that the inner model must not see.
    """

    estimator: Any
    protected: Sequence[str]
    bands: Mapping[str, Sequence[float]] | None
    hidden: Sequence[str]
    strength: float

    @property
    def packaged(self) -> Any:
        """The fitted estimator that answers: the inner one where that is all it takes."""
        check_is_fitted(self)
        return self.estimator_

    @property
    def classes_(self) -> NDArray[Any]:
        """Class labels, (n_classes,)."""
        return cast("NDArray[Any]", self.estimator_.classes_)

    def notes(self) -> tuple[str, ...]:
        """Plain sentences about this fit, for the evidence."""
        return ()

    def predict_proba(self, X: Any) -> NDArray[np.float64]:  # noqa: N803
        """Return the score of each class, (n_rows, n_classes)."""
        check_is_fitted(self)
        return np.asarray(self.estimator_.predict_proba(visible(X, self.hidden)), dtype=np.float64)

    def predict(self, X: Any) -> NDArray[Any]:  # noqa: N803
        """Return class labels, the second of two where its score is over 0.5; or values."""
        check_is_fitted(self)
        if is_regressor(self):
            return np.asarray(self.estimator_.predict(visible(X, self.hidden)))
        scores = self.predict_proba(X)
        if scores.shape[1] == 2:
            return np.asarray(self.classes_[(scores[:, 1] > 0.5).astype(np.int64)])
        return np.asarray(self.classes_[scores.argmax(axis=1)])

    def score(self, X: Any, y: Any) -> float:  # noqa: N803
        """Return the accuracy of the labels, or the R2 of the values."""
        judged = r2_score if is_regressor(self) else accuracy_score
        return float(judged(y, self.predict(X)))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        inner = getattr(self, "estimator", None)
        if inner is None:
            tags.estimator_type = "classifier"
            return tags
        found = get_tags(inner)
        tags.estimator_type = found.estimator_type
        tags.classifier_tags = found.classifier_tags
        tags.regressor_tags = found.regressor_tags
        return tags

    def _find_groups(
        self, table: Any, groups: Any
    ) -> tuple[NDArray[np.str_], NDArray[np.int64], NDArray[np.str_]]:
        """Check the parameters, and return groups, each row's position among them, its name."""
        if not 0.0 <= self.strength <= 1.0:
            raise ConfigError(
                "The strength of a mitigation is not between 0 and 1",
                seen=self.strength,
                remedy="Take 1 for all of it, 0 for none.",
                field="fairness.strength",
            )
        if groups is None:
            names = group_names(table, self.protected, self.bands)
        else:
            names = np.asarray(groups, dtype=np.str_)
        return (*find_groups(names), names)
