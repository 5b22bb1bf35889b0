"""Commands are listed in one place and loaded from another."""

from __future__ import annotations

import subprocess
import sys
from itertools import chain

import pytest

from gleis.cli import app as root
from gleis.cli.data import group as data
from gleis.cli.listed import ListedCommands, commands_of

LISTINGS = {"gleis": root._COMMANDS, "gleis data": data._COMMANDS}


@pytest.mark.parametrize("group", LISTINGS)
def test_what_is_listed_is_what_there_is(group):
    for module, lines in LISTINGS[group].items():
        commands = commands_of(module)
        assert list(commands) == list(lines), module
        told = {name: command.get_short_help_str(1000) for name, command in commands.items()}
        assert told == lines


def test_only_what_is_asked_for_is_loaded(tmp_path):
    code = (
        "import sys\n"
        "from gleis.cli.app import main\n"
        "sys.argv = ['gleis', 'data', 'log', '--help']\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print(*(name for name in sys.modules if name.startswith('gleis.cli')), file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    loaded = set(done.stderr.split())
    listed = set(chain(*(listing for listing in LISTINGS.values())))
    assert loaded & listed == {"gleis.cli.data.group", "gleis.cli.data.listing"}


def test_commands_are_a_mapping():
    commands = ListedCommands({"gleis.cli.asking": {"predict": "Ask.", "label": "Tell."}})
    assert list(commands) == ["predict", "label"]
    assert commands["label"].name == "label"
    assert commands.get("frobnicate") is None
    commands["ask"] = commands["predict"]
    del commands["predict"]
    assert list(commands) == ["label", "ask"]
    assert len(commands) == 2
    with pytest.raises(KeyError):
        commands["predict"]
