from __future__ import annotations

from datetime import UTC, datetime

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from gleis.contracts.errors import DataError, StoreError
from gleis.data import checkout
from gleis.data.checkout import write_rows

ROWS = pl.DataFrame(
    {
        "id": [3, 1, None, 2],
        "name": ["a", None, "c,d", 'e"'],
        "x": [1.5, None, -0.0, 1e300],
        "late": [True, None, False, True],
        "at": [datetime(2013, 1, 1, hour, tzinfo=UTC) for hour in range(4)],
    }
)


def parts(frame=ROWS, size=3):
    return iter(list(frame.iter_slices(size)))


@pytest.mark.parametrize("name", ["f.parquet", "f.arrow", "f.csv", "new/f.feather", "folder"])
def test_what_is_written_reads_back(tmp_path, name, monkeypatch):
    monkeypatch.setattr(checkout, "_FOLDER_ROWS", 3)
    target = tmp_path / name
    assert write_rows(parts(), ROWS.schema, target) == 4
    if target.is_dir():
        files = sorted(target.iterdir())
        assert [path.name for path in files] == ["part-00001.parquet", "part-00002.parquet"]
        back = pl.read_parquet(target / "*.parquet")
    elif target.suffix == ".parquet":
        back = pl.read_parquet(target)
    elif target.suffix == ".csv":
        back = pl.read_csv(target, try_parse_dates=True)
    else:
        back = pl.read_ipc(target)
    assert_frame_equal(back.cast({"at": pl.Datetime("us", "UTC")}), ROWS)
    assert [path.name for path in target.parent.iterdir()] == [target.name], "no draft is left"


@pytest.mark.parametrize("name", ["f.csv", "folder"])
def test_what_is_there_stays(tmp_path, name):
    target = tmp_path / name
    write_rows(parts(), ROWS.schema, target)
    with pytest.raises(DataError, match="something already"):
        write_rows(parts(ROWS.head(1)), ROWS.schema, target)
    assert write_rows(parts(ROWS.head(1)), ROWS.schema, target, force=True) == 1


def test_an_unknown_form(tmp_path):
    with pytest.raises(DataError, match=r"f\.xlsx.*\.parquet"):
        write_rows(parts(), ROWS.schema, tmp_path / "f.xlsx")


@pytest.mark.parametrize("name", ["f.csv", "f.parquet", "folder"])
def test_a_failure_in_the_middle_leaves_what_was_there(tmp_path, name):
    def failing():
        yield ROWS
        raise StoreError("a file is damaged")

    target = tmp_path / name
    write_rows(parts(), ROWS.schema, target)
    before = sorted((path, path.stat().st_size) for path in tmp_path.rglob("*"))
    with pytest.raises(StoreError, match="damaged"):
        write_rows(failing(), ROWS.schema, target, force=True)
    assert sorted((path, path.stat().st_size) for path in tmp_path.rglob("*")) == before


def test_a_folder_in_the_way(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be written"):
        write_rows(parts(), ROWS.schema, tmp_path / "file" / "f.csv")
