from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.dataset
import pytest
import sqlalchemy as sa

from gleis.config.settings import ProjectSettings, Settings
from gleis.contracts.errors import DataError, ProjectError
from gleis.data import sql_rows
from gleis.data.dataset import Datasets
from gleis.data.door import to_frame
from gleis.data.door_query import query_of, without_secrets
from gleis.data.loading import Loading
from gleis.data.module import open_module
from gleis.data.refresh import refresh

ROWS = [(1, 2.5, "a"), (2, None, "b"), (3, 4.0, None)]


@pytest.fixture
def engine(tmp_path):
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'source.db'}")
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE w(id INTEGER, x REAL, t TEXT, odd)"))
        for row in ROWS:
            names = dict(zip("ixt", row, strict=True))
            connection.execute(sa.text("INSERT INTO w(id, x, t) VALUES (:i, :x, :t)"), names)
    yield engine
    engine.dispose()


W = sa.table("w", sa.column("id"), sa.column("x"), sa.column("t"))
WANTED = pl.DataFrame(ROWS, schema={"id": pl.Int64, "x": pl.Float64, "t": pl.String}, orient="row")


def test_queries_and_results_are_tables(engine):
    query = sa.select(W).order_by(W.c.id)
    with engine.connect() as connection:
        for table in (
            (query, engine),
            (engine, "SELECT id, x, t FROM w ORDER BY id"),
            (query, connection),
            connection.execute(query),
        ):
            assert to_frame(table).equals(WANTED)


def test_parts_with_other_types_come_together(engine, monkeypatch):
    monkeypatch.setattr(sql_rows, "_PART", 1)
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE w SET odd = CASE id WHEN 2 THEN 7 WHEN 3 THEN 0.5 END"))
    frame = to_frame(("SELECT x, t, odd FROM w ORDER BY id", engine))
    assert frame["odd"].to_list() == [None, 7.0, 0.5]
    assert frame["x"].to_list() == [2.5, None, 4.0]


def test_no_rows_still_have_columns(engine):
    assert to_frame(("SELECT id, t FROM w WHERE id > 9", engine)).columns == ["id", "t"]


@pytest.mark.parametrize(
    ("query", "error", "said"),
    [
        ("SELECT id, id FROM w", DataError, r"Column names repeat: \['id'\]"),
        ("SELECT missing FROM w", ProjectError, "no such column: missing"),
        ("SELECT CASE id WHEN 1 THEN 1 ELSE 'x' END AS odd FROM w", DataError, "odd mixes types"),
    ],
)
def test_what_cannot_be_read(engine, query, error, said):
    with pytest.raises(error, match=said):
        to_frame((query, engine))


def test_a_query_without_its_engine(engine):
    with pytest.raises(ProjectError, match=r"without the database.*return query, engine"):
        to_frame(sa.select(W))


def test_duckdb_relations_and_streams_of_arrow():
    database = duckdb.connect()
    table = pa.table({"id": [1, 2, 3], "t": ["a", None, "c"]})
    wanted = pl.DataFrame({"id": [1, 2, 3], "t": ["a", None, "c"]})
    relation = database.sql("SELECT * FROM (VALUES (1::BIGINT, 'a'), (2, NULL), (3, 'c')) v(id, t)")
    sources = (
        relation,
        table.to_reader(),
        table.to_batches()[0],
        pyarrow.dataset.dataset(table),
        Stream(table),
    )
    for source in sources:
        assert to_frame(source).equals(wanted)
    assert to_frame(database.sql("SELECT sum(i) AS n FROM range(5) r(i)"))["n"].to_list() == [10]
    with pytest.raises(DataError, match=r"repeat: \['a'\]"):
        to_frame(database.sql("SELECT 1 AS a, 2 AS a"))
    with pytest.raises(DataError, match=r"n holds an integer .*: 9223372036854775808"):
        to_frame(database.sql("SELECT 9223372036854775808::HUGEINT AS n"))


class Stream:
    """Any library's table."""

    def __init__(self, table):
        self._table = table

    def __arrow_c_stream__(self, requested_schema=None):
        return self._table.__arrow_c_stream__(requested_schema)


@pytest.mark.parametrize("make", [lambda t: t, Stream, lambda t: t.to_reader()])
def test_numbers_of_arrow_are_not_copied(make):
    table = pa.table({"x": [1.0, 2.0], "n": [3, 4]})
    frame = to_frame(make(table))
    for name in ("x", "n"):
        there = table[name].chunk(0).buffers()[1].address
        assert frame[name].to_numpy().ctypes.data == there


def test_queries_are_kept_without_values_and_secrets(engine):
    query = sa.select(W).where(W.c.t == "somebody's name")
    said = query_of((query, engine))
    assert said.startswith("SELECT w.id, w.x, w.t")
    assert "somebody" not in said
    assert said != query_of((sa.select(W).where(W.c.t == "other"), engine))
    assert query_of(("SELECT 1", engine)) == "SELECT 1"
    with engine.connect() as connection:
        assert query_of(connection.execute(sa.text("SELECT 1"))) == "SELECT 1"
    assert query_of(duckdb.connect().sql("SELECT 1 AS a")).lower() == "select 1 as a"
    assert query_of(WANTED) is None
    text = "SELECT * FROM x('host=h password=pw user=u', SECRET 'k', 'https://u:pw@h/x')"
    assert without_secrets(text) == (
        "SELECT * FROM x('host=h password=*** user=u', SECRET ***, 'https://***@h/x')"
    )


MODULE = """
import sqlalchemy as sa

def load(since, until):
    engine = sa.create_engine("sqlite:///source.db")
    return sa.text("SELECT id, x, t FROM w WHERE id < :top").bindparams(top=9), engine

def build_model(params):
    return None
"""


def test_the_query_becomes_provenance(tmp_path, engine, home, clock, monkeypatch):
    (tmp_path / "p.py").write_text(MODULE)
    monkeypatch.chdir(tmp_path)
    project = ProjectSettings(name="p", module="p", task="regression", target="x", id="id")
    settings = Settings(project=project)
    datasets = Datasets(home, settings, clock)
    until = datetime(2013, 6, 1, tzinfo=UTC)
    module = open_module(Path(tmp_path), "p")
    loading = Loading(module=module, settings=settings, code="c", clock=clock, home=home)
    version = refresh(datasets, loading, until)
    text, _, values = version.provenance.query.partition("\n")
    assert text.startswith("SELECT id, x, t FROM w WHERE id < ")
    assert values.startswith("-- with values: sha256:")
    assert len(values) == len("-- with values: sha256:") + 2 * hashlib.sha256().digest_size
    assert version.rows == 3
