from __future__ import annotations

import os
from datetime import UTC, date, datetime

import deltalake
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gleis.contracts.errors import DataError, StoreError
from gleis.store.tables import table as tables
from gleis.store.tables.table import DeltaTable

FLIGHTS = pl.DataFrame(
    {
        "carrier": ["UA", None, "AA", "B6"],
        "distance": [1400, 2475, None, 187],
        "delay": [1.5, float("nan"), None, -3.0],
        "late": [True, False, None, False],
        "day": [date(2013, 1, 1)] * 4,
        "departs_at": [datetime(2013, 1, 1, hour, tzinfo=UTC) for hour in range(4)],
    }
)


@settings(max_examples=15, deadline=None)
@given(sizes=st.lists(st.integers(0, 50), min_size=1, max_size=6))
def test_every_version_is_the_rows_so_far_in_order(tmp_path_factory, sizes):
    table = DeltaTable(tmp_path_factory.mktemp("table") / "t")
    frame = pl.DataFrame({"x": pl.int_range(sum(sizes), eager=True).shuffle(seed=1)})
    ends = [sum(sizes[: i + 1]) for i in range(len(sizes))]
    versions = [
        table.append(frame[end - size : end]) for end, size in zip(ends, sizes, strict=True)
    ]
    assert versions == table.versions() == list(range(len(sizes)))
    for version, end in zip(versions, ends, strict=True):
        assert table.read(version).equals(frame[:end])
        assert table.rows(version) == end
    assert table.read().equals(frame)


def test_delta_alone_would_not_keep_the_order(tmp_path):
    """Why there is a hidden column: if this fails, it may go."""
    table = DeltaTable(tmp_path / "t")
    for start in range(3):
        table.append(pl.DataFrame({"x": [start]}))
    assert table.read()["x"].to_list() == [0, 1, 2]
    assert pl.read_delta(str(tmp_path / "t"))["x"].to_list() != [0, 1, 2]


def test_values_and_types_come_back(tmp_path):
    table = DeltaTable(tmp_path / "t")
    table.append(FLIGHTS)
    assert table.read().equals(FLIGHTS)
    assert table.schema() == FLIGHTS.schema
    assert table.read(columns=["late", "carrier"]).equals(FLIGHTS.select("late", "carrier"))


@pytest.mark.parametrize(
    ("given_type", "stored"),
    [
        (pl.UInt8, pl.Int16),
        (pl.UInt64, pl.Int64),
        (pl.Categorical, pl.String),
        (pl.Enum(["1", "2"]), pl.String),
        (pl.Datetime("ns"), pl.Datetime("us")),
        (pl.Datetime("ms", "UTC"), pl.Datetime("us", "UTC")),
    ],
)
def test_types_that_delta_has_not(tmp_path, given_type, stored):
    text = given_type == pl.Categorical or isinstance(given_type, pl.Enum)
    column = pl.Series("x", ["1", "2"] if text else [1, 2]).cast(given_type)
    table = DeltaTable(tmp_path / "t")
    table.append(column.to_frame())
    table.append(column.to_frame())
    back = table.read()["x"]
    assert back.dtype == stored
    assert back.to_list() == column.cast(stored).to_list() * 2


@pytest.mark.parametrize(
    ("frame", "needles"),
    [
        (FLIGHTS.drop("carrier"), ["missing: carrier"]),
        (FLIGHTS.with_columns(gate=pl.lit("A1")), ["new: gate"]),
        (FLIGHTS.cast({"distance": pl.Float64}), ["distance: Int64 -> Float64"]),
        (FLIGHTS.rename({"late": "tardy"}), ["missing: late", "new: tardy"]),
        (FLIGHTS.with_columns(delay=pl.lit([1])), ["delay", "List"]),
        (FLIGHTS.with_columns(_row=pl.lit(1)), ["_row"]),
        (FLIGHTS.with_columns(distance=pl.lit(2**64 - 1)), ["distance"]),
    ],
)
def test_rows_that_do_not_fit(tmp_path, frame, needles):
    table = DeltaTable(tmp_path / "t")
    table.append(FLIGHTS)
    with pytest.raises(DataError) as caught:
        table.append(frame)
    for needle in needles:
        assert needle in str(caught.value)
    assert table.read().equals(FLIGHTS)


def test_a_column_without_values_takes_the_known_type(tmp_path):
    table = DeltaTable(tmp_path / "t")
    empty = FLIGHTS.with_columns(delay=pl.lit(None))
    with pytest.raises(DataError, match="delay"):
        table.append(empty)
    table.append(FLIGHTS)
    table.append(empty)
    assert table.read()["delay"].null_count() == 1 + 4


