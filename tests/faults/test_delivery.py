"""Alarms on their way out, with everything that can go wrong on it."""

from __future__ import annotations

import logging
import signal
import subprocess
import sys
import tempfile
import threading
import time
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alarms_made import NIGHT, an_alarm
from certificates import Authority
from gleis.config.load import load_settings
from gleis.contracts.clock import SimulatedClock
from gleis.contracts.errors import BlockedError, StoreError
from gleis.lifecycle.alarms.alarms import ProjectAlarms
from gleis.lifecycle.alarms.announcing import Announcing
from gleis.lifecycle.journal import Journal
from gleis.monitoring.delivery.receivers import make_receivers
from gleis.store.home import Home
from hook_servers import Hook, Post, close_at_once, close_in_the_answer, drip, free_port, hang
from small_projects import make_shifting

HERE = Path(__file__).parent
TOKEN = "T0K3N-of-it"


class Wound:
    """A clock that a test may turn, in both directions."""

    def __init__(self):
        self.at = NIGHT

    def now(self):
        return self.at


class Scene:
    """A project that tells receivers, driven look by look."""

    def __init__(self, folder, receivers, environment=None, attempt=60.0):
        self.folder = make_shifting(folder) if not folder.exists() else folder
        self.settings = load_settings(self.folder, receivers, environment={})
        self.environment, self.attempt = environment or {}, attempt
        self.clock = Wound()
        self.start()

    def start(self):
        """Begin as a new process does."""
        self.home = Home(self.folder / ".gleis")
        self.journal = Journal(self.home.facts)
        self.alarms = ProjectAlarms(self.settings, self.home, self.clock)
        receivers = make_receivers(self.settings.alarms, self.environment)
        self.announcing = Announcing(
            self.settings, self.home, self.clock, receivers, attempt=self.attempt
        )
        self.announcing.meet()
        return self

    def stop(self):
        """End as a process does that is told to, once what is being sent has come to an end."""
        self.announcing.close()
        for sender in self.announcing._senders.values():
            for thread in filter(None, (sender._thread, *sender._stuck)):
                thread.join(10.0)
                assert not thread.is_alive(), "it would write into what is closed"
        self.home.close()

    def again(self):
        """End and begin."""
        self.stop()
        return self.start()

    def raise_alarm(self, number=1, **changes):
        self.journal.write_alarm(an_alarm(number, **changes))

    def look(self, times=1, step=timedelta(0)):
        for _ in range(times):
            self.announcing.look()
            self.announcing.wait(10.0)
            self.clock.at += step

    def outcomes(self):
        return [(told.event, told.outcome, told.attempts) for told in self.journal.told()]


@pytest.fixture
def scene(tmp_path):
    made = []

    def make(receivers, **options):
        made.append(Scene(tmp_path / "p", receivers, **options))
        return made[-1]

    yield make
    for one in made:
        one.stop()


def test_each_thing_is_told_once_and_then_is_a_fact(scene):
    with Hook() as hook:
        it = scene({"alarms.webhook": [hook.url]})
        it.look()
        it.raise_alarm()
        it.look(3)
        it.again().look(2)
        assert [body["event"] for body in hook.bodies] == ["alarm"]
        it.alarms.acknowledge("drift", by="jo@host")
        it.alarms.snooze("drift", NIGHT + timedelta(hours=1), by="jo@host")
        it.look(3)
        it.clock.at += timedelta(hours=1)
        it.look(3)
        it.alarms.resolve("drift", by="kim@host", note="sensor replaced")
        it.again().look(3)
        assert [body["event"] for body in hook.bodies] == ["alarm", "reminder", "resolved"]
        assert "resolved by kim@host: sensor replaced" in hook.bodies[-1]["text"]
        assert it.outcomes() == [(e, "delivered", 1) for e in ("alarm", "reminder", "resolved")]
        assert it.home.outbox.waiting() == []


