from __future__ import annotations

import subprocess
import sys
import uuid
from random import Random

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gleis.data import known_ids
from gleis.data.known_ids import KnownIds
from gleis.store.tables.table import DeltaTable

WHOLE = st.one_of(
    st.integers(0, 40),
    st.sampled_from([2**63 - 1, -(2**63), 2**63 - 2, -1, 2_000_000_000, -2_000_000_000]),
)
TEXT = st.text("ab\u00e4\U0001f600", max_size=3) | st.integers(0, 9).map(
    lambda n: "x" * 70 + str(n)
)


@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_answers_as_a_look_at_all_rows_would(tmp_path_factory, data):
    values = data.draw(st.sampled_from([WHOLE, TEXT]))
    kind = pl.String if values is TEXT else pl.Int64
    chunks = data.draw(st.lists(st.lists(values, min_size=1, max_size=12), min_size=1, max_size=4))
    new = pl.Series("id", data.draw(st.lists(values, max_size=8, unique=True)), dtype=kind)
    folder = tmp_path_factory.mktemp("ids")
    table = DeltaTable(folder / "t")
    versions = [table.append(pl.DataFrame({"id": pl.Series(c, dtype=kind)})) for c in chunks]
    few = data.draw(st.sampled_from([0, known_ids._FEW]))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(known_ids, "_FEW", few)
        ids = KnownIds(table, folder / "marks")
        for _ in range(2):  # marks are made, then found
            for end, version in enumerate(versions, 1):
                known = {value for chunk in chunks[:end] for value in chunk}
                found = ids.repeated(new, version)
                assert found.to_list() == [value for value in new if value in known]


@pytest.fixture
def many(tmp_path, monkeypatch):
    """Random text ids in two files, looked up by marks."""
    monkeypatch.setattr(known_ids, "_FEW", 0)
    draw = Random(0)
    texts = [str(uuid.UUID(int=draw.getrandbits(128))) for _ in range(300)]
    table = DeltaTable(tmp_path / "t")
    for start in (0, 100):
        table.append(pl.DataFrame({"id": texts[start : start + 100]}))
    return table, KnownIds(table, tmp_path / "marks"), texts


def test_no_row_is_read_where_ids_are_new(many, monkeypatch):
    table, ids, texts = many
    new = pl.Series("id", texts[200:])
    assert ids.repeated(new, 1).is_empty()
    monkeypatch.setattr(table, "within", None)
    assert ids.repeated(new, 1).is_empty()


def test_no_mark_is_made_where_ids_grow(tmp_path, monkeypatch):
    monkeypatch.setattr(known_ids, "_FEW", 0)
    table = DeltaTable(tmp_path / "t")
    version = table.append(pl.DataFrame({"id": range(100)}))
    assert KnownIds(table, tmp_path / "marks").repeated(pl.Series("id", [100]), version).is_empty()
    assert not (tmp_path / "marks").exists()


def test_a_mark_in_common_is_looked_up(many, monkeypatch):
    """Two texts with one hash are two ids."""
    _, ids, texts = many
    monkeypatch.setattr(known_ids, "_marks_of", lambda column: np.zeros(len(column), np.uint64))
    assert ids.repeated(pl.Series("id", texts[200:]), 1).is_empty()
    assert ids.repeated(pl.Series("id", texts[150:]), 1).to_list() == texts[150:200]


def test_marks_that_were_cut_are_made_anew(many, tmp_path):
    _, ids, texts = many
    ids.repeated(pl.Series("id", texts[200:]), 1)
    files = list((tmp_path / "marks").glob("*/*.npy"))
    assert len(files) == 2
    for path in files:
        path.write_bytes(path.read_bytes()[:-8])
    assert ids.repeated(pl.Series("id", texts[:1]), 1).to_list() == texts[:1]


def test_marks_go_with_their_file(many, tmp_path):
    table, ids, texts = many
    ids.repeated(pl.Series("id", texts[200:]), 1)
    ids.forget([file.name for file in table.files(0)])
    assert len(list((tmp_path / "marks").glob("*/*.npy"))) == 1


def test_without_a_place_for_marks(many, tmp_path):
    _, ids, texts = many
    (tmp_path / "marks").write_text("not a folder")
    assert ids.repeated(pl.Series("id", texts[199:]), 1).to_list() == texts[199:200]


def test_every_process_hashes_alike():
    code = (
        "import polars as pl; from gleis.data.known_ids import _PROBE, _marks_of;"
        "print(_marks_of(_PROBE).tolist())"
    )
    seen = {
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        ).stdout
        for _ in range(2)
    }
    assert seen == {f"{known_ids._marks_of(known_ids._PROBE).tolist()}\n"}
