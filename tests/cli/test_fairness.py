from __future__ import annotations

import pytest

from commands import gleis
from trained_projects import copied, trained

BANDS = (
    'fairness.protected=["sepal_width", "sepal_length"]',
    "fairness.bands={sepal_width=[3.0], sepal_length=[5.8]}",
    "fairness.min_group=10",
    "fairness.favourable=virginica",
)


@pytest.fixture(scope="module")
def compared(tmp_path_factory):
    """An iris project whose last run compared broad with narrow sepals."""
    folder = copied(tmp_path_factory.mktemp("fair") / "iris")
    flags = [part for setting in BANDS for part in ("--set", setting)]
    said = gleis(folder, "run", *flags)
    assert said.code in (0, 1), said.err
    return folder


def test_groups_disparities_and_unknown_groups_are_shown(compared):
    said = gleis(compared, "fairness").out
    assert "groups    known from 10 rows on" in said
    assert "generalized_entropy_index" in said
    assert "sepal_width" in said
    assert "3 and over" in said
    assert "all rows       45" in said
    assert "between groups of sepal_width*sepal_length" in said
    assert "statistical_parity_difference" in said
    assert "unknown, with fewer than 10 rows: under 3*under 5.8" in said
    assert "brier" not in said
    assert "average_abs_odds_difference" not in said


def test_one_attribute_with_every_figure(compared):
    said = gleis(compared, "fairness", "--attribute", "sepal_length*sepal_width", "--all").out
    assert "between groups of sepal_width*sepal_length" in said
    assert "average_abs_odds_difference" in said
    assert "between groups of sepal_width " not in said


def test_json_is_the_evidence(compared):
    found = gleis(compared, "fairness", "--json").json["fairness"]
    assert [len(each["attributes"]) for each in found["attributes"]] == [1, 1, 2]
    alone = gleis(compared, "fairness", "--attribute", "sepal_width", "--json").json
    assert alone["fairness"] == found["attributes"][0]
    figure = found["attributes"][0]["figures"]["worst_class_statistical_parity_difference"]
    assert figure["low"] <= figure["value"] <= figure["high"]


def test_an_attribute_that_was_not_compared(compared):
    said = gleis(compared, "fairness", "--attribute", "sepal_widht")
    assert said.code != 0
    assert "Did you mean sepal_width?" in said.err


def test_a_run_without_protected_columns():
    said = gleis(trained(), "fairness")
    assert said.code != 0
    assert "has compared no groups" in said.err
    assert 'protected = ["sex"]' in said.err
