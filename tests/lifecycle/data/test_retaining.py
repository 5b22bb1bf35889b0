"""Removing versions, and deleting what nobody needs; never what a model was trained on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from gleis.config.data_settings import DatasetSettings
from gleis.contracts.dataset import Collected
from gleis.contracts.errors import BlockedError, RegistryError
from gleis.data.marks import COLLECTED
from gleis.lifecycle.data.needed import needed_by
from gleis.lifecycle.project import Project
from gleis.store.lock import Lock
from trained_projects import copied

FEBRUARY = datetime(2024, 2, 22, tzinfo=UTC)


@pytest.fixture
def project(tmp_path):
    """v1 was trained on; v2 and v3 were only added."""
    opened = Project.open(copied(tmp_path / "shifting", "shifting"))
    for day in range(2):
        opened.data.add(FEBRUARY + timedelta(days=day))
    yield opened
    opened.home.close()


def size_of(project):
    return sum(
        path.stat().st_size for path in (project.home.folder / "datasets").rglob("*.parquet")
    )


def test_what_a_model_was_trained_on_is_not_removed(project):
    with pytest.raises(BlockedError, match=r"v1 stays: .*champion version 2 was trained on it"):
        project.data.remove("v1")
    assert project.data.read("v1").height


def test_a_run_that_was_not_registered_needs_its_data_too(project):
    run = msgspec.structs.replace(project.runs()[-1], id="r-abandoned", dataset=project.data.get(2))
    project.home.facts.append("run", run.id, msgspec.json.encode(run), FEBRUARY)
    with pytest.raises(BlockedError, match="v2 stays: run r-abandoned was made of it"):
        project.data.remove("v2")


def test_a_version_with_a_name_stays_until_it_is_taken_back(project):
    project.data.name("v2", "q1")
    with pytest.raises(BlockedError, match=r"it has the name q1.* v2 q1 --remove|shifting@v2 q1"):
        project.data.remove("v2")
    project.data.unname("v2", "q1")
    assert project.data.remove("v2", "loaded twice").why == "loaded twice"
    with pytest.raises(RegistryError, match="was removed"):
        project.data.remove("v2")


def test_files_of_a_removed_version_go(project):
    before = size_of(project)
    project.data.remove("v3")
    would = project.data.collect(dry_run=True)
    assert (would.files, size_of(project)) == (1, before)
    done = project.data.collect()
    assert (done.files, done.size, done.stays) == (1, before - size_of(project), {})
    assert project.data.read("v2").height
    assert project.data.collect().files == 0
    (fact,) = project.home.facts.all(COLLECTED)
    assert msgspec.json.decode(fact, type=Collected) == done


def test_keeping_the_newest_only_leaves_what_is_needed_and_says_why(project):
    project.data.name("v2", "q1")
    would = project.data.collect(keep=1, dry_run=True)
    assert would.removed == ()
    assert "champion version 2 was trained on it" in would.stays[1]
    assert would.stays[2] == ("it has the name q1",)
    project.data.unname("v2", "q1")
    done = project.data.collect(keep=1)
    assert (done.removed, list(done.stays)) == ((2,), [1])
    assert [entry.removed is not None for entry in project.data.history()] == [False, True, False]
    assert project.data.read("v1").height < project.data.read("v3").height


def test_whatever_is_removed_training_data_stays_readable_and_a_run_repeats(project):
    run = project.find_run("v2")
    project.data.restore("v1", "go back")
    for version in (2, 3):
        project.data.remove(version)
    project.data.collect(keep=1)
    rows = project.bench.read(run.dataset)
    assert rows.height == run.dataset.rows
    again = project.reproduce(run.id)
    assert (again.same_model, again.largest_difference) == (True, 0.0)


def test_a_version_that_was_removed_while_a_model_was_trained_on_it_comes_back(project):
    project.data.remove("v2")
    run = msgspec.structs.replace(
        project.runs()[-1], id="r-late", dataset=project.bench.datasets.recorded()[1]
    )
    project.home.facts.append("run", run.id, msgspec.json.encode(run), FEBRUARY)
    assert project.data.collect(dry_run=True).stays == {2: ("run r-late was made of it",)}
    with pytest.raises(RegistryError, match="was removed"):
        project.data.read("v2")
    assert project.data.collect().stays == {2: ("run r-late was made of it",)}
    assert project.data.read("v2").height == run.dataset.rows


def test_while_the_loop_runs_it_may_be_training_on_what_was_just_removed(project):
    project.data.remove("v3")
    lock = Lock(project.home.folder / "loop.lock")
    lock.take()
    spared = project.data.collect()
    assert (spared.files, "the loop runs" in spared.stays[3][0]) == (0, True)
    lock.release()
    assert project.data.collect().files == 1


def test_a_table_that_training_data_was_loaded_from(project):
    loaded = msgspec.structs.replace(
        project.runs()[-1].dataset,
        provenance=msgspec.structs.replace(
            project.runs()[-1].dataset.provenance, tables=("weather@v4",)
        ),
    )
    run = msgspec.structs.replace(project.runs()[-1], dataset=loaded)
    project.home.facts.append("run", run.id, msgspec.json.encode(run), FEBRUARY)
    settings = msgspec.structs.replace(project.settings, datasets={"weather": DatasetSettings()})
    found = needed_by(project.bench.under(settings), "weather")
    assert list(found) == [4]
    assert found[4][0].startswith("shifting@v1, which champion version 2 needs, was loaded from it")


def test_a_table_that_an_earlier_append_was_loaded_from(project):
    """Its rows are among those of the version that was appended to it."""
    facts, last = project.home.facts, project.runs()[-1].dataset
    read = msgspec.structs.replace(last.provenance, tables=("weather@v7",))
    parent = msgspec.structs.replace(last, version=90, provenance=read)
    child = msgspec.structs.replace(last, version=91, parent=90)
    for one in (parent, child):
        facts.append("dataset", one.label, msgspec.json.encode(one), FEBRUARY)
    run = msgspec.structs.replace(project.runs()[-1], dataset=child)
    facts.append("run", run.id, msgspec.json.encode(run), FEBRUARY)
    settings = msgspec.structs.replace(project.settings, datasets={"weather": DatasetSettings()})
    assert list(needed_by(project.bench.under(settings), "weather")) == [7]
