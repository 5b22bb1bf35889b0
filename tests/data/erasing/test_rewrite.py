from __future__ import annotations

import io
from datetime import UTC, datetime

import msgspec
import polars as pl
import pytest

from gleis.contracts.dataset import Provenance
from gleis.contracts.erasure import KIND, Erasure
from gleis.contracts.errors import StoreError
from gleis.data.content import chain, hash_rows
from gleis.data.dataset import Datasets
from gleis.data.erasing.rewrite import erase_rows, holds_subject
from gleis.data.erasing.subjects import Subjects
from gleis.data.verifying import hold, repair
from gleis.data.version_profile import get_profile
from gleis.store.home import Home
from gleis.store.objects.by_url import open_objects

NOW = datetime(2013, 6, 1, tzinfo=UTC)
SECRET = "subject-4711-of-the-test"
GIVEN = Provenance(
    source="p:load", since=None, until=None, loaded_at=NOW, loaded_by="me@here", code="c1"
)


def loans(*who, day=1, paid=1):
    return pl.DataFrame(
        {
            "loan": [f"{name}/{day}" for name in who],
            "who": list(who),
            "at": pl.Series(
                [datetime(2013, 1, day, tzinfo=UTC)] * len(who), dtype=pl.Datetime("us", "UTC")
            ),
            "town": [f"town of {name}" for name in who],
            "paid": pl.Series([paid] * len(who), dtype=pl.Int64),
        }
    )


@pytest.fixture
def datasets(home, clock, make_settings):
    return loans_of(home, clock, make_settings)


def loans_of(home, clock, make_settings):
    settings = make_settings(target="paid", id="loan", time="at")
    data = msgspec.structs.replace(settings.data, subject="who")
    return Datasets(home, msgspec.structs.replace(settings, data=data), clock)


def erase(datasets, who=SECRET):
    return erase_rows(datasets, {who}, "me@here", NOW)


def anywhere(home, text):
    """Return the files below the state folder that hold some text, apart from the ledger."""
    return [
        path.relative_to(home.folder)
        for path in home.folder.rglob("*")
        if path.is_file() and text.encode() in path.read_bytes()
    ]


def unpacked(home, text):
    """Return the Parquet files that hold some text in any column, compressed or not."""
    found = []
    for path in home.folder.rglob("*.parquet"):
        frame = pl.read_parquet(path)
        if text in str(frame.to_dicts()):
            found.append(path.relative_to(home.folder))
    return found


def test_every_version_is_as_if_they_had_never_been_there(datasets, home):
    first = datasets.append(loans("ada", SECRET), GIVEN)
    second = datasets.append(loans("bob", SECRET, day=2, paid=None), GIVEN)
    third = datasets.append(loans("cleo", day=3), GIVEN)
    assert holds_subject(datasets, {SECRET}) == {1: 1, 2: 2, 3: 2}
    assert anywhere(home, SECRET)

    done = erase(datasets)
    assert (done.name, done.rows, done.versions) == ("p", 2, ("p@v1", "p@v2", "p@v3"))
    one, two, three, last = datasets.versions()
    assert datasets.read(one).equals(loans("ada"))
    assert datasets.read(two).equals(pl.concat([loans("ada"), loans("bob", day=2, paid=None)]))
    assert datasets.read(last).equals(datasets.read(three))
    assert (two.rows, two.labelled, two.erased, three.erased) == (2, 1, 2, 2)
    assert (one.original, two.original) == (first.content, second.content)
    assert one.content == chain(None, hash_rows(loans("ada")))
    assert three.content == chain(two.content, hash_rows(loans("cleo", day=3)))
    assert (last.restored, last.content) == (3, three.content)
    assert last.provenance.note == "a subject was erased: 2 rows taken out"
    # A run that kept the version's record of then reads what is left.
    assert datasets.read(third).height == 3
    assert holds_subject(datasets, {SECRET}) == {}
    assert anywhere(home, SECRET) == []
    assert unpacked(home, SECRET) == []
    assert erase(datasets) is None


