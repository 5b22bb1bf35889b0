from __future__ import annotations

import numpy as np
import pytest

from evidence_rows import CONTRACT, Formula, labels_of, make_rows
from gleis.contracts.contract import Contract
from gleis.evidence.losses import log_losses
from gleis.evidence.robustness.single import FACTORS, damage_worst_features, slip, stick
from gleis.evidence.robustness.table import read_table
from gleis.evidence.robustness.usual import usual_of

ROWS = make_rows(500)
TABLE, Y = read_table(ROWS, CONTRACT), labels_of(ROWS)
KNOWN = usual_of(TABLE)


def mean_loss(table):
    return float(log_losses(Y[: len(table)], Formula().predict(table.columns())).mean())


def test_the_worst_is_the_worst_of_all():
    stuck, slipped = damage_worst_features(TABLE, KNOWN, mean_loss)
    one_by_one = {name: mean_loss(stick(TABLE, KNOWN, name)) for name in CONTRACT.names}
    worst = max(one_by_one, key=one_by_one.get)
    assert worst == "price"
    assert stuck.name == "stuck_feature"
    assert stuck.description.startswith("price is stuck at ")
    assert mean_loss(stuck.table) == one_by_one[worst]
    units = [slip(TABLE, column, f) for column in CONTRACT.features[:3] for f in FACTORS]
    assert mean_loss(slipped.table) == pytest.approx(max(map(mean_loss, units)))
    assert "multiplied by 1000" in slipped.description


def test_a_unit_that_the_model_refuses_is_not_the_worst():
    def refusing(table):
        return None if np.nanmax(np.abs(table.values["age"])) > 1000 else mean_loss(table)

    _, slipped = damage_worst_features(TABLE, KNOWN, refusing)
    assert np.nanmax(np.abs(slipped.table.values["age"])) <= 1000


def test_words_are_stuck_at_the_most_frequent_one():
    assert set(stick(TABLE, KNOWN, "shop").columns()["shop"].to_list()) == {"a"}
    assert set(stick(TABLE, KNOWN, "member").columns()["member"].to_list()) == {False}


def test_no_number_no_unit():
    contract = Contract(task="binary", features=CONTRACT.features[3:], target="bought")
    table = read_table(ROWS, contract)
    stuck, slipped = damage_worst_features(table, usual_of(table), lambda rows: 0.0)
    assert stuck.table is not None
    assert slipped.table is None
    assert "no number" in slipped.note
