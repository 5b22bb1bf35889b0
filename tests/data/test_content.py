from __future__ import annotations

import hashlib
import struct
import subprocess
import sys
from datetime import UTC, datetime

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gleis.contracts.errors import DataError
from gleis.data.content import chain, hash_rows

FRAME = pl.DataFrame(
    {
        "n": [1.5, None, -0.0],
        "i": pl.Series([1, 2, None], dtype=pl.Int32),
        "t": ["a", "", None],
        "b": [True, None, False],
        "at": pl.Series([datetime(2013, 1, 1, tzinfo=UTC)] * 3, dtype=pl.Datetime("us", "UTC")),
    }
)


def test_the_bytes_are_those_documented():
    micros = 1356998400_000_000  # 2013-01-01T00:00:00Z
    columns = [
        ("n", "Float64", 0b01000000, struct.pack("<3d", 1.5, 0, 0)),
        ("i", "Int32", 0b00100000, struct.pack("<3i", 1, 2, 0)),
        ("t", "String", 0b00100000, struct.pack("<3I", 1, 0, 0) + b"a"),
        ("b", "Boolean", 0b01000000, bytes([0b10000000])),
        (
            "at",
            "Datetime(time_unit='us', time_zone='UTC')",
            0,
            struct.pack("<3q", micros, micros, micros),
        ),
    ]
    spelled = b"3" + b"".join(
        f"\0{name}\0{kind}\0".encode() + bytes([missing]) + values
        for name, kind, missing, values in columns
    )
    assert hash_rows(FRAME) == hashlib.sha256(spelled).hexdigest()


def test_the_hash_is_the_same_in_another_process():
    code = (
        "import polars as pl; from gleis.data.content import hash_rows\n"
        "print(hash_rows(pl.DataFrame({'a': ['x', None], 'b': [1.0, None]})))"
    )
    outs = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed, "POLARS_MAX_THREADS": "1"},
            check=True, capture_output=True, text=True,
        ).stdout.strip()
        for seed in ("1", "2")
    }  # fmt: skip
    assert outs == {hash_rows(pl.DataFrame({"a": ["x", None], "b": [1.0, None]}))}


rows = st.lists(
    st.tuples(
        st.none() | st.floats(allow_nan=False),
        st.none() | st.text(max_size=3),
        st.none() | st.booleans(),
    ),
    min_size=1,
    max_size=20,
)
SCHEMA = {"f": pl.Float64, "t": pl.String, "b": pl.Boolean}


@settings(max_examples=100, deadline=None)
@given(rows, rows, st.integers(0, 20))
def test_equal_rows_equal_hash_whatever_the_chunks(one, two, cut):
    a, b = (pl.DataFrame(r, schema=SCHEMA, orient="row") for r in (one, two))
    chunked = pl.concat([a.head(cut), a.slice(cut)], rechunk=False)
    assert hash_rows(a) == hash_rows(chunked)
    assert (hash_rows(a) == hash_rows(b)) == a.equals(b)


@pytest.mark.parametrize(
    "other",
    [
        FRAME.rename({"n": "m"}),
        FRAME.reverse(),
        FRAME.head(2),
        FRAME.with_columns(pl.col("i").cast(pl.Int64)),
        FRAME.with_columns(pl.col("i").fill_null(0)),
        FRAME.with_columns(pl.col("t").fill_null("")),
        FRAME.select("i", "n", "t", "b", "at"),
    ],
)
def test_any_difference_shows(other):
    assert hash_rows(other) != hash_rows(FRAME)


def test_texts_that_run_together_differ():
    one, two = (pl.DataFrame({"t": texts}) for texts in (["ab", "c"], ["a", "bc"]))
    assert hash_rows(one) != hash_rows(two)


def test_minus_zero_is_zero():
    assert hash_rows(FRAME) == hash_rows(FRAME.with_columns(n=pl.Series([1.5, None, 0.0])))


def test_the_chain_depends_on_parent_and_rows():
    assert len({chain(None, "a"), chain("a", "a"), chain("a", "b"), chain(None, "b")}) == 4


def test_other_types_are_refused():
    with pytest.raises(DataError, match=r"Column x.*List"):
        hash_rows(pl.DataFrame({"x": [[1]]}))
