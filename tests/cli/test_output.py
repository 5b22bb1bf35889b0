from __future__ import annotations

import contextlib
import io
import json
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from gleis.cli.output import print_json, print_table


def printed(capsys, *arguments, **options):
    print_table(*arguments, **options)
    return capsys.readouterr().out.splitlines()


def test_numbers_to_the_right_with_thousands(capsys):
    header, first, second, *_ = printed(capsys, ["rows", "name"], [(1234567, "a"), (5, "b")])
    assert header.split() == ["rows", "name"]
    assert first.startswith("1,234,567  a")
    assert second.startswith("        5  b")


def test_nothing_and_truth_in_words(capsys):
    _, row, *_ = printed(capsys, ["a", "b", "c", "d"], [(None, True, False, 0.25)])
    assert row.split() == ["-", "yes", "no", "0.2500"]


def test_a_missing_number_does_not_turn_a_column_into_text(capsys):
    _, first, second, *_ = printed(capsys, ["n"], [(None,), (1234,)])
    assert (first, second) == ("    -", "1,234")


def test_a_narrow_terminal_cuts_no_name_and_no_number(monkeypatch):
    narrow = Console(file=io.StringIO(), width=44)
    monkeypatch.setattr("gleis.cli.output.console", narrow)
    reason = "share of above 8 rose since the first of May"
    print_table(["run", "log_loss", "cause"], [("r20261120-204808-3d83db", 0.6278, reason)])
    text = narrow.file.getvalue()
    assert "r20261120-204808-3d83db" in text
    assert "0.6278" in text
    assert "log_loss" in text
    assert "…" not in text
    assert [word for word in reason.split() if word not in text] == []


def test_brackets_are_no_markup(capsys):
    _, row, *_ = printed(capsys, ["a"], [("[red]x[/red]",)])
    assert row.strip() == "[red]x[/red]"


def test_json_of_moments_paths_and_what_is_no_number(capsys):
    moment = datetime(2013, 4, 1, tzinfo=UTC)
    print_json({"at": moment, "path": Path("a/b"), "nan": float("nan"), "n": np.str_("x")})
    assert json.loads(capsys.readouterr().out) == {
        "at": "2013-04-01T00:00:00Z",
        "path": "a/b",
        "nan": None,
        "n": "x",
    }


@given(st.recursive(st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(), st.lists))
def test_json_says_what_it_was_given(value):
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        print_json(value)
    assert json.loads(out.getvalue()) == value
