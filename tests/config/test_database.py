from __future__ import annotations

import pytest

from gleis.config.database import database_url
from gleis.config.load import load_settings
from gleis.contracts.errors import ConfigError

TOML = """
database = "{}"
[project]
name = "p"
module = "p"
task = "binary"
target = "late"
"""


def read(folder, database):
    (folder / "gleis.toml").write_text(TOML.format(database))
    return load_settings(folder, environment={})


@pytest.mark.parametrize(
    "url", ["postgresql://ann@h:5433/n?sslmode=require", "postgres:///n?host=/tmp"]
)
def test_urls_are_taken_as_they_are(tmp_path, url):
    assert database_url(read(tmp_path, url), {}) == url


def test_a_variable_holds_the_url(tmp_path):
    settings = read(tmp_path, "env:TEAM_DB")
    assert database_url(settings, {"TEAM_DB": "postgresql://h/n"}) == "postgresql://h/n"
    with pytest.raises(ConfigError, match="TEAM_DB, which database names, is not set"):
        database_url(settings, {})
    with pytest.raises(ConfigError, match="holds no URL") as caught:
        database_url(settings, {"TEAM_DB": "hush hush"})
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize(
    ("database", "said"),
    [
        ("", "not the URL"),
        ("sqlite:///x.db", "not the URL"),
        ("mysql://ann:hush@h/n", "not the URL"),
        ("env:2", "not the URL"),
        ("env:GLEIS_DATABASE", "begins with GLEIS_"),
    ],
)
def test_what_is_no_database_is_refused_without_its_secret(tmp_path, database, said):
    with pytest.raises(ConfigError, match=said) as caught:
        read(tmp_path, database)
    assert "hush" not in str(caught.value)
    assert caught.value.field == "database"
