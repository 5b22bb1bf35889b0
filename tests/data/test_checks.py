from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import polars as pl
import pytest

from gleis.config.settings import ExplainSettings
from gleis.contracts.errors import DataError
from gleis.data.checks import check_rows, check_table

N = 2400


@pytest.fixture
def frame():
    start = datetime(2013, 1, 1, tzinfo=UTC)
    return pl.DataFrame(
        {
            "id": range(N),
            "at": [start + timedelta(hours=i) for i in range(N)],
            "g": [i % 7 for i in range(N)],
            "temp": [float(i % 50) for i in range(N)],
            "origin": ["JFK" if i % 3 else "EWR" for i in range(N)],
            "late": [i % 2 for i in range(N)],
        }
    ).with_columns(pl.col("at").dt.cast_time_unit("us"))


@pytest.fixture
def settings(make_settings):
    return make_settings(
        id="id", time="at", slices=("origin",), split={"by": "group", "group": "g"}
    )


def test_good_rows_say_nothing(frame, settings):
    assert check_rows(frame, settings) == []


def test_a_constant_feature_is_a_note(frame, settings):
    (note,) = check_rows(frame.with_columns(year=pl.lit(2013)), settings)
    assert "year" in note
    assert "2013" in note


def test_an_error_of_measurement_of_no_column_is_refused(frame, settings):
    evidence = msgspec.structs.replace(settings.evidence, measurement_error={"tmp": 0.5})
    with pytest.raises(DataError, match=r"measurement_error.*'tmp'.*mean 'temp'"):
        check_rows(frame, msgspec.structs.replace(settings, evidence=evidence))


@pytest.mark.parametrize(
    ("explain", "said"),
    [
        ({"names": {"origim": "the airport"}}, r"explain\.names .*'origim'.*Did you mean 'origin'"),
        ({"names_de": {"origim=JFK": "Kennedy"}}, r"explain\.names_de .*'origim'"),
        ({"outcomes": {"late": "a delay"}}, r"explain\.outcomes names a class.*'late'"),
        ({"outcomes_de": {"2": "zu spät"}}, r"explain\.outcomes_de names a class.*classes are"),
    ],
)
def test_a_name_for_what_there_is_not(frame, settings, explain, said):
    with pytest.raises(DataError, match=said):
        check_rows(frame, msgspec.structs.replace(settings, explain=ExplainSettings(**explain)))


def test_an_immutable_feature_that_there_is_not(frame, settings):
    explain = ExplainSettings(immutable=("origim",))
    with pytest.raises(DataError, match=r"explain\.immutable .*'origim'.*Did you mean 'origin'"):
        check_rows(frame, msgspec.structs.replace(settings, explain=explain))


@pytest.mark.parametrize(
    ("features", "evidence", "said"),
    [
        ({"available_at": {"temq": "6h"}}, {}, r"available_at names .*'temq'.*mean 'temp'"),
        ({"available_at": {"temp": "att"}}, {}, r"available_at\.temp names .*'att'.*mean 'at'"),
        ({"available_at": {"temp": "origin"}}, {}, r"available_at\.temp .*no times: 'origin: Str"),
        ({}, {"groups": ("orogin",)}, r"evidence\.groups names .*'orogin'.*mean 'origin'"),
    ],
)
def test_columns_by_which_leaks_are_looked_for_must_be_there(
    frame, settings, features, evidence, said
):
    named = msgspec.structs.replace(
        settings,
        features=msgspec.structs.replace(settings.features, **features),
        evidence=msgspec.structs.replace(settings.evidence, **evidence),
    )
    with pytest.raises(DataError, match=said):
        check_rows(frame, named)


def test_the_moment_a_feature_was_known_is_no_feature(frame, settings):
    features = msgspec.structs.replace(settings.features, available_at={"temp": "known"})
    named = msgspec.structs.replace(settings, features=features)
    assert check_rows(frame.with_columns(known=pl.col("at")), named) == []


def test_unlabelled_rows_are_no_error(frame, settings):
    half = frame.with_columns(late=pl.when(pl.col("id") > 20).then("late"))
    assert check_rows(half, settings) == []


def test_rows_of_one_append_may_all_lack_a_label(frame, settings):
    check_table(frame.with_columns(late=pl.lit(None)), settings)


