from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import polars as pl
import pytest

import gleis
from gleis.config.data_settings import DatasetSettings
from gleis.contracts.dataset import Provenance
from gleis.contracts.errors import ConfigError, DataError, ProjectError, RegistryError
from gleis.data.beside import tables_open
from gleis.data.dataset import Datasets
from gleis.data.loading import Loading
from gleis.data.module import open_module
from gleis.data.refresh import refresh

MODULE = """
import gleis

def load(since, until):
    rows = gleis.table("weather", since, until).collect()
    return rows.with_columns(late=(rows["temp"] > 2).cast(int))

def build_model(params):
    return None
"""


def day(n):
    return datetime(2013, 1, n, tzinfo=UTC)


def weather(*days):
    times = pl.Series([day(n) for n in days], dtype=pl.Datetime("us", "UTC"))
    return pl.DataFrame({"at": times, "temp": [float(n) for n in days]})


@pytest.fixture
def settings(make_settings):
    beside = {"weather": DatasetSettings(time="at", id=None), "bare": DatasetSettings()}
    return msgspec.structs.replace(make_settings(time="at"), datasets=beside)


@pytest.fixture
def append(home, settings, clock):
    def append(frame, name="weather"):
        datasets = Datasets(home, settings, clock, name)
        given = Provenance(
            source="hand", since=None, until=None, loaded_at=day(31), loaded_by="me", code="c1"
        )
        return datasets.append(frame, given)

    return append


def test_load_reads_a_table_and_its_version_is_remembered(tmp_path, home, settings, clock, append):
    (tmp_path / "p.py").write_text(MODULE)
    module = open_module(tmp_path, "p")
    datasets = Datasets(home, settings, clock)
    append(weather(1, 2))
    loading = Loading(module=module, settings=settings, code="c1", clock=clock, home=home)
    first = refresh(datasets, loading, day(2))
    append(weather(3, 4))
    second = refresh(datasets, loading, day(9))
    assert first.provenance.tables == ("weather@v1",)
    assert second.provenance.tables == ("weather@v2",)
    assert datasets.read(second)["temp"].to_list() == [1, 2, 3, 4]
    assert datasets.read(second)["late"].to_list() == [0, 0, 1, 1]


def test_a_version_read_twice_stays_the_same(home, settings, append):
    append(weather(1))
    with tables_open(home, settings) as tables:
        assert gleis.table("weather").collect().height == 1
        append(weather(2))
        assert gleis.table("weather").collect().height == 1
        assert tables.read == ("weather@v1",)
    with tables_open(home, settings):
        assert gleis.table("weather").collect().height == 2


def test_what_cannot_be_read_is_said(home, settings, append):
    with pytest.raises(ProjectError, match="outside of a function that gleis calls: 'weather'"):
        gleis.table("weather")
    append(weather(1), "bare")
    with tables_open(home, settings):
        with pytest.raises(RegistryError, match="Did you mean weather"):
            gleis.table("wether")
        with pytest.raises(DataError, match="gleis data add weather"):
            gleis.table("weather")
        with pytest.raises(ConfigError, match=r"needs datasets\.bare\.time"):
            gleis.table("bare", day(1))


def test_rows_that_do_not_hold_what_the_table_names(append, home, settings):
    with pytest.raises(DataError, match=r"datasets\.weather\.time"):
        append(pl.DataFrame({"temp": [1.0]}))
    with pytest.raises(DataError, match="holds String, not times"):
        append(pl.DataFrame({"at": ["2013-01-01"]}))
    with pytest.raises(DataError, match="no rows"):
        append(weather())
