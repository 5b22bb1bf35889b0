"""Back from an answer to its sources, forward from rows to models and answers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from commands import gleis
from gleis.contracts.dataset import DatasetVersion, Provenance, Removal, SourceFile
from gleis.contracts.deployment import Deployment, Version
from gleis.contracts.errors import RegistryError
from gleis.contracts.evidence import Evidence
from gleis.contracts.prediction import Batch, Label
from gleis.contracts.run import Code, Environment, Run
from gleis.data.lineage import Lineage
from gleis.lifecycle.project import Project
from gleis.lifecycle.tracing import trace

TOML = """
[project]
name = "loans"
module = "loans"
task = "binary"
target = "paid"
id = "loan"

[datasets.weather]
from = "weather.csv"
"""
NOW = datetime(2013, 5, 1, tzinfo=UTC)
HASH = "sha256:" + "a1" * 32


def version(name, number, **options):
    provenance = Provenance(
        source="loans:load",
        since=None,
        until=None,
        loaded_at=NOW,
        loaded_by="ana@desk",
        code="c0de",
        **options.pop("said", {}),
    )
    return DatasetVersion(
        name=name,
        version=number,
        location=f"datasets/{name}",
        table_version=number,
        content=f"{number:064x}",
        rows=10 * number,
        labelled=10 * number,
        first=None,
        last=None,
        columns={},
        provenance=provenance,
        parent=options.pop("parent", None),
        **options,
    )


def run_of(name, dataset):
    return Run(
        id=name,
        project="loans",
        kind="model",
        dataset=dataset,
        code=Code(reached="0ff1ce", commit="beef"),
        environment=Environment(python="3.12.1", platform="Linux", lock="10c4", cpus=2),
        params={"c": 1.0},
        seed=0,
        seeds={},
        started=NOW,
        durations={},
        train_rows=7,
        test_rows=3,
        cause="on demand, by ana@desk",
        model="3577",
        evidence=Evidence(figures={}, baseline={}, gain={}, rows=3),
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return a project whose ledger tells of three loans versions, made of two of weather."""
    folder = tmp_path_factory.mktemp("traced")
    (folder / "gleis.toml").write_text(TOML)
    project = Project.open(folder)
    project.home.create()
    facts = project.home.facts
    file = SourceFile(path="weather.csv", hash=HASH, size=120, rows=20)
    loans = [
        version("loans", 1, said={"tables": ("weather@v1",), "query": "SELECT *\nFROM loans"}),
        version("loans", 2, parent=1, said={"tables": ("weather@v2",)}),
        version("loans", 3, restored=1),
    ]
    weather = [
        version("weather", 1, said={"files": (file,), "licence": "CC0-1.0", "terms": "none"}),
        version("weather", 2, parent=1),
    ]
    for one in (*weather, *loans):
        facts.append("dataset", one.label, msgspec.json.encode(one), NOW)
    gone = Removal(dataset="weather", version=1, removed=True, at=NOW, by="bo@desk")
    facts.append("dataset-removed", "weather@v1", msgspec.json.encode(gone), NOW)
    for number, dataset in enumerate(loans, start=1):
        run = run_of(f"r-{number}", dataset)
        facts.append("run", run.id, msgspec.json.encode(run), NOW)
        model = Version(
            number=number,
            digest=f"{number}" * 64,
            location="packages/x",
            run=run.id,
            registered_at=NOW,
            passed=True,
        )
        facts.append("version", str(number), msgspec.json.encode(model), NOW)
        at = NOW + timedelta(days=number)
        live = Deployment(
            alias="champion", version=model, at=at, reason="better", by="loop", cause=run.id
        )
        facts.append("deployment", f"champion/{run.id}", msgspec.json.encode(live), at)
    answer(project.home.log)
    project.home.close()
    return folder


