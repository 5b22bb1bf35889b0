from __future__ import annotations

import numpy as np
import pytest

from gleis.contracts.errors import DataError
from gleis.evidence.checks import check_scores

TWO = np.array([[0.5, 0.5], [0.1, 0.9]])


@pytest.mark.parametrize(
    ("y", "scores", "task", "said"),
    [
        ([], [], "binary", "no labelled rows"),
        ([0, 1], [0.5], "binary", "wrong shape"),
        ([0, 1], TWO, "binary", "wrong shape"),
        ([0, 1], [0.5, 0.5], "multiclass", "wrong shape"),
        ([0, 1], [0.5, np.inf], "regression", "score is missing or infinite in row 1"),
        ([0.0, np.nan], [0.5, 0.5], "regression", "label is missing or infinite in row 1"),
        ([0, 1], [0.5, 1.1], "binary", "outside 0 to 1 in row 1: 1.1"),
        ([0, 1], [-0.2, 0.5], "binary", "outside 0 to 1 in row 0"),
        ([0, 1], [[0.5, 0.5], [0.1, 0.1]], "multiclass", "add up to 1 in row 1: 0.2"),
        ([0, 2], [0.5, 0.5], "binary", "class index from 0 to 1 in row 1: 2"),
        ([-1, 1], TWO, "multiclass", "class index from 0 to 1 in row 0"),
        ([0.5, 1], [0.5, 0.5], "binary", "class index"),
    ],
)
def test_refused(y, scores, task, said):
    with pytest.raises(DataError, match=said):
        check_scores(np.array(y), np.array(scores, dtype=float), task)


def test_accepted():
    check_scores(np.array([0, 1]), TWO, "multiclass")
    check_scores(np.array([0, 1]), np.array([0.0, 1.0 + 1e-8]), "binary")
    check_scores(np.array([-3.0, 1e9]), np.array([7.0, -1.0]), "regression")
