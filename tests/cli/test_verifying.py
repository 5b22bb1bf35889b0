from __future__ import annotations

import pytest

from commands import gleis
from trained_projects import copied, trained


def package(folder, ref="champion"):
    return gleis(folder, "verify", ref, "--json").json["package"]


@pytest.mark.parametrize("ref", ["champion", "previous", "baseline", "v2", "1"])
def test_by_alias_or_number(ref):
    said = gleis(trained(), "verify", ref)
    assert said.code == 0
    assert "FAILED" not in said.out
    assert "is as it was made." in said.out


def test_by_default_the_champion():
    assert package(trained()) == gleis(trained(), "verify", "--json").json["package"]


def test_a_folder_needs_no_project(tmp_path):
    found = gleis(tmp_path, "verify", package(trained()), "--json").json
    assert found["ok"] is True
    assert {check["name"] for check in found["checks"]} >= {
        "signature",
        "digest",
        "files",
        "types",
        "scores",
        "log_loss",
        "model_signing",
    }


def test_another_digest_than_the_one_agreed(tmp_path):
    said = gleis(tmp_path, "verify", package(trained()), "--digest", "0" * 64)
    assert said.code == 1
    assert "FAILED" in said.out
    assert "0" * 16 in said.out


def test_one_byte_changed(tmp_path):
    folder = copied(tmp_path / "iris")
    card = folder / package(folder) / "card.md"
    card.write_text(card.read_text() + " ")
    said = gleis(folder, "verify", "v2")
    assert said.code == 1
    assert "card.md" in said.out
    assert "must not be used" in said.out
    assert gleis(folder, "verify", "v2", "--json").json["ok"] is False


def test_an_unknown_version():
    said = gleis(trained(), "verify", "v9")
    assert said.code == 6
    assert "'v9'" in said.err
