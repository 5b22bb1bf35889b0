from __future__ import annotations

import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import HistGradientBoostingClassifier, VotingClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from gleis.contracts.errors import ProjectError
from gleis.evidence.mitigation.weights import weights_parameter

KNN = KNeighborsClassifier()


@pytest.mark.parametrize(
    ("estimator", "name"),
    [
        (HistGradientBoostingClassifier(), "sample_weight"),
        (
            make_pipeline(StandardScaler(), LogisticRegression()),
            "logisticregression__sample_weight",
        ),
        (CalibratedClassifierCV(LogisticRegression()), "sample_weight"),
        (VotingClassifier([("a", LogisticRegression())]), "sample_weight"),
        (TransformedTargetRegressor(LinearRegression()), "sample_weight"),
    ],
)
def test_weights_have_a_name(estimator, name):
    assert weights_parameter(estimator) == name


@pytest.mark.parametrize(
    "estimator",
    [
        KNN,
        make_pipeline(StandardScaler(), KNN),
        CalibratedClassifierCV(KNN),
        VotingClassifier([("a", LogisticRegression()), ("b", KNN)]),
    ],
)
def test_one_that_would_leave_them_out_is_refused(estimator):
    with pytest.raises(ProjectError, match="takes none"):
        weights_parameter(estimator)
