from __future__ import annotations

import tomllib

import pytest

from benches import open_bench
from commands import gleis
from gleis.contracts.errors import BlockedError, ConfigError, DataError, RegistryError
from gleis.data.checking.quarantine import REASON
from gleis.lifecycle.inferring import Inferred
from gleis.lifecycle.line import known_rows
from gleis.lifecycle.quarantined import list_quarantined, read_quarantined, release
from small_projects import make_shifting


@pytest.fixture
def folder(tmp_path):
    return make_shifting(tmp_path / "p")


@pytest.fixture
def bench(folder):
    bench = open_bench(folder)
    known_rows(bench, bench.known_until())
    yield bench
    bench.home.close()


def again(folder, more):
    """Open the project with other checks and bring its data up to today's."""
    toml = folder / "gleis.toml"
    toml.write_text(toml.read_text().partition("\n[data")[0] + more)
    bench = open_bench(folder)
    return bench, known_rows(bench, bench.known_until())


def test_what_is_inferred_is_printed_then_written_and_holds(folder, bench):
    before = (folder / "gleis.toml").read_text()
    found = Inferred(bench)
    printed = gleis(folder, "data", "infer")
    assert printed.out == found.as_toml()
    assert (folder / "gleis.toml").read_text() == before
    found.write_toml()
    written = (folder / "gleis.toml").read_text()
    assert written.startswith(before.rstrip())
    assert tomllib.loads(written)["data"]["checks"]["channel"]["in"] == ["phone", "shop", "web"]
    with pytest.raises(BlockedError, match=r"has \[data.checks\] already: .*visit"):
        found.write_toml()
    checked = open_bench(folder)
    assert known_rows(checked, checked.known_until()).label == "shifting@v1"
    checked.home.close()


def test_force_replaces_the_checks_and_nothing_else(folder, bench):
    toml = folder / "gleis.toml"
    toml.write_text(
        toml.read_text() + '\n[data]\nfailing = "quarantine"\n[data.checks]\nprice = { min = 1 }\n'
        "[data.checks.pages]\nmin = 0\n[monitor]\nwindow = '3d'  # kept\n"
    )
    Inferred(bench).write_toml(force=True)
    tree = tomllib.loads(toml.read_text())
    assert tree["data"]["checks"]["price"]["type"] == "number"
    assert (tree["data"]["failing"], tree["monitor"]) == ("quarantine", {"window": "3d"})
    assert "# kept" in toml.read_text()
    inline = (
        toml.read_text().partition("\n[data]")[0] + "\n[data]\nchecks = { price = { min = 1 } }\n"
    )
    toml.write_text(inline)
    with pytest.raises(ConfigError, match="by hand"):
        Inferred(bench).write_toml(force=True)
    assert toml.read_text() == inline


def test_as_a_schema(folder, bench):
    Inferred(bench).write_schema()
    with pytest.raises(BlockedError, match=r"schema\.py already"):
        Inferred(bench).write_schema()
    checked = open_bench(folder)
    assert known_rows(checked, checked.known_until()).label == "shifting@v1"
    assert checked.datasets.guard.schema is not None
    checked.home.close()


def test_rows_are_listed_shown_mended_and_released(folder, bench, tmp_path):
    checks = '\n[data]\nfailing = "quarantine"\n[data.checks]\nprice = {{ min = {} }}\n'
    bench, version = again(folder, checks.format(6))
    (kept,) = list_quarantined(bench)
    assert (kept.version, kept.rows, kept.state) == (version.label, version.quarantined, "waiting")
    listed = gleis(folder, "data", "quarantine")
    assert "price: below 6" in listed.out
    shown = gleis(
        folder, "data", "quarantine", "v2", "--rows", "2", "--out", str(tmp_path / "q.csv")
    )
    assert "and" in shown.out
    assert "more: --rows" in shown.out

    lines = (tmp_path / "q.csv").read_text().splitlines()
    header = lines[0].split(",")
    price = header.index("price")
    mended = [lines[0]]
    for at, line in enumerate(lines[1:]):
        cells = line.split(",")
        cells[price] = "1.0" if at == 0 else "8.25"
        mended.append(",".join(cells))
    (tmp_path / "mended.csv").write_text("\n".join(mended) + "\n")
    with pytest.raises(DataError, match="not there"):
        release(bench, "v2", tmp_path / "nowhere.csv")
    third = release(bench, "v2", tmp_path / "mended.csv")
    assert third.rows == version.rows + version.quarantined - 1
    assert third.quarantined == 1
    assert third.provenance.source == f"quarantine:{version.label}"
    assert read_quarantined(bench, "v3")[1].select("price", REASON).rows() == [
        (1.0, "price: below 6")
    ]
    with pytest.raises(BlockedError, match="released into shifting@v3"):
        release(bench, "v2")
    with pytest.raises(RegistryError, match="set aside by this version"):
        read_quarantined(bench, "v1")
    # What came back is known: nothing is loaded again.
    assert known_rows(bench, bench.known_until()) == third
    bench.home.close()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["quarantine", "--release"], "Say of which version"),
        (["quarantine", "v1", "--mended", "x.csv"], "--mended needs --release"),
        (["quarantine", "v1"], "No rows were set aside by this version"),
        (["infer", "v9"], "no such version"),
    ],
)
def test_what_cannot_be_done_is_said(folder, bench, arguments, said):
    assert said in gleis(folder, "data", *arguments).err
