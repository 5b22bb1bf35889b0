from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import msgspec
import polars as pl
import pytest

from gleis.config.settings import SigningSettings
from gleis.contracts.carried import Carried, Origin
from gleis.contracts.errors import ConfigError, PackageError, RacedError, RegistryError, StoreError
from gleis.data.erasing.rewrite import erase_rows
from gleis.lifecycle.sharing.push import pull, push
from gleis.lifecycle.sharing.selection import read_selection
from gleis.lifecycle.sharing.sides import LedgerSide
from gleis.store.objects.by_url import open_objects
from gleis.store.objects.objects import FolderObjects
from gleis.store.objects.patience import Patience
from s3_server import IllProxy
from team_projects import NOW, load, member, registry, train, values

BOTH = pytest.mark.parametrize("remote", ["folder", "s3"], indirect=True)


@pytest.fixture
def remote(request, tmp_path):
    if getattr(request, "param", "folder") == "s3":
        return request.getfixturevalue("s3")
    return str(tmp_path / "remote")


@pytest.fixture
def team(tmp_path, remote):
    """Ann, who has made things, and Ben, who has cloned the repository."""
    ann, ben = member(tmp_path / "ann", remote), member(tmp_path / "ben", remote)
    load(ann, 1, 2)
    load(ann, 3)
    train(ann, 1)
    yield ann, ben
    ann.home.close()
    ben.home.close()


def facts(project, kind):
    return list(project.home.facts.all(kind))


@BOTH
def test_a_colleague_has_what_was_pushed(team):
    ann, ben = team
    pushed = push(ann)
    assert pushed.facts == {
        "dataset": ("weather@v1", "weather@v2"),
        "run": ("r20130601-000001-abcdef",),
        "version": ("1",),
    }
    pulled = pull(ben)
    assert pulled.facts == pushed.facts
    assert (pulled.objects, pulled.size) == (pushed.objects, pushed.size)
    for kind in ("dataset", "run", "version"):
        assert facts(ben, kind) == facts(ann, kind), "byte for byte"
    assert values(ben, "weather@v1") == [1, 2]
    assert values(ben, "weather@v2") == [1, 2, 3]
    version = registry(ben).get("v1")
    package = registry(ben).path(version)
    assert package.parent == ben.home.packages
    assert (package / "model.sig").read_bytes() == b"signed"
    run = json.loads(facts(ben, "run")[0])
    assert ben.home.artifacts.get(run["model"]) == b"weights 1"
    assert ben.home.facts.verify() == len(facts(ben, "pulled")) * 2


def test_only_what_is_missing_moves(team):
    ann, ben = team
    push(ann)
    pull(ben)
    for again in (push(ann), pull(ben), push(ben)):
        assert (again.facts, again.objects, again.known) == ({}, 0, 4)
    before = ben.home.facts.verify()
    load(ann, 4)
    train(ann, 2)
    pushed = push(ann)
    assert pushed.facts == {
        "dataset": ("weather@v3",),
        "run": ("r20130601-000002-abcdef",),
        "version": ("2",),
    }
    assert pushed.objects == 2 + 1 + 4, "new rows and their profile, the weights, the package"
    assert pull(ben).objects == pushed.objects
    assert values(ben, "weather@latest") == [1, 2, 3, 4]
    assert ben.home.facts.verify() == before + 6


def test_both_go_on_in_turn(team):
    ann, ben = team
    push(ann)
    pull(ben)
    load(ben, 4)
    train(ben, 7)
    push(ben)
    pull(ann)
    load(ann, 5)
    push(ann)
    pull(ben)
    assert values(ann, "weather@latest") == values(ben, "weather@latest") == [1, 2, 3, 4, 5]
    assert [v.number for v in registry(ann).versions()] == [1, 2]


def test_it_is_written_down_where_a_fact_came_from(team, remote):
    ann, ben = team
    push(ann)
    pull(ben)
    origins = [msgspec.json.decode(body, type=Origin) for body in facts(ben, "pulled")]
    assert {(origin.kind, origin.key) for origin in origins} == {
        ("dataset", "weather@v1"),
        ("dataset", "weather@v2"),
        ("run", "r20130601-000001-abcdef"),
        ("version", "1"),
    }
    assert {origin.remote for origin in origins} == {remote}
    assert all("@" in origin.by for origin in origins)
    pull(ben)
    assert len(facts(ben, "pulled")) == 4


