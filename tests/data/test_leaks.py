from __future__ import annotations

import numpy as np
import polars as pl

from gleis.data.leaks import find_leaks
from gleis.data.split import Split, split_rows


def distinct(n=400):
    rng = np.random.default_rng(0)
    return pl.DataFrame(
        {
            "id": np.arange(n),
            "g": np.arange(n) // 10,
            "x": rng.normal(size=n),
            "c": rng.choice(["a", None], n),
            "late": rng.integers(0, 2, n),
        }
    )


def test_new_rows_leave_no_sign(make_settings):
    settings = make_settings(id="id", split={"by": "group", "group": "g"})
    frame = distinct()
    assert find_leaks(frame, settings, split_rows(frame, settings, 0)) == []


def test_copies_are_counted_whatever_their_target(make_settings):
    frame = distinct()
    split = Split(train=np.arange(300), test=np.arange(300, 400))
    copied = pl.concat([frame.head(300), frame.slice(250, 50), frame.tail(50)]).with_columns(
        id=np.arange(400), late=(pl.int_range(400) % 2)
    )
    (note,) = find_leaks(copied, make_settings(id="id", features={"exclude": ("g",)}), split)
    assert note.startswith("50 of 100 test rows (50.0%)")


def test_groups_and_ids_on_both_sides(make_settings):
    frame = distinct().with_columns(id=pl.col("id") % 350)
    split = Split(train=np.arange(305), test=np.arange(305, 400))
    settings = make_settings(id="id", split={"by": "random", "group": "g"})
    ids, groups = find_leaks(frame, settings, split)
    assert ids.startswith("50 of 95 ids (id)")
    assert groups.startswith("1 of 10 groups (g)")


def test_a_random_split_of_rows_with_a_time(make_settings):
    frame = distinct().with_columns(at=pl.int_range(400).cast(pl.Datetime("us", "UTC")))
    settings = make_settings(time="at", id="id")
    (note,) = find_leaks(frame, settings, split_rows(frame, settings, 0))
    assert 'by = "time"' in note
