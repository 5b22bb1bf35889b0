from __future__ import annotations

import subprocess
import sys
import textwrap

import polars as pl
import pytest

from gleis.contracts.dataset import Provenance
from gleis.contracts.errors import DataError, RegistryError, StoreError
from gleis.data.dataset import Datasets
from gleis.data.version_profile import get_profile
from gleis.store.home import Home
from small_datasets import PROVENANCE, days


@pytest.fixture
def config(make_settings):
    return make_settings(id="id", time="at")


@pytest.fixture
def datasets(home, config, clock):
    return Datasets(home, config, clock)


def test_versions_grow_and_stay(datasets):
    first = datasets.append(days(1, 2), PROVENANCE)
    second = datasets.append(days(3, late=None), PROVENANCE)
    assert (first.label, second.label) == ("p@v1", "p@v2")
    assert (second.rows, second.labelled, second.unlabelled, second.parent) == (3, 2, 1, 1)
    assert (first.first.day, first.last.day, second.first.day, second.last.day) == (1, 2, 1, 3)
    assert datasets.read(first).equals(days(1, 2))
    assert datasets.read(second).equals(pl.concat([days(1, 2), days(3, late=None)]))
    assert datasets.versions() == [first, second]
    assert datasets.latest() == second


def test_names_of_a_version(datasets):
    first = datasets.append(days(1, 2), PROVENANCE)
    second = datasets.append(days(3), PROVENANCE)
    for ref in (1, "1", "v1", "p@v1"):
        assert datasets.get(ref) == first
    assert datasets.get("latest") == datasets.get("p@latest") == second
    for ref in (3, "v0", "x", "q@v1"):
        with pytest.raises(RegistryError, match=rf"dataset p: .*{ref}.*v1, v2"):
            datasets.get(ref)


def test_before_the_first(datasets):
    assert datasets.latest() is None
    assert datasets.versions() == []
    with pytest.raises(RegistryError, match="none yet"):
        datasets.get("latest")
    with pytest.raises(DataError, match="no rows"):
        datasets.append(days(), PROVENANCE)


def test_no_rows_make_no_version(datasets):
    first = datasets.append(days(1), PROVENANCE)
    assert datasets.append(pl.DataFrame(), PROVENANCE) == first
    assert datasets.versions() == [first]


def test_content_is_the_rows_and_their_history(tmp_path, config, clock):
    def contents(name, *chunks):
        home = Home(tmp_path / name)
        datasets = Datasets(home, config, clock)
        versions = [datasets.append(chunk, PROVENANCE) for chunk in chunks]
        home.close()
        return [version.content for version in versions]

    one = contents("one", days(1, 2), days(3))
    assert contents("same", days(1, 2), days(3)) == one
    assert contents("late", days(1, 2), days(3, late=0))[0] == one[0]
    assert contents("late2", days(1, 2), days(3, late=0))[1] != one[1]
    assert len(set(one)) == 2


def test_ids_that_an_earlier_version_holds(datasets):
    datasets.append(days(1, 2), PROVENANCE)
    latest = datasets.append(days(3), PROVENANCE)
    with pytest.raises(DataError, match=r"Id column id: 2 of 3 new rows.*p@v2.*\[1, 3\]"):
        datasets.append(days(1, 3, 4), PROVENANCE)
    assert datasets.latest() == latest
    assert datasets.read(latest).height == 3


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda f: f.drop("x"), "missing: x"),
        (lambda f: f.with_columns(y=1), "new: y"),
        (lambda f: f.with_columns(pl.col("x").cast(pl.String)), r"x \(Float64 -> String\)"),
        (lambda f: f.drop("late"), r"project\.target.*'late'"),
        (lambda f: f.with_columns(id=pl.lit(9)), r"Id column id repeats.*\[9\]"),
        (lambda f: f.with_columns(_row=1), "'_row'"),
    ],
)
def test_rows_that_do_not_fit_change_nothing(datasets, change, named):
    first = datasets.append(days(1, 2), PROVENANCE)
    with pytest.raises(DataError, match=named):
        datasets.append(change(days(3, 4)), PROVENANCE)
    assert datasets.versions() == [first]
    assert datasets.read(first).equals(days(1, 2))
    assert datasets.append(days(3), PROVENANCE).rows == 3


def test_gaps_that_turn_numbers_into_floats_fit(datasets):
    datasets.append(days(1, 2), PROVENANCE)
    second = datasets.append(days(3).with_columns(late=pl.lit(1.0)), PROVENANCE)
    assert datasets.read(second).schema["late"] == pl.Int64


