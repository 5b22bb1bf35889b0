from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import GroupKFold, cross_val_predict

from evidence.leakage.planted_leaks import honest, look, recordings, settings_of, sides_of
from gleis.evidence.leakage.candidates import find_candidates
from gleis.evidence.leakage.groups import TOLERANCE


def test_recordings_split_row_by_row_are_a_certain_leak(recorded):
    (leak,) = [leak for leak in recorded.leaks if leak.kind == "group"]
    assert (leak.column, leak.certain) == ("recording", True)
    assert leak.figures["random.accuracy"].value > 0.95
    assert leak.figures["grouped.accuracy"].high < 0.85
    assert leak.figures["fall.accuracy"].low > TOLERANCE
    assert '[split] by = "group", group = "recording"' in leak.reason


def test_scikit_learn_finds_the_same_grouped_figure(recorded):
    rows = recordings()
    (leak,) = [leak for leak in recorded.leaks if leak.kind == "group"]
    predicted = cross_val_predict(
        HistGradientBoostingClassifier(max_iter=50, max_leaf_nodes=15, random_state=0),
        rows.drop("y", "recording").to_numpy(),
        rows["y"].to_numpy(),
        groups=rows["recording"].to_numpy(),
        cv=GroupKFold(5),
    )
    assert leak.figures["grouped.accuracy"].value == pytest.approx(
        (predicted == rows["y"].to_numpy()).mean(), abs=1e-12
    )


def test_a_recording_left_among_the_features_is_certain_only_in_blocks_with_one_answer_each():
    rows = recordings()
    (leak,) = [leak for leak in look(rows, settings_of()).leaks if leak.kind == "group"]
    assert (leak.column, leak.certain) == ("recording", True)
    shuffled = rows.sample(fraction=1.0, shuffle=True, seed=0)
    (leak,) = [leak for leak in look(shuffled, settings_of()).leaks if leak.kind == "group"]
    assert (leak.column, leak.certain) == ("recording", False)
    assert "come again" in leak.reason


def test_splits_that_keep_groups_apart_are_clean():
    rows = recordings()
    test = np.flatnonzero((rows["recording"] < 8).to_numpy())
    by_group = look(rows, settings_of(by="group", group="recording"), test=test)
    assert by_group.leaks == ()
    torn_but_named_elsewhere = look(rows, settings_of(exclude=("recording",)), test=test)
    assert any("none is on both sides" in said for said in torn_but_named_elsewhere.checked)
    at = rows.with_columns(at=pl.int_range(pl.len()).cast(pl.Datetime("us", "UTC")))
    late = np.arange(900, 1200)
    by_time = look(at, settings_of(by="time", time="at", exclude=("recording",)), test=late)
    assert [leak for leak in by_time.leaks if leak.kind == "group"] == []


def test_a_named_group_within_a_split_by_another_one():
    rows = recordings().with_columns(batch=pl.int_range(pl.len()) % 12)
    test = np.flatnonzero((rows["batch"] < 3).to_numpy())
    settings = settings_of(by="group", group="batch", groups=("recording",))
    (leak,) = [leak for leak in look(rows, settings, test=test).leaks if leak.kind == "group"]
    assert leak.certain
    assert leak.figures["split.accuracy"].value > 0.95 > leak.figures["grouped.accuracy"].high


@pytest.mark.parametrize("seed", range(6))
def test_groups_that_mean_nothing_are_not_flagged(seed):
    """Also with other shares of the target, where folds of groups push ignorance below chance."""
    rng = np.random.default_rng(seed)
    rows = honest(seed=seed).with_columns(site=pl.Series(rng.integers(0, 25, 1200)))
    assert look(rows, settings_of(exclude=("site",)), seed=seed).leaks == ()
    rate = rng.random(25)[rows["site"].to_numpy()]
    noise = rows.with_columns(y=pl.Series((rng.random(1200) < rate).astype(int)))
    assert look(noise, settings_of(exclude=("site",)), seed=seed).leaks == ()


def test_numbers_to_predict_and_lopsided_classes():
    rng = np.random.default_rng(0)
    rows = recordings(n_groups=60, size=20)
    height = rng.normal(size=60)[rows["recording"].to_numpy()]
    found = look(
        rows.with_columns(y=pl.Series(height)), settings_of("regression", exclude=("recording",))
    )
    (leak,) = [leak for leak in found.leaks if leak.kind == "group"]
    assert leak.figures["random.r2"].value > 0.9 > leak.figures["grouped.r2"].high
    rows = recordings(n_groups=200, size=20)
    rare = (rng.permutation(200) < 30).astype(int)[rows["recording"].to_numpy()]
    found = look(rows.with_columns(y=pl.Series(rare)), settings_of(exclude=("recording",)))
    (leak,) = [leak for leak in found.leaks if leak.kind == "group"]
    assert leak.figures["random.roc_auc"].value > 0.9 > leak.figures["grouped.roc_auc"].high


@pytest.mark.parametrize(
    ("column", "said"),
    [
        (pl.lit(7), "1 group only"),
        (pl.lit(None, pl.Int64), "null in all 1,200 rows"),
        (pl.when(pl.int_range(pl.len()) % 3 == 0).then(1), "null in 800 of 1,200 rows"),
        (pl.int_range(pl.len()), "another value in every row"),
        (pl.int_range(pl.len()) % 3, "3 groups only"),
    ],
)
def test_named_columns_that_make_no_groups_are_said_to_be_unchecked(column, said):
    rows = honest().with_columns(site=column)
    found = look(rows, settings_of(groups=("site",), exclude=("site",)))
    assert found.leaks == ()
    assert [said in text and "site" in text for text in found.unchecked] == [True]


def test_ten_thousand_groups_are_sampled_whole():
    rows = recordings(n_groups=10_000, size=3).with_columns(
        recording=pl.format("patient {}", "recording")
    )
    found = look(rows, settings_of(groups=("recording",), exclude=("recording",)))
    (leak,) = [leak for leak in found.leaks if leak.kind == "group"]
    assert leak.certain
    assert "4,998 rows, 10,000 groups" in leak.reason


def test_columns_are_looked_for_only_where_nobody_said():
    rows = recordings().with_columns(
        sex=pl.int_range(pl.len()) % 7, fifth=pl.int_range(pl.len()) % 400
    )
    settings = settings_of(exclude=("recording", "sex", "fifth"), protected=("sex",))

    def names(settings):
        found, _, skipped = find_candidates(sides_of(rows, settings), settings)
        return [candidate.name for candidate in found], skipped

    assert names(settings) == (["recording"], [])
    assert names(settings_of(exclude=("recording", "sex"), groups=())) == ([], [])
    many = rows.with_columns(**{f"m{i}": pl.int_range(pl.len()) % (7 + i) for i in range(6)})
    others = [f"m{i}" for i in range(6)]
    found, _, skipped = find_candidates(
        sides_of(many, settings_of(exclude=("recording", *others))),
        settings_of(exclude=("recording", *others)),
    )
    assert found[0].name == "recording"
    assert (len(found), len(skipped)) == (4, 3)
