from __future__ import annotations

from datetime import UTC, datetime

import polars as pl
import pytest

from gleis.contracts.errors import DataError, ProjectError
from gleis.data.dataset import Datasets
from gleis.data.loading import Loading
from gleis.data.module import open_module
from gleis.data.refresh import is_current, refresh, reload
from gleis.data.review_labels import complete
from gleis.data.reviews import NONE, Given, ReviewedLabels

MODULE = """
from pathlib import Path
import polars as pl

HERE = Path(__file__).parent

def load(since, until):
    with (HERE / "asked.txt").open("a") as asked:
        asked.write(f"{since and since.day} {until.day}\\n")
    rows = pl.read_parquet(HERE / "rows.parquet")
    if "at" not in rows.columns:
        return rows
    rows = rows.filter(pl.col("at") < until)
    return rows if since is None else rows.filter(pl.col("at") >= since)

def build_model(params):
    return None
"""


def day(n):
    return datetime(2013, 1, n, tzinfo=UTC)


@pytest.fixture
def project(tmp_path, home, clock, make_settings):
    (tmp_path / "p.py").write_text(MODULE)
    module = open_module(tmp_path, "p")

    class Project:
        def __init__(self, **roles):
            self.settings = make_settings(**roles)
            self.datasets = Datasets(home, self.settings, clock)

        def put(self, **columns):
            pl.DataFrame(columns).write_parquet(tmp_path / "rows.parquet")

        def loading(self, code, reviewed):
            return Loading(
                module=module,
                settings=self.settings,
                code=code,
                clock=clock,
                home=home,
                reviewed=reviewed,
            )

        def refresh(self, until=31, code="c1", reviewed=NONE):
            return refresh(self.datasets, self.loading(code, reviewed), day(until))

        def reload(self, until=31, code="c1", reviewed=NONE):
            return reload(self.datasets, self.loading(code, reviewed), day(until))

        def rows(self):
            return self.datasets.read(self.datasets.latest())

        def asked(self):
            text = (tmp_path / "asked.txt").read_text()
            (tmp_path / "asked.txt").unlink()
            return text.split("\n")[:-1]

    return Project


def month(*days_, **more):
    return {"at": [day(n) for n in days_], "x": list(days_), "late": [n % 2 for n in days_], **more}


def test_with_a_time_column_only_new_rows_are_loaded(project):
    p = project(time="at")
    p.put(**month(*range(1, 20)))
    first = p.refresh(5)
    assert (first.rows, first.provenance.since, first.provenance.until) == (4, None, day(5))
    assert first.provenance.source == "p:load"
    second = p.refresh(10)
    assert (second.version, second.rows, second.provenance.since) == (2, 9, day(5))
    assert p.asked() == ["None 5", "5 10"]
    assert p.rows()["x"].to_list() == list(range(1, 10))


def test_nothing_new(project):
    p = project(time="at")
    p.put(**month(1, 2, 3))
    first = p.refresh(5)
    assert p.refresh(5) == p.refresh(4) == first
    assert p.asked() == ["None 5"]
    assert p.refresh(9) == first
    assert p.asked() == ["5 9"]


def test_an_append_without_labels(project):
    p = project(time="at")
    p.put(**month(1, 2, 3))
    p.refresh(3)
    p.put(**{**month(1, 2, 3), "late": pl.Series([None] * 3, dtype=pl.Null)})
    assert p.refresh(5).labelled == 2


def test_no_rows_at_all(project):
    p = project(time="at")
    p.put(**month(7))
    with pytest.raises(DataError, match="no rows"):
        p.refresh(5)
    assert p.datasets.versions() == []
    assert p.refresh(9).rows == 1


def test_a_failing_load_loses_nothing(project, tmp_path):
    p = project(time="at")
    p.put(**month(1, 2, 3))
    first = p.refresh(3)
    (tmp_path / "rows.parquet").unlink()
    with pytest.raises(ProjectError, match=r"p\.py:10: load failed: FileNotFoundError"):
        p.refresh(5)
    assert p.datasets.latest() == first


def test_columns_that_changed_under_the_same_code(project):
    p = project(time="at")
    p.put(**month(1, 2, 3))
    first = p.refresh(3)
    p.put(**month(1, 2, 3, y=[1, 2, 3]))
    with pytest.raises(DataError, match="new: y"):
        p.refresh(5)
    assert p.datasets.latest() == first


