"""What ARCHITECTURE.md and CONTRIBUTING.md say about the repository is so."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "gleis"


def read(page):
    return (ROOT / page).read_text(encoding="utf-8")


def rows_of_the_contract():
    """Row -> rooms, from the import contract; the last layer is row 0."""
    contracts = tomllib.loads(read("pyproject.toml"))["tool"]["importlinter"]["contracts"]
    layers = next(one["layers"] for one in contracts if one["type"] == "layers")
    return {row: set(layer.split(" | ")) for row, layer in enumerate(reversed(layers))}


def rows_of(page):
    """Row -> rooms, from table rows such as ``| 3 | `data` `evidence` `packaging` |``."""
    found = re.findall(r"^\| *(\d+) *\| *((?:`\w+`[ ,]*)+)\|", page, re.MULTILINE)
    assert len({row for row, _ in found}) == len(found), "a row of the table stands there twice"
    return {int(row): set(re.findall(r"\w+", rooms)) for row, rooms in found}


def missing_files(page):
    """Return paths in backticks that are neither in the repository nor in a room."""
    paths = set(re.findall(r"`([\w./-]+/[\w.-]+\.(?:py|md|html|toml))`", page))
    return sorted(path for path in paths if not any((at / path).exists() for at in (ROOT, SOURCE)))


def test_the_table_is_the_import_contract():
    assert rows_of(read("ARCHITECTURE.md")) == rows_of_the_contract()


def test_every_room_is_spoken_of():
    text = re.sub(r"^\| *\d+ *\|.*$", "", read("ARCHITECTURE.md"), flags=re.MULTILINE)
    rooms = set().union(*rows_of_the_contract().values())
    assert rooms == {path.parent.name for path in SOURCE.glob("*/__init__.py")}
    assert not [room for room in sorted(rooms) if not re.search(rf"`{room}[`/]", text)]


@pytest.mark.parametrize("page", ["ARCHITECTURE.md", "CONTRIBUTING.md"])
def test_files_that_are_named_exist(page):
    text = read(page)
    assert re.search(r"`\w+/\w+\.py`", text), "it names no file at all"
    assert not missing_files(text)


@pytest.mark.parametrize("page", ["ARCHITECTURE.md", "CONTRIBUTING.md"])
def test_links_lead_somewhere(page):
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", read(page))
    assert not [link for link in links if not (ROOT / link).exists()]


def test_make_targets_that_are_named_exist():
    targets = set(re.findall(r"^(\w+):", read("Makefile"), re.MULTILINE))
    lines = re.findall(r"^make ([a-z ]+?) *(?:#|$)", read("CONTRIBUTING.md"), re.MULTILINE)
    inline = re.findall(r"`make ([a-z ]+)`", read("CONTRIBUTING.md"))
    named = set(" ".join(lines + inline).split())
    assert {"check", "test"} <= named <= targets


def test_the_checks_notice_lies():
    assert rows_of("| 3 | `data` `evidence` |") == {3: {"data", "evidence"}}
    assert missing_files("`lifecycle/line.py` `lifecycle/lime.py` `docs/generate.py`") == [
        "lifecycle/lime.py"
    ]
