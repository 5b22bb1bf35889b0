from __future__ import annotations

import subprocess
import sys

import pytest

from commands import gleis
from trained_projects import SHIFTING_AS_OF, copied, edit, trained, untrained

IMPOSSIBLE = "gates.accuracy=>= 0.9999"
NOTHING = "Nothing changed since this run: nothing was done."


@pytest.fixture(scope="module")
def blocked(tmp_path_factory):
    """An iris project with a champion and a candidate that its gates blocked; and what was said."""
    folder = copied(tmp_path_factory.mktemp("blocked") / "iris")
    return folder, gleis(folder, "run", "--set", IMPOSSIBLE)


def test_a_run_tells_its_steps_figures_gates_and_what_is_next(tmp_path):
    said = gleis(untrained(tmp_path / "iris"), "run")
    assert said.code == 0, said.err
    order = ["data      loading", "the heuristic becomes version 1", "fit       fitting"]
    order += ["judge     passed", "promote   version 2"]
    places = [said.out.index(word) for word in order]
    assert places == sorted(places)
    assert "105 rows train, 45 test" in said.out
    assert "log_loss" in said.out
    assert "pass      accuracy" in said.out
    assert "Version 2 is champion. Next: gleis up" in said.out


def test_json_is_the_outcome(tmp_path):
    found = gleis(untrained(tmp_path / "diabetes", "diabetes"), "run", "--json").json
    assert found["promoted"] is True
    assert found["unchanged"] is False
    assert found["version"]["number"] == 2
    assert set(found["run"]["evidence"]["figures"]) >= {"rmse", "mae", "r2"}
    record = found["run"]
    for kept in ("dataset", "code", "environment", "params", "seeds", "durations", "package"):
        assert record[kept], kept


def test_runs_lists_the_baseline_first(tmp_path):
    lines = gleis(trained(), "runs").out.splitlines()
    assert lines[1].split()[1] == "baseline"
    assert lines[2].split()[1] == "model"
    assert "passed" in lines[2]
    assert [line.split()[2] for line in lines[1:3]] == ["v1", "v2"]
    found = gleis(trained(), "runs", "--json").json
    assert [run["kind"] for run in found] == ["baseline", "model"]


def test_runs_before_the_first(tmp_path):
    folder = untrained(tmp_path / "iris")
    assert "Next: gleis run" in gleis(folder, "runs").out
    assert gleis(folder, "runs", "--json").json == []


def test_show_takes_a_version_an_id_and_its_beginning():
    run = gleis(trained(), "show", "v2", "--json").json
    assert run["kind"] == "model"
    for ref in (run["id"], run["id"][:-3]):
        assert gleis(trained(), "show", ref, "--json").json == run
    said = gleis(trained(), "show", "v2").out
    for part in (run["id"], "code ", "python ", "params    {'C': 1.0}", "seeds ", "took "):
        assert part in said


def test_show_takes_a_number_and_by_default_the_newest():
    newest = gleis(trained(), "show", "v2", "--json").json
    for ref in (["2"], ["latest"], []):
        assert gleis(trained(), "show", *ref, "--json").json == newest


def test_show_before_the_first(tmp_path):
    said = gleis(untrained(tmp_path / "iris"), "show")
    assert said.code == 6
    assert "gleis run" in said.err


def test_show_prints_the_slices(tmp_path):
    folder = copied(tmp_path / "shifting", "shifting")
    by_channel = ("--set", "evidence.slices=['channel']", "--set", "evidence.min_slice=20")
    assert gleis(folder, "run", "--as-of", SHIFTING_AS_OF, *by_channel).code == 0
    said = gleis(folder, "show")
    parts = gleis(folder, "show", "--json").json["evidence"]["slices"]
    assert {part["value"] for part in parts} == {"web", "shop", "phone"}
    for text in ("  worst ", "noise_10pct", "  shallow_tree "):
        assert text in said.out
    for part in parts:
        (line,) = [x for x in said.out.splitlines() if f"channel = {part['value']} " in x]
        assert line.split()[3] == f"{part['rows']:,}"


@pytest.mark.parametrize("ref", ["zzz", "v99"])
def test_show_what_is_not_there(ref):
    said = gleis(trained(), "show", ref)
    assert said.code == 6
    assert repr(ref) in said.err


def test_show_refuses_what_begins_more_than_one(tmp_path):
    folder = untrained(tmp_path / "iris")
    gleis(folder, "run")
    gleis(folder, "run", "--set", "params.C=0.7")
    said = gleis(folder, "show", "r")
    assert said.code == 6
    assert "more than one" in said.err


def test_closed_gates_exit_with_1_and_say_why(blocked):
    _, said = blocked
    assert said.code == 1
    assert "fail      accuracy 0.96" in said.out
    assert "asked >= 0.9999" in said.out
    assert "Version 3 is kept, not promoted." in said.out


def test_a_blocked_candidate_is_kept_and_explained(blocked):
    folder, _ = blocked
    assert gleis(folder, "status", "--json").json["champion"].startswith("version 2 ")
    shown = gleis(folder, "show", "v3")
    assert shown.code == 0
    assert "asked >= 0.9999, the lower end 0.89 does not hold" in shown.out
    gates = gleis(folder, "show", "v3", "--json").json["verdict"]["gates"]
    assert [gate["status"] for gate in gates] == ["fail", "pass"]
    listed = gleis(folder, "runs").out.strip().splitlines()
    assert ["blocked" in line for line in listed[1:]] == [False, False, True]
    assert gleis(folder, "verify", "v3").code == 0


