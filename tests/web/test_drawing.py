from __future__ import annotations

import pytest

from gleis.contracts.errors import StoreError
from gleis.web.charts import specs
from gleis.web.drawing import Drawing


def test_a_chart_takes_the_rows_it_is_given_in_all_its_layers():
    for name, spec in specs().items():
        assert "data" not in spec, name
        assert all("data" not in layer for layer in spec.get("layer", ())), name
        assert spec["width"] == "container", name


def test_where_nothing_can_be_written_it_is_said_and_tried_again(tmp_path):
    taken = tmp_path / "pages"
    taken.write_text("a file")
    drawing = Drawing(taken)
    for _ in range(2):
        with pytest.raises(StoreError, match="cannot be made") as caught:
            drawing.find("specs.js")
        assert str(tmp_path) in caught.value.remedy
    taken.unlink()
    (taken / drawing._folder.name).mkdir(parents=True)  # as another worker would have made it
    assert drawing.find("specs.js").parent.parent == taken
