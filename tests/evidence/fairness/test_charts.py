from __future__ import annotations

import pytest
import vl_convert

from evidence.fairness.people import people, settings
from gleis.evidence.fairness.charts import DISPARITIES, RATES, disparities_chart, groups_chart
from gleis.evidence.fairness.find import find_fairness

Y, SCORES, FRAME = people(1200)
FOUND = find_fairness(
    Y, SCORES, FRAME, "binary", settings("sex", "race", "age", min_group=40), n_replicates=20
)


def rows_of(chart):
    (rows,) = chart.to_dict()["datasets"].values()
    return rows


def test_groups_are_drawn_with_their_intervals():
    attribute = FOUND.attributes[-1]
    assert attribute.unknown
    chart = groups_chart(attribute)
    rows = rows_of(chart)
    known = [group for group in attribute.groups if group.figures]
    assert {row["rate"] for row in rows} == set(RATES)
    assert len(rows) == len(RATES) * len(known)
    first = next(row for row in rows if row["rate"] == "precision")
    assert first["group"] == known[0].name
    assert first["high"] == known[0].figures["precision"].high
    assert f"{len(attribute.unknown)} groups are too small" in str(chart.to_dict()["title"])
    assert {row["rate"] for row in rows_of(groups_chart(attribute, ["f1"]))} == {"f1"}


def test_disparities_are_drawn_for_every_attribute():
    rows = rows_of(disparities_chart(FOUND))
    held = [name for name in DISPARITIES if name in FOUND.attributes[0].figures]
    assert len(rows) == len(held) * 7
    assert {row["attribute"] for row in rows} == {each.name for each in FOUND.attributes}


@pytest.mark.parametrize("chart", [groups_chart(FOUND.attributes[0]), disparities_chart(FOUND)])
def test_charts_render(chart):
    assert len(vl_convert.vegalite_to_svg(chart.to_json())) > 5000
