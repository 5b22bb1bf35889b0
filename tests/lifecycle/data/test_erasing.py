"""A person erased from a project: nothing of theirs is left, and everything goes on."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta

import msgspec
import numpy as np
import polars as pl
import pytest

from commands import gleis
from gleis.cli.data.erasing import erased_lines
from gleis.contracts.erasure import KIND, Erasure
from gleis.contracts.errors import DataError
from gleis.contracts.feedback import Feedback
from gleis.contracts.prediction import Batch, Label
from gleis.contracts.review import Review
from gleis.data.reviews import read_reviews
from gleis.lifecycle.project import Project
from gleis.store.review_queue import Queued

SECRET = "person-4711-of-the-test"
TOML = """
[project]
name = "loans"
module = "loans"
task = "binary"
target = "paid"
id = "loan"
time = "at"

[data]
subject = "who"

[features]
exclude = ["who"]

[evidence]
bootstrap = 20

[datasets.calls]
from = "calls.csv"
subject = "who"
time = "called"

[datasets.rates]
from = "rates.csv"

[datasets.production]
from = "log"
"""
MODULE = """
import gleis
import polars as pl
from pathlib import Path
from sklearn.linear_model import LogisticRegression

def load(since, until):
    rows = pl.read_parquet(Path(__file__).parent / "rows.parquet")
    rows = rows.filter(pl.col("at") < until)
    return rows if since is None else rows.filter(pl.col("at") >= since)

def build_model(params):
    return LogisticRegression()

@gleis.feature_view(source="calls", entity="who")
def last_call(rows):
    return rows.select("who", "called", town="town of " + pl.col("who"))