def test_what_holds_nothing_of_them_is_left_alone(datasets):
    before = datasets.append(loans("ada"), GIVEN)
    assert erase(datasets) is None
    assert datasets.versions() == [before]


def test_the_dataset_goes_on(datasets):
    datasets.append(loans("ada", SECRET), GIVEN)
    erase(datasets)
    after = datasets.append(loans("bob", day=2), GIVEN)
    assert datasets.read(after)["who"].to_list() == ["ada", "bob"]
    assert after.rows == 2
    again = erase(datasets, "bob")
    assert again.versions == ("p@v3",)
    assert [datasets.read(v)["who"].to_list() for v in datasets.versions()] == [["ada"]] * 4


def test_snapshots_and_restored_versions(datasets):
    first = datasets.append(loans("ada", SECRET), GIVEN)
    datasets.replace(loans("bob", SECRET, "cleo"), GIVEN)
    datasets.restore(first, GIVEN)
    datasets.append(loans("dora", day=4), GIVEN)
    erase(datasets)
    kept = [datasets.read(version)["who"].to_list() for version in datasets.versions()]
    assert kept == [["ada"], ["bob", "cleo"], ["ada"], ["ada", "dora"], ["ada", "dora"]]
    restored = datasets.versions()[2]
    assert restored.content == datasets.versions()[0].content


def test_a_version_that_was_theirs_alone_is_empty(datasets):
    datasets.append(loans(SECRET), GIVEN)
    erase(datasets)
    (one, _) = datasets.versions()
    assert (one.rows, one.first) == (0, None)
    assert datasets.read(one).columns == loans("x").columns
    assert datasets.append(loans("ada"), GIVEN).rows == 1


def test_removed_versions_go_for_good(datasets, home):
    datasets.append(loans(SECRET), GIVEN)
    datasets.replace(loans("ada", SECRET), GIVEN)
    datasets.marks.remove(1, "me", NOW)
    done = erase(datasets)
    assert done.versions == ("p@v2",)
    assert anywhere(home, SECRET) == unpacked(home, SECRET) == []


def test_the_profile_forgets_them_too(datasets, home):
    old = datasets.append(loans("ada", SECRET), GIVEN)
    assert f"town of {SECRET}" in str(get_profile(home.artifacts, old.profile))
    erase(datasets)
    new = datasets.versions()[0]
    assert SECRET not in str(get_profile(home.artifacts, new.profile))
    assert not home.artifacts.has(old.profile)


def test_killed_half_way_it_goes_on(datasets, home, monkeypatch):
    datasets.append(loans("ada", SECRET), GIVEN)
    datasets.append(loans("bob", day=2), GIVEN)
    move, calls = type(datasets.marks).move, []

    def dying(self, mark):
        calls.append(mark)
        if len(calls) == 2:
            raise KeyboardInterrupt
        move(self, mark)

    with monkeypatch.context() as patched:
        patched.setattr(type(datasets.marks), "move", dying)
        with pytest.raises(KeyboardInterrupt):
            erase(datasets)
    one, two = datasets.versions()
    assert datasets.read(one)["who"].to_list() == ["ada"]
    assert datasets.read(two)["who"].to_list() == ["ada", SECRET, "bob"]
    assert erase(datasets).versions == ("p@v2",)
    kept = [datasets.read(version)["who"].to_list() for version in datasets.versions()]
    assert kept == [["ada"], ["ada", "bob"], ["ada", "bob"]]
    assert anywhere(home, SECRET) == []


def forget(home, who):
    digest = Subjects(home.keys).digest(who)
    body = msgspec.json.encode(Erasure(id="e1", subject=digest, at=NOW, by="me"))
    home.facts.append(KIND, "e1", body, NOW)


