"""Projects of the templates, trained once for all tests and copied by those that change them."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path

from commands import gleis
from gleis.store.tracking import Tracking
from small_projects import make_shifting

SHIFTING_AS_OF = "2024-02-21"


@cache
def _room() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="gleis-tests-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


@cache
def empty_database() -> Path:
    """MLflow's database before the first run; making one takes MLflow seconds."""
    path = _room() / "mlflow.db"
    Tracking(f"sqlite:///{path}", _room() / "mlflow", "nobody").aliases("nobody")
    return path


def untrained(folder: Path, name: str = "iris") -> Path:
    """Make a project in ``folder``: ``iris``, ``diabetes`` or ``shifting``."""
    if name == "shifting":
        make_shifting(folder)
    else:
        assert gleis(folder.parent, "init", folder.name, "--template", name).code == 0
    (folder / ".gleis").mkdir()
    shutil.copy(empty_database(), folder / ".gleis" / "mlflow.db")
    return folder


def trained(name: str = "iris") -> Path:
    """Return a project with a champion. It is everybody's: read only."""
    return _train(name)


@cache
def _train(name: str) -> Path:
    folder = untrained(_room() / name, name)
    as_of = ["--as-of", SHIFTING_AS_OF] if name == "shifting" else []
    said = gleis(folder, "run", *as_of)
    assert said.code == 0, said.out + said.err
    return folder


def copied(target: Path, name: str = "iris") -> Path:
    """Copy a trained project; the copy is yours."""
    shutil.copytree(trained(name), target)
    return target


def edit(path: Path, old: str, new: str) -> None:
    """Replace text that must be there."""
    text = path.read_text()
    assert old in text, f"{path.name} has no {old!r}"
    path.write_text(text.replace(old, new))