"""
START = datetime(2013, 1, 1, tzinfo=UTC)


def write_rows(folder, seed=0, n=240):
    rng = np.random.default_rng(seed)
    income = rng.normal(size=n).round(6)
    who = [SECRET if at % 40 == 7 else f"p{at}" for at in range(n)]
    pl.DataFrame(
        {
            "loan": [f"loan-{at}-{name}" for at, name in enumerate(who)],
            "who": who,
            "at": [START + timedelta(hours=at) for at in range(n)],
            "income": income,
            "debt": rng.normal(size=n).round(6),
            "paid": (income + rng.normal(size=n) > 0).astype(int),
        }
    ).write_parquet(folder / "rows.parquet")


@pytest.fixture(scope="module")
def before(tmp_path_factory):
    """Return a project with a model, answers, labels and what people said of them."""
    folder = tmp_path_factory.mktemp("loans")
    (folder / "gleis.toml").write_text(TOML)
    (folder / "loans.py").write_text(MODULE)
    calls = f"who,called,minutes\np1,2013-01-02T00:00,3\n{SECRET},2013-01-02T00:00,9\n"
    (folder / "calls.csv").write_text(calls)
    (folder / "rates.csv").write_text("day,rate\n1,0.5\n")
    write_rows(folder)
    project = Project.open(folder, as_of=START + timedelta(days=20))
    project.run()
    project.data.ingest("calls")
    project.data.features.materialise()
    answer(project)
    project.home.close()
    return folder


def answer(project):
    home = project.home
    rows = project.data.read("latest").filter(pl.col("who").is_in([SECRET, "p1"]))
    at = START + timedelta(days=15)
    batch = Batch(
        at=at,
        version=2,
        digest="d" * 64,
        fallback=False,
        rows=rows.height,
        features={name: rows[name].to_list() for name in ("income", "debt")},
        scores=[0.5] * rows.height,
        entities=rows["loan"].to_list(),
        times=[at] * rows.height,
        flags={},
    )
    ids = home.log.append([batch])[0]
    home.log.label([Label(value=1, entity=name, at=at) for name in rows["loan"]], at)
    home.shadows.append([msgspec.structs.replace(batch, entities=ids, role="shadow")])
    for name in ids:
        said = Feedback(id=0, at=at, prediction_id=name, version=2, rating=2, text=f"of {name}")
        home.feedback.add(said)
    home.reviews.take([Queued(prediction_id=name, at=at, outlier=9.0) for name in ids], seen=1)


@pytest.fixture
def project(before, tmp_path):
    folder = shutil.copytree(before, tmp_path / "loans")
    project = Project.open(folder, as_of=START + timedelta(days=20))
    yield project
    project.home.close()


def below(folder, text):
    return sorted(
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file() and text.encode() in path.read_bytes()
    )


def samples_of(project):
    """Return the incomes of all sample rows among the kept results of steps."""
    artifacts = project.home.artifacts
    kept = [artifacts.get(name) for name in artifacts.names()]
    begun = [
        msgspec.json.decode(one) for one in kept if one.startswith((b'{"features":{', b'{"inc'))
    ]
    columns = [one.get("features", one) for one in begun]
    found = [one["income"] for one in columns if isinstance(one.get("income"), list)]
    return [value for incomes in found for value in incomes]


def test_erased_everywhere(project):
    state = project.home.folder
    found = project.data.find_subject(SECRET)
    assert found.held == {"loans": {1: 6}, "calls": {1: 1}}
    assert found.not_looked == ("rates",)
    assert len(found.entities) == 6

    record = project.data.erase(found, "ticket 88")
    assert [(one.name, one.rows) for one in record.datasets] == [("calls", 1), ("loans", 6)]
    assert (record.answers, record.labels, record.feedback, record.reviews) == (12, 6, 6, 6)
    assert record.trained == (1, 2)
    assert record.packages
    assert (record.artifacts, record.features) == (3, 1)
    assert record.named == ()
    assert SECRET not in msgspec.json.encode(record).decode()

    project.home.close()
    assert below(state, SECRET) == []
    again = Project.open(project.folder, as_of=START + timedelta(days=20))
    assert again.data.read("latest").height == 234
    assert samples_of(again) == []
    assert again.data.features.show("last_call", [SECRET]) is None
    assert again.data.features.show("last_call", ["p1"]).features == {"town": "town of p1"}
    assert again.home.facts.verify() > 0
    again.home.close()


def test_the_loop_goes_on_and_they_stay_out(project):
    found = project.data.find_subject(SECRET)
    theirs = set(found.rows["loans"]["income"])
    assert theirs & set(samples_of(project))
    project.data.erase(found)
    ours = project.home.log.counts()
    assert ours.predictions == 7
    run = project.run().run
    assert SECRET not in project.data.read("latest")["who"]
    assert run.dataset.rows == 234
    assert samples_of(project)
    assert not theirs & set(samples_of(project))
    reloaded = project.data.add(anew=True)
    assert SECRET not in project.data.read(reloaded.label)["who"]
    assert project.data.find_subject(SECRET).held == {}


def test_an_earlier_run_says_why_it_cannot_be_repeated(project):
    run = project.runs()[-1]
    project.data.erase(project.data.find_subject(SECRET))
    told = project.reproduce(run.id)
    assert "6 rows of loans@v1 that were erased since" in told.differences


def test_said_before_it_is_done(project):
    folder = project.folder
    project.home.close()
    said = gleis(folder, "data", "erase", "--subject", SECRET)
    assert (said.code, "Nothing was erased" in said.out) == (0, True)
    assert "Not looked through, because they name no subject: rates" in said.out
    done = gleis(folder, "data", "erase", "--subject", SECRET, "--yes", "--reason", "ticket 88")
    assert done.code == 0, done.out + done.err
    assert "loans: 6 rows, out of v1" in done.out
    assert "Trained on rows of theirs: model versions 1, 2" in done.out
    assert SECRET not in done.out
    log = gleis(folder, "data", "log")
    assert "6 rows erased" in log.out
    nobody = gleis(folder, "data", "erase", "--subject", "nobody", "--yes")
    assert "nothing of theirs was found; rows of theirs will not come in" in nobody.out


def test_an_answer_about_a_row_that_no_dataset_holds(project):
    log = project.home.log
    (batch,) = (one.batch for one in log.read())
    late = msgspec.structs.replace(batch, entities=[f"late-{name}" for name in batch.entities])
    asked = log.append([late])[0][0]
    project.data.erase(project.data.find_subject(SECRET))
    assert log.find(asked).entity == late.entities[0]
    project.data.erase(project.data.find_subject(SECRET, [late.entities[0]]))
    assert log.find(asked).entity is None
    assert log.find(asked).erased


def test_rows_made_of_their_answers_go_too(project):
    made = project.data.ingest("production").made[0]
    held = project.data.find_subject(SECRET).held
    assert held == {"loans": {1: 6}, "calls": {1: 1}, "production": {1: 6}}
    record = project.data.erase(project.data.find_subject(SECRET))
    assert [one.name for one in record.datasets] == ["production", "calls", "loans"]
    left = project.data.read(made.label)
    assert left["loan"].to_list() == ["loan-1-p1"]


def test_nobody_is_nobody(project):
    with pytest.raises(DataError, match="The id of a subject is empty"):
        project.data.find_subject("  ")


def test_the_record_is_in_the_ledger(project):
    project.data.erase(project.data.find_subject("p1"), "asked by letter")
    bodies = [msgspec.json.decode(b, type=Erasure) for b in project.home.facts.all(KIND)]
    assert [one.reason for one in bodies] == ["asked by letter"] * 2
    assert (bodies[0].datasets, bodies[1].datasets[0].rows) == ((), 1)


def test_a_review_leaves_no_id_in_the_ledger(project):
    log = project.home.log
    (batch,) = (one.batch for one in log.read())
    at, theirs = next((i, one) for i, one in enumerate(batch.entities) if SECRET in one)
    asked = log.append([msgspec.structs.replace(batch, flags={})])[0][at]
    review = Review(prediction_id=asked, at=START, by="ana@desk", version=2, label="1", joins=True)
    project.home.facts.append("review", asked, msgspec.json.encode(review), START)
    assert read_reviews(project.home.facts, log, START).labels[theirs].value == "1"
    record = project.data.erase(project.data.find_subject(SECRET))
    assert record.named == ()
    left = read_reviews(project.home.facts, log, START)
    assert (left.labels, left.count) == ({}, 1)
    project.home.close()
    assert below(project.home.folder, theirs) == []


def test_a_review_of_an_earlier_version_is_named(project):
    row = f"loan-7-{SECRET}"
    old = {"prediction_id": "9-0-5ca1ab1e", "at": START, "by": "ana@desk", "version": 2}
    body = msgspec.json.encode(old | {"label": "1", "entity": row})
    project.home.facts.append("review", "9-0-5ca1ab1e", body, START)
    assert read_reviews(project.home.facts, project.home.log, START).labels[row].value == "1"
    record = project.data.erase(project.data.find_subject(SECRET))
    assert record.named == ("9-0-5ca1ab1e",)
    assert "Reviews of the answers 9-0-5ca1ab1e name rows" in " ".join(erased_lines(record))