def test_columns_in_another_order(tmp_path):
    table = DeltaTable(tmp_path / "t")
    table.append(FLIGHTS)
    table.append(FLIGHTS.select(reversed(FLIGHTS.columns)))
    assert table.read().equals(pl.concat([FLIGHTS, FLIGHTS]))


def test_append_writes_only_new_rows(tmp_path):
    table = DeltaTable(tmp_path / "t")
    table.append(pl.DataFrame({"x": pl.int_range(300_000, eager=True).shuffle(seed=1)}))
    before = {path.name for path in (tmp_path / "t").glob("*.parquet")}
    table.append(pl.DataFrame({"x": [1]}))
    after = {path.name: path.stat().st_size for path in (tmp_path / "t").glob("*.parquet")}
    (new,) = set(after) - before
    assert after[new] < 2000


def test_replace_and_restore(tmp_path):
    table = DeltaTable(tmp_path / "t")
    other = pl.DataFrame({"x": ["a"]})
    assert table.replace(FLIGHTS) == 0
    assert table.replace(other) == 1
    assert table.read().equals(other)
    assert table.read(0).equals(FLIGHTS)
    assert table.restore(0) == 2
    assert table.restore(2) == 2
    table.append(FLIGHTS)
    assert table.read().equals(pl.concat([FLIGHTS, FLIGHTS]))


def test_order_outlives_compaction(tmp_path):
    table = DeltaTable(tmp_path / "t")
    for start in range(5):
        table.append(pl.DataFrame({"x": [start, -start]}))
    deltalake.DeltaTable(tmp_path / "t").optimize.compact()
    assert table.read()["x"].to_list() == [0, 0, 1, -1, 2, -2, 3, -3, 4, -4]


def test_another_writer_meanwhile(tmp_path):
    table = DeltaTable(tmp_path / "t")
    table.append(FLIGHTS)
    stale = deltalake.DeltaTable(tmp_path / "t")
    table.append(FLIGHTS)
    with pytest.raises(StoreError, match="meanwhile"):
        table._write(FLIGHTS, stale, FLIGHTS.height)
    assert table.rows() == 2 * FLIGHTS.height


def test_what_is_not_there(tmp_path):
    table = DeltaTable(tmp_path / "t")
    assert table.version() is None
    assert table.versions() == []
    with pytest.raises(StoreError, match="no table"):
        table.read()
    table.append(FLIGHTS)
    with pytest.raises(StoreError):
        table.read(7)
    with pytest.raises(StoreError):
        table.restore(7)
    with pytest.raises(DataError, match="gate"):
        table.read(columns=["gate"])


def test_a_missing_file(tmp_path):
    table = DeltaTable(tmp_path / "t")
    table.append(FLIGHTS)
    next((tmp_path / "t").glob("*.parquet")).unlink()
    with pytest.raises(StoreError):
        table.read()


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError):
        DeltaTable(tmp_path / "file" / "t").append(FLIGHTS)


def test_a_folder_may_hold_blanks_and_accents(tmp_path):
    plain, odd = DeltaTable(tmp_path / "plain"), DeltaTable(tmp_path / "my café" / "orders 2024")
    for table in (plain, odd):
        table.append(FLIGHTS)
        table.append(FLIGHTS)
    assert odd.read().equals(plain.read())
    assert odd.read().schema == plain.read().schema
    assert odd.read(0, ["distance"]).equals(FLIGHTS.select("distance"))


@settings(max_examples=10, deadline=None)
@given(sizes=st.lists(st.integers(1, 20), min_size=1, max_size=4), step=st.integers(1, 25))
def test_parts_are_the_rows_in_order(tmp_path_factory, sizes, step):
    table = DeltaTable(tmp_path_factory.mktemp("table") / "t")
    frame = pl.DataFrame({"x": pl.int_range(sum(sizes), eager=True).shuffle(seed=1)})
    start = 0
    for size in sizes:
        table.append(frame[start : start + size])
        start += size
    parts = list(table.parts(rows=step))
    assert pl.concat(parts).equals(frame)
    assert max(part.height for part in parts) <= step