def test_replace_makes_a_snapshot_and_keeps_the_past(datasets):
    first = datasets.append(days(1, 2), PROVENANCE)
    snapshot = datasets.replace(days(2, 3, 4).drop("x"), PROVENANCE)
    assert (snapshot.version, snapshot.rows, snapshot.parent) == (2, 3, None)
    assert datasets.read(snapshot).equals(days(2, 3, 4).drop("x"))
    assert datasets.read(first).equals(days(1, 2))
    third = datasets.append(days(5).drop("x"), PROVENANCE)
    assert datasets.read(third)["id"].to_list() == [2, 3, 4, 5]


def test_replacing_by_the_same_rows_makes_no_version(datasets):
    datasets.append(days(1), PROVENANCE)
    latest = datasets.append(days(2), PROVENANCE)
    again = Provenance(
        **{**{f: getattr(PROVENANCE, f) for f in PROVENANCE.__struct_fields__}, "code": "c2"}
    )
    assert datasets.vouched(latest, "c1")
    assert not datasets.vouched(latest, "c2")
    assert datasets.replace(days(1, 2), again) == latest
    assert datasets.vouched(latest, "c2")
    assert not datasets.vouched(latest, "c3")


KILLED = """
    import os, signal, sys
    from datetime import UTC, datetime
    from pathlib import Path
    sys.path.insert(0, {tests!r})
    from small_datasets import PROVENANCE, days
    from gleis.config.settings import ProjectSettings, Settings
    from gleis.contracts.clock import SystemClock
    from gleis.data.dataset import Datasets
    from gleis.store.home import Home

    project = ProjectSettings(
        name="p", module="p", task="binary", target="late", id="id", time="at")
    datasets = Datasets(Home(Path({folder!r})), Settings(project=project), SystemClock())
    datasets.record = lambda version: os.kill(os.getpid(), signal.SIGKILL)
    datasets.{verb}(days({days}), PROVENANCE)
"""


def run_killed(home, verb, numbers, tests):
    code = textwrap.dedent(KILLED).format(
        tests=str(tests), folder=str(home.folder), verb=verb, days=numbers
    )
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert done.returncode == -9, done.stderr


@pytest.mark.parametrize("verb", ["append", "replace"])
def test_killed_between_commit_and_record_leaves_no_rows(datasets, home, request, verb):
    first = datasets.append(days(1, 2), PROVENANCE)
    run_killed(home, verb, "3, 4", request.path.parents[1])
    assert home.table("p").version() > first.table_version
    assert datasets.latest() == first
    assert datasets.read(first).equals(days(1, 2))
    second = datasets.append(days(4, 5), PROVENANCE)
    assert datasets.read(second)["id"].to_list() == [1, 2, 4, 5]
    assert datasets.read(first).equals(days(1, 2))


def test_killed_before_the_first_record(datasets, home, request):
    run_killed(home, "append", "3, 4", request.path.parents[1])
    assert datasets.latest() is None
    first = datasets.append(days(1, 2), PROVENANCE)
    assert datasets.read(first).equals(days(1, 2))


RACING = """
    import sys, time
    from pathlib import Path
    sys.path.insert(0, {tests!r})
    from small_datasets import PROVENANCE, days
    from gleis.config.settings import ProjectSettings, Settings
    from gleis.contracts.clock import SystemClock
    from gleis.contracts.errors import DataError, StoreError
    from gleis.data.dataset import Datasets
    from gleis.store.home import Home

    project = ProjectSettings(
        name="p", module="p", task="binary", target="late", id="id", time="at")
    datasets = Datasets(Home(Path({folder!r})), Settings(project=project), SystemClock())
    print("ready", flush=True)
    sys.stdin.readline()
    won, lost = [], 0
    for n in range({start}, {start} + 12):
        try:
            datasets.append(days(n), PROVENANCE)
            won.append(n)
        except StoreError:
            lost += 1
    print(won, lost)
"""


def test_two_processes_at_once_mix_nothing(datasets, home, request):
    datasets.append(days(1), PROVENANCE)
    texts = [
        textwrap.dedent(RACING).format(
            tests=str(request.path.parents[1]), folder=str(home.folder), start=start
        )
        for start in (2, 15)
    ]
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", text],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for text in texts
    ]  # fmt: skip
    for racer in racers:
        assert racer.stdout.readline() == "ready\n"
    for racer in racers:
        racer.stdin.write("\n")
        racer.stdin.flush()
    outs = [racer.communicate(timeout=120) for racer in racers]
    assert [racer.returncode for racer in racers] == [0, 0], outs
    won = [n for out, _ in outs for n in eval(out.rpartition(" ")[0])]
    versions = datasets.versions()
    assert [version.version for version in versions] == list(range(1, len(won) + 2))
    for version in versions:
        assert datasets.read(version).height == version.rows == version.version
    assert sorted(datasets.read(versions[-1])["id"]) == sorted([1, *won])