def test_a_blocked_run_with_nothing_changed_is_still_blocked(blocked):
    folder, _ = blocked
    again = gleis(folder, "run", "--set", IMPOSSIBLE)
    assert again.code == 1
    assert NOTHING in again.out


def test_nothing_changed_nothing_done():
    said = gleis(trained(), "run")
    assert said.code == 0
    assert NOTHING in said.out
    assert "gleis run --refresh" in said.out
    assert "fitting" not in said.out
    again = gleis(trained(), "run", "--json").json
    assert again["unchanged"] is True
    assert len(gleis(trained(), "runs", "--json").json) == 2


def test_nothing_changed_loads_nothing_heavy():
    code = (
        "import sys\n"
        "from gleis.cli.app import main\n"
        "sys.argv = ['gleis', 'run']\n"
        "main_code = 0\n"
        "try: main()\n"
        "except SystemExit as left: main_code = left.code or 0\n"
        "heavy = {'polars', 'numpy', 'pandas', 'sklearn', 'mlflow', 'dbos', 'deltalake'}\n"
        "print(sorted(heavy & set(sys.modules)), main_code, file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=trained(),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert NOTHING in done.stdout
    assert done.stderr == "[] 0\n"


def test_a_comment_changes_nothing(tmp_path):
    folder = copied(tmp_path / "iris")
    edit(folder / "iris.py", "def baseline(", "# Fisher measured these himself.\ndef baseline(")
    assert NOTHING in gleis(folder, "run").out


def test_a_helper_counts_but_only_for_the_steps_that_reach_it(tmp_path):
    folder = untrained(tmp_path / "iris")
    (folder / "shapes.py").write_text(
        "from sklearn.preprocessing import StandardScaler\n\n\n"
        "def scaler():\n    return StandardScaler()\n\n\n"
        "def unused():\n    return 1\n"
    )
    imported = "from sklearn.preprocessing import StandardScaler"
    edit(folder / "iris.py", imported, "from shapes import scaler")
    edit(folder / "iris.py", "StandardScaler()", "scaler()")
    assert gleis(folder, "run").code == 0

    edit(folder / "shapes.py", "return 1", "return 2")
    assert NOTHING in gleis(folder, "run").out

    edit(folder / "shapes.py", "StandardScaler()\n\n", "StandardScaler(with_std=False)\n\n")
    found = gleis(folder, "run", "--json").json
    assert found["unchanged"] is False
    assert found["version"]["number"] == 3
    took = found["run"]["durations"]
    assert took["fit"] > 0
    assert took["baseline"] == 0.0
    assert found["run"]["dataset"]["version"] == 1


def test_a_parameter_and_a_seed_count(tmp_path):
    folder = copied(tmp_path / "iris")
    assert gleis(folder, "run", "--set", "params.C=0.5", "--json").json["version"]["number"] == 3
    assert gleis(folder, "run", "--set", "seed=7", "--json").json["version"]["number"] == 4
    found = gleis(folder, "runs", "--json").json
    assert [run["params"].get("C") for run in found[1:]] == [1.0, 0.5, 1.0]
    assert [run["seed"] for run in found[1:]] == [0, 0, 7]


def test_refresh_asks_the_source_and_finds_the_same(tmp_path):
    folder = copied(tmp_path / "iris")
    found = gleis(folder, "run", "--refresh", "--json").json
    assert found["run"]["dataset"]["version"] == 1
    assert found["run"]["durations"]["fit"] == 0.0


def test_as_of_leaves_later_rows_unknown(tmp_path):
    folder = copied(tmp_path / "shifting", "shifting")
    before = gleis(folder, "data", "log", "--json").json
    # The truth of a visit is known six hours later.
    assert before[0]["last"] == "2024-02-20T17:48:00Z"
    found = gleis(folder, "run", "--refresh", "--as-of", "2024-02-25", "--json").json
    assert found["run"]["dataset"]["last"] == "2024-02-24T17:48:00Z"
    assert found["run"]["started"] == "2024-02-25T00:00:00Z"


def test_as_of_is_a_moment():
    said = gleis(trained(), "run", "--as-of", "yesterday")
    assert said.code == 2
    assert "'yesterday'" in said.err


def test_reproduce_says_byte_for_byte():
    run = gleis(trained(), "show", "v2", "--json").json["id"]
    said = gleis(trained(), "run", "--reproduce", run)
    assert said.code == 0, said.err
    assert "the same, byte for byte" in said.out
    assert "at most 0.0e+00 apart on 45 test rows" in said.out
    assert gleis(trained(), "run", "--reproduce", "v2", "--json").json["same_model"] is True


def test_reproduce_with_other_code_fails_and_names_it(tmp_path):
    folder = copied(tmp_path / "iris")
    edit(folder / "iris.py", "StandardScaler()", "StandardScaler(with_std=False)")
    said = gleis(folder, "run", "--reproduce", "v2")
    assert said.code == 1
    assert "differs   the source reached from build_model or baseline" in said.out
    assert "NOT reproduced" in said.out
    assert "was not reproduced" in said.err