def test_what_came_before_a_receiver_is_not_told_to_it(scene):
    it = scene({})
    it.raise_alarm(1)
    with Hook() as hook:
        it.settings = load_settings(it.folder, {"alarms.webhook": [hook.url]}, environment={})
        it.again().raise_alarm(2)
        it.look()
        assert [body["alarm"]["rows"] for body in hook.bodies] == [48_002]


@pytest.mark.parametrize(
    "fault", [500, 503, 408, close_at_once, close_in_the_answer, (302, {"Location": "/"})]
)
def test_a_receiver_that_fails_is_tried_again_more_and_more_rarely(scene, fault):
    with Hook(fault, fault, fault, 200) as hook:
        it = scene({"alarms.webhook": [hook.url]})
        it.raise_alarm()
        it.look(5)
        assert len(hook.posts) == 1, "not before its pause is over"
        tried = []
        for _ in range(50):
            before = len(hook.posts)
            it.look(step=timedelta(seconds=5))
            tried += [it.clock.at] * (len(hook.posts) - before)
        assert it.outcomes() == [("alarm", "delivered", 4)]
        assert len({headers["Idempotency-Key"] for headers, _ in hook.posts}) == 1
        second, third = (b - a for a, b in pairwise(tried))
        assert second > timedelta(seconds=25)
        assert third > timedelta(seconds=55)


def test_nobody_there_is_waited_for_over_restarts_and_then_given_up(scene, caplog):
    it = scene({"alarms.webhook": [f"http://127.0.0.1:{free_port()}/{TOKEN}"]})
    it.raise_alarm()
    with caplog.at_level(logging.WARNING):
        for _ in range(40):
            it.again().look(step=timedelta(hours=2))
    ((event, outcome, attempts),) = it.outcomes()
    assert (event, outcome) == ("alarm", "given up")
    assert 36 <= attempts <= 38
    assert it.journal.told()[0].said == "Connection refused"
    assert it.home.outbox.waiting() == []
    assert "given up" in caplog.text
    assert TOKEN not in caplog.text


def test_what_is_not_taken_is_not_tried_again_and_keeps_nobody_waiting(scene):
    with Hook((400, {}, b"never"), 200) as hook:
        it = scene({"alarms.webhook": [hook.url]})
        it.raise_alarm(1)
        it.raise_alarm(2)
        it.look(3)
        assert it.outcomes() == [("alarm", "refused", 1), ("alarm", "delivered", 1)]
        assert it.journal.told()[0].said == "HTTP 400: never"


def test_one_that_always_fails_does_not_hold_up_the_next(scene):
    with Hook() as hook:

        def by_alarm(handler):
            poison = b"48001" in hook.posts[-1][1]
            handler.send_response(500 if poison else 200)
            handler.send_header("Content-Length", "0")
            handler.end_headers()

        hook.answers = [by_alarm]
        it = scene({"alarms.webhook": [hook.url]})
        it.raise_alarm(1)
        it.look()
        it.raise_alarm(2)
        it.look(3)
        assert it.outcomes() == [("alarm", "delivered", 1)]


def test_a_receiver_says_when_it_wants_to_be_asked_again(scene):
    with Hook((429, {"Retry-After": "1800"}), 200) as hook:
        it = scene({"alarms.webhook": [hook.url]})
        it.raise_alarm(1)
        it.look()
        it.raise_alarm(2)
        it.look(20, step=timedelta(minutes=1))
        assert len(hook.posts) == 1
        it.again()  # the pause of what was tried is kept; what was not is tried
        it.look()
        assert len(hook.posts) == 2
        it.look(15, step=timedelta(minutes=1))
        assert it.outcomes() == [("alarm", "delivered", 1), ("alarm", "delivered", 2)]


def test_one_that_hangs_stops_neither_looks_nor_others(scene):
    with Hook(hang()) as hanging, Hook() as well:
        it = scene({"alarms.webhook": [hanging.url, well.url]}, attempt=0.2)
        it.raise_alarm()
        started = time.process_time(), time.monotonic()
        it.announcing.look()
        assert time.monotonic() - started[1] < 5.0, "it would have hung for 30 s"
        assert _comes(lambda: len(well.posts) == 1)
        time.sleep(0.3)
        it.announcing.look()
        (waiting,) = it.home.outbox.waiting()
        assert waiting.said == "no end within 0 s"


