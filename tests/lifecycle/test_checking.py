"""What rows after an alarm say: that it was right, that it was not, that its change has gone."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from alarms_made import an_alarm
from benches import START, with_champion
from gleis.contracts.alarm import Moved
from gleis.lifecycle.alarms.alarms import ProjectAlarms
from gleis.lifecycle.asking import predict
from gleis.lifecycle.checking import Checking
from gleis.lifecycle.journal import Journal
from gleis.lifecycle.watching import Watching, look
from small_projects import make_shifting

DAY = timedelta(days=1)
ALL = {"triggers.drift.harmless": "alarm"}


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    bench = with_champion(make_shifting(tmp_path_factory.mktemp("checking") / "p"), ALL)
    yield bench
    bench.home.close()


def visits(bench, mean, count=600, seed=0):
    """Let visits come with prices about a mean; in training it is 10."""
    rng = np.random.default_rng([seed, count])
    price, pages = rng.normal(mean, 2, count), rng.integers(1, 12, count)
    channel = rng.choice(["web", "shop", "phone"], count)
    predict(
        bench,
        [
            {"price": float(p), "pages": int(n), "channel": str(c)}
            for p, n, c in zip(price, pages, channel, strict=True)
        ],
    )


class Days:
    """One alarm on prices, and rows day by day."""

    def __init__(self, bench):
        self.bench, self.now, self.seen = bench, bench.clock.now(), self._end(bench)
        self.checking = Checking(bench, ())
        self.alarm = an_alarm(subject="price", moved=(), version=2, at=self.now)
        self.checking.add([self.alarm])

    @staticmethod
    def _end(bench):
        batches = bench.home.log.read(0, 10**6)
        return batches[-1].seq if batches else 0

    def day(self, mean, version=2, count=600):
        visits(self.bench, mean, count, self.now.day)
        batches = self.bench.home.log.read(self.seen, 10**6)
        self.seen = batches[-1].seq
        self.checking.see(batches)
        said = self.checking.conclude(self.now, version)
        self.now += DAY
        return [alarm.confirmed for alarm in said.checked], [alarm.id for alarm in said.gone]


def test_a_change_that_stays_is_confirmed_and_stays(bench):
    days = Days(bench)
    assert days.day(16) == ([True], [])
    assert [days.day(16) for _ in range(4)] == [([], [])] * 4
    assert len(days.checking.pending) == 1


def test_a_change_that_was_none_is_not_confirmed(bench):
    days = Days(bench)
    assert days.day(10) == ([False], [])
    assert days.checking.pending == ()


def test_two_days_in_a_row_without_it_and_it_has_gone(bench):
    days = Days(bench)
    assert days.day(16) == ([True], [])
    assert days.day(10) == ([], [])
    assert days.day(16) == ([], []), "one day without it says nothing"
    assert days.day(10) == ([], [])
    assert days.day(10) == ([], [days.alarm.id])
    assert days.checking.pending == ()


def test_a_day_of_few_rows_says_nothing(bench):
    days = Days(bench)
    days.day(16)
    assert [days.day(10, count=200) for _ in range(5)] == [([], [])] * 5
    assert days.day(10, count=200) == ([], [days.alarm.id])


def test_what_another_version_was_told_is_not_followed(bench):
    days = Days(bench)
    days.day(16)
    assert days.day(16, version=3) == ([], [])
    assert days.checking.pending == ()


def test_a_change_that_comes_again_is_told_again(tmp_path):
    """It alarms, is confirmed, goes, is resolved by itself, comes again and alarms again."""
    bench = with_champion(make_shifting(tmp_path / "p"), ALL)
    raised, bench.clock = [], type(bench.clock)(START)
    for day, mean in enumerate((16, 16, 10, 10, 10, 10, 16, 16)):
        visits(bench, mean, seed=day)
        bench.clock.move_to(bench.clock.now() + DAY + timedelta(minutes=1))
        tick, _ = look(bench)
        raised += tick.alarms
    (first, second) = (alarm for alarm in raised if alarm.subject == "price")
    alarms = ProjectAlarms(bench.settings, bench.home, bench.clock)
    assert "the later rows: two days in a row" in alarms.find(first.id).state.words
    assert alarms.find(second.id).state.status == "open"
    bench.home.close()


def test_an_alarm_that_was_wrong_does_not_silence_its_column(bench):
    watching = Watching(bench)
    visits(bench, 16)
    (alarm,) = watching.observe(bench.clock.now()).alarms
    assert alarm.subject == "price"
    told = lambda: watching.summary()["drift"]["told"]  # noqa: E731
    assert "price" in told()
    visits(bench, 10)
    (checked,) = watching.observe(bench.clock.now()).checked
    assert (checked.confirmed, told()) == (False, {})
    assert Journal(bench.home.facts).alarms() == []
    assert isinstance(alarm.moved[0], Moved)
