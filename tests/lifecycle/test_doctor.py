from __future__ import annotations

import sqlite3

import pytest

from alarms_made import NIGHT
from gleis.contracts.notice import Waiting
from gleis.lifecycle.doctor import examine_project
from gleis.store.home import Home
from gleis.store.postgres import health
from prometheus_stack import free_port
from s3_server import variables
from trained_projects import copied, edit, trained, untrained


def failed(folder):
    return {check.name: check.found for check in examine_project(folder) if not check.ok}


def champion_file(folder, name):
    (found,) = [p for p in (folder / ".gleis" / "packages").glob(f"*/{name}")
                if (p.parent / "model.skops").exists()]  # fmt: skip
    return found


@pytest.mark.parametrize("name", ["iris", "shifting", "diabetes"])
def test_a_healthy_project_has_every_check(name):
    checks = examine_project(trained(name))
    assert [check.name for check in checks] == [
        "python",
        "sqlite",
        "settings",
        "database",
        "module",
        "gates",
        "state",
        "ledger",
        "log",
        "packages",
        "alarms",
    ]
    assert all(check.ok for check in checks)


def test_a_database_that_may_lose_what_it_acknowledges_is_told_of(postgres, tmp_path, monkeypatch):
    folder = untrained(tmp_path / "iris")
    monkeypatch.setenv("GLEIS_DATABASE", "env:TEST_DATABASE")
    assert "TEST_DATABASE, which database names, is not set" in failed(folder)["database"]
    monkeypatch.setenv("TEST_DATABASE", postgres.fresh())  # its server does not wait for the disk
    assert failed(folder).keys() == {"database"}
    assert "may lose what it acknowledges: fsync off" in failed(folder)["database"]
    assert not (folder / ".gleis" / "gleis.db").exists()


def test_before_the_first_run_nothing_is_wrong(tmp_path):
    assert failed(untrained(tmp_path / "iris")) == {}


def test_who_is_told_and_who_cannot_be(tmp_path, monkeypatch):
    folder = untrained(tmp_path / "iris")
    monkeypatch.setenv("GLEIS_ALARMS__SLACK", '["env:OPS"]')
    assert "OPS, which is not set" in failed(folder)["alarms"]
    monkeypatch.setenv("OPS", "https://hooks.example.org/services/T0K3N")
    assert failed(folder) == {}
    home = Home(folder / ".gleis")
    waiting = Waiting(notice="a/alarm", alarm="a", event="alarm", receiver="slack env:OPS",
                      since=NIGHT)  # fmt: skip
    home.outbox.put([waiting])
    for _ in range(2):
        home.outbox.attempt(home.outbox.waiting()[0], NIGHT, 30.0)
    home.outbox.failed(waiting, "HTTP 503: busy", 60.0)
    home.close()
    assert "slack env:OPS is not told, after 2 attempts: HTTP 503: busy" in failed(folder)["alarms"]


def test_settings_that_cannot_be_read_end_it(tmp_path):
    folder = copied(tmp_path / "iris")
    edit(folder / "gleis.toml", "multiclass", "clustering")
    checks = examine_project(folder)
    assert checks[-1].name == "settings"
    assert "'clustering'" in checks[-1].found
    assert "multiclass" in checks[-1].found


def test_a_module_that_does_not_import(tmp_path):
    folder = copied(tmp_path / "iris")
    edit(folder / "iris.py", "import polars", "import polarz")
    found = failed(folder)
    assert set(found) == {"module"}
    assert "iris.py:3" in found["module"]


def test_a_gate_that_no_evidence_answers(tmp_path):
    folder = copied(tmp_path / "iris")
    edit(folder / "gleis.toml", "accuracy =", "acuracy =")
    assert "Did you mean accuracy?" in failed(folder)["gates"]


def test_one_byte_of_a_live_package(tmp_path):
    folder = copied(tmp_path / "iris")
    path = champion_file(folder, "model.skops")
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))
    found = failed(folder)
    assert set(found) == {"packages"}
    assert "champion, version 2" in found["packages"]
    assert "model.skops" in found["packages"]