def test_the_same_number_for_two_things_is_one_error_and_moves_nothing(team, remote):
    ann, ben = team
    push(ann)
    pull(ben)
    load(ann, 4)
    train(ann, 2)
    load(ben, 40)
    train(ben, 3)
    push(ann)
    there = open_objects(remote, Patience()).list("datasets")
    for use in (push, pull):
        before = ben.home.facts.verify()
        with pytest.raises(RacedError) as raised:
            use(ben)
        text = str(raised.value)
        assert "weather@v3 (4 rows by ann@here at 2013-06-01" in text
        assert "version 2 (run r20130601-00000" in text
        assert "GLEIS_STATE=" in text
        assert ben.home.facts.verify() == before
    assert values(ben, "weather@latest") == [1, 2, 3, 40]
    assert open_objects(remote, Patience()).list("datasets") == there
    load(ben, 41)
    assert values(ben, "weather@latest") == [1, 2, 3, 40, 41], "and one can go on"


def test_the_way_out_of_a_conflict(team, tmp_path, remote):
    ann, ben = team
    push(ann)
    pull(ben)
    load(ann, 4)
    load(ben, 40)
    push(ann)
    beside = member(tmp_path / "ben2", remote, state=".gleis-team")
    pull(beside)
    load(beside, 40)
    push(beside)
    assert values(beside, "weather@latest") == [1, 2, 3, 4, 40]
    push(ben, str(tmp_path / "mine"))
    pull(ann)
    assert values(ann, "weather@v4") == [1, 2, 3, 4, 40]


@BOTH
def test_of_two_who_push_at_once_one_is_told(team, tmp_path, remote):
    ann, ben = team
    push(ann)
    pull(ben)
    load(ann, 4)
    load(ben, 40)

    def ann_is_quicker(plan):
        assert "dataset" in {fact.kind for _, fact in plan.facts}
        push(ann)
        return lambda count: None

    with pytest.raises(RacedError, match="weather@v3"):
        push(ben, begin=ann_is_quicker)
    cloned = member(tmp_path / "cat", remote)
    pull(cloned)
    assert values(cloned, "weather@latest") == [1, 2, 3, 4]
    assert values(ben, "weather@latest") == [1, 2, 3, 40]


def test_a_commit_that_no_version_names_makes_room(team):
    ann, ben = team
    push(ann)
    pull(ben)
    ben.home.table("weather").append(ben.data.read("weather@v2"))  # and died
    load(ann, 4)
    push(ann)
    pull(ben)
    assert values(ben, "weather@latest") == [1, 2, 3, 4]
    load(ben, 5)
    push(ben)
    pull(ann)
    assert values(ann, "weather@latest") == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("only", "expected"),
    [
        (["datasets"], {"dataset"}),
        (["runs"], {"run"}),
        (["packages"], {"run", "version"}),
        (["weather@v1"], {"dataset"}),
        (["v1"], {"run", "version"}),
        (["r20130601-000001-abcdef"], {"run"}),
    ],
)
def test_a_part_of_it(team, only, expected):
    ann, ben = team
    train(ann, 2)
    selection = read_selection(only)
    pushed = push(ann, selection=selection)
    assert set(pushed.facts) == expected
    assert pull(ben).facts == pushed.facts
    if only == ["weather@v1"]:
        assert values(ben, "weather@latest") == [1, 2]
    if only == ["v1"]:
        assert pushed.facts["version"] == ("1",)
    push(ann)
    pull(ben)
    assert values(ben, "weather@latest") == [1, 2, 3], "the rest can follow"


def test_what_is_live_only_if_asked(team, tmp_path, remote):
    ann, ben = team
    registry(ann).deployments.promote(registry(ann).get("v1"), "good", "ann", "c1")
    push(ann)
    pull(ben)
    assert registry(ben).deployments.champion() is None
    push(ann, selection=read_selection([], live=True))
    pull(ben, selection=read_selection([], live=True))
    assert registry(ben).deployments.champion().version == registry(ann).get("v1")
    cat = member(tmp_path / "cat", remote)
    pull(cat)
    registry(cat).deployments.promote(registry(cat).get("v1"), "mine", "cat", "c2")
    with pytest.raises(RacedError, match="what was live"):
        pull(cat, selection=read_selection([], live=True))


def test_stores_in_a_bucket_on_one_side(team, tmp_path, remote):
    ann, _ = team
    push(ann)
    cat = member(tmp_path / "cat", remote, store=str(tmp_path / "store"))
    pull(cat)
    assert values(cat, "weather@v2") == [1, 2, 3]
    assert not (cat.home.folder / "datasets").exists()
    load(cat, 4)
    push(cat)
    pull(ann)
    assert values(ann, "weather@v3") == [1, 2, 3, 4]


