from __future__ import annotations

import shutil

import polars as pl
import pytest

from gleis.contracts.errors import StoreError
from gleis.data.dataset import Datasets
from gleis.data.verifying import hold, repair
from gleis.store.home import Home
from gleis.store.objects.objects import FolderObjects
from small_datasets import PROVENANCE, days

COMMITS = 9


def _make(home, settings, clock):
    """First, appended twice, restored, appended behind a commit of nobody, replaced, appended."""
    made = Datasets(home, settings, clock)
    for numbers in ((1, 2), (3,), (4, 5)):
        made.append(days(*numbers), PROVENANCE)
    made.restore(made.get(2), PROVENANCE)  # v4 in commit 3
    made.table.append(days(30))  # of a process that died: commit 4, undone by 5
    made.append(days(6), PROVENANCE)  # v5 in commit 6
    made.replace(days(1, 2, 7).with_columns(y=pl.lit("new")), PROVENANCE)  # v6 in 7
    made.append(days(8).with_columns(y=pl.lit("more")), PROVENANCE)  # v7 in 8
    return made


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    """The state folder of such a dataset; tests copy it."""
    return tmp_path_factory.mktemp("whole")


@pytest.fixture
def datasets(original, tmp_path, make_settings, clock):
    settings = make_settings(id="id", time="at")
    if not (original / "state").exists():
        home = Home(original / "state")
        _make(home, settings, clock)
        home.close()
    shutil.copytree(original / "state", tmp_path / "state")
    home = Home(tmp_path / "state")
    yield Datasets(home, settings, clock)
    home.close()


def _log(datasets, number):
    return datasets.home.folder / "datasets" / "p" / "_delta_log" / f"{number:020}.json"


def _own_file(datasets, version):
    """The file that an append wrote."""
    files = datasets.table.files(version.table_version)
    return datasets.home.folder / "datasets" / "p" / files[-1].name


def _rows(datasets):
    return {version.version: datasets.read(version) for version in datasets.versions()}


def _remote(datasets, tmp_path):
    """What was pushed before: the same objects."""
    shutil.copytree(datasets.home.folder, tmp_path / "remote")
    return FolderObjects(tmp_path / "remote")


EMPTY, CUT, MISSING = "empty", "cut", "missing"


def _damage(path, how):
    if how == MISSING:
        path.unlink()
    else:
        path.write_bytes(b"" if how == EMPTY else path.read_bytes()[:-30])


def test_whole_versions_hold_and_nothing_is_changed(datasets):
    before = sorted((datasets.home.folder / "datasets").rglob("*"))
    seen = []
    found = hold(datasets, seen.append)
    assert found.whole
    assert [each.version for each in found.versions] == [1, 2, 3, 4, 5, 6, 7]
    assert [each.rows for each in found.versions] == [2, 3, 5, 3, 4, 3, 4]
    assert found.last_whole == 7
    assert len(seen) == 7
    assert sorted((datasets.home.folder / "datasets").rglob("*")) == before
    assert repair(datasets).mended == ()


@pytest.mark.parametrize("how", [EMPTY, CUT, MISSING])
@pytest.mark.parametrize("number", range(COMMITS))
def test_any_commit_is_made_anew_of_ledger_and_files(datasets, number, how):
    rows = _rows(datasets)
    _damage(_log(datasets, number), how)
    found = hold(datasets)
    assert not found.whole
    assert found.log
    found = repair(datasets)
    assert found.whole, found
    assert any(f"commit {number} " in told for told in found.mended)
    for version, frame in _rows(datasets).items():
        assert frame.equals(rows[version])
    # The table goes on, and every id that it holds is known.
    after = datasets.append(days(9).with_columns(y=pl.lit("after")), PROVENANCE)
    assert after.rows == 5
    assert hold(datasets).whole


def test_several_commits_at_once(datasets):
    rows = _rows(datasets)
    for number in (0, 1, 2, 5, 7):
        _damage(_log(datasets, number), CUT)
    assert repair(datasets).whole
    assert all(frame.equals(rows[version]) for version, frame in _rows(datasets).items())


def test_a_commit_comes_from_the_remote_as_it_was(datasets, tmp_path):
    remote = _remote(datasets, tmp_path)
    whole = _log(datasets, 6).read_bytes()
    _damage(_log(datasets, 6), CUT)
    found = repair(datasets, remote)
    assert found.whole
    assert "fetched from" in found.mended[0]
    assert _log(datasets, 6).read_bytes() == whole
    aside = datasets.home.folder / "datasets" / "p" / "_damaged" / _log(datasets, 6).name
    assert aside.read_bytes() == whole[:-30]


def test_a_commit_of_another_history_is_not_taken(datasets, tmp_path):
    remote = _remote(datasets, tmp_path)
    other = remote.get("datasets/p/_delta_log/00000000000000000002.json")
    remote.put("datasets/p/_delta_log/00000000000000000006.json", other)
    _damage(_log(datasets, 6), CUT)
    found = repair(datasets, remote)
    assert found.whole
    assert "made anew" in found.mended[0]