first = pl.col("id") == 0
BAD_TABLES = {
    "no rows": (lambda f: f.clear(), "no rows"),
    "target": (lambda f: f.rename({"late": "lat"}), r"project\.target.*'late'.*mean 'lat'"),
    "id": (lambda f: f.drop("id"), r"project\.id.*'id'.*Columns: at, g, temp"),
    "time": (lambda f: f.drop("at"), r"project\.time.*'at'"),
    "group": (lambda f: f.drop("g"), r"split\.group.*'g'"),
    "slice": (lambda f: f.rename({"origin": "origins"}), r"slices.*'origin'.*mean 'origins'"),
    "same id": (
        lambda f: f.with_columns(id=pl.col("id").clip(3)),
        r"Id column id repeats: 3 of 2,400.*\[3\]",
    ),
    "null id": (lambda f: f.with_columns(id=pl.when(~first).then("id")), "id is null.*1 of 2,400"),
    "null time": (
        lambda f: f.with_columns(at=pl.when(~first).then("at")),
        "Time column at is null.*1 of 2,400",
    ),
    "text time": (
        lambda f: f.with_columns(at=pl.col("at").dt.to_string()),
        "at holds String, not times: '2013-01-01.*str.to_datetime",
    ),
    "null group": (lambda f: f.with_columns(g=pl.when(~first).then("g")), "Group column g is null"),
    "list": (lambda f: f.with_columns(x=pl.concat_list("temp")), "Column x.*List"),
    "struct": (lambda f: f.with_columns(x=pl.struct("temp")), "Column x.*Struct"),
    "binary": (lambda f: f.with_columns(x=pl.lit(b"1")), "Column x.*Binary"),
    "duration": (lambda f: f.with_columns(x=pl.lit(timedelta(1))), "Column x.*Duration"),
}
BAD_ROWS = {
    "unlabelled": (lambda f: f.with_columns(late=pl.lit(None)), "late is null in all.*2,400"),
    "null feature": (
        lambda f: f.with_columns(temp=pl.lit(None, pl.Float64)),
        r"temp is null in all 2,400.*exclude = \['temp'\]",
    ),
    "untyped null feature": (lambda f: f.with_columns(x=pl.lit(None)), "Feature x is null in all"),
    "infinite": (
        lambda f: f.with_columns(temp=pl.when(pl.col("id") == 7).then(float("-inf")).otherwise(1)),
        "temp is infinite in 1 of 2,400 rows, first in row 7: -inf",
    ),
    "time feature": (
        lambda f: f.with_columns(due=pl.col("at")),
        "Feature due is a time.*2013.*hour, weekday",
    ),
    "free text": (
        lambda f: f.with_columns(note=pl.format("n{}", "id")),
        r"note looks like free text.*2,400 values.*'n0'.*exclude = \['note'\]",
    ),
    "one class": (
        lambda f: f.with_columns(late=pl.lit(1)),
        r"late has 1 classes, a binary task needs exactly 2: \['1'\]",
    ),
    "three classes": (
        lambda f: f.with_columns(late=pl.col("id") % 3),
        r"3 classes.*\['0', '1', '2'\].*multiclass",
    ),
    "fractions": (lambda f: f.with_columns(late=pl.col("id") / 7), "fractions.*regression"),
    "time target": (lambda f: f.with_columns(late=pl.col("at").dt.truncate("50d")), "no class"),
}


@pytest.mark.parametrize("case", BAD_TABLES)
def test_bad_tables_name_column_and_value(frame, settings, case):
    spoil, named = BAD_TABLES[case]
    for check in (check_table, check_rows):
        with pytest.raises(DataError, match=named):
            check(spoil(frame), settings)


@pytest.mark.parametrize("case", BAD_ROWS)
def test_bad_rows_name_column_and_value(frame, settings, case):
    spoil, named = BAD_ROWS[case]
    with pytest.raises(DataError, match=named):
        check_rows(spoil(frame), settings)


def test_a_feature_null_in_all_labelled_rows_only(frame, settings):
    known = pl.col("id") >= 100
    spoiled = frame.with_columns(
        late=pl.when(known).then("late"), temp=pl.when(~known).then("temp")
    )
    with pytest.raises(DataError, match="temp is null in all 2,300 labelled"):
        check_rows(spoiled, settings)


@pytest.mark.parametrize(
    ("task", "target", "named"),
    [
        ("regression", "origin", "origin is no number.*String"),
        ("multiclass", "one", "1 classes, a multiclass task needs at least 2"),
        ("multiclass", "id", "more than 1000 classes.*2,400 values"),
    ],
)
def test_targets_that_do_not_fit_the_task(frame, make_settings, task, target, named):
    frame = frame.with_columns(one=pl.lit("x")).drop("at")
    with pytest.raises(DataError, match=named):
        check_rows(frame, make_settings(task, target))


def test_infinite_regression_target(frame, make_settings):
    frame = frame.drop("at").with_columns(y=pl.when(first).then(float("inf")).otherwise(1.0))
    with pytest.raises(DataError, match=r"Column y is infinite.*row 0: inf"):
        check_rows(frame, make_settings("regression", "y"))


def test_nullable_integers_from_pandas_are_classes(frame, settings):
    floats = frame.with_columns(late=pl.when(pl.col("id") > 5).then(pl.col("late").cast(float)))
    assert check_rows(floats, settings) == []
