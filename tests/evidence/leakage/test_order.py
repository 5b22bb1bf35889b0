from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from evidence.leakage.planted_leaks import honest, look, recordings, settings_of


def spells(seed=0, n_spells=60, size=60):
    """Rows whose answer is that of their spell; a counter tells the spell."""
    rng = np.random.default_rng(seed)
    spell = np.repeat(np.arange(n_spells), size)
    return pl.DataFrame(
        {
            "level": spell + rng.normal(scale=0.1, size=len(spell)),
            "noise": rng.normal(size=len(spell)),
            "at": pl.Series(np.arange(len(spell))).cast(pl.Datetime("us", "UTC")),
            "y": (rng.permutation(n_spells) % 2)[spell],
        }
    )


def test_rows_that_tell_of_their_neighbours_in_time_are_a_certain_leak():
    found = look(spells().sample(fraction=1.0, shuffle=True, seed=1), settings_of(time="at"))
    (leak,) = [leak for leak in found.leaks if leak.kind == "time"]
    assert (leak.column, leak.certain) == ("at", True)
    assert leak.figures["fall.accuracy"].low > 0.1
    assert leak.figures["by_time.accuracy"].high < 0.7
    assert '[split] by = "time"' in leak.reason


@pytest.mark.parametrize("seed", range(4))
def test_without_a_fall_it_is_a_warning(seed):
    rows = honest(seed=seed).with_columns(at=pl.int_range(pl.len()).cast(pl.Datetime("us")))
    (leak,) = look(rows, settings_of(time="at"), seed=seed).leaks
    assert (leak.kind, leak.certain) == ("time", False)
    assert "no fall" in leak.reason


def test_split_by_time_is_clean():
    found = look(spells(), settings_of(time="at", by="time"), test=np.arange(3000, 3600))
    assert [leak for leak in found.leaks if leak.kind == "time"] == []
    assert any("lies before" in said for said in found.checked)


def test_one_moment_for_all_rows():
    rows = honest().with_columns(at=pl.lit(0).cast(pl.Datetime("us")))
    found = look(rows, settings_of(time="at"))
    assert found.leaks == found.unchecked == ()


def test_a_single_class_before_the_rest_cannot_be_compared():
    rows = spells().with_columns(y=(pl.int_range(pl.len()) > 2400).cast(pl.Int64))
    found = look(rows.drop("level"), settings_of(time="at"))
    assert [leak.certain for leak in found.leaks if leak.kind == "time"] == [False]
    assert any("single class" in said for said in found.unchecked)


def test_groups_that_follow_one_another_are_not_taken_for_time():
    """Recordings, one after the other, kept apart: the future of others tells nothing."""
    rows = recordings(n_groups=40, size=30).with_columns(
        at=pl.int_range(pl.len()).cast(pl.Datetime("us", "UTC"))
    )
    test = np.flatnonzero((rows["recording"] % 4 == 0).to_numpy())
    by_group = settings_of(time="at", by="group", group="recording")
    (leak,) = look(rows, by_group, test=test).leaks
    assert (leak.kind, leak.certain) == ("time", False)
    assert "split.accuracy" in leak.figures
    at_random = look(rows, settings_of(time="at", exclude=("recording",)))
    assert {leak.kind for leak in at_random.leaks if leak.certain} == {"group", "time"}