def test_who_was_erased_does_not_come_in_again(datasets, home):
    datasets.append(loans("ada"), GIVEN)
    forget(home, SECRET)
    after = datasets.append(loans("bob", SECRET, day=2), GIVEN)
    assert datasets.read(after)["who"].to_list() == ["ada", "bob"]
    assert datasets.append(loans(SECRET, day=3), GIVEN) == after
    anew = datasets.replace(loans("ada", SECRET, "cleo"), GIVEN)
    assert datasets.read(anew)["who"].to_list() == ["ada", "cleo"]


def test_a_stream_reads_on_past_them(datasets, home):
    datasets.append(loans("ada"), GIVEN)
    forget(home, SECRET)
    further = msgspec.structs.replace(GIVEN, cursor="7")
    after = datasets.append(loans(SECRET, day=2), further)
    assert (after.version, after.rows, after.provenance.cursor) == (2, 1, "7")


def test_messages_that_were_set_aside_go_where_they_name_them(datasets, home):
    theirs = [b'{"place":"t/0/1","reason":"x","value":"{\\"who\\": \\"%s\\"}"}' % SECRET.encode()]
    others = [b'{"place":"t/0/2","reason":"x","value":"{\\"who\\": \\"ada\\"}"}']
    kept = [home.artifacts.put(lines[0] + b"\n") for lines in (theirs, others)]
    for day, digest in enumerate(kept, 1):
        given = msgspec.structs.replace(GIVEN, set_aside=digest)
        datasets.append(loans("ada", day=day), given)
    assert erase(datasets) is None, "no row was theirs"
    assert [home.artifacts.has(digest) for digest in kept] == [False, True]


def test_without_the_key_nothing_comes_in(datasets, home):
    datasets.append(loans("ada"), GIVEN)
    forget(home, SECRET)
    (home.keys / "subjects.key").rename(home.keys / "elsewhere")
    with pytest.raises(StoreError, match=r"1 subjects were erased, and the key .* is not here"):
        datasets.append(loans("bob"), GIVEN)


def test_in_a_bucket_too(s3, tmp_path, clock, make_settings):
    home = Home(tmp_path / ".gleis", store=f"{s3}/erasing")
    datasets = loans_of(home, clock, make_settings)
    datasets.append(loans("ada", SECRET), GIVEN)
    datasets.append(loans("bob", SECRET, day=2), GIVEN)
    erase(datasets)
    kept = [datasets.read(version)["who"].to_list() for version in datasets.versions()]
    assert kept == [["ada"], ["ada", "bob"], ["ada", "bob"]]
    objects = open_objects(home.store, home.patience)
    left = objects.list("datasets") + objects.list("artifacts")
    assert len(left) > 4
    for listed in left:
        content = objects.get(listed.key)
        assert SECRET.encode() not in content, listed.key
        if listed.key.endswith(".parquet"):
            assert SECRET not in str(pl.read_parquet(io.BytesIO(content)).to_dicts()), listed.key
    home.close()


def test_versions_are_whole_after_an_erasure_and_what_was_put_aside_is_erased(datasets, home):
    for day, who in enumerate((("a", SECRET), (SECRET,), ("b", "c")), start=1):
        datasets.append(loans(*who, day=day), GIVEN)
    datasets.restore(datasets.get(2), GIVEN)
    log = home.folder / "datasets" / "p" / "_delta_log"
    commit = log / f"{1:020}.json"
    commit.write_bytes(commit.read_bytes()[:-30])
    assert repair(datasets).mended
    assert erase(datasets).rows == 2
    assert anywhere(home, SECRET) == []
    assert hold(datasets).whole
    # The log now begins with a checkpoint; behind it commits are made anew as before.
    rows = [datasets.read(version) for version in datasets.versions()]
    newest = max(version.table_version for version in datasets.recorded())
    commits = [path for path in sorted(log.glob("*.json")) if int(path.stem) <= newest]
    assert len(commits) > 1
    for path in commits[1:]:
        path.write_bytes(path.read_bytes()[:-30])
        assert repair(datasets).whole, path
    assert all(
        datasets.read(v).equals(old) for v, old in zip(datasets.versions(), rows, strict=True)
    )