def test_rows_deleted_in_between_leave_the_order_as_it_is(tmp_path):
    table = DeltaTable(tmp_path / "t")
    table.append(pl.DataFrame({"x": [0, 1, 2, 3]}))
    deltalake.DeltaTable(tmp_path / "t").delete("x in (1, 2)")
    table.append(pl.DataFrame({"x": [4, 5]}))
    assert table.read()["x"].to_list() == [0, 3, 4, 5]
    assert [part["x"].to_list() for part in table.parts(rows=3)] == [[0], [3, 4, 5]]


@pytest.mark.parametrize("folder", ["t", "my café/t 5"])
def test_sweep_deletes_what_no_kept_version_needs(tmp_path, folder):
    table = DeltaTable(tmp_path / folder)
    for frame in (FLIGHTS, FLIGHTS):
        table.append(frame)
    table.replace(FLIGHTS.select("late"))
    table.append(FLIGHTS.select("late"))
    second = (set(table.files(1)) - set(table.files(0))).pop()
    torn = tmp_path / folder / "part-9.parquet#1"
    torn.write_bytes(b"abc")
    would = table.sweep([0], dry_run=True)
    assert {file.name for file in would.files} == {second.name, torn.name}
    assert would.size == second.size + 3
    assert table.version() == 3, "a dry run writes nothing"
    assert table.sweep([0]) == would
    assert table.read(0).equals(FLIGHTS)
    assert table.read().height == table.read(3).height == 8
    with pytest.raises(StoreError):
        table.read(1)
    assert table.sweep([0]).files == ()


def test_sweep_goes_back_to_a_version_first(tmp_path):
    table = DeltaTable(tmp_path / "t")
    table.append(FLIGHTS)
    table.append(FLIGHTS)
    (second,) = set(table.files(1)) - set(table.files(0))
    would = table.sweep([], newest=0, dry_run=True)
    assert [file.name for file in would.files] == [second.name]
    assert table.sweep([], newest=0) == would
    assert table.read().equals(FLIGHTS)


def test_young_files_may_be_spared(tmp_path):
    table = DeltaTable(tmp_path / "t")
    table.append(FLIGHTS)
    table.replace(FLIGHTS)
    assert table.sweep([], hours=1).files == ()
    assert len(table.sweep([]).files) == 1


def test_no_tool_may_forget_a_version(tmp_path):
    """Checkpoints, and a clean-up of the log by whoever, leave every version readable."""
    old = FLIGHTS.select("distance").with_columns(_row=pl.int_range(4))
    deltalake.write_deltalake(tmp_path / "t", old)
    table = DeltaTable(tmp_path / "t")
    table.append(FLIGHTS.select("distance"))
    table.replace(FLIGHTS)
    there = deltalake.DeltaTable(tmp_path / "t")
    assert tables.PROPERTIES.items() <= there.metadata().configuration.items()
    for path in (tmp_path / "t" / "_delta_log").iterdir():
        os.utime(path, (0, 0))
    there.create_checkpoint()
    there.cleanup_metadata()
    versions = table.versions()
    assert versions[0] == 0
    assert [table.rows(version) for version in versions if version != 1] == [4, 8, 4]
    assert table.read(0)["distance"].equals(FLIGHTS["distance"])


def test_files_say_where_rows_and_values_are(tmp_path):
    table = DeltaTable(tmp_path / "t")
    table.append(FLIGHTS)
    table.append(FLIGHTS.with_columns(carrier=pl.lit("x" * 40)))
    first, second = table.files(column="distance")
    assert (first.rows, first.first, first.last, first.low, first.high) == (4, 0, 3, 187, 2475)
    assert (second.first, second.last) == (4, 7)
    assert [file.low for file in table.files(column="carrier")] == ["AA", None]
    assert [file.low for file in table.files(column="delay")] == [None, None]


def test_kept_versions_outlive_checkpoints_and_sweeps(tmp_path):
    table = DeltaTable(tmp_path / "t")
    table.append(pl.DataFrame({"x": [0]}))
    there = deltalake.DeltaTable(tmp_path / "t")
    there.alter.set_table_properties({"delta.checkpointInterval": "3"})
    for number in range(1, 12):
        write = table.replace if number % 4 == 0 else table.append
        write(pl.DataFrame({"x": [number]}))
    log = tmp_path / "t" / "_delta_log"
    assert len(list(log.glob("*.checkpoint.parquet"))) >= 3
    holds = {version: table.read(version)["x"].to_list() for version in (0, 4, 6, 9)}
    assert len(table.sweep(list(holds)).files) > 0
    assert {version: table.read(version)["x"].to_list() for version in holds} == holds
    table.restore(6)
    assert table.read()["x"].to_list() == holds[6]
