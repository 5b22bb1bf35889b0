"""Outliers that wait for a person, and what becomes of the label."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from benches import ROW, START, open_bench
from gleis import Project
from gleis.contracts.errors import DataError, InvalidRowError, RegistryError
from gleis.contracts.review import Review
from gleis.data.reviews import KIND
from gleis.lifecycle.asking import label, predict
from gleis.lifecycle.journey import run_on_demand
from gleis.lifecycle.reviewing import ReviewDesk
from gleis.lifecycle.watching import Watching
from gleis.store.log.logged import LoggedRow
from trained_projects import copied

STRANGE = {"price": 60.0, "pages": 3, "channel": "web"}


@pytest.fixture
def bench(tmp_path):
    bench = open_bench(copied(tmp_path / "p", "shifting"), {"serve.outliers": "review"})
    yield bench
    bench.home.close()


def asked(bench, *rows):
    return [answer["prediction_id"] for answer in predict(bench, rows)]


def test_outliers_wait_with_what_is_strange_about_them(bench):
    answers = predict(bench, [ROW, STRANGE | {"visit": 5}, ROW])
    assert answers[1]["flags"] == ["price: out of range", "outlier", "review"]
    assert not answers[1]["fallback"]
    total, (one,) = ReviewDesk(bench).waiting()
    assert total == 1
    assert one.prediction_id == answers[1]["prediction_id"]
    assert (one.entity, one.version, one.labels) == ("5", 2, ("0", "1"))
    assert one.outlier > one.threshold
    assert (one.why[0].feature, one.why[0].value) == ("price", 60.0)
    assert one.why[0].adds > 0.9 * one.outlier
    assert one.answer.startswith("bought = 1 with ")


def test_only_where_it_is_asked_for(tmp_path):
    bench = open_bench(copied(tmp_path / "p", "shifting"))
    asked(bench, STRANGE)
    assert ReviewDesk(bench).waiting() == (0, [])
    bench.home.close()


def test_the_oldest_first_and_no_more_than_asked_for(bench):
    ids = [*asked(bench, STRANGE, ROW, STRANGE), *asked(bench, STRANGE)]
    total, found = ReviewDesk(bench).waiting(2)
    assert total == 3
    assert [one.prediction_id for one in found] == [ids[0], ids[2]]


def test_a_label_joins_log_ledger_and_training_data(bench):
    held = bench.read(bench.datasets.latest())
    true = held.filter(held["visit"] == 5)["bought"][0]
    ids = asked(bench, STRANGE | {"visit": 5}, STRANGE | {"visit": 10**6}, STRANGE)
    later = START + timedelta(days=1)
    bench.clock.move_to(later)
    desk = ReviewDesk(bench)
    review = desk.label(ids[0], 1 - true, note="called them")
    assert review == Review(
        prediction_id=ids[0],
        at=later,
        by=review.by,
        version=2,
        label=str(1 - true),
        joins=True,
        note="called them",
    )
    desk.label(ids[1], "1")  # never seen by the source
    desk.label(ids[2], "1")  # came without an id
    assert [match.value for match in bench.home.log.matched()] == [str(1 - true), "1", "1"]
    assert desk.waiting() == (0, [])

    run = run_on_demand(bench).run
    reviewed = run.dataset.provenance.reviewed
    assert (reviewed.overridden, reviewed.completed, reviewed.last) == (1, 0, later)
    rows = bench.read(run.dataset)
    assert rows.filter(rows["visit"] == 5)["bought"].to_list() == [1 - true]
    assert any("labelled 1 row in reviews" in note for note in run.evidence.notes)


def test_what_was_reviewed_later_is_not_known_at_an_earlier_moment(bench):
    (name,) = asked(bench, STRANGE | {"visit": 5})
    bench.clock.move_to(START + timedelta(days=2))
    desk = ReviewDesk(bench)
    source = bench.read(bench.datasets.latest())
    true = source.filter(source["visit"] == 5)["bought"][0]
    desk.label(name, 1 - true)
    run_on_demand(bench)
    assert [v.provenance.reviewed is None for v in bench.datasets.versions()] == [
        True,
        False,
        False,
    ]
    between = Project.open(bench.folder, {"params.C": 0.5}, as_of=START + timedelta(days=1))
    run = between.run().run
    assert run.dataset.version == 1
    rows = between.bench.read(run.dataset)
    assert rows.filter(rows["visit"] == 5)["bought"].to_list() == [true]
    between.home.close()


def test_a_review_makes_an_unchanged_run_run_again_once(bench):
    (name,) = asked(bench, STRANGE | {"visit": 5})
    ReviewDesk(bench).label(name, "1")
    ReviewDesk(bench).label(asked(bench, STRANGE | {"visit": 10**6})[0], "1")

    def again():
        project = Project.open(bench.folder, as_of=START)
        result = project.run()
        project.home.close()
        return result.unchanged

    assert [again(), again()] == [False, True]


def test_a_review_whose_process_died_before_the_label_is_finished(bench):
    (name,) = asked(bench, STRANGE)
    review = Review(prediction_id=name, at=START, by="me@here", version=2, label="1")
    bench.home.facts.append(KIND, name, msgspec.json.encode(review), START)
    desk = ReviewDesk(bench)
    with pytest.raises(DataError, match="labelled 1 by me@here"):
        desk.label(name, "0")
    assert [given.value for given in bench.home.log.find(name).labels] == ["1"]


def test_a_correction_counts_and_both_are_kept(bench):
    (name,) = asked(bench, STRANGE | {"visit": 5})
    held = bench.read(bench.datasets.latest())
    true = held.filter(held["visit"] == 5)["bought"][0]
    desk = ReviewDesk(bench)
    targets = []
    for value in (1 - true, true):
        desk.label(name, value, correct=True)
        rows = bench.read(run_on_demand(bench).run.dataset)
        targets.append(rows.filter(rows["visit"] == 5)["bought"][0])
    assert targets == [1 - true, true]
    assert len(list(bench.home.facts.all(KIND))) == 2
    assert [given.value for given in bench.home.log.find(name).labels] == [str(1 - true), str(true)]


def test_dismissed_answers_stay_away_and_without_a_label(bench):
    names = asked(bench, STRANGE, STRANGE)
    desk = ReviewDesk(bench)
    assert desk.dismiss(names[0], "a test of ours").label is None
    assert [one.prediction_id for one in desk.waiting()[1]] == [names[1]]
    assert bench.home.log.find(names[0]).labels == []
    (bench.home.folder / "reviews.db").unlink()  # derived: the ledger and the log know better
    bench.home.close()
    again = open_bench(bench.folder)
    assert [one.prediction_id for one in ReviewDesk(again).waiting()[1]] == [names[1]]
    again.home.close()


@pytest.mark.parametrize(
    ("act", "error", "message"),
    [
        (lambda d, n: d.label("99-0-5ca1ab1e", 1), RegistryError, "no such prediction"),
        (lambda d, n: d.show("nonsense"), RegistryError, "no such prediction"),
        (lambda d, n: d.dismiss("nonsense"), RegistryError, "no such prediction"),
        (lambda d, n: d.label(n[0], 2), InvalidRowError, "one of 0, 1"),
        (lambda d, n: d.label(n[0], "late"), InvalidRowError, "one of 0, 1"),
        (lambda d, n: d.dismiss(n[1]), DataError, "does not wait"),
        (lambda d, n: d.label(n[2], 1), DataError, "has a label already"),
        (lambda d, n: d.dismiss(n[2]), DataError, "has a label already"),
        (lambda d, n: (d.label(n[0], 1), d.label(n[0], 0)), DataError, "reviewed already"),
        (
            lambda d, n: (d.dismiss(n[0]), d.label(n[0], 0)),
            DataError,
            "reviewed already: dismissed",
        ),
    ],
)
def test_what_cannot_be_reviewed_is_told(bench, act, error, message):
    names = asked(bench, STRANGE, ROW, STRANGE)
    label(bench, [{"prediction_id": names[2], "label": 1}])
    with pytest.raises(error, match=message):
        act(ReviewDesk(bench), names)


def test_any_answer_of_the_log_may_be_labelled(bench):
    (name,) = asked(bench, ROW)
    ReviewDesk(bench).label(name, True)
    found = bench.home.log.find(name)
    assert isinstance(found, LoggedRow)
    assert found.labels[0].value == "1"


def test_the_loop_keeps_the_queue_and_counts_it(bench):
    names = asked(bench, STRANGE, ROW, STRANGE)
    watching = Watching(bench)
    watching.observe(START)
    assert bench.home.reviews.names() == [names[0], names[2]]
    label(bench, [{"prediction_id": names[0], "label": 1}])
    names += asked(bench, STRANGE)
    watching.observe(START)
    assert bench.home.reviews.names() == [names[2], names[3]]
    assert watching.summary()["reviews"] == {"waiting": 2}
    (waiting,) = [f for f in watching.figures() if f.name == "gleis_reviews_waiting"]
    assert waiting.value == 2


def test_a_loop_that_starts_later_reads_what_it_missed(bench):
    first = asked(bench, STRANGE)
    watching = Watching(bench)
    watching.observe(START)
    (bench.home.folder / "reviews.db").unlink()
    watching.keep()
    bench.home.close()
    again = open_bench(bench.folder, {"serve.outliers": "review"})
    second = asked(again, STRANGE)
    Watching(again).observe(START)
    assert again.home.reviews.names() == [*first, *second]
    again.home.close()


def test_an_answer_whose_row_was_erased_is_not_reviewed(bench):
    (name,) = asked(bench, STRANGE | {"visit": 5})
    desk = ReviewDesk(bench)
    assert desk.waiting()[0] == 1
    bench.home.log.erase(["5"])
    assert desk.waiting()[1] == []
    with pytest.raises(DataError, match="was erased"):
        desk.label(name, 1)