def answer(log):
    for number in (2, 3):
        at = NOW + timedelta(days=number, hours=1)
        batch = Batch(
            at=at,
            version=number,
            digest=f"{number}" * 64,
            fallback=number == 3,
            rows=2,
            features={"income": [1.0, 2.0]},
            scores=[0.25, 0.75],
            entities=["L-7", None],
            times=[None, None],
            flags={},
        )
        log.append([batch])
    log.label([Label(value=1, entity="L-7", at=NOW)], NOW)


@pytest.fixture
def project(folder):
    project = Project.open(folder)
    yield project
    project.home.close()


def test_from_an_answer_back_to_every_source(project):
    (asked, *_) = project.home.log.answers_about("L-7")
    found = trace(project, asked)
    assert (found.kind, found.answers[0].version) == ("answer", 2)
    (model,) = found.models
    assert (model.number, model.run, model.dataset) == (2, "r-2", "loans@v2")
    assert (model.code.commit, model.environment.lock, model.train_rows) == ("beef", "10c4", 7)
    assert [one.label for one in found.data] == [
        "loans@v2",
        "loans@v1",  # it was appended to
        "weather@v2",
        "weather@v1",  # read for loans@v1 only, and removed since
    ]
    assert [one.added for one in found.data] == [10, 10, 10, 10]
    last = found.data[-1]
    assert last.version.provenance.files[0].hash == HASH
    assert last.version.provenance.licence == "CC0-1.0"
    assert last.removed.by == "bo@desk"
    assert found.data[1].version.provenance.query == "SELECT *\nFROM loans"


def test_from_a_version_forward_to_models_and_answers(project):
    found = trace(project, "weather@v1")
    assert [one.label for one in found.into] == ["weather@v2", "loans@v1", "loans@v2", "loans@v3"]
    assert [(one.number, one.answers, one.fallbacks) for one in found.models] == [
        (1, 0, 0),
        (2, 2, 0),
        (3, 2, 2),
    ]
    assert [one.number for one in trace(project, "loans@v2").models] == [2]
    assert trace(project, "weather@v2").models[0].number == 2


def test_when_a_version_was_live(project):
    for name in ("v2", "2", "r-2", "222222"):
        (model,) = trace(project, name).models
        (live,) = model.live
        assert (model.number, live.alias) == (2, "champion")
        assert (live.until - live.since) == timedelta(days=1)
    assert trace(project, "champion").models[0].live[0].until is None


def test_from_a_row_to_its_answers(project):
    found = trace(project, "L-7", row=True)
    assert [one.version for one in found.answers] == [2, 3]
    assert [one.labels for one in found.answers] == [(), (1,)]


def test_a_trace_names_what_the_ledger_does_not_have(project):
    lineage = Lineage(project.home.facts)
    assert lineage.behind("elsewhere@v9") == []
    for unknown in ("v9", "nothing", "9-0-00000000", "weather@v9"):
        with pytest.raises(RegistryError):
            trace(project, unknown)


def test_told_in_lines_and_as_json(project):
    (asked, *_) = project.home.log.answers_about("L-7")
    folder = project.folder
    said = gleis(folder, "trace", asked)
    assert said.code == 0, said.err
    for told in ("version 2", "r-2", "commit beef", f"weather.csv, 120 bytes, {HASH}", "ana@desk"):
        assert told in said.out
    assert "query     SELECT * FROM loans" in said.out
    assert "licence   CC0-1.0, terms none" in said.out
    assert gleis(folder, "trace", asked, "--json").json["models"][0]["number"] == 2
    forward = gleis(folder, "trace", "weather@v1").out
    assert "weather@v1 was read for it" in forward
    assert "version 3, champion: of loans@v3, run r-3, 2 answers, 2 by its baseline" in forward
    assert gleis(folder, "trace", "L-7", "--row").out.count("Answer ") == 2
    nobody = gleis(folder, "trace", "nobody", "--row")
    assert (nobody.code != 0, "no answer has a row of this id" in nobody.err) == (True, True)
