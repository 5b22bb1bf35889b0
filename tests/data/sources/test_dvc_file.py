from __future__ import annotations

import hashlib
import json

import pytest

from gleis.contracts.errors import ConfigError, DataError
from gleis.data.sources.dvc_output import locked_output, md5_of, read_dvc_file
from weather_project import make_weather, put

ROWS = b"n\n1\n2\n"


def add(path, content, *, old=False):
    """Write a file and what ``dvc add`` writes beside it."""
    put(path, content)
    md5 = hashlib.md5(content.replace(b"\r\n", b"\n") if old else content).hexdigest()
    kind = "" if old else "  hash: md5\n"
    beside = path.with_name(path.name + ".dvc")
    beside.write_text(f"outs:\n- md5: {md5}\n  size: {len(content)}\n{kind}  path: {path.name}\n")
    return md5


def test_a_dvc_files_md5_becomes_part_of_the_version(tmp_path):
    project = make_weather(tmp_path, "data/x.csv.dvc")
    md5 = add(tmp_path / "data/x.csv", ROWS)
    version = project.data.ingest("weather").latest
    (file,) = version.provenance.files
    assert (file.path, file.hash, file.size, file.rows) == ("data/x.csv", f"md5:{md5}", 6, 2)
    assert project.data.ingest("weather").made == ()
    add(tmp_path / "data/x.csv", ROWS + b"3\n")
    grown = project.data.ingest("weather").latest
    assert (grown.parent, grown.rows) == (1, 3)


def test_text_of_dvc_2_is_hashed_as_it_did(tmp_path):
    md5 = add(tmp_path / "x.csv", b"n\r\n1\r\n", old=True)
    assert md5_of(read_dvc_file(tmp_path / "x.csv.dvc")) == md5


def test_a_folder_has_the_md5_of_its_list(tmp_path):
    project = make_weather(tmp_path, "raw.dvc")
    listed = [
        {"md5": hashlib.md5(put(tmp_path / "raw" / name, text).read_bytes()).hexdigest(),
         "relpath": name}
        for name, text in (("a.csv", "n\n1\n"), ("b/c.csv", "n\n2\n"))
    ]  # fmt: skip
    md5 = hashlib.md5(json.dumps(listed, sort_keys=True).encode()).hexdigest() + ".dir"
    (tmp_path / "raw.dvc").write_text(f"outs:\n- md5: {md5}\n  hash: md5\n  path: raw\n")
    version = project.data.ingest("weather").latest
    assert [file.hash for file in version.provenance.files] == [f"md5:{md5}"]
    assert project.data.read("weather@latest")["n"].to_list() == [1, 2]


def test_an_output_of_dvc_yaml_is_found_in_its_lock(tmp_path):
    project = make_weather(tmp_path, "out/x.csv")
    put(tmp_path / "out/x.csv", ROWS)
    md5 = hashlib.md5(ROWS).hexdigest()
    (tmp_path / "dvc.lock").write_text(
        "schema: '2.0'\nstages:\n  make:\n    cmd: x\n    outs:\n"
        f"    - path: out/x.csv\n      hash: md5\n      md5: {md5}\n      size: 6\n"
    )
    assert locked_output(tmp_path / "out/other.csv", tmp_path) is None
    version = project.data.ingest("weather").latest
    assert [file.hash for file in version.provenance.files] == [f"md5:{md5}"]


def test_what_is_not_here_needs_dvc(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", "")
    project = make_weather(tmp_path, "x.csv.dvc")
    add(tmp_path / "x.csv", ROWS)
    (tmp_path / "x.csv").unlink()
    with pytest.raises(ConfigError, match="command dvc is not installed"):
        project.data.ingest("weather")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("outs: []\n", "names 0 outputs"),
        ("outs:\n- path: x\n", "holds no md5"),
        ("- 1\n", "is no file of DVC"),
        ("outs: [\n", "cannot be read"),
    ],
)
def test_files_that_are_none_of_dvc(tmp_path, text, said):
    (tmp_path / "x.dvc").write_text(text)
    with pytest.raises(DataError, match=said):
        read_dvc_file(tmp_path / "x.dvc")
