from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import threading
from datetime import UTC, datetime

import msgspec
import numpy as np
import pytest
from small_packages import BINARY, ROW, ChampionOnly

from gleis.contracts.clock import SystemClock
from gleis.contracts.deployment import Version
from gleis.contracts.errors import StoreError, UnavailableError
from gleis.packaging.load import load_package
from gleis.packaging.rule import RuleModel, TableRule
from gleis.serving.metrics import Metrics
from gleis.serving.service import Service
from gleis.serving.turns import Group, Turns
from gleis.store.log.group_commit import GroupCommit
from gleis.store.log.sqlite_log import SqlitePredictionLog
from signing_keys import TRUST


class Told:
    """A model that answers with a function of the columns, in a thread unless quick."""

    def __init__(self, answer, quick=True):
        self.answer = answer
        self.quick = quick
        self.calls = []

    def predict(self, columns):
        self.calls.append(len(columns["hour"]))
        return np.asarray(self.answer(columns), dtype=np.float64)


def distances(columns):
    return [distance / 10_000 for distance in columns["distance"]]


def picky(columns):
    if 17.0 in columns["temp"]:
        raise ValueError("17 degrees")
    return [np.nan if distance > 4000 else 0.5 for distance in columns["distance"]]


@pytest.fixture
def log(tmp_path):
    log = SqlitePredictionLog(tmp_path / "predictions.db")
    yield log
    log.close()


@pytest.fixture
def make(packages):
    def service(model, number=1, **changes):
        package = load_package(packages["rule"].path, None, TRUST)
        package = dataclasses.replace(package, model=model, **changes)
        version = Version(
            number=number,
            digest=package.digest,
            location="p",
            run="r",
            registered_at=datetime.now(UTC),
            passed=True,
        )
        return Service(package, version, SystemClock(), name="flights")

    return service


@contextlib.contextmanager
def turns(log, router=None, timeout=5.0):
    commits = GroupCommit(log)
    yield Turns(commits, Metrics("flights"), router or ChampionOnly(), timeout)
    commits.close()


def ask(turns, service, requests):
    """Ask all requests in one turn; return each one's answers or error."""

    async def crowd():
        futures = [turns.ask(service, service.read(rows)) for rows in requests]
        return await asyncio.gather(*futures, return_exceptions=True)

    return asyncio.run(crowd())


def rows(*distances, **changes):
    return [ROW | {"distance": float(distance)} | changes for distance in distances]


def test_what_arrives_together_is_one_call_and_one_record(log, make):
    model = Told(distances)
    service = make(model)
    with turns(log) as all_turns:

        async def crowd():
            first = service.typed.one(msgspec.json.encode(rows(100)[0]))
            items = [first, service.read(rows(200, 300)), service.read(rows(400)), first]
            return await asyncio.gather(*(all_turns.ask(service, item) for item in items))

        answers = asyncio.run(crowd())
    assert [[one.score for one in some] for some in answers] == [
        [0.01],
        [0.02, 0.03],
        [0.04],
        [0.01],
    ]
    assert model.calls == [5]
    (logged,) = log.read()
    assert logged.ids == [one.prediction_id for some in answers for one in some]
    assert logged.batch.scores == [0.01, 0.02, 0.03, 0.04, 0.01]


def test_a_lone_request_is_answered_at_once(log, make):
    service = make(Told(distances))
    with turns(log) as all_turns:
        assert [ask(all_turns, service, [rows(100)])[0][0].score for _ in range(3)] == [0.01] * 3


def test_one_requests_rows_cost_nobody_else_the_model(log, make):
    service = make(Told(picky))
    requests = [rows(100), rows(100, temp=17.0), rows(100, 5000), rows(200)]
    with turns(log) as all_turns:
        answers = ask(all_turns, service, requests)
    fallback = [[(one.fallback, one.score) for one in some] for some in answers]
    assert fallback == [
        [(False, 0.5)],
        [(True, 0.625)],
        [(False, 0.5), (True, 0.625)],
        [(False, 0.5)],
    ]
    assert answers[1][0].reason == "error"
    of_reason = {logged.batch.reason: logged for logged in log.read()}
    assert of_reason.keys() == {None, "error"}
    for some, asked in zip(answers, requests, strict=True):
        for one, row in zip(some, asked, strict=True):
            found = log.find(one.prediction_id)
            assert found.features == row
            assert (found.score, found.fallback) == (one.score, one.fallback)
            assert found.flags == one.flags


