from __future__ import annotations

from datetime import UTC, datetime

import pytest

from gleis.contracts.contract import Contract
from gleis.contracts.errors import InvalidRowError, MalformedError, TooLargeError
from gleis.contracts.prediction import Label
from gleis.serving.labels import LabelReader

BINARY = Contract(task="binary", features=(), target="late", classes=("0", "1"))
REGRESSION = Contract(task="regression", features=(), target="delay")


def test_labels_by_either_key():
    labels = LabelReader(BINARY, 10).read(
        [
            {"prediction_id": "17-0-ab", "label": True},
            {"id": 1545, "label": "0", "at": "2013-07-04T12:00:00Z"},
        ]
    )
    assert labels == [
        Label(value="1", prediction_id="17-0-ab"),
        Label(value="0", entity="1545", at=datetime(2013, 7, 4, 12, tzinfo=UTC)),
    ]


def test_a_regression_takes_numbers():
    labels = LabelReader(REGRESSION, 10).read([{"id": "a", "label": 3}])
    assert labels[0].value == 3.0
    assert type(labels[0].value) is float


@pytest.mark.parametrize(
    ("contract", "item", "field"),
    [
        (BINARY, {"prediction_id": "1", "label": 2}, "label"),
        (BINARY, {"prediction_id": "1", "label": None}, "label"),
        (BINARY, {"prediction_id": "1"}, "label"),
        (BINARY, {"label": 1}, "prediction_id"),
        (BINARY, {"prediction_id": "1", "id": "a", "label": 1}, "prediction_id"),
        (BINARY, {"prediction_id": 17, "label": 1}, "prediction_id"),
        (BINARY, {"id": True, "label": 1}, "id"),
        (BINARY, {"id": "a", "label": 1, "at": "soon"}, "at"),
        (BINARY, {"id": "a", "label": 1, "flight": 3}, "flight"),
        (BINARY, "label", None),
        (BINARY, None, None),
        (REGRESSION, {"id": "a", "label": "3"}, "label"),
        (REGRESSION, {"id": "a", "label": True}, "label"),
        (REGRESSION, {"id": "a", "label": float("nan")}, "label"),
        (REGRESSION, {"id": "a", "label": 10**400}, "label"),
    ],
)
def test_a_wrong_label_is_refused_with_its_place_and_remedy(contract, item, field):
    good = {"id": "a", "label": 1}
    with pytest.raises(InvalidRowError, match=r"rows\[1\]") as caught:
        LabelReader(contract, 10).read([good, item])
    assert caught.value.field == field
    assert caught.value.remedy


def test_no_label_and_too_many():
    with pytest.raises(MalformedError):
        LabelReader(BINARY, 1).read([])
    with pytest.raises(TooLargeError):
        LabelReader(BINARY, 1).read([{"id": "a", "label": 1}] * 2)
