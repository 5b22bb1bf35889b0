from __future__ import annotations

import pytest

from commands import gleis
from trained_projects import copied, trained

SPAN = ["--since", "2024-02-21", "--until", "2024-03-10"]


@pytest.fixture(scope="module")
def replayed(tmp_path_factory):
    """A backtest of two policies and a grid of two, and what it said."""
    folder = copied(tmp_path_factory.mktemp("backtest") / "shifting", "shifting")
    named = ["--policy", "never", "--policy", "project"]
    grid = ["--grid", "triggers.drift.min_effect=0.05,99"]
    known = ["--changes", "2024-03-01", "--split", "2024-03-04"]
    said = gleis(folder, "backtest", *SPAN, *named, *grid, *known, "--report", "r.html")
    return folder, said


def table(said):
    lines = said.out.splitlines()
    start = next(n for n, line in enumerate(lines) if line.startswith("policy "))
    return {line.split()[0]: line.split() for line in lines[start : start + 5]}


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


def test_monitors_of_a_grid_watch_by_its_thresholds(replayed):
    """Prices move far, but by no PSI of 99: there nobody hears of it, and nothing is retrained."""
    rows = table(replayed[1])
    assert rows["min_effect=99"][4:6] == ["0", "0"]
    assert int(rows["min_effect=99"][6]) == int(rows["never"][6]) - 1, "that of the loss stays"
    assert rows["min_effect=99"][1:4] == rows["never"][1:4]
    assert int(rows["min_effect=0.05"][6]) >= 1
    assert int(rows["min_effect=0.05"][4]) >= 1


def test_the_choice_is_weighed(replayed):
    said = replayed[1].out
    weighed = said[said.index("to the best") :]
    first = weighed[: weighed.index("log_loss before")]
    lines = {line.split("  ")[0]: line for line in first.splitlines()}
    assert lines["min_effect=99"].split()[-1] == "*", "nobody retrains less and does better"
    assert "1 of 1" in lines["project"]
    assert "log_loss before" in weighed
    assert "before 2024-03-04 “" in weighed
    assert "nothing is recommended" in weighed


def test_what_a_grid_replayed_can_be_found_again(replayed):
    folder, _ = replayed
    (states,) = (folder / ".gleis" / "backtests").iterdir()
    logs = sorted(path.parent.name for path in states.rglob("predictions.db"))
    assert logs == ["0", "1"], "logs of a grid are many, and can be made again"
    assert len(list(states.rglob("gleis.db"))) == 4


def test_the_report_is_one_file(replayed):
    folder, said = replayed
    assert "Report: r.html" in said.out
    page = (folder / "r.html").read_text()
    assert "<html" in page
    assert 'src="http' not in page
    assert "What a choice weighs" in page
    assert "Before and after 2024-03-04" in page


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
        ([*SPAN, "--step", "0d"], "--step moves the clock nowhere"),
        ([*SPAN, "--changes", "2024-04-01"], "--changes names a moment outside the stretch"),
        ([*SPAN, "--changes", "lately"], "--changes is not a moment: 'lately'"),
        ([*SPAN, "--split", "2024-02-21"], "--split names a moment outside the stretch"),
        ([*SPAN, "--grid", "params.C=1,2"], "params.C is none"),
        ([*SPAN, "--grid", "triggers.cooldown=1x"], "'triggers.cooldown=1x'"),
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