def test_dry_run_moves_nothing(team, remote):
    ann, ben = team
    planned = push(ann, dry_run=True)
    assert planned.objects > 5
    assert open_objects(remote, Patience()).list("facts") == []
    assert push(ann) == planned
    assert pull(ben, dry_run=True).facts == planned.facts
    assert facts(ben, "run") == []


@BOTH
def test_damage_is_seen_on_arrival(team, remote):
    ann, ben = team
    push(ann)
    objects = open_objects(remote, Patience())
    part = next(o for o in objects.list("datasets/weather") if o.key.endswith(".parquet"))
    content = objects.get(part.key)
    objects.put(part.key, content[:-1] + b"?")
    with pytest.raises(StoreError, match="damaged") as raised:
        pull(ben)
    assert part.key in str(raised.value)
    assert facts(ben, "dataset") == facts(ben, "run") == []
    objects.put(part.key, content)
    pull(ben)
    assert values(ben, "weather@v2") == [1, 2, 3]


def days_kept(objects):
    """Return every value that any file of the table there still holds."""
    found = set()
    for one in objects.list("datasets/weather"):
        content = objects.get(one.key)
        if one.key.endswith(".json"):
            for line in content.splitlines():
                stats = json.loads(json.loads(line).get("add", {}).get("stats") or "{}")
                found |= {
                    bounds[end]["day"] for bounds in [stats] for end in stats if "Values" in end
                }
        elif "_delta_log" not in one.key:
            found |= set(pl.read_parquet(content)["day"])
    return found


@BOTH
def test_an_erasure_reaches_everybody(team, tmp_path, remote):
    ann, ben = team
    push(ann)
    pull(ben)
    there = open_objects(remote, Patience())
    assert days_kept(there) == {1, 2, 3}
    profiles = {version.profile for version in ann.data.versions("weather")}
    erase_rows(ann.bench.dataset("weather"), "2", "ann@here", NOW)
    pushed = push(ann)
    assert "dataset-moved" in pushed.facts
    assert days_kept(there) == {1, 3}
    pull(ben)
    assert days_kept(LedgerSide(ben.home, ben.clock, remote).objects) == {1, 3}
    cat = member(tmp_path / "cat", remote)
    pull(cat)
    for project in (ben, cat):
        assert values(project, "weather@v1") == [1]
        assert values(project, "weather@latest") == [1, 3]
        assert not any(project.home.artifacts.has(digest) for digest in profiles)
    assert pull(ben).facts == push(ann).facts == {}
    load(ben, 4)
    push(ben)
    pull(ann)
    assert values(ann, "weather@latest") == [1, 3, 4]


def test_names_and_removals_travel(team):
    ann, ben = team
    push(ann)
    pull(ben)
    weather = ann.bench.dataset("weather")
    weather.marks.give("audit", 2, "ann@here", NOW)
    weather.marks.remove(1, "ann@here", NOW, "not needed")
    load(ann, 4)
    push(ann)
    pull(ben)
    assert values(ben, "weather@audit") == [1, 2, 3]
    with pytest.raises(RegistryError, match="removed"):
        ben.data.get("weather@v1")
    ann.bench.dataset("weather").marks.remove(1, "ann@here", NOW, removed=False)
    push(ann)
    pull(ben)
    assert values(ben, "weather@v1") == [1, 2]


@pytest.mark.parametrize("place", ["facts/dataset/weather@v1.json", "gleis.json"])
def test_what_is_no_fact_is_an_error(team, remote, place):
    ann, ben = team
    push(ann)
    objects = open_objects(remote, Patience())
    content = objects.get(place)
    for damaged in (b"", b"{", content.replace(b"shop", b"shOp").replace(b"csv", b"tsv")):
        objects.put(place, damaged)
        with pytest.raises(StoreError):
            pull(ben)
    assert facts(ben, "dataset") == []


def test_a_fact_of_a_later_version_is_not_let_in(team, remote):
    ann, ben = team
    objects = open_objects(remote, Patience())
    push(ann, selection=read_selection(["runs"]))
    body = b'{"id": "r20130601-000009-abcdef", "new": "kind of run"}'
    fact = Carried(
        kind="run", key="r20130601-000009-abcdef", body=msgspec.Raw(body), by="eve@there", at=NOW,
        sha256=hashlib.sha256(body).hexdigest(),
    )  # fmt: skip
    objects.put(f"facts/run/{fact.key}/{fact.sha256[:16]}.json", msgspec.json.encode(fact))
    with pytest.raises(StoreError, match="another version of gleis"):
        pull(ben)
    assert facts(ben, "run") == []


