from __future__ import annotations

import pytest

from gleis.config.load import load_settings
from gleis.contracts.errors import ConfigError

PROJECT = '[project]\nname = "p"\nmodule = "p"\ntask = "binary"\ntarget = "y"\n[gates]\n'
NAME = "fairness.sex.selection_rate_difference"


def gates(folder, text, flags=None, environment=None):
    (folder / "gleis.toml").write_text(PROJECT + text)
    return load_settings(folder, flags, environment or {}).gates


@pytest.mark.parametrize("key", [f'"{NAME}"', NAME, 'fairness."sex.selection_rate_difference"'])
def test_a_figure_with_dots_needs_no_quotes(tmp_path, key):
    assert gates(tmp_path, f'{key} = "<= 0.1"\nbrier = "<= 0.2"') == {
        NAME: "<= 0.1",
        "brier": "<= 0.2",
    }


def test_a_table_of_its_own_is_the_same(tmp_path):
    text = 'brier = "<= 0.2"\n[gates.fairness.sex]\nselection_rate_difference = "<= 0.1"'
    assert gates(tmp_path, text)[NAME] == "<= 0.1"


def test_several_rules(tmp_path):
    rules = gates(tmp_path, 'roc_auc = [">= 0.6", "better than champion"]')
    assert rules == {"roc_auc": (">= 0.6", "better than champion")}


def test_twice_is_an_error(tmp_path):
    with pytest.raises(ConfigError, match="is there twice") as caught:
        gates(tmp_path, f'"{NAME}" = "<= 0.1"\n{NAME} = "<= 0.2"')
    assert caught.value.field == f"gates.{NAME}"


@pytest.mark.parametrize("key", [f'"{NAME}"', NAME])
def test_a_flag_and_the_environment_win(tmp_path, key):
    text = f'{key} = "<= 0.1"'
    assert gates(tmp_path, text, {f"gates.{NAME}": "<= 0.3"}) == {NAME: "<= 0.3"}
    found = gates(tmp_path, text, environment={f"GLEIS_GATES__{NAME.upper()}": "<= 0.3"})
    assert found == {NAME: "<= 0.3"}


@pytest.mark.parametrize("value", ["0.1", "true", "[0.1]"])
def test_a_rule_is_text(tmp_path, value):
    with pytest.raises(ConfigError, match="gates has the wrong type"):
        gates(tmp_path, f'"{NAME}" = {value}')
