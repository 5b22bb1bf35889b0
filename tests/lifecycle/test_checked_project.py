"""The same checks guard data, training and requests."""

from __future__ import annotations

import msgspec
import pytest

from benches import START, open_bench
from gleis import Project
from gleis.contracts.contract import Column, Contract
from gleis.contracts.errors import DataError, InvalidRowError
from gleis.lifecycle.line import known_rows
from gleis.serving.rows import RowReader
from small_projects import make_shifting

CHECKS = """
[data]
failing = "quarantine"
requests = "{requests}"

[data.checks]
price = {{ min = {low}, max = 40 }}
channel = {{ in = ["web", "shop", "phone"] }}
"""
SCHEMA = """
import polars as pl
import pandera.polars as pa


class Schema(pa.DataFrameModel):
    pages: int = pa.Field(lt=12)

    @pa.check("price")
    def whole(cls, data):
        return data.lazyframe.select(pl.col(data.key) < 15)

    price: float
"""
ROW = {"channel": "web", "price": 3.0, "pages": 4}


def known(folder, checks="", schema=None):
    """The rows that a training would see, and what a request would be asked."""
    toml = folder / "gleis.toml"
    toml.write_text(toml.read_text().partition("\n[data]")[0] + checks)
    if schema is not None:
        (folder / "schema.py").write_text(schema)
    bench = open_bench(folder)
    try:
        version = known_rows(bench, bench.known_until())
        assert known_rows(bench, bench.known_until()) == version
        names = ["channel", "price", "pages"]
        contract = Contract(
            task="binary",
            features=(
                Column(name="channel", kind="category", categories=("phone", "shop", "web")),
                Column(name="price", kind="number", low=5.1, high=15.5),
                Column(name="pages", kind="integer", low=1, high=11),
            ),
            target="bought",
            id="visit",
            time="at",
            checks=bench.datasets.guard.for_requests(names),
        )
        return version, RowReader(contract, 10)
    finally:
        bench.home.close()


def test_checks_guard_training_and_requests(tmp_path):
    folder = make_shifting(tmp_path / "p")
    unchecked, reader = known(folder)
    assert (unchecked.quarantined, reader.read([ROW]).flags) == (0, {"price: out of range": [0]})

    # A check that is written later is asked of the rows that are there, before they train.
    checked, reader = known(folder, CHECKS.format(requests="flag", low=5))
    assert checked.label == "shifting@v2"
    assert 0 < checked.quarantined < 30
    assert checked.rows == unchecked.rows - checked.quarantined
    assert reader.read([ROW]).flags == {"price: out of range": [0], "price: below 5": [0]}

    # The schema is asked too; what can be compiled of it travels.
    last, reader = known(folder, CHECKS.format(requests="refuse", low=5), SCHEMA)
    assert (last.label, last.parent) == ("shifting@v3", None)
    with pytest.raises(InvalidRowError, match=r"price: below 5: 3\.0"):
        reader.read([ROW])
    with pytest.raises(InvalidRowError, match="pages: not below 12: 12"):
        reader.read([ROW | {"price": 9.0, "pages": 12}])
    reader.read([ROW | {"price": 16.9}])  # what a function checks does not travel

    with pytest.raises(DataError, match=r"rows of shifting fail a check: price: below 9"):
        known(folder, '\n[data]\nfailing = "refuse"\n[data.checks]\nprice = { min = 9 }\n')


@pytest.mark.slow
def test_checks_travel_in_the_package(tmp_path):
    folder = make_shifting(tmp_path / "p")
    toml = folder / "gleis.toml"
    toml.write_text(toml.read_text() + CHECKS.format(requests="refuse", low=5))
    project = Project.open(folder, as_of=START)
    result = project.run()
    assert result.run.dataset.quarantined
    packages = [path for path in project.home.packages.iterdir() if path.is_dir()]
    for path in packages:
        contract = msgspec.json.decode((path / "contract.json").read_bytes(), type=Contract)
        assert contract.checks.refuse
        assert [check.failure for check in contract.checks.rows] == [
            "price: below 5",
            "price: above 40",
            "channel: none of phone, shop, web",
        ]
    assert project.run().unchanged
    toml.write_text(toml.read_text().replace("max = 40", "max = 41"))
    again = Project.open(folder, as_of=START)
    assert not again.run().unchanged
    again.home.close()
    project.home.close()
