from __future__ import annotations

import pytest

from gleis.config.explain import find_line
from gleis.config.load import load_settings
from gleis.contracts.errors import ConfigError

MINIMAL = '[project]\nname = "p"\nmodule = "p"\ntask = "binary"\ntarget = "late"\n'


def error(folder, text, flags=None, environment=None):
    (folder / "gleis.toml").write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_settings(folder, flags, environment or {})
    return caught.value


def test_a_missing_key_says_where_it_goes(tmp_path):
    found = error(tmp_path, MINIMAL.replace('task = "binary"\n', ""))
    assert found.what == "gleis.toml, line 1: project.task is missing"
    assert found.remedy == 'Add task = "binary" under [project].'
    assert error(tmp_path, "seed = 1").remedy == "Add the table [project]."


def test_an_unknown_key_says_which_was_meant(tmp_path):
    found = error(tmp_path, MINIMAL + "[triggers]\ndrift = { false_alarm = 1 }\n")
    assert (found.field, found.seen) == ("triggers.drift.false_alarm", "1")
    assert "line 7" in found.what
    assert found.remedy.startswith("Did you mean false_alarms? Known here: false_alarms, ")
    assert "Did you mean" not in error(tmp_path, MINIMAL + "[zzz]\n").remedy


def test_a_wrong_choice_lists_the_choices(tmp_path):
    found = error(tmp_path, MINIMAL.replace("binary", "binray"))
    assert found.what == (
        "gleis.toml, line 4: project.task is none of binary, multiclass, regression"
    )
    assert found.seen == "'binray'"


@pytest.mark.parametrize(
    ("text", "field", "seen"),
    [
        ("[serve]\nport = 'x'", "serve.port", "'x'"),
        ("[split]\ntest = [1]", "split.test", "[1]"),
        ("[features]\nexclude = [1]", "features.exclude", "[1]"),
        ("[gates]\na = 1", "gates", "{'a': 1}"),
        ("[triggers]\ndrift = 3", "triggers.drift", "3"),
    ],
)
def test_a_wrong_type_shows_the_value(tmp_path, text, field, seen):
    found = error(tmp_path, MINIMAL + text)
    assert (found.field, found.seen) == (field, seen)
    assert "line " in found.what
    assert "wrong type" in found.what


def test_flags_and_variables_are_not_blamed_on_the_file(tmp_path):
    found = error(tmp_path, MINIMAL, {"serve.prt": 1})
    assert found.what == "the flag serve.prt: serve.prt is no key"
    found = error(tmp_path, MINIMAL, environment={"GLEIS_SERVE__PORT": "x"})
    assert found.what.startswith("GLEIS_SERVE__PORT: serve.port has the wrong type")
    # The flag wins, so it is to blame.
    found = error(tmp_path, MINIMAL, {"serve.port": "y"}, {"GLEIS_SERVE__PORT": "x"})
    assert (found.what.partition(":")[0], found.seen) == ("the flag serve.port", "'y'")


@pytest.mark.parametrize(
    ("dotted", "line"),
    [("a", 1), ("t", 2), ("t.b", 3), ("t.c.d", 4), ("u.e", 7), ("t.e", None), ("", None)],
)
def test_lines(dotted, line):
    text = "a = 1\n[t]\nb = 2\nc = { d = 3 }\n\n[ u ]\n'e' = 4\n"
    assert find_line(text, dotted) == line