@pytest.mark.parametrize("how", [EMPTY, CUT, MISSING, "flipped"])
def test_a_damaged_file_is_named_and_fetched_from_the_remote(datasets, tmp_path, how):
    remote = _remote(datasets, tmp_path)
    rows = _rows(datasets)
    path = _own_file(datasets, datasets.get(3))
    if how == "flipped":
        content = bytearray(path.read_bytes())
        content[40:60] = bytes(20)
        path.write_bytes(content)
    else:
        _damage(path, how)
    found = hold(datasets)
    assert [each.version for each in found.damaged] == [3]
    assert path.name in found.damaged[0].damage or "hash" in found.damaged[0].damage
    # Without a remote it stays damaged, and what is whole stays.
    alone = repair(datasets)
    assert [each.version for each in alone.damaged] == [3]
    assert alone.mended == ()
    found = repair(datasets, remote)
    assert found.whole, found
    assert datasets.read(datasets.get(3)).equals(rows[3])


def test_a_file_with_other_rows_in_the_right_size_is_seen(datasets):
    """The place of another version's rows: readable, of the right length, and wrong."""
    one, two = (_own_file(datasets, datasets.get(number)) for number in (2, 5))
    assert one.stat().st_size == two.stat().st_size
    shutil.copyfile(one, two)
    assert [each.version for each in hold(datasets).damaged] == [5]


def test_a_lost_newest_version_is_told_and_the_table_goes_on(datasets):
    rows = _rows(datasets)
    _own_file(datasets, datasets.get(7)).unlink()
    _damage(_log(datasets, 8), CUT)
    found = repair(datasets)
    assert [each.version for each in found.damaged] == [7]
    assert "lost" in found.mended[0]
    assert found.last_whole == 6
    again = datasets.restore(datasets.get(6), PROVENANCE)
    assert datasets.read(again).equals(rows[6])
    more = datasets.append(days(9).with_columns(y=pl.lit("after")), PROVENANCE)
    assert datasets.read(more).height == 4


def test_commits_of_nobody_at_the_end_are_put_aside(datasets):
    datasets.table.append(days(20).with_columns(y=pl.lit("died")))
    _damage(_log(datasets, 9), CUT)
    found = repair(datasets)
    assert found.whole
    assert "commit 9 of the log of no version was put aside" in found.mended[0]
    assert datasets.append(days(20).with_columns(y=pl.lit("x")), PROVENANCE).rows == 5


@pytest.mark.parametrize("how", [EMPTY, CUT])
def test_a_damaged_checkpoint_is_put_aside(datasets, how):
    rows = _rows(datasets)
    datasets.table._existing(None).create_checkpoint()
    folder = _log(datasets, 0).parent
    for name in ("00000000000000000008.checkpoint.parquet", "_last_checkpoint"):
        _damage(folder / name, how)
    assert len(hold(datasets).log) == 2
    assert repair(datasets).whole
    assert all(frame.equals(rows[version]) for version, frame in _rows(datasets).items())


def test_a_lost_profile_is_made_anew_of_the_rows(datasets):
    digests = {version.profile for version in datasets.versions()}
    for digest in digests:
        datasets.home.artifacts.remove(digest)
    assert len(hold(datasets).damaged) == 7
    assert repair(datasets).whole
    assert all(datasets.home.artifacts.get(digest) for digest in digests)


def test_an_append_to_a_version_whose_commit_was_emptied_says_what_to_do(datasets):
    """Delta Lake takes an empty commit for one that changed nothing."""
    _damage(_log(datasets, 8), EMPTY)
    for _ in range(2):
        with pytest.raises(StoreError, match=r"p@v7 should hold 4 rows.*gleis data verify"):
            datasets.append(days(9).with_columns(y=pl.lit("after")), PROVENANCE)
    assert repair(datasets).whole
    assert datasets.append(days(9).with_columns(y=pl.lit("z")), PROVENANCE).rows == 5


def test_what_was_put_aside_goes_with_the_files_that_no_version_needs(datasets):
    _damage(_log(datasets, 6), CUT)
    repair(datasets)
    kept = {version.version for version in datasets.versions()}
    told = datasets.sweep(kept, dry_run=True)
    assert _log(datasets, 6).name in {file.name.rpartition("/")[2] for file in told.files}
    assert datasets.sweep(kept).files == told.files
    assert datasets.sweep(kept).files == ()
    assert hold(datasets).whole


def test_a_commit_is_made_anew_although_the_rows_before_it_are_lost(datasets):
    path = _own_file(datasets, datasets.get(1))
    kept = path.read_bytes()
    path.write_bytes(kept[:100])
    _damage(_log(datasets, 1), CUT)
    found = repair(datasets)
    assert "commit 1 of the log was made anew" in found.mended[0]
    assert [each.version for each in found.damaged] == [1, 2, 3, 4, 5]
    path.write_bytes(kept)
    assert hold(datasets).whole


def test_a_commit_that_was_lost_is_made_anew_once_its_file_is_back(datasets):
    path = _own_file(datasets, datasets.get(2))
    kept = path.read_bytes()
    path.unlink()
    _damage(_log(datasets, 1), CUT)
    assert "stands in" in repair(datasets).mended[0]
    assert repair(datasets).mended == ()
    path.write_bytes(kept)
    assert not hold(datasets).whole
    found = repair(datasets)
    assert "commit 1 of the log was made anew" in found.mended[0]
    assert found.whole


def test_rows_of_the_source_take_the_place_of_those_that_are_lost(datasets):
    rows = _rows(datasets)[7]
    assert datasets.replace(rows, PROVENANCE).version == 7
    _own_file(datasets, datasets.get(7)).unlink()
    made = datasets.replace(rows, PROVENANCE)
    assert made.version == 8
    assert datasets.read(made).equals(rows)
    assert [each.version for each in hold(datasets).damaged] == [7]
