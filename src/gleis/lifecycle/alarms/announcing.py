"""Tells receivers of alarms: follows the ledger, beside the loop and never in its way.

The loop writes alarms down and knows of no receiver; whoever is told is told from here. A replay
runs the same loop and never starts this, so that nothing of it can leave the machine.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from time import monotonic
from types import TracebackType

from gleis.config.durations import parse_duration
from gleis.config.settings import Settings
from gleis.contracts.alarm import Alarm
from gleis.contracts.clock import Clock, SimulatedClock
from gleis.contracts.errors import BlockedError, StoreError
from gleis.contracts.notice import AlarmState, Notice, Told, Waiting, kind_of
from gleis.lifecycle.alarms.notices import (
    Story,
    find_untold,
    make_notice,
    next_reminder,
    read_story,
)
from gleis.lifecycle.alarms.sending import Patience, Sending
from gleis.lifecycle.journal import Journal
from gleis.monitoring.delivery.receiver import Answer, Receiver
from gleis.monitoring.delivery.receivers import make_receivers
from gleis.store.home import Home
from gleis.store.outbox import is_damaged

_log = logging.getLogger(__name__)
_MOST = 60.0
_LEAVING = 2.0
"""Seconds that the end of the process waits for what is being sent."""


class Announcing:
    """Follows a project's alarms and tells its receivers, each thing once.

    Parameters
    ----------
    settings : Settings
    home : Home
    clock : Clock
    receivers : sequence of Receiver
    attempt : float
        Seconds after which an attempt that does not end is left to itself.
    every : float
        Seconds between looks at the ledger; each is one indexed query.

    Raises
    ------
    BlockedError
        The clock is simulated: what a replay finds is told to nobody.
    """

    def __init__(
        self,
        settings: Settings,
        home: Home,
        clock: Clock,
        receivers: Sequence[Receiver],
        attempt: float = 60.0,
        every: float = 1.0,
    ) -> None:
        if isinstance(clock, SimulatedClock):
            raise BlockedError(
                "What happens in simulated time is told to nobody",
                remedy="Leave --as-of out.",
            )
        self.error: str | None = None
        """Why nothing can be told just now."""
        self._settings = settings
        self._home = home
        self._clock = clock
        self._journal = Journal(home.facts)
        self._looking = threading.Lock()
        self._every = every
        self._lock = home.lock("alarms.lock")
        self._locked = False
        self._revision = -1
        self._reminder: datetime | None = None
        self._rebuilt = False
        give_up = parse_duration(settings.alarms.give_up, "alarms.give_up")
        patience = Patience(attempt=attempt, give_up=give_up)
        self._senders = {
            receiver.name: Sending(receiver, home, clock, settings.seed, patience, self._write)
            for receiver in receivers
        }
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Announcing:
        """Follow, in a thread."""
        if self._senders:
            self._thread = threading.Thread(target=self._follow, name="gleis alarms", daemon=True)
            self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop; what was not told waits in the outbox for the next start."""
        self.close()

    def close(self) -> None:
        """Send nothing more; what is being sent has two seconds to end."""
        self._ended.set()
        for sender in self._senders.values():
            sender.stop()
        self.wait(_LEAVING)
        if self._thread is not None:
            self._thread.join(_LEAVING)
        if self._locked:
            self._lock.release()
            self._locked = False

    def meet(self) -> None:
        """Get to know new receivers, before there is anything to tell them.

        Raises
        ------
        StoreError
            As for ``look``.
        """
        with self._looking:
            self._take()
            if self._locked:
                self._mending(self._gather)

    def look(self) -> bool:
        """Look once at the ledger and begin to send what is due; return at once.

        Returns
        -------
        bool
            False if another process of this project tells.

        Raises
        ------
        StoreError
            Ledger or outbox cannot be used: nothing is lost, and nothing sent.
        """
        with self._looking:
            self._take()
            if self._locked:
                self._mending(self._look)
            return self._locked

    def wait(self, seconds: float) -> None:
        """Wait for what is being sent, so many seconds at most."""
        until = monotonic() + seconds
        for sender in self._senders.values():
            sender.join(max(0.0, until - monotonic()))

    def _take(self) -> None:
        if not self._locked:
            self._locked = self._lock.try_take()

    def _mending(self, work: Callable[[], None]) -> None:
        """Do what needs the outbox; one that is damaged is made again from the ledger."""
        try:
            work()
        except StoreError as error:
            if not is_damaged(error) or "outbox.db" not in str(error):
                raise
            aside = self._home.renew_outbox(self._clock.now())
            _log.warning("the outbox is damaged and made again from the ledger; kept: %s", aside)
            self._revision, self._rebuilt = -1, True
            work()

    def _follow(self) -> None:
        while True:
            try:
                self.look()
                self.error = None
            except Exception as error:  # noqa: BLE001 - the thread lives on, the error shows
                if self.error is None:
                    _log.warning("nobody is told of alarms for now: %s", error)
                self.error = str(error)
            if self._ended.wait(self._every):
                return

    def _look(self) -> None:
        self._gather()
        waiting = self._home.outbox.waiting()
        for name, sender in self._senders.items():
            sender.offer([one for one in waiting if one.receiver == name])

    def _gather(self) -> None:
        """Let wait what the ledger has new."""
        now = self._clock.now()
        revision = self._home.facts.last("alarm", "handled", "told")
        reminds = self._reminder is not None and now >= self._reminder
        if revision == self._revision and not reminds:
            return
        story = read_story(self._journal)
        outbox = self._home.outbox
        first = {name: self._first_of(name, story) for name in self._senders}
        for one in outbox.waiting():
            if (one.notice, one.receiver) in story.told or one.alarm not in story.alarms:
                outbox.remove(one.notice, one.receiver)
            elif one.receiver not in first:
                self._withdraw(one)
        outbox.put(find_untold(story, self._settings, first, now))
        self._reminder = next_reminder(story, now)
        self._revision = revision

    def _first_of(self, receiver: str, story: Story) -> int:
        """Return the number of the first alarm a receiver is told of: a new one hears nothing old.

        An outbox that was lost knows nobody. Then whoever was told before goes on from there, and
        others begin with what is not resolved.
        """
        outbox = self._home.outbox
        known = outbox.first_of(receiver)
        if known is None:
            before = {told.alarm for told in story.told.values() if told.receiver == receiver}
            known = len(story.alarms)
            for number, name in enumerate(story.alarms):
                done = story.handled.get(name)
                standing = not done or done[-1].status != "resolved"
                if name in before or (self._rebuilt and standing):
                    known = number
                    break
            outbox.meet(receiver, known)
        return known

    def _withdraw(self, one: Waiting) -> None:
        self._journal.write_told(
            Told(
                notice=one.notice,
                alarm=one.alarm,
                event=one.event,
                receiver=one.receiver,
                kind=kind_of(one.receiver),
                outcome="withdrawn",
                at=self._clock.now(),
                attempts=one.attempts,
                said="not in gleis.toml any more",
            )
        )
        self._home.outbox.remove(one.notice, one.receiver)

    def _write(self, waiting: Waiting) -> Notice:
        return make_notice(waiting, read_story(self._journal), self._settings, self._clock.now())


