"""A function of the project that fills a table beside its own."""

from __future__ import annotations

from datetime import timedelta

import pytest

from gleis.contracts.errors import ConfigError, DataError, ProjectError
from gleis.data.versions import DatasetVersions
from weather_project import make_weather, put

ALL = """
import polars as pl

def stations():
    return pl.read_csv("{place}")
"""
PERIOD = """
from datetime import datetime, UTC
import polars as pl
import gleis

def hours(since, until):
    rows = pl.read_csv("{place}", try_parse_dates=True).with_columns(
        pl.col("at").dt.replace_time_zone("UTC")
    )
    if since is not None:
        rows = rows.filter(pl.col("at") >= since)
    return rows.filter(pl.col("at") < until)
"""


@pytest.fixture
def make(tmp_path):
    def make(code, source="mine:stations", more="", failing="refuse"):
        place = tmp_path / "rows.csv"
        (tmp_path / "mine.py").write_text(code.replace("{place}", str(place)))
        return make_weather(tmp_path, source, more, failing), place

    return make


def test_all_rows_are_appended_to_exchanged_or_known(make):
    project, place = make(ALL, more='id = "x"')
    put(place, "x,y\n1,a\n2,b\n")
    found = project.data.ingest("weather")
    assert (found.rows, found.latest.label) == (2, "weather@v1")
    assert found.latest.provenance.source == "mine:stations"
    assert project.data.ingest("weather").made == ()
    put(place, "x,y\n3,c\n2,b\n1,a\n")
    grown = project.data.ingest("weather").latest
    assert (grown.parent, grown.rows) == (1, 3), "the order of known rows says nothing"
    put(place, "x,y\n1,z\n2,b\n3,c\n")
    anew = project.data.ingest("weather").latest
    assert (anew.parent, project.data.read("weather@latest")["y"].to_list()) == (None, [*"zbc"])


def test_its_code_is_part_of_the_provenance_and_may_bring_other_columns(make):
    project, place = make(ALL)
    put(place, "x,y\n1,a\n")
    first = project.data.ingest("weather").latest
    project, _ = make(ALL.replace("read_csv(", "read_csv(  # a comment\n"))
    assert project.data.ingest("weather").made == ()
    project, _ = make(ALL.replace('"{place}")', '"{place}").drop("y")'))
    second = project.data.ingest("weather").latest
    assert second.columns == {"x": "Int64"}
    assert second.provenance.code != first.provenance.code


def test_of_a_period_only_what_is_new_is_asked_for(make):
    project, place = make(PERIOD, "mine:hours", 'time = "at"')
    put(place, "at,x\n2013-01-01T00:00:00,1\n2013-01-02T00:00:00,2\n")
    first = project.data.ingest("weather").latest
    assert first.rows == 2
    assert first.provenance.since is None
    now = first.provenance.until
    put(place, f"at,x\n2013-01-01T00:00:00,9\n{now + timedelta(microseconds=1):%FT%T.%f},3\n")
    second = project.data.ingest("weather").latest
    assert (second.parent, second.provenance.since) == (1, now)
    assert project.data.read("weather@latest")["x"].to_list() == [1, 2, 3]
    assert project.data.ingest("weather").made == ()
    project, place = make(PERIOD.replace("    return rows", "    rows = rows\n    return rows"),
                          "mine:hours", 'time = "at"')  # fmt: skip
    mended = project.data.ingest("weather").latest
    assert (mended.parent, mended.rows) == (None, 2), "a mended function mends the past too"


def test_tables_that_it_reads_are_named(make, tmp_path):
    code = """
import gleis

def doubled():
    return gleis.table("other").collect()
"""
    more = '[datasets.other]\nfrom = "in/"'
    project, _ = make(code, "mine:doubled", more)
    put(tmp_path / "in/a.csv", "x\n1\n")
    project.data.ingest("other")
    assert project.data.ingest("weather").latest.provenance.tables == ("other@v1",)


def test_what_it_cannot_do_is_told(make):
    project, _ = make("def stations(path): ...")
    with pytest.raises(ProjectError, match=r"takes other parameters .*def stations\(\):"):
        project.data.ingest("weather")
    project, _ = make("x = 1")
    with pytest.raises(ProjectError, match=r"mine.py has no function stations"):
        project.data.ingest("weather")
    project, _ = make("def stations(): return 1 / 0")
    with pytest.raises(ProjectError, match=r"mine.py:1: stations failed: ZeroDivisionError"):
        project.data.ingest("weather")
    project, _ = make(PERIOD, "mine:hours")
    with pytest.raises(ConfigError, match=r"datasets\.weather has no time"):
        project.data.ingest("weather")
    project, _ = make(ALL, "other:stations")
    with pytest.raises(ProjectError, match=r"There is no module other.py"):
        project.data.ingest("weather")


def test_rows_that_cannot_be_taken_are_refused_whatever_becomes_of_files(make):
    project, place = make(ALL, more='id = "x"', failing="quarantine")
    put(place, "x\n1\n1\n")
    with pytest.raises(DataError, match="What mine:stations returned cannot be taken"):
        project.data.ingest("weather")
    put(place, "x\n1\n")
    project.data.ingest("weather")
    put(place, "x,new\n1,2\n")
    with pytest.raises(DataError, match="new: new"):
        project.data.ingest("weather")
    assert project.data.ingest("weather", anew=True).latest.columns.keys() == {"x", "new"}
    assert len(DatasetVersions(project.home, project.settings, "weather").versions()) == 2
