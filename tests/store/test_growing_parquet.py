"""Parts appended byte by byte must read as if one writer had written them."""

from __future__ import annotations

import hashlib

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gleis.contracts.errors import StoreError
from gleis.store.growing_parquet import GrowingParquet
from gleis.store.parquet_footer import split
from gleis.store.part_folder import PartFolder
from gleis.store.thrift import write_struct


def table(rows: int, seed: int = 0) -> pa.Table:
    draw = np.random.default_rng(seed)
    return pa.table(
        {
            "score": draw.normal(size=rows),
            "carrier": pa.array(draw.choice(["AA", "UA"], rows)).dictionary_encode(),
            "flags": pa.array([["a", "b"][: i % 3] for i in range(rows)], pa.list_(pa.string())),
            "size": pa.array([None if i % 5 else i for i in range(rows)], pa.int64()),
        }
    )


def encode(rows: pa.Table, **options) -> bytes:
    out = pa.BufferOutputStream()
    with pq.ParquetWriter(out, rows.schema, **options) as writer:
        writer.write_table(rows)
    return out.getvalue().to_pybytes()


PARTS = [table(rows, seed) for seed, rows in enumerate((1000, 1, 0, 30_000))]


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"use_dictionary": False, "compression": "none"},
        {"write_page_index": True, "compression": "zstd", "data_page_version": "2.0"},
    ],
)
def test_two_readers_read_what_one_writer_would_have_written(tmp_path, options):
    growing = GrowingParquet(tmp_path / "all.parquet")
    footers = [growing.append(encode(part, **options)) for part in PARTS]
    assert not (tmp_path / "all.parquet").exists(), "no name before it is whole"
    digest = growing.finish(footers, {"made.by": "a test"})
    path = tmp_path / "all.parquet"
    assert digest == hashlib.sha256(path.read_bytes()).hexdigest()
    whole = pa.concat_tables(PARTS).unify_dictionaries()
    assert pq.read_table(path).to_pylist() == whole.to_pylist()
    assert pl.read_parquet(path)["score"].to_list() == whole["score"].to_pylist()
    found = pl.scan_parquet(path).filter(pl.col("size") == 500).collect()
    assert found.height == sum(part["size"].to_pylist().count(500) for part in PARTS)
    metadata = pq.read_metadata(path)
    assert metadata.metadata[b"made.by"] == b"a test"
    assert metadata.num_rows == 31_001
    assert [path.name for path in tmp_path.iterdir()] == ["all.parquet"]


def test_a_footer_is_written_as_it_was_read():
    content = encode(PARTS[0])
    length = int.from_bytes(content[-8:-4], "little")
    assert write_struct(split(content)[1]) == content[-8 - length : -8]


def test_it_goes_on_behind_what_was_on_disk(tmp_path):
    first = GrowingParquet(tmp_path / "all.parquet")
    footers = [first.append(encode(PARTS[0]))]
    size = first.sync()
    first.append(encode(PARTS[3]))  # never noted: a kill comes in between
    first.close()
    again = GrowingParquet(tmp_path / "all.parquet", size)
    footers.append(again.append(encode(PARTS[1])))
    digest = again.finish(footers, {})
    assert digest == hashlib.sha256((tmp_path / "all.parquet").read_bytes()).hexdigest()
    assert pq.read_table(tmp_path / "all.parquet")["score"].to_pylist() == (
        PARTS[0]["score"].to_pylist() + PARTS[1]["score"].to_pylist()
    )


def test_a_file_that_got_its_name_is_taken_back(tmp_path):
    first = GrowingParquet(tmp_path / "all.parquet")
    footers = [first.append(encode(PARTS[0]))]
    size = first.sync()
    digest = first.finish(footers, {})
    again = GrowingParquet(tmp_path / "all.parquet", size, named=True)
    assert again.finish(footers, {}) == digest


def test_a_draft_that_lost_bytes_is_refused(tmp_path):
    first = GrowingParquet(tmp_path / "all.parquet")
    first.append(encode(PARTS[0]))
    size = first.sync()
    first.close()
    first.draft.write_bytes(first.draft.read_bytes()[:100])
    with pytest.raises(StoreError, match="lost"):
        GrowingParquet(tmp_path / "all.parquet", size)


def test_a_discarded_file_leaves_nothing(tmp_path):
    growing = GrowingParquet(tmp_path / "all.parquet")
    growing.append(encode(PARTS[0]))
    growing.discard()
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(StoreError, match="cannot be written"):
        GrowingParquet(tmp_path / "nowhere" / "all.parquet")


def test_a_folder_of_parts_goes_on_too(tmp_path):
    first = PartFolder(tmp_path / "all", 0, {"made.by": "a test"})
    for part in PARTS[:2]:
        first.append(encode(part))
    again = PartFolder(tmp_path / "all", 1, {"made.by": "a test"})
    footers = [again.append(encode(PARTS[3]))]
    digest = again.finish(footers, {})
    files = sorted((tmp_path / "all").iterdir())
    assert [path.name for path in files] == ["part-00000.parquet", "part-00001.parquet"]
    whole = b"".join(path.read_bytes() for path in files)
    assert digest == hashlib.sha256(whole).hexdigest()
    assert pq.read_metadata(files[1]).metadata[b"made.by"] == b"a test"
    assert pl.read_parquet(files)["score"].to_list() == (
        PARTS[0]["score"].to_pylist() + PARTS[3]["score"].to_pylist()
    )
    files[0].unlink()
    with pytest.raises(StoreError, match="is gone"):
        PartFolder(tmp_path / "all", 2, {})
