from __future__ import annotations

from collections import Counter

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from gleis.data.analysis.row_changes import match_rows

ROWS = st.lists(st.tuples(st.integers(0, 9), st.none() | st.integers(0, 2), st.sampled_from("ab")))
SCHEMA = {"id": pl.Int64, "x": pl.Int64, "c": pl.String}


def _table(rows):
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def _unique(rows):
    return list({row[0]: row for row in rows}.values())


@settings(max_examples=60, deadline=None)
@given(ROWS.map(_unique), ROWS.map(_unique))
def test_by_id_says_what_a_dictionary_says(before, after):
    old, new = ({row[0]: row for row in rows} for rows in (before, after))
    found = match_rows(_table(before), _table(after), "id")
    both = old.keys() & new.keys()
    assert found.change.added == len(new.keys() - old.keys())
    assert found.change.removed == len(old.keys() - new.keys())
    assert found.change.changed == sum(old[key] != new[key] for key in both)
    assert found.change.same == sum(old[key] == new[key] for key in both)
    for place, name in enumerate(("id", "x", "c")):
        same = [key for key in both if old[key][place] == new[key][place]]
        assert found.same[name] == len(same)
        assert found.kept[name] == sum(old[key][place] is not None for key in same)
    edits = {each.column: each.rows for each in found.change.columns}
    assert edits.get("x", 0) == sum(old[key][1] != new[key][1] for key in both)
    assert [after[place][0] in old for place in found.added] == [False] * found.change.added


@settings(max_examples=60, deadline=None)
@given(ROWS, ROWS)
def test_by_content_says_what_a_multiset_says(before, after):
    old, new = Counter(before), Counter(after)
    found = match_rows(_table(before), _table(after))
    assert found.change.by == "content"
    assert found.change.added == (new - old).total()
    assert found.change.removed == (old - new).total()
    assert found.change.same == (new & old).total()
    assert Counter(after[place] for place in found.added) == new - old


def test_ids_that_repeat_are_told_by_content():
    twice = _table([(1, 1, "a"), (1, 1, "a")])
    found = match_rows(twice, twice.head(1), "id").change
    assert (found.by, found.removed, found.same) == ("content", 1, 1)
    assert "repeat" in found.note


def test_examples_say_what_was_and_is():
    before = _table([(7, None, "a"), (8, 2, "b")])
    after = _table([(8, 2, "a"), (7, 1, "a")])
    edits = {each.column: each.examples for each in match_rows(before, after, "id").change.columns}
    (cell,) = edits["x"]
    assert (cell.id, cell.before, cell.after) == ("7", None, "1")
    (masked,) = (
        each.examples[0]
        for each in match_rows(before, after, "id", ["c"]).change.columns
        if each.column == "c"
    )
    assert (masked.before, masked.after) == ("b", "a")  # a mask shows the first character


def test_a_column_of_another_type_is_compared_by_its_values():
    before = pl.DataFrame({"id": [1, 2], "x": [1, 2], "gone": [0, 0]})
    after = pl.DataFrame({"id": [1, 2], "x": [1.0, 2.5], "new": [0, 0]})
    assert match_rows(before, after, "id").change.changed == 1
    text = after.with_columns(x=pl.Series(["1", "two"]))
    assert match_rows(before, text, "id").change.changed == 1
