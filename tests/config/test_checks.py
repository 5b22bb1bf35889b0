from __future__ import annotations

import pytest

from gleis.config.load import load_settings
from gleis.contracts.errors import ConfigError

BASIC = '[project]\nname = "p"\nmodule = "p"\ntask = "binary"\ntarget = "late"\n'


def read(folder, more):
    (folder / "gleis.toml").write_text(BASIC + more)
    return load_settings(folder, environment={})


def test_all_keys(tmp_path):
    settings = read(
        tmp_path,
        """
[data]
requests = "refuse"
[data.rows]
min = 10
unique = [["a", "b"]]
[data.checks]
temp = { type = "number", min = -40, below = 130.5, nullable = false, max_psi = 0.25 }
carrier = { in = ["AA", "UA"], references = "fleet" }
"air time" = { above = 2013-01-01T00:00:00Z, fresh = "2d", max_missing = 0.1 }
[datasets.fleet]
id = "code"
[datasets.fleet.checks.tail]
matches = '[A-Z]\\d+'
min_length = 2
unique = true
""",
    )
    assert settings.data.checks["temp"].below == 130.5
    assert settings.data.checks["carrier"].among == ("AA", "UA")
    assert settings.data.rows.unique == (("a", "b"),)
    assert settings.datasets["fleet"].checks["tail"].min_length == 2


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("[data.checks]\nt = { mn = 1 }", 7, "data.checks.t.mn is no key: 1. Did you mean min"),
        ('[data.checks."air time"]\nmin = "x"', 7, "data.checks.air time.min has the wrong type"),
        ("[data.checks]\nt = 3", 7, "data.checks.t has the wrong type"),
        ('[data.checks]\nt = { type = "txt" }', 7, "t.type is none of number, .*mean text"),
        ("[data.checks]\nt = { min = 5, max = 1 }", 7, "max leaves no value with min = 5: 1"),
        ("[data.checks]\nt = { above = 1, max = 1 }", 7, "max leaves no value with above = 1"),
        ("[data.checks]\nt = { min = 1, above = 1 }", 7, "above stands beside min"),
        ("[data.checks]\nt = { min = nan }", 7, "min is no limit"),
        ("[data.checks]\nt = { in = [] }", 7, "in names no value"),
        ('[data.checks]\nt = { in = [1, "a"] }', 7, "in mixes texts and numbers"),
        ("[data.checks]\nt = { in = [1], not_in = [2] }", 7, "not_in stands beside in"),
        ('[data.checks]\nt = { matches = "(" }', 7, "is no regular expression"),
        ('[data.checks]\nt = { matches = "(?=a)" }', 7, "looks around"),
        ('[data.checks]\nt = { type = "text", min = 3 }', 7, "min cannot be asked of a text"),
        ('[data.checks]\nt = { type = "number", in = ["a"] }', 7, "in cannot be asked of a number"),
        ('[data.checks]\nt = { type = "time", min = 3 }', 7, "min cannot be asked of a time"),
        ('[data.checks]\nt = { max = 3, matches = "a" }', 7, "max cannot be asked of a text"),
        ("[data.checks]\nt = { min_length = 3, max_length = 2 }", 7, "less than min_length = 3"),
        ("[data.checks]\nt = { max_missing = 2 }", 7, "max_missing is no share"),
        ("[data.checks]\nt = { nullable = false, max_missing = 0.1 }", 7, "beside nullable"),
        ("[data.checks]\nt = { max_psi = 0 }", 7, "max_psi is no limit"),
        ('[data.checks]\nt = { fresh = "2x" }', 7, "fresh is not a duration"),
        ('[data.checks]\nt = { references = "flet.code" }', 7, "names no dataset"),
        ('[data.checks]\nt = { references = "p" }', 7, "a dataset without an id"),
        ("[data.rows]\nmin = 5\nmax = 3", 8, "data.rows.max is less than min = 5"),
        ("[data.rows]\nmin = -1", 7, "is no number of rows"),
        ('[data.rows]\nunique = [["a"]]', 7, "no list of lists"),
        ("[datasets.w.checks]\nt = { in = 3 }", 7, "datasets.w.checks.t.in has the wrong type"),
        ("[datasets.w.checks]\nt = { min = 2, max = 1 }", 7, "datasets.w.checks.t.max leaves no"),
    ],
)
def test_what_cannot_hold_is_said_with_its_line(tmp_path, text, line, said):
    with pytest.raises(ConfigError, match=rf"line {line}: .*{said}"):
        read(tmp_path, text)
