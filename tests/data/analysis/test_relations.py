from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import mutual_info_score, roc_auc_score

from gleis.data.analysis.coded import code_categories
from gleis.data.analysis.relations import information, relate


@pytest.fixture(scope="module")
def rows():
    draw = np.random.default_rng(5)
    n = 6000
    x = draw.normal(size=n)
    carrier = draw.choice(["UA", "B6", "EV"], n, p=[0.5, 0.3, 0.2])
    late = draw.random(n) < 1 / (1 + np.exp(-(x + 1.5 * (carrier == "EV") - 1)))
    return pl.DataFrame(
        {
            "x": x,
            "down": -x,
            "carrier": carrier,
            "noise": draw.normal(size=n),
            "late": late.astype(np.int8),
            "delay": 3 * x + draw.normal(size=n),
            "why": np.where(late, np.where(x > 0, "weather", "crew"), "none"),
        }
    ).with_columns(pl.when(pl.int_range(n) % 9 == 0).then(None).otherwise("late").alias("late"))


def _told(rows, target, task, *names):
    return {each.column: each for each in relate(rows, target, task, names)}


def test_numbers_against_two_classes_have_an_auc_and_a_direction(rows):
    told = _told(rows, "late", "binary", "x", "down", "noise")
    known = rows.drop_nulls("late")
    assert told["x"].effect == pytest.approx(roc_auc_score(known["late"], known["x"]))
    assert told["x"].direction == "higher where late is 1"
    assert told["down"].direction == "lower where late is 1"
    assert told["x"].beyond_chance
    assert not told["noise"].beyond_chance
    assert told["noise"].share < 0.002


def test_categories_have_their_lowest_and_highest_rate(rows):
    (found,) = relate(rows, "late", "binary", ["carrier"])
    rates = dict(rows.group_by("carrier").agg(pl.col("late").mean()).iter_rows())
    assert found.effect == pytest.approx(rates["EV"] - min(rates.values()))
    assert f"{rates['EV']:.1%} where EV" in found.direction


def test_information_is_scikit_learns_less_its_bias(rows):
    first, second = code_categories(rows["carrier"]), code_categories(rows["why"])
    bits, share, beyond = information(first, second, 0.05)
    nats = mutual_info_score(rows["carrier"].to_numpy(), rows["why"].to_numpy())
    assert bits * np.log(2) == pytest.approx(nats - 4 / (2 * rows.height))
    assert 0 < share < 1
    assert beyond


def test_a_regression_has_spearman_and_means(rows):
    told = _told(rows, "delay", "regression", "x", "down", "carrier")
    assert told["x"].measure == "Spearman"
    assert told["x"].effect == pytest.approx(-told["down"].effect)
    assert told["down"].direction == "delay falls with it"
    assert told["carrier"].measure == "means apart"
    assert next(iter(told)) in ("x", "down")


def test_several_classes_say_where_it_is_highest(rows):
    (found,) = relate(rows, "why", "multiclass", ["x"])
    assert found.direction == "lowest where why is crew, highest where weather"
    assert found.effect is None


def test_missing_values_may_tell_too():
    late = [i % 2 for i in range(400)]
    frame = pl.DataFrame({"x": [None if y else 1.0 for y in late], "late": late})
    (found,) = relate(frame, "late", "binary", ["x"])
    assert found.share > 0.99


def test_a_target_of_one_value_or_none_tells_nothing():
    frame = pl.DataFrame({"x": [1, 2, 3], "y": [1, 1, None], "z": [None] * 3})
    assert relate(frame, "y", "binary", ["x"]) == ()
    assert relate(frame, "z", "binary", ["x"]) == ()


def test_categories_of_people_are_not_named(rows):
    (found,) = relate(rows, "late", "binary", ["carrier"], ["carrier"])
    assert (found.direction, found.beyond_chance) == ("", True)
