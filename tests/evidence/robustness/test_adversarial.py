from __future__ import annotations

import itertools

import numpy as np
import pytest

from evidence_rows import CONTRACT, Formula, labels_of, make_rows
from gleis.contracts.errors import ConfigError
from gleis.evidence.losses import log_losses
from gleis.evidence.robustness.adversarial import errors_of, move_worst
from gleis.evidence.robustness.table import read_table
from gleis.evidence.robustness.usual import usual_of

ROWS = make_rows(200)
TABLE, Y = read_table(ROWS, CONTRACT), labels_of(ROWS)
KNOWN = usual_of(TABLE)


def row_loss(table):
    return log_losses(np.resize(Y, len(table)), Formula().predict(table.columns()))


def test_a_monotone_model_is_moved_to_the_worst_corner():
    """The worst of a monotone formula lies in a corner of the box: all of them are tried."""
    errors = {"price": 0.05, "age": 2.0, "pages": 1.0}
    found = move_worst(TABLE, errors, row_loss)
    corners = []
    for signs in itertools.product([-1, 1], repeat=3):
        changes = {}
        for (name, error), sign in zip(errors.items(), signs, strict=True):
            column = next(c for c in CONTRACT.features if c.name == name)
            moved = TABLE.values[name] + sign * error
            changes[name] = np.clip(moved, column.low, column.high)
        corners.append(row_loss(TABLE.changed(changes)))
    np.testing.assert_allclose(row_loss(found), np.max(corners, axis=0))


def test_no_move_is_longer_than_the_error_and_no_row_gets_better():
    errors = errors_of(TABLE, KNOWN, {"age": 1.5})
    assert errors == {"price": pytest.approx(0.01 * KNOWN["price"].spread), "age": 1.5}
    found = move_worst(TABLE, errors, row_loss)
    for name in CONTRACT.names:
        there = ~TABLE.missing(name)
        distance = np.abs(found.values[name] - TABLE.values[name])[there]
        assert distance.max() <= errors.get(name, 0) * (1 + 1e-9)
    assert (row_loss(found) >= row_loss(TABLE)).all()
    assert row_loss(found).mean() > row_loss(TABLE).mean()


def test_whole_numbers_move_by_whole_ones():
    assert "pages" not in errors_of(TABLE, KNOWN, {"pages": 0.9})
    errors = errors_of(TABLE, KNOWN, {"pages": 2.7})
    assert errors["pages"] == 2.0
    moved = move_worst(TABLE, {"pages": 2.0}, row_loss).values["pages"] - TABLE.values["pages"]
    assert set(np.unique(moved)) <= {-2.0, -1.0, 0.0, 1.0, 2.0}


@pytest.mark.parametrize(("name", "hint"), [("prise", "Did you mean price?"), ("shop", "price")])
def test_an_unknown_number_is_named(name, hint):
    with pytest.raises(ConfigError, match=f"measurement_error.*'{name}'") as caught:
        errors_of(TABLE, KNOWN, {name: 1.0})
    assert hint in str(caught.value)
