from __future__ import annotations

import re

import pytest

from commands import gleis
from trained_projects import untrained


@pytest.fixture
def folder(tmp_path):
    return untrained(tmp_path / "iris")


def test_a_key_is_made_shown_once_listed_and_revoked(folder):
    said = gleis(folder, "access", "list")
    assert (said.code, "No keys yet" in said.out) == (0, True)
    made = gleis(
        folder, "access", "new", "web shop", "--role", "predict", "--role", "label",
        "--model", "iris", "--rate", "100 per second", "--expires", "90d",
    )  # fmt: skip
    assert made.code == 0, made.err
    (key,) = re.findall(r"^gleis_\w{8}_\S{43}$", made.out, re.MULTILINE)
    listed = gleis(folder, "access", "list")
    for part in ("web shop", "predict, label", "iris", "100 per second", "works"):
        assert part in listed.out
    assert key not in listed.out
    revoked = gleis(folder, "access", "revoke", "web shop", "--reason", "left in a repository")
    assert revoked.code == 0
    assert "is revoked" in gleis(folder, "access", "list").out


def test_json_for_programs(folder):
    made = gleis(folder, "access", "new", "ci", "--role", "admin", "--json").json
    assert made["key"].startswith(f"gleis_{made['id']}_")
    assert (made["roles"], made["models"], made["expires"]) == (["admin"], [], None)
    (listed,) = gleis(folder, "access", "list", "--json").json
    assert listed == {name: value for name, value in made.items() if name != "key"}
    assert "digest" not in listed
    revoked = gleis(folder, "access", "revoke", made["id"], "--json").json
    assert revoked["revoked"]


@pytest.mark.parametrize(
    ("arguments", "code", "kind"),
    [
        (("new", "x", "--role", "root"), 2, "ConfigError"),
        (("new", " ", "--role", "admin"), 2, "ConfigError"),
        (("new", "x", "--role", "admin", "--rate", "fast"), 2, "ConfigError"),
        (("new", "x", "--role", "admin", "--rate", "0 per second"), 2, "ConfigError"),
        (("new", "x", "--role", "admin", "--expires", "soon"), 2, "ConfigError"),
        (("new", "x", "--role", "admin", "--expires", "0s"), 2, "ConfigError"),
        (("revoke", "nobody"), 6, "RegistryError"),
    ],
)
def test_what_makes_no_sense_is_refused(folder, arguments, code, kind):
    said = gleis(folder, "access", *arguments, "--json")
    assert (said.code, said.json["error"]["kind"]) == (code, kind)
    assert gleis(folder, "access", "list", "--json").json == []
