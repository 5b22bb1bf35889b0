from __future__ import annotations

import msgspec

from gleis.training.sections.surrogate import SURROGATE, find
from materials import make_material


def test_it_is_asked_on_training_and_test_rows_and_survives_the_cache():
    found = find(make_material(compiled=True))
    assert found.rows == 720  # of 1,200: the others choose the depth and judge
    assert found.of == "1"
    assert sum(rows for _, _, rows in found.rules) == found.rows
    check = found.fidelity[0]
    assert check.low <= check.value <= check.high
    assert check.holds == (check.low >= 0.5)
    assert msgspec.json.decode(msgspec.json.encode(found), type=SURROGATE.kind) == found