def test_a_table_that_does_not_hold_what_the_record_says(datasets):
    first = datasets.append(days(1, 2), PROVENANCE)
    second = datasets.append(days(3), PROVENANCE)
    fields = {name: getattr(first, name) for name in first.__struct_fields__}
    wrong = type(first)(**{**fields, "table_version": second.table_version})
    with pytest.raises(StoreError, match=r"p@v1 should hold 2 rows.*3"):
        datasets.read(wrong)


def test_rows_that_another_process_commits_in_between(datasets, home, monkeypatch):
    first = datasets.append(days(1, 2), PROVENANCE)
    table = home.table("p")
    append = datasets.table.append

    def append_after_another(frame):
        table.append(days(9))
        return append(frame)

    with monkeypatch.context() as patch:
        patch.setattr(datasets.table, "append", append_after_another)
        with pytest.raises(StoreError, match=r"Another process.*Run it again"):
            datasets.append(days(3), PROVENANCE)
    assert datasets.versions() == [first]
    assert datasets.read(datasets.append(days(3), PROVENANCE))["id"].to_list() == [1, 2, 3]


def test_restore_makes_a_new_version_and_copies_no_row(datasets, home):
    first = datasets.append(days(1, 2), PROVENANCE)
    datasets.append(days(3), PROVENANCE)
    files = set((home.folder / "datasets" / "p").glob("*.parquet"))
    third = datasets.restore(first, PROVENANCE)
    assert (third.label, third.restored, third.parent) == ("p@v3", 1, None)
    assert (third.content, third.rows, third.profile) == (first.content, 2, first.profile)
    assert datasets.read(third).equals(days(1, 2))
    assert set((home.folder / "datasets" / "p").glob("*.parquet")) == files
    assert datasets.restore(first, PROVENANCE) == third, "it is so already"
    fourth = datasets.append(days(3), PROVENANCE)
    assert (fourth.label, fourth.parent, fourth.rows) == ("p@v4", 3, 3)


def test_rows_asked_for_behind_a_version_that_is_not_the_latest_any_more(datasets):
    first = datasets.append(days(1, 2), PROVENANCE, behind=0)
    for behind in (0, 2):
        with pytest.raises(StoreError, match=r"Another process.*Run it again"):
            datasets.append(days(3), PROVENANCE, behind=behind)
    assert datasets.versions() == [first]
    assert datasets.append(days(3), PROVENANCE, behind=1).rows == 3


def test_parts_are_what_read_returns(datasets, monkeypatch):
    datasets.append(days(1, 2), PROVENANCE)
    second = datasets.append(days(3, late=None), PROVENANCE)
    assert pl.concat(list(datasets.parts(second))).equals(datasets.read(second))
    assert datasets.schema(second) == days(1).schema


def test_sweep_leaves_the_versions_it_is_told_to(datasets, home):
    first = datasets.append(days(1, 2), PROVENANCE)
    second = datasets.replace(days(3, 4), PROVENANCE)
    third = datasets.append(days(5), PROVENANCE)
    assert datasets.sweep([1, 2, 3]).files == ()
    would = datasets.sweep([1, 2], dry_run=True)
    assert len(would.files) == 1
    assert datasets.read(third).height == 3
    assert datasets.sweep([1, 2]) == would
    assert datasets.read(first).equals(days(1, 2))
    assert datasets.read(second).equals(days(3, 4))
    with pytest.raises(StoreError):
        datasets.read(third)


def test_each_version_has_the_profile_of_its_rows(datasets, home):
    first = datasets.append(days(1, 2), PROVENANCE)
    second = datasets.append(days(3), PROVENANCE)
    found = [get_profile(home.artifacts, version.profile) for version in (first, second)]
    assert [profile.rows for profile in found] == [2, 3]
    assert set(found[0].columns) == {"x", "z", "late"}
    assert found[1].columns["z"].counts == (3,)


@pytest.mark.parametrize("ids", [[2**63 - 1, 2_000_000_000], [-1, -(2**63)]])
def test_ids_at_the_ends_of_what_a_number_can_be(datasets, ids):
    datasets.append(days(1, 2), PROVENANCE)
    second = datasets.append(days(3, 4).with_columns(id=pl.Series(ids)), PROVENANCE)
    assert datasets.read(second)["id"].to_list() == [1, 2, *ids]
    for one in ids:
        with pytest.raises(DataError, match=rf"already holds.*\[{one}\]"):
            datasets.append(days(5).with_columns(id=pl.Series([one])), PROVENANCE)
    unsigned = days(5).with_columns(id=pl.Series([2**63], dtype=pl.UInt64))
    with pytest.raises(DataError, match=r"id \(Int64 -> UInt64\)"):
        datasets.append(unsigned, PROVENANCE)
