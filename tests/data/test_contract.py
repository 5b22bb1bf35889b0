from __future__ import annotations

import polars as pl
import pytest

from gleis.contracts.errors import DataError
from gleis.data.contract import infer_contract


@pytest.fixture
def frame():
    return pl.DataFrame(
        {
            "id": ["a", "b", "c"],
            "temp": [1.5, None, -2.0],
            "seats": [3, 1, 2],
            "origin": ["JFK", None, "EWR"],
            "wet": [True, False, True],
            "late": [1, 0, 1],
        }
    )


def test_kinds_ranges_categories(frame, make_settings):
    contract = infer_contract(frame, make_settings(id="id"))
    temp, seats, origin, wet = contract.features
    assert (temp.kind, temp.nullable, temp.low, temp.high) == ("number", True, -2.0, 1.5)
    assert (seats.kind, seats.nullable, seats.low, seats.high) == ("integer", False, 1.0, 3.0)
    assert (origin.kind, origin.nullable, origin.categories) == ("category", True, ("EWR", "JFK"))
    assert (wet.kind, wet.low, wet.categories) == ("boolean", None, None)
    assert (contract.id, contract.time, contract.target) == ("id", None, "late")
    assert contract.classes == ("0", "1")


@pytest.mark.parametrize(
    ("target", "positive", "classes"),
    [
        ([0, 1, 1], None, ("0", "1")),
        ([0, 1, 1], 0, ("1", "0")),
        ([0, 1, 1], True, ("0", "1")),
        ([True, False, True], None, ("false", "true")),
        ([True, False, True], False, ("true", "false")),
        ([10, 9, 10], None, ("9", "10")),
        (["no", "yes", "no"], "no", ("yes", "no")),
        ([0.0, 1.0, 0.0], 1, ("0", "1")),
    ],
)
def test_the_positive_class_is_last(frame, make_settings, target, positive, classes):
    rows = frame.with_columns(late=pl.Series(target))
    assert infer_contract(rows, make_settings(positive=positive)).classes == classes


def test_positive_that_is_no_class(frame, make_settings):
    with pytest.raises(DataError, match=r"project\.positive.*'yes'.*0, 1"):
        infer_contract(frame, make_settings(positive="yes"))


def test_regression_has_no_classes(frame, make_settings):
    assert infer_contract(frame, make_settings("regression", "temp")).classes is None


def test_a_type_no_model_takes(frame, make_settings):
    with pytest.raises(DataError, match=r"Feature x.*Duration"):
        infer_contract(frame.with_columns(x=pl.lit(1).cast(pl.Duration)), make_settings())