def project_receivers(settings: Settings) -> list[Receiver]:
    """Return whoever a project tells, with secrets from this process's environment.

    Raises
    ------
    ConfigError
        A variable is not set.
    """
    return make_receivers(settings.alarms, os.environ)


@contextmanager
def telling(settings: Settings, home: Home, clock: Clock) -> Iterator[None]:
    """Tell what a piece of work finds, and what waited: for a single look where no loop runs.

    Waits for the receivers, a minute at most. Where another process of the project tells, and in
    simulated time, it is left to it and to nobody.

    Raises
    ------
    ConfigError
        A variable of a receiver is not set.
    StoreError
        As for ``Announcing.look``.
    """
    receivers = [] if isinstance(clock, SimulatedClock) else project_receivers(settings)
    if not receivers:
        yield
        return
    announcing = Announcing(settings, home, clock, receivers)
    try:
        announcing.meet()
        yield
        for _ in range(2):  # of what was told just now, a second look may have more to tell
            announcing.look()
            announcing.wait(_MOST)
    finally:
        announcing.close()


def send_tests(settings: Settings, clock: Clock) -> list[tuple[Receiver, Answer]]:
    """Send a test to each receiver, one after another; nothing is recorded.

    Raises
    ------
    ConfigError
        A variable of a receiver is not set.
    """
    now = clock.now()
    notice = _test_notice(settings, now)
    return [(receiver, receiver.send(notice, now)) for receiver in project_receivers(settings)]


def _test_notice(settings: Settings, now: datetime) -> Notice:
    alarm = Alarm(
        id=f"test-{now:%Y%m%dT%H%M%S}",
        kind="service",
        at=now,
        subject="test",
        also=(),
        evidence=0.0,
        threshold=0.0,
        promise="a test",
        effect=0.0,
        since=None,
        rows=0,
        version=0,
        message="this is a test: nothing is wrong",
    )
    return Notice(
        id=alarm.id,
        event="test",
        project=settings.project.name,
        at=now,
        alarm=alarm,
        state=AlarmState(status="open", at=now),
        link=settings.alarms.link,
    )
