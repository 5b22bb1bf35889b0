from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import pytest

from gleis.contracts.errors import PackageError, StoreError
from gleis.store.home import Home
from gleis.store.in_database import InDatabase
from gleis.store.objects.by_url import open_objects
from gleis.store.objects.packages import fetch_package, find_package, has_package, send_package
from gleis.store.objects.patience import Patience

FILES = {"card.md": b"# A card", "tests/rows.json": b"[]", "model.sig": b"signed"}
NAME = "0123456789abcdef"


@pytest.fixture
def package(tmp_path):
    folder = tmp_path / "packages" / NAME
    (folder / "tests").mkdir(parents=True)
    for name, content in FILES.items():
        (folder / name).write_bytes(content)
    listed = {
        name: {"sha256": hashlib.sha256(content).hexdigest()}
        for name, content in FILES.items()
        if name != "model.sig"
    }
    (folder / "manifest.json").write_text(json.dumps({"files": listed}))
    (folder / "registered_model_meta").write_text("MLflow was here")
    return folder


@pytest.fixture(params=["folder", "s3"])
def objects(request, tmp_path):
    url = str(tmp_path / "team") if request.param == "folder" else request.getfixturevalue("s3")
    return open_objects(url, Patience(seconds=2))


def test_goes_and_comes_whole(package, objects, tmp_path):
    assert send_package(package, objects)
    assert not send_package(package, objects), "once"
    came = fetch_package(NAME, objects, tmp_path / "here")
    assert came == tmp_path / "here" / NAME
    found = {p.relative_to(came).as_posix(): p.read_bytes() for p in came.rglob("*") if p.is_file()}
    assert found == FILES | {"manifest.json": (package / "manifest.json").read_bytes()}
    assert [path.name for path in came.parent.iterdir()] == [NAME], "no draft is left"


def test_half_a_package_is_none(package, objects, tmp_path, monkeypatch):
    sent = []

    def upload(key, path, seen):
        if len(sent) == 3:
            raise StoreError("the network is gone")
        sent.append(key)
        return type(objects).upload(objects, key, path, seen)

    monkeypatch.setattr(objects, "upload", upload, raising=False)
    with pytest.raises(StoreError, match="network"):
        send_package(package, objects)
    assert not has_package(objects, NAME)
    with pytest.raises(PackageError, match=f"There is no package {NAME}"):
        fetch_package(NAME, objects, tmp_path / "here")
    monkeypatch.undo()
    send_package(package, objects)
    assert fetch_package(NAME, objects, tmp_path / "here").is_dir()


def test_file_that_was_changed_on_its_way(package, objects, tmp_path):
    send_package(package, objects)
    objects.put(f"packages/{NAME}/card.md", b"# B card")
    with pytest.raises(PackageError, match=r"card\.md did not arrive"):
        fetch_package(NAME, objects, tmp_path / "here")
    assert list((tmp_path / "here").iterdir()) == []


def test_what_is_no_package_is_not_sent(tmp_path, objects):
    (tmp_path / "empty").mkdir()
    with pytest.raises(PackageError, match="no manifest"):
        send_package(tmp_path / "empty", objects)


def test_found_here_else_fetched(package, tmp_path):
    team = tmp_path / "team"
    send_package(package, open_objects(str(team), Patience()))
    home = Home(tmp_path / "home", store=str(team))
    digest, location = f"{NAME}{'0' * 48}", f"packages/{NAME}"
    assert find_package(home, location, digest) == home.packages / NAME
    shutil.rmtree(team)
    assert find_package(home, location, digest) == home.packages / NAME, "kept here"
    assert find_package(home, str(package), digest) == package
    assert find_package(home, "/elsewhere/x", digest) == home.packages / NAME
    alone = Home(tmp_path / "alone")
    assert find_package(alone, location, digest) == alone.folder / location
    assert not Path(alone.folder).exists()


def test_a_shared_database_without_a_shared_store_is_told_of(tmp_path):
    home = Home(tmp_path, database=InDatabase("postgresql://ann@one/gleis", "gleis_shop"))
    with pytest.raises(PackageError, match=r"machine that built it.*share a store too"):
        find_package(home, "packages/0123", "0123" * 16)
