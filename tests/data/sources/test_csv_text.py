from __future__ import annotations

import gzip

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gleis.config.data_settings import CsvSettings
from gleis.contracts.errors import DataError
from gleis.data.sources import csv_text
from gleis.data.sources.csv_text import read_csv


@pytest.fixture
def read(tmp_path):
    def read(content, types=None, name="a.csv", **form):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_csv(path, CsvSettings(**form), types or {})

    return read


BAD = {
    b"a,b\n1,2\n3\n": "Line 3 has 1 fields, the header has 2: '3'",
    b"a,b\n1,2\n3,4,5\n": "Line 3 has 3 fields, the header has 2: '3,4,5'",
    b'a,b\n"x,\ny",2\n3\n': "Line 4 has 1 fields",
    b"a,b\n1,2\n\n3,4\n": "Line 3 has 1 fields",
    b'a,b\n1,"cut': "quoted field that ends at line 2 is broken",
    b"a,b,a\n1,2,3\n": "names repeat",
    b"a;b\n1;2\n": "header has no ','",
    b"a,b\n1,x\0y\n": "Line 2 has a NUL byte, at byte 4",
    "a,b\n1,café\n".encode("latin-1"): "Line 2 is not UTF-8 at byte 6",
    "a,b\n1,café\n2,".encode() + "café\n".encode("latin-1"): (
        "Line 3 is not UTF-8 at byte 6, but line 2 is: it is written in two encodings"
    ),
    "a,b\n1,2\n".encode("utf-16"): "written in utf-16",
    'a,b\n1,"1,5"\n': "Column b holds numbers with a comma: '1,5'. If that is the decimal sign",
    b"a,b\n1,caf\xc3": "Line 2 is not UTF-8 at byte 6",
    b"t,b\n2013-01-01T00:00:00Z,1\n2013-06-01T00:00:00,2\n": "mixes times with a zone",
}


@pytest.mark.parametrize("content", BAD, ids=range(len(BAD)))
def test_what_would_become_a_wrong_value_is_an_error(read, content):
    with pytest.raises(DataError) as caught:
        read(content)
    assert BAD[content] in str(caught.value)


def test_a_value_that_is_not_of_its_columns_type_is_named(read):
    with pytest.raises(DataError, match=r"Column b holds Int64, but row 2 has: 'x'"):
        read("a,b\n1,2\n2,x\n", {"b": pl.Int64})
    with pytest.raises(DataError, match=r"Column b holds Boolean, but row 1 has: 'yes'"):
        read("a,b\n1,yes\n2,true\n", {"b": pl.Boolean})


def test_types_that_are_known_hold(read):
    assert read("zip\n00501\n", {"zip": pl.String})["zip"].to_list() == ["00501"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1", "cp1252", "utf-16"])
def test_encodings_are_read_as_they_are_said_to_be(read, encoding):
    said = "utf-8" if encoding == "utf-8-sig" else encoding
    found = read("a,b\n1,café\n".encode(encoding), encoding=said)
    assert found.to_dicts() == [{"a": 1, "b": "café"}]


def test_forms(read):
    assert read("a;b\n1;2,5\n", separator=";", decimal_comma=True)["b"].to_list() == [2.5]
    assert read(gzip.compress(b"a\n1\n"), name="a.csv.gz")["a"].to_list() == [1]
    assert read("a,b\r\n1,2\r\n\r\n").to_dicts() == [{"a": 1, "b": 2}]
    assert read('a,b\n"1,\n2",x\n')["a"].to_list() == ["1,\n2"]
    assert read("a,b\n").height == 0
    assert read("").is_empty()


def test_a_gzip_that_is_cut(read):
    with pytest.raises(DataError, match="cut"):
        read(gzip.compress(b"a\n" + b"1\n" * 1000)[:-12], name="a.csv.gz")


@given(
    rows=st.lists(st.integers(1, 4), min_size=1, max_size=30),
    step=st.integers(4, 40),
)
def test_fields_are_counted_over_the_edges_of_slices(rows, step):
    text = b"".join(b",".join([b"x"] * count) + b"\n" for count in rows)
    before, csv_text._SLICE = csv_text._SLICE, step
    try:
        found = csv_text._odd_plain(text, 2, CsvSettings())
    finally:
        csv_text._SLICE = before
    odd = [(line, count) for line, count in enumerate(rows, 1) if count != 2]
    assert found == (odd[0] if odd else None)


VALUES = st.sampled_from(
    ["", "1", "-7", "2.5", "1e9", "true", "x", "2013-01-01", "2013-01-01T00:00:00", "9" * 20, "nan"]
)


@given(st.lists(st.tuples(VALUES, VALUES, VALUES), min_size=1, max_size=8))
def test_types_guessed_from_some_rows_lose_nothing(rows):
    text = "\n".join(["a,b,c", *map(",".join, rows)]).encode() + b"\n"
    before, csv_text._SAMPLE = csv_text._SAMPLE, 2
    try:
        found = csv_text._parse(text, CsvSettings(), {})
    finally:
        csv_text._SAMPLE = before
    whole = pl.read_csv(text, try_parse_dates=True, infer_schema_length=None)
    for one, other in zip(found, whole, strict=True):
        if one.dtype == other.dtype:
            assert one.equals(other)
        else:  # a guess that fits every value says more than text
            assert other.dtype == pl.String
            assert one.is_null().equals(other.is_null())