def test_one_that_drips_is_left_to_itself(scene):
    with Hook(drip) as hook:
        it = scene({"alarms.webhook": [hook.url]}, attempt=0.05)
        it.raise_alarm()
        for _ in range(12):
            it.announcing.look()
            time.sleep(0.07)
            it.clock.at += timedelta(hours=2)
        assert _comes(lambda: len(hook.posts) == 3), "three attempts without end are enough"
        assert it.home.outbox.waiting()[0].attempts == 3


class _Unwritable:
    """A disk that is full from some moment on, under the ledger or the outbox."""

    def __init__(self, store):
        self._writer = store._database._writer

    def __enter__(self):
        pages = self._writer.execute("PRAGMA page_count").fetchone()[0]
        self._writer.execute(f"PRAGMA max_page_count = {pages}")
        return self

    def __exit__(self, *_):
        self._writer.execute("PRAGMA max_page_count = 1073741823")


def _fill(store, insert, row):
    """Fill what room a database's pages have, so that the next write needs another page."""

    def fill():
        for number in range(10_000):
            store._database.write(insert, row(number))

    with pytest.raises(StoreError):
        fill()


def test_a_full_disk_loses_nothing_and_sends_nothing(scene):
    with Hook() as hook:
        it = scene({"alarms.webhook": [hook.url]})
        it.raise_alarm(id="drift-" + "x" * 9000)  # more than its pages have room for
        with _Unwritable(it.home.outbox):
            for _ in range(3):
                with pytest.raises(StoreError, match="Free disk space"):
                    it.announcing.look()
        assert hook.posts == []
        it.look(2)
        assert [body["event"] for body in hook.bodies] == ["alarm"]


def test_an_attempt_that_cannot_be_noted_beforehand_is_not_made(scene, caplog):
    with Hook() as hook:
        it = scene({"alarms.webhook": [hook.url]})
        it.raise_alarm()
        it.announcing.meet()
        it.home.outbox._database._writer.execute("PRAGMA query_only = ON")
        it.look(5)
        assert hook.posts == []
        assert caplog.text.count("is not told for now") == 1
        assert "Make the folder writable" in caplog.text
        it.home.outbox._database._writer.execute("PRAGMA query_only = OFF")
        it.again().look()
        assert len(hook.posts) == 1


def test_what_cannot_be_noted_afterwards_is_not_sent_again(scene):
    with Hook() as hook:
        it = scene({"alarms.webhook": [hook.url]})
        it.raise_alarm()
        it.announcing.meet()
        with _Unwritable(it.home.facts):
            _fill(
                it.home.facts,
                "INSERT INTO facts(kind, key, at, body, hash) VALUES (?, ?, ?, ?, ?)",
                lambda n: ("filler", str(n), 0, b"x" * 500, ""),
            )
            it.announcing.look()
            it.announcing.wait(10.0)
            for _ in range(3):
                with pytest.raises(StoreError):
                    it.announcing.look()
                it.clock.at += timedelta(hours=2)
        assert len(hook.posts) == 1
        it.look(3)
        assert len(hook.posts) == 1
        assert it.outcomes() == [("alarm", "delivered", 1)]


def test_a_damaged_outbox_is_made_again_from_the_ledger(scene, caplog):
    with Hook() as told, Hook(500, 200) as untold:
        it = scene({"alarms.webhook": [told.url, untold.url]})
        it.raise_alarm(1)
        it.look()
        it.stop()
        (it.folder / ".gleis" / "outbox.db").write_bytes(b"no database" * 900)
        for ending in ("-wal", "-shm"):
            (it.folder / ".gleis" / f"outbox.db{ending}").unlink(missing_ok=True)
        with caplog.at_level(logging.WARNING):
            it.start().look(2)
        assert "made again from the ledger" in caplog.text
        assert (len(told.posts), len(untold.posts)) == (1, 2)
        assert list(it.home.folder.glob("outbox-damaged-*.db"))