def test_new_code_loads_everything_anew(project):
    p = project(time="at")
    p.put(**month(1, 2, 3))
    first = p.refresh(3)
    p.put(**month(1, 2, 3, y=[1, 2, 3]))
    second = p.refresh(3, code="c2")
    assert (second.version, second.parent, second.rows) == (2, None, 2)
    assert second.columns.keys() - first.columns.keys() == {"y"}
    assert p.asked() == ["None 3", "None 3"]
    assert p.refresh(5, code="c2").rows == 3


def test_new_code_that_loads_the_same_makes_no_version_and_is_remembered(project):
    p = project(time="at")
    p.put(**month(1, 2, 3))
    p.refresh(2)
    second = p.refresh(5)
    p.asked()
    assert p.refresh(5, code="c2") == second
    assert p.asked() == ["None 5"]
    assert p.refresh(5, code="c2") == second
    p.put(**month(1, 2, 3, 6))
    assert p.refresh(7, code="c2").rows == 4
    assert p.asked() == ["5 7"]


def test_with_an_id_and_no_time_new_ids_are_appended(project):
    p = project(id="id")
    p.put(id=[1, 2], x=[1, 2], late=[0, 1])
    first = p.refresh()
    p.put(id=[3, 2, 1], x=[3, 2, 1], late=[1, 1, 0])
    second = p.refresh()
    assert (second.version, second.parent, second.rows) == (2, 1, 3)
    assert p.rows()["id"].to_list() == [1, 2, 3]
    assert p.refresh() == second
    p.put(id=[4], x=[4], late=[1])
    assert p.refresh().rows == 4
    assert p.datasets.read(first)["id"].to_list() == [1, 2]


def test_a_label_that_came_later_makes_a_snapshot(project):
    p = project(id="id")
    p.put(id=[1, 2], x=[1, 2], late=[0, None])
    p.refresh()
    p.put(id=[2, 3], x=[2, 3], late=[1, 1])
    second = p.refresh()
    assert (second.parent, second.rows, second.labelled) == (None, 3, 3)
    assert dict(p.rows().select("id", "late").iter_rows()) == {1: 0, 2: 1, 3: 1}


def test_without_id_and_time_other_content_makes_a_snapshot(project):
    p = project()
    p.put(x=[1, 2], late=[0, 1])
    first = p.refresh()
    assert p.refresh() == first
    p.put(x=[1], late=[0])
    second = p.refresh()
    assert (second.version, second.parent, second.rows) == (2, None, 1)
    p.put(x=[1, 2], late=[0, 1])
    assert p.refresh().content == first.content
    assert p.datasets.read(first)["x"].to_list() == [1, 2]


def test_repeated_ids_in_the_source(project):
    p = project(id="id")
    p.put(id=[1, 2], x=[1, 2], late=[0, 1])
    first = p.refresh()
    p.put(id=[1, 1], x=[1, 2], late=[0, 1])
    with pytest.raises(DataError, match=r"repeats: 1 of 2.*\[1\]"):
        p.refresh()
    assert p.datasets.latest() == first


def test_reloading_brings_late_and_mended_rows(project):
    rows = project(time="at")
    rows.put(at=[day(1), day(3)], x=[1.0, 3.0], late=[0, 1])
    first = rows.refresh(until=5)
    # A row of day 2 reached the source only now: a refresh does not ask for it.
    rows.put(at=[day(1), day(2), day(3)], x=[1.0, 2.0, 3.0], late=[0, 1, 1])
    assert rows.refresh(until=6) == first
    again = rows.reload(until=6)
    assert again.version == 2
    assert rows.rows()["x"].to_list() == [1.0, 2.0, 3.0]
    assert rows.reload(until=6) == again
    assert rows.datasets.read(first)["x"].to_list() == [1.0, 3.0]


def test_what_is_current_is_known_without_asking(project):
    rows = project(time="at")
    assert not is_current(rows.datasets, day(5), "c1")
    rows.put(at=[day(1), day(3)], x=[1.0, 3.0], late=[0, 1])
    rows.refresh(until=5)
    assert is_current(rows.datasets, day(5), "c1")
    assert not is_current(rows.datasets, day(6), "c1")
    assert not is_current(rows.datasets, day(5), "c2")


def reviews(**labels):
    return ReviewedLabels(
        labels={key: Given(value, day(20)) for key, value in labels.items()}, count=len(labels)
    )


