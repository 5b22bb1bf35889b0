from __future__ import annotations

import pytest

from commands import gleis
from trained_projects import copied, trained

SPAN = ["--since", "2024-02-21", "--until", "2024-03-10"]


@pytest.fixture(scope="module")
def replayed(tmp_path_factory):
    """A backtest of two policies, and what it said."""
    folder = copied(tmp_path_factory.mktemp("backtest") / "shifting", "shifting")
    said = gleis(
        folder, "backtest", *SPAN, "--policy", "never", "--policy", "project", "--report", "r.html"
    )
    return folder, said


def table(said):
    lines = said.out.splitlines()
    start = next(n for n, line in enumerate(lines) if line.startswith("policy "))
    return {line.split()[0]: line.split() for line in lines[start : start + 3]}


def test_policies_side_by_side(replayed):
    _, said = replayed
    assert said.code == 0, said.err
    rows = table(said)
    assert rows["policy"][1:] == [
        "log_loss", "roc_auc", "brier",
        "retrainings", "promotions", "alarms", "false", "predictions",
    ]  # fmt: skip
    assert rows["never"][4:6] == ["0", "0"]
    assert rows["never"][-1] == rows["project"][-1] == "2,160"
    assert int(rows["project"][4]) >= 1
    assert "best log_loss: " in said.out


def test_the_report_is_one_file(replayed):
    folder, said = replayed
    assert "Report: r.html" in said.out
    page = (folder / "r.html").read_text()
    assert "<html" in page
    assert 'src="http' not in page


def test_the_project_itself_is_as_it_was(replayed):
    folder, _ = replayed
    found = gleis(folder, "status", "--json").json
    assert found["champion"].startswith("version 2 ")
    assert found["log"]["predictions"] == 0
    assert len(gleis(folder, "runs", "--json").json) == 2


def test_json(tmp_path):
    folder = copied(tmp_path / "shifting", "shifting")
    span = ["--since", "2024-02-21", "--until", "2024-02-24"]
    found = gleis(folder, "backtest", *span, "--policy", "never", "--json").json
    (policy,) = found["policies"]
    assert policy["rows"] == 360
    assert policy["retrainings"] == 0
    assert found["metrics"] == ["log_loss", "roc_auc", "brier"]


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--since", "soon", "--until", "2024-03-01"], "--since is not a moment: 'soon'"),
        (["--since", "2024-03-02", "--until", "2024-03-01"], "--since is not before --until"),
        ([*SPAN, "--policy", "sometimes"], "'sometimes'"),
        ([*SPAN, "--step", "1x"], "'1x'"),
    ],
)
def test_what_cannot_be_replayed(arguments, named):
    said = gleis(trained("shifting"), "backtest", *arguments)
    assert said.code == 2
    assert named in said.err


def test_a_span_without_rows():
    said = gleis(trained("shifting"), "backtest", "--since", "2030-01-01", "--until", "2030-02-01")
    assert said.code == 4
    assert "no rows" in said.err
    assert "2030-01-01" in said.err


def test_without_times_there_is_no_history():
    said = gleis(trained("iris"), "backtest", *SPAN)
    assert said.code == 2
    assert "project.time" in said.err