def test_a_file_too_many_in_a_live_package(tmp_path):
    folder = copied(tmp_path / "iris")
    champion_file(folder, "card.md").with_name("extra.py").write_text("import os")
    assert "extra.py" in failed(folder)["packages"]


def test_a_live_package_that_is_gone(tmp_path):
    folder = copied(tmp_path / "iris")
    path = champion_file(folder, "card.md").parent
    path.rename(path.with_name("elsewhere"))
    assert "version 2" in failed(folder)["packages"]


@pytest.mark.parametrize("kind", ["TEXT", "BLOB"])
def test_a_fact_that_somebody_changed(tmp_path, kind):
    folder = copied(tmp_path / "iris")
    with sqlite3.connect(folder / ".gleis" / "gleis.db") as database:
        for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'"):
            database.execute(f"DROP TRIGGER {name}")
        database.execute(
            "UPDATE facts SET body = CAST(replace(CAST(body AS TEXT), 'on demand', 'of course')"
            f" AS {kind}) WHERE kind = 'run'"
        )
    database.close()
    found = failed(folder)
    assert set(found) == {"ledger"}
    assert "broken at fact 2" in found["ledger"]


def test_a_log_that_is_no_database(tmp_path):
    folder = copied(tmp_path / "iris")
    for path in (folder / ".gleis").glob("predictions.db*"):
        path.unlink()
    (folder / ".gleis" / "predictions.db").write_text("not a database, whatever its name says")
    assert "predictions.db" in failed(folder)["log"]


def test_a_state_folder_that_cannot_be(tmp_path):
    folder = copied(tmp_path / "iris")
    (folder / "file").write_text("")
    edit(folder / "gleis.toml", "[project]", 'state = "file/state"\n\n[project]')
    found = failed(folder)
    assert {"state", "ledger", "log", "packages", "alarms"} == set(found)
    assert "file/state" in found["state"]


def test_what_is_out_of_reach_is_said_once(tmp_path, monkeypatch):
    folder = untrained(tmp_path / "iris")
    nowhere = f"127.0.0.1:{free_port()}"
    monkeypatch.setenv("GLEIS_DATABASE", f"postgresql://ann@{nowhere}/team")
    found = failed(folder)
    assert "refused" in found["database"]
    assert {found.pop("ledger"), *found.values()} == {found["database"], "the same as database"}
    monkeypatch.delenv("GLEIS_DATABASE")
    for name, value in variables(f"http://{nowhere}", GLEIS_STORE="s3://a/b").items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("GLEIS_STORE_PATIENCE", "1s")
    found = failed(folder)
    assert found.keys() == {"store", "packages"}
    assert f"{nowhere} cannot be reached" in found["store"]
    assert found["packages"] == "not looked at: it needs store"


def test_a_place_of_an_unknown_kind_is_a_matter_of_the_settings(tmp_path, monkeypatch):
    monkeypatch.setenv("GLEIS_STORE", "s4://team/iris")
    found = failed(untrained(tmp_path / "iris"))
    assert "store names a kind of place that is not known: 's4://'" in found["settings"]


def test_a_user_without_rights_is_told_how_a_team_shares(postgres, tmp_path, monkeypatch):
    folder = untrained(tmp_path / "iris")
    monkeypatch.setattr(health, "_MAY_LOSE", frozenset())  # the tests' server does not sync
    name = postgres.fresh().partition("?")[0].rpartition("/")[2]
    user = f"bob_{name}"
    postgres.execute(f"CREATE ROLE {user} LOGIN PASSWORD 'x'")
    monkeypatch.setenv("TEST_DATABASE", postgres.tcp(name, user, "x"))
    monkeypatch.setenv("GLEIS_DATABASE", "env:TEST_DATABASE")
    assert f"the user {user} may not make schemas" in failed(folder)["database"]
    postgres.execute("CREATE SCHEMA gleis_iris", postgres.url(name))
    found = failed(folder)
    assert f"The user {user} may not use the schema gleis_iris" in found["database"]
    assert "GRANT role TO user" in found["database"]
    assert found["ledger"] == "the same as database"
    postgres.execute(f"GRANT gleis TO {user}; ALTER ROLE {user} SET role = gleis")
    assert failed(folder) == {}