@pytest.mark.parametrize("jump", [timedelta(days=-400), timedelta(hours=-3), timedelta(days=400)])
def test_a_clock_that_jumps_makes_no_storm_and_no_eternal_wait(scene, jump):
    with Hook(500) as hook:
        it = scene({"alarms.webhook": [hook.url]})
        it.raise_alarm()
        it.look(120, step=timedelta(minutes=1))
        before = len(hook.posts)
        it.clock.at += jump
        it.look(5)
        assert len(hook.posts) - before <= 1
        hook.answers = [200]
        it.look(125, step=timedelta(minutes=1))
        assert it.outcomes() == [("alarm", "delivered", len(hook.posts))]


def test_a_mail_server_that_refuses_the_login(scene, caplog, tmp_path, monkeypatch):
    authority = Authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.path))
    with Post(authority.issue("mail"), {"gleis": "right"}) as post:
        it = scene(
            {
                "alarms.email": ["ops@example.org"],
                "alarms.smtp": f"smtp://127.0.0.1:{post.port}",
                "alarms.smtp_user": "gleis",
                "alarms.smtp_password_from": "MAIL",
                "alarms.sender": "gleis@example.org",
            },
            environment={"MAIL": "wr0ng-password"},
        )
        it.raise_alarm()
        it.look(2)
    (told,) = it.journal.told()
    assert (told.outcome, told.said[:8]) == ("refused", "SMTP 535")
    assert "SMTP 535" in caplog.text
    assert "wr0ng-password" not in told.said + caplog.text


def test_no_secret_is_written_down_anywhere(scene, caplog):
    echo = f"no hook at /hook/{TOKEN} for you".encode()
    with Hook((500, {}, echo), (404, {}, echo)) as hook, caplog.at_level(logging.DEBUG):
        it = scene(
            {
                "alarms.slack": [hook.url],
                "alarms.webhook": ["env:HOOK"],
                "alarms.webhook_secret_from": "KEY",
            },
            environment={"HOOK": hook.url + "?token=T0K3N2", "KEY": "K3Y" * 10},
        )
        it.raise_alarm()
        it.look(3, step=timedelta(minutes=2))
        it.stop()
        kept = b"".join(p.read_bytes() for p in it.home.folder.rglob("*") if p.is_file())
        it.start()
        assert len(it.journal.told()) + len(it.home.outbox.waiting()) == 2
    for secret in (TOKEN, "T0K3N2", "K3Y"):
        assert secret.encode() not in kept
        assert secret not in caplog.text


def test_a_process_killed_between_sending_and_noting_sends_one_double(tmp_path):
    folder = make_shifting(tmp_path / "p")
    with Hook(hang()) as hook:
        command = [sys.executable, str(HERE / "dying_announcer.py"), str(folder), hook.url]
        with subprocess.Popen(command) as process:
            assert _comes(lambda: len(hook.posts) == 1)
            process.send_signal(signal.SIGKILL)
        hook.answers = [200]
        it = Scene(folder, {"alarms.webhook": [hook.url]})
        it.clock.at += timedelta(minutes=1)
        it.look(5)
        it.again().look(5)
        assert it.outcomes() == [("alarm", "delivered", 2)]
        assert len(hook.posts) == 2
        assert len({headers["Idempotency-Key"] for headers, _ in hook.posts}) == 1
        it.stop()


def test_what_was_read_before_it_was_told_is_not_told_again(scene):
    """A look that overlaps a delivery works on what it read before: that must send nothing."""
    with Hook() as hook:
        it = scene({"alarms.webhook": [hook.url]})
        it.raise_alarm()
        it.announcing.meet()
        stale = it.home.outbox.waiting()
        it.look()
        (sender,) = it.announcing._senders.values()
        sender.offer(stale)
        sender.join(10.0)
        it.home.outbox.put(stale)
        sender.offer(it.home.outbox.waiting())
        sender.join(10.0)
        assert len(hook.posts) == 1
        assert it.home.outbox.waiting() == []


