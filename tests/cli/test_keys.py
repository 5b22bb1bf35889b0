from __future__ import annotations

import pytest

from commands import gleis
from gleis import Project
from signing_keys import SIGNER, STRANGER
from trained_projects import copied, edit, trained, untrained


def fingerprints(folder):
    return [key["fingerprint"] for key in gleis(folder, "keys", "list", "--json").json]


def test_a_key_is_made_once(tmp_path):
    folder = untrained(tmp_path / "iris")
    assert "No keys yet" in gleis(folder, "keys", "list").out
    said = gleis(folder, "keys", "new", "--json")
    key = said.json["key"]
    assert (key["signs"], key["trusted"]) == (True, True)
    assert said.json["path"].endswith("keys/signing.pem")
    assert gleis(folder, "keys", "list", "--json").json == [key]
    again = gleis(folder, "keys", "new")
    assert again.code == 1
    assert "never overwritten" in again.err
    assert fingerprints(folder) == [key["fingerprint"]]


def test_the_first_run_makes_one_and_says_so_once(tmp_path):
    folder = untrained(tmp_path / "iris")
    first = gleis(folder, "run").out
    fingerprint = fingerprints(folder)[0]
    assert first.count(fingerprint) == 1
    edit(folder / "gleis.toml", "[project]", "seed = 7\n[project]")
    assert fingerprint not in gleis(folder, "run").out
    assert gleis(folder, "verify", "v3").code == 0


def test_the_advice_for_pinning_holds(tmp_path):
    folder = copied(tmp_path / "iris")
    advice = gleis(folder, "keys", "new", "--rotate").out
    pin = next(line.strip() for line in advice.splitlines() if "trust = [" in line)
    settings = (folder / "gleis.toml").read_text()
    (folder / "gleis.toml").write_text(f"{settings}\n[signing]\n{pin}\n")
    said = gleis(folder, "verify", "champion")
    assert said.code == 1, "the pinned key is the new one, and the former signed the champion"
    assert "a key that is not trusted" in said.out
    assert gleis(folder, "keys", "sign", "champion").code == 0
    assert gleis(folder, "verify", "champion").code == 0


def test_after_a_rotation_both_keys_packages_load(tmp_path):
    folder = copied(tmp_path / "iris")
    former = fingerprints(folder)
    assert gleis(folder, "keys", "new", "--rotate").code == 0
    assert len(fingerprints(folder)) == 2
    assert former[0] in gleis(folder, "verify", "v2").out
    signed = gleis(folder, "keys", "sign", "v2", "--json").json
    assert signed["version"] == 2
    assert fingerprints(folder)[0] == signed["key"]["fingerprint"] != former[0]
    assert signed["key"]["fingerprint"] in gleis(folder, "verify", "v2").out


def test_a_foreign_package_is_verified_once_its_key_is_trusted(tmp_path):
    folder = copied(tmp_path / "iris")
    project = Project.open(folder)
    package = project.registry.path(project.registry.get("v2"))
    file = tmp_path / "stranger.pub"
    file.write_bytes(STRANGER.public.pem)
    (folder / "stranger.pem").write_bytes(STRANGER.to_pem())
    moved = tmp_path / "moved"
    package.rename(moved)
    assert gleis(tmp_path, "verify", str(moved), "--key", str(file)).code == 1
    moved.rename(package)
    foreign = ("--set", "signing.key='stranger.pem'")
    assert gleis(folder, "keys", "new", *foreign).code == 1, "there is one"
    assert gleis(folder, "keys", "trust", str(file), "--json").json["trusted"] is True
    edit(folder / "gleis.toml", "[project]", '[signing]\nkey = "stranger.pem"\n[project]')
    assert gleis(folder, "keys", "sign", "v2").code == 0
    edit(folder / "gleis.toml", '[signing]\nkey = "stranger.pem"\n', "")
    found = gleis(folder, "verify", "v2").out
    assert STRANGER.public.fingerprint in found
    assert gleis(tmp_path, "verify", str(package), "--key", str(file)).code == 0
    project.home.close()


def test_a_damaged_package_is_not_signed(tmp_path):
    folder = copied(tmp_path / "iris")
    project = Project.open(folder)
    package = project.registry.path(project.registry.get("v2"))
    (package / "card.md").write_text("# Better")
    said = gleis(folder, "keys", "sign", "v2")
    assert said.code == 5
    assert "card.md was changed" in said.err
    project.home.close()


@pytest.mark.parametrize("content", ["", SIGNER.to_pem().decode()])
def test_what_is_no_public_key_is_not_trusted(tmp_path, content):
    folder = copied(tmp_path / "iris")
    file = tmp_path / "a.pub"
    file.write_text(content)
    said = gleis(folder, "keys", "trust", str(file))
    assert said.code == 2
    assert "public key cannot be read" in said.err
    assert len(fingerprints(folder)) == 1


def test_a_run_whose_key_is_not_pinned_stops_before_the_work(tmp_path):
    folder = copied(tmp_path / "iris")
    (folder / "other.pub").write_bytes(STRANGER.public.pem)
    pin = "signing.trust=['other.pub']"
    said = gleis(folder, "run", "--refresh", "--set", "seed=3", "--set", pin, "--json")
    assert said.code == 2
    assert said.json["error"]["field"] == "signing.trust"
    assert len(Project.open(folder).runs()) == len(Project.open(trained()).runs())
