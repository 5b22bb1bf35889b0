"""The reference pages say what the code says."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from gleis.config.settings import Settings

DOCS = Path(__file__).parents[2] / "docs"
PAGES = ("cli.md", "configuration.md", "errors.md", "fairness.md", "prometheus.md")


def generate(*arguments):
    command = [sys.executable, DOCS / "generate.py", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_pages_are_up_to_date():
    done = generate("--check")
    assert done.returncode == 0, done.stderr


def test_pages_are_made_from_nothing(tmp_path):
    assert generate(tmp_path).returncode == 0
    for name in PAGES:
        assert (tmp_path / name).read_text() == (DOCS / name).read_text()


@pytest.mark.parametrize("name", ["cli.md", "fairness.md"])
def test_check_names_a_stale_page_and_leaves_it(tmp_path, name):
    for page in PAGES:
        shutil.copy(DOCS / page, tmp_path)
    (tmp_path / name).write_text("old")
    done = generate("--check", tmp_path)
    assert done.returncode == 1
    assert done.stderr == f"out of date: {name}. Run make docs.\n"
    assert (tmp_path / name).read_text() == "old"


def keys_of(struct, table=""):
    for field in msgspec.structs.fields(struct):
        inner = [t for t in getattr(field.type, "__args__", (field.type,)) if is_struct(t)]
        many = getattr(field.type, "__origin__", None) is dict
        name = f"{table}{field.encode_name}{'.NAME' if inner and many else ''}"
        yield f"`[{name}]`" if inner or many else f"`{field.encode_name}`"
        if inner:
            yield from keys_of(inner[0], f"{name}.")


def is_struct(kind):
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)


def test_every_key_is_there():
    page = (DOCS / "configuration.md").read_text()
    keys = set(keys_of(Settings))
    assert len(keys) > 30
    assert not [key for key in keys if f"| {key} |" not in page and f"## {key}" not in page]