ACTS = ("look", "restart", "hour", "fail", "mend", "alarm", "ack", "snooze", "resolve")


@settings(max_examples=15, derandomize=True, deadline=None)
@given(st.lists(st.sampled_from(ACTS), max_size=25))
def test_whatever_happens_each_thing_is_told_once_and_in_its_order(acts):
    """No order of failures, restarts and people tells anything twice, or an end without a start."""
    with tempfile.TemporaryDirectory() as folder, Hook(200) as hook:
        it = Scene(Path(folder) / "p", {"alarms.webhook": [hook.url]})
        for number, act in enumerate((*acts, "mend", "hour", "look", "hour", "look", "look")):
            _act(it, hook, act, number)
        it.stop()
        told = [(body["short"], body["event"]) for body in hook.bodies[: len(hook.posts)]]
        taken = [one for one, (_, body) in zip(told, hook.posts, strict=True) if body in hook.taken]
        starts = [short for short, event in taken if event == "alarm"]
        assert len(starts) == len(set(starts)) == acts.count("alarm")
        ends = [one for one in taken if one[1] == "resolved"]
        assert len(ends) == len(set(ends))
        for place, (short, event) in enumerate(taken):
            assert event == "alarm" or (short, "alarm") in taken[:place]


def _act(it, hook, act, number):
    if act == "restart":
        it.again()
    elif act == "hour":
        it.clock.at += timedelta(hours=2)
    elif act in {"fail", "mend"}:
        hook.answers = [503 if act == "fail" else 200]
    elif act == "alarm":
        it.raise_alarm(number)
    elif act != "look" and it.alarms.standing():
        short, who = it.alarms.standing()[0].short, {"by": "jo@host"}
        if act == "ack":
            it.alarms.acknowledge(short, **who)
        elif act == "resolve":
            it.alarms.resolve(short, **who)
        else:
            it.alarms.snooze(short, it.clock.at + timedelta(hours=1), **who)
    it.look()


def test_one_process_tells_and_another_leaves_it_to_it(scene):
    with Hook() as hook:
        it = scene({"alarms.webhook": [hook.url]})
        it.look()
        other = Announcing(
            it.settings, Home(it.home.folder), it.clock, make_receivers(it.settings.alarms, {})
        )
        it.raise_alarm()
        assert not other.look()
        other.close()
        it.look()
        assert len(hook.posts) == 1


def test_a_thread_follows_the_ledger_and_ends_with_its_process(scene):
    with Hook() as hook:
        it = scene({"alarms.webhook": [hook.url]})
        it.announcing.close()
        receivers, before = make_receivers(it.settings.alarms, {}), set(threading.enumerate())
        with Announcing(it.settings, it.home, it.clock, receivers, every=0.02):
            it.raise_alarm()
            assert _comes(lambda: it.journal.told() != [])
        mine = set(threading.enumerate()) - before
        assert not [thread for thread in mine if thread.name.startswith("gleis")]
        assert len(hook.posts) == 1


def test_simulated_time_is_told_to_nobody(scene):
    it = scene({"alarms.webhook": ["http://127.0.0.1:9/"]})
    with pytest.raises(BlockedError, match="simulated time"):
        Announcing(it.settings, it.home, SimulatedClock(NIGHT), [])


def test_neither_a_replay_nor_a_service_loads_what_sends():
    """So that nothing of a replay can leave the machine, and no request waits for a receiver."""
    code = (
        "import sys\n"
        "import gleis.lifecycle.backtests.backtest, gleis.lifecycle.loop, gleis.lifecycle.worker\n"
        "sends = [m for m in sys.modules if m in {'smtplib', 'gleis.lifecycle.alarms.sending',\n"
        "    'gleis.lifecycle.alarms.announcing'} or m.startswith('gleis.monitoring.delivery')]\n"
        "assert not sends, sends"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def _comes(what, seconds=20.0):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if what():
            return True
        time.sleep(0.02)
    return False