def test_a_package_that_is_gone(team):
    ann, _ = team
    shutil.rmtree(ann.home.packages)
    with pytest.raises(PackageError, match="version 1"):
        push(ann)
    assert "run" in push(ann, selection=read_selection(["datasets", "runs"])).facts


def test_places_that_are_no_remote(team, tmp_path):
    ann, ben = team
    with pytest.raises(StoreError, match="Nobody has pushed here yet"):
        pull(ben, str(tmp_path / "empty"))
    push(ann)
    with pytest.raises(StoreError, match="remote of the project shop, and this project is bakery"):
        pull(member(tmp_path / "eve", ann.settings.remote, name="bakery"))
    with pytest.raises(ConfigError, match="No remote is named"):
        push(member(tmp_path / "dora", None))


def test_keys_of_others_come_but_are_not_trusted(team):
    ann, ben = team
    key, _ = ann.bench.keyring.open()
    push(ann)
    pulled = pull(ben)
    (offered,) = map(Path, pulled.untrusted)
    assert offered.read_bytes() == key.public.pem
    assert ben.bench.trust.find(key.public.fingerprint) is None
    assert ben.bench.keyring.offered() == [offered]
    ben.bench.keyring.add(offered)
    assert pull(ben).untrusted == ()
    assert ben.bench.keyring.offered() == []


def test_cut_off_in_the_middle_it_goes_on(team, remote, monkeypatch):
    ann, ben = team
    upload, sent = FolderObjects.upload, []

    def cut_off(self, key, path, seen):
        if len(sent) == 3:
            raise StoreError("the network is gone")
        sent.append(key)
        return upload(self, key, path, seen)

    monkeypatch.setattr(FolderObjects, "upload", cut_off)
    with pytest.raises(StoreError, match="network"):
        push(ann)
    monkeypatch.undo()
    assert pull(ben).facts == {}, "half of it is nothing"
    went_on = push(ann)
    assert went_on.there == 3
    assert not {found.key for found in FolderObjects(Path(remote)).list("facts")} & set(sent)
    assert pull(ben).facts == went_on.facts
    assert values(ben, "weather@v2") == [1, 2, 3]


def test_keys_whose_fingerprints_the_settings_name_are_trusted_as_they_come(team, tmp_path, remote):
    ann, ben = team
    keys = [project.bench.keyring.open()[0].public for project in (ann, ben)]
    push(ann)
    pull(ben)
    load(ben, 4)
    push(ben)
    pinned = SigningSettings(trust=(keys[0].fingerprint, keys[1].fingerprint))
    cat = member(tmp_path / "cat", remote, signing=pinned)
    assert pull(cat).untrusted == ()
    assert all(cat.bench.trust.find(key.fingerprint) for key in keys)
    dan = member(tmp_path / "dan", remote, signing=SigningSettings(trust=(keys[0].fingerprint,)))
    assert [Path(path).stem for path in pull(dan).untrusted] == [keys[1].fingerprint[:16]]
    assert dan.bench.trust.find(keys[1].fingerprint) is None


@pytest.mark.slow
def test_killed_in_the_middle_it_goes_on(tmp_path, s3, s3_server, monkeypatch):
    ann, ben = member(tmp_path / "ann", s3), member(tmp_path / "ben", s3)
    for day in range(1, 8):
        load(ann, day)
    train(ann, 1)
    ann.home.close()
    proxy = IllProxy(s3_server.port)
    monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.url)
    script = """
        import sys
        from pathlib import Path
        from gleis.lifecycle.sharing.push import push
        from team_projects import member
        push(member(Path(sys.argv[1]), sys.argv[2]))
    """
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script), str(tmp_path / "ann"), s3],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )
    count = iter(range(1000))

    def kill(method, path):
        if method == "PUT" and next(count) == 9:
            os.kill(process.pid, signal.SIGKILL)
        return False

    proxy.ill = kill
    assert process.wait(60) == -signal.SIGKILL
    assert pull(ben).facts == {}, "half of it is nothing"
    ann = member(tmp_path / "ann", s3)
    went_on = push(ann)
    assert went_on.there >= 5
    assert set(pull(ben).facts) == {"dataset", "run", "version"}
    assert values(ben, "weather@latest") == list(range(1, 8))
    proxy.shutdown()