def numbered(*days_, **more):
    return month(*days_, n=list(days_)) | more


def test_reviewed_labels_complete_and_override_what_the_source_says(project):
    p = project(time="at", id="n")
    p.put(**numbered(1, 2, 3, late=[0, None, 0]))
    first = p.refresh(5, reviewed=reviews(**{"2": "1", "3": "1", "77": "1"}))
    assert p.rows()["late"].to_list() == [0, 1, 1]
    reviewed = first.provenance.reviewed
    assert (reviewed.completed, reviewed.overridden, reviewed.considered) == (1, 1, 3)
    assert reviewed.last == day(20)
    assert first.labelled == 3


def test_rows_held_already_take_a_later_review_in_a_snapshot(project):
    p = project(time="at", id="n")
    p.put(**numbered(1, 2, 3, 6, late=[0, None, 0, 0]))
    first = p.refresh(5)
    given = reviews(**{"2": "1"})
    assert not is_current(p.datasets, day(5), "c1", given)
    second = p.refresh(5, reviewed=given)
    assert (second.version, second.parent, second.rows) == (2, None, 3)
    assert p.rows()["late"].to_list() == [0, 1, 0]
    assert p.datasets.read(first)["late"].to_list() == [0, None, 0]
    assert is_current(p.datasets, day(5), "c1", given)
    assert p.refresh(5, reviewed=given) == second
    third = p.refresh(9, reviewed=given)
    assert (third.parent, third.rows) == (2, 4)
    assert third.provenance.reviewed == second.provenance.reviewed
    assert p.asked() == ["None 5", "5 9"]


def test_reviews_of_rows_that_are_not_there_are_looked_for_once(project):
    p = project(time="at", id="n")
    p.put(**numbered(1, 2, 8))
    first = p.refresh(5)
    given = reviews(**{"8": "1"})
    assert p.refresh(5, reviewed=given) == first
    assert is_current(p.datasets, day(5), "c1", given)
    assert p.refresh(9, reviewed=given).provenance.reviewed.overridden == 1
    assert p.rows()["late"].to_list() == [1, 0, 1]


def test_without_a_time_column_reviews_stay_where_the_source_repeats_itself(project):
    p = project(id="n")
    p.put(n=[1, 2], x=[5, 6], late=[None, 0])
    p.refresh()
    given = reviews(**{"1": "1"})
    second = p.refresh(reviewed=given)
    assert p.rows()["late"].to_list() == [1, 0]
    assert p.refresh(reviewed=given) == second
    p.put(n=[2, 3], x=[6, 7], late=[0, 1])
    third = p.refresh(reviewed=given)
    assert sorted(p.rows()["n"].to_list()) == [1, 2, 3]
    assert third.provenance.reviewed.last == day(20)


@pytest.mark.parametrize("anew", ["reload", "code"])
def test_everything_loaded_anew_keeps_the_reviews(project, anew):
    p = project(time="at", id="n")
    p.put(**numbered(1, 2, late=[0, None]))
    given = reviews(**{"2": "1"})
    first = p.refresh(5, reviewed=given)
    again = p.reload(5, reviewed=given) if anew == "reload" else p.refresh(5, "c2", given)
    assert again == first
    assert p.rows()["late"].to_list() == [0, 1]


def test_without_an_id_nothing_is_joined(project):
    p = project(time="at")
    p.put(**numbered(1, 2, late=[0, None]))
    p.refresh(5, reviewed=reviews(**{"2": "1"}))
    assert p.rows()["late"].to_list() == [0, None]


@pytest.mark.parametrize(
    ("column", "label", "expected"),
    [
        ([0.0, None], "1", 1.0),
        ([False, None], "true", True),
        (["no", None], "yes", "yes"),
        ([0.5, None], 2.25, 2.25),
        ([3, None], 4.0, 4),
        ([3, None], 4.5, None),
    ],
)
def test_labels_become_what_the_target_column_holds(make_settings, column, label, expected):
    settings = make_settings(id="x")
    frame = pl.DataFrame({"x": ["a", "b"], "late": column})
    done = complete(frame, settings, reviews(b=label))
    assert done.frame["late"].to_list() == [column[0], expected]
    assert done.frame["late"].dtype == frame["late"].dtype
    assert (done.rows.completed, done.rows.left_out) == ((1, 0) if expected is not None else (0, 1))