def test_flags_stay_with_their_rows_and_in_the_contracts_order(log, make):
    service = make(Told(distances))
    requests = [rows(100, carrier="ZZ"), rows(9000, carrier="ZZ"), rows(100)]
    with turns(log) as all_turns:
        answers = ask(all_turns, service, requests)
    assert [some[0].flags for some in answers] == [
        ["carrier: unseen category"],
        ["distance: out of range", "carrier: unseen category"],
        [],
    ]


def test_nobody_gets_an_answer_if_nobody_can_give_one(log, make):
    gone = RuleModel(TableRule(columns=("gone",), cells=(), default=0.5), BINARY)
    service = make(Told(lambda columns: 1 / 0), baseline=gone)
    with turns(log) as all_turns:
        answers = ask(all_turns, service, [rows(100), rows(200)])
    assert {type(answer) for answer in answers} == {UnavailableError}
    assert log.counts().predictions == 0


def test_a_closed_log_is_heard_of_by_everybody(log, make):
    service = make(Told(distances))
    with turns(log) as all_turns:
        pass
    answers = ask(all_turns, service, [rows(100), rows(200)])
    assert {type(answer) for answer in answers} == {StoreError}


def test_a_slow_model_answers_what_gathered_while_it_worked(log, make):
    hold, entered = threading.Event(), threading.Event()

    def answer(columns):
        entered.set()
        hold.wait(10)
        return distances(columns)

    model = Told(answer, quick=False)
    service = make(model)
    with turns(log) as all_turns:

        async def crowd():
            first = all_turns.ask(service, service.read(rows(100)))
            await asyncio.to_thread(entered.wait, 10)
            later = []
            for distance in (200, 300, 400):
                later.append(all_turns.ask(service, service.read(rows(distance))))
                await asyncio.sleep(0)
            await asyncio.sleep(0)
            hold.set()
            return await asyncio.gather(first, *later)

        answers = asyncio.run(crowd())
    assert [some[0].score for some in answers] == [0.01, 0.02, 0.03, 0.04]
    assert model.calls == [1, 3]


def test_the_baseline_answers_for_a_model_that_hangs(log, make):
    hold = threading.Event()
    service = make(Told(lambda columns: [hold.wait(20)] * len(columns["hour"]), quick=False))
    with turns(log, timeout=0.1) as all_turns:
        answers = ask(all_turns, service, [rows(100), rows(200, 300)])
    hold.set()
    assert [[(one.score, one.reason) for one in some] for some in answers] == [
        [(0.625, "timeout")],
        [(0.625, "timeout")] * 2,
    ]
    assert log.counts().fallbacks == 3


def test_many_rows_at_once_are_worked_on_beside_the_loop(log, make):
    threads = []

    def answer(columns):
        threads.append(threading.current_thread())
        return distances(columns)

    service = make(Told(answer))
    with turns(log) as all_turns:
        (answers,) = ask(all_turns, service, [rows(*range(100, 1000))])
    assert [one.score for one in answers] == [d / 10_000 for d in range(100, 1000)]
    assert threads[0] is not threading.main_thread()


class Halves:
    """Odd rows to a challenger."""

    def __init__(self, challenger):
        self.challenger = challenger
        self.heard = []

    def split(self, champion, entities):
        every = range(len(entities))
        return [
            Group(champion, every[::2], share=0.5),
            Group(self.challenger, every[1::2], role="challenger", share=0.5),
        ]

    def answered(self, batch):
        self.heard.append(batch)


@pytest.mark.parametrize("quick", [True, False])
def test_a_turn_is_split_over_services(log, make, quick):
    router = Halves(make(Told(lambda columns: [0.9] * len(columns["hour"]), quick), 2))
    service = make(Told(distances))
    with turns(log, router) as all_turns:

        async def crowd():
            requests = [rows(100), rows(200, 300, 400), rows(500), rows(600)]
            futures = [all_turns.ask(service, service.read(some)) for some in requests]
            answers = await asyncio.gather(*futures)
            while len(router.heard) < 2:
                await asyncio.sleep(0.01)
            return answers

        answers = asyncio.run(crowd())
    scores = [[(one.version, one.score) for one in some] for some in answers]
    assert scores == [
        [(1, 0.01)],
        [(2, 0.9), (1, 0.03), (2, 0.9)],
        [(1, 0.05)],
        [(2, 0.9)],
    ]
    told = {logged.batch.role: logged.batch for logged in log.read()}
    assert {role: (batch.version, batch.rows, batch.share) for role, batch in told.items()} == {
        "champion": (1, 3, 0.5),
        "challenger": (2, 3, 0.5),
    }
    for some in answers:
        for one in some:
            assert log.find(one.prediction_id).score == one.score
