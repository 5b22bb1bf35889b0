"""One receiver's notices, sent one after another in a thread of their own."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from time import monotonic

import msgspec

from gleis.contracts.clock import Clock
from gleis.contracts.errors import StoreError
from gleis.contracts.notice import DeliveryOutcome, Notice, Told, Waiting
from gleis.lifecycle.journal import Journal
from gleis.monitoring.delivery.backoff import is_due, is_over, pause_after
from gleis.monitoring.delivery.receiver import Answer, Receiver, tidy
from gleis.store.home import Home

_log = logging.getLogger(__name__)
_STUCK = 3
"""Attempts without end that are left alone before no other is made."""
_REST = 30.0
"""Seconds of rest after outbox or ledger could not be written."""


class Patience(msgspec.Struct, frozen=True, kw_only=True):
    """How long is waited for a receiver."""

    attempt: float = 60.0
    """Seconds after which an attempt that does not end is left to itself."""
    give_up: timedelta = timedelta(days=3)


class Sending:
    """Sends to one receiver. Nobody waits for it: not the loop, not other receivers.

    Parameters
    ----------
    receiver : Receiver
    home : Home
    clock : Clock
    seed : int
    patience : Patience
    write : callable
        Writes the notice that waits, as things stand when it is sent.
    """

    def __init__(
        self,
        receiver: Receiver,
        home: Home,
        clock: Clock,
        seed: int,
        patience: Patience,
        write: Callable[[Waiting], Notice],
    ) -> None:
        self.receiver = receiver
        self._home = home
        self._journal = Journal(home.facts)
        self._clock = clock
        self._seed = seed
        self._patience = patience
        self._write = write
        self._thread: threading.Thread | None = None
        self._stuck: list[threading.Thread] = []
        self._current: tuple[Waiting, float] | None = None
        self._quiet_until = 0.0
        self._unnoted: dict[str, Told] = {}
        self._stopped = False

    def offer(self, waiting: Sequence[Waiting]) -> None:
        """Begin to send what is due; return at once.

        Raises
        ------
        StoreError
            Outbox or ledger cannot be written: nothing is sent, since nobody would know of it.
        """
        self._note_again()
        now = self._clock.now()
        for one in waiting:
            if one.attempted is not None and now < one.attempted - timedelta(seconds=1):
                self._home.outbox.begin_pause(one, now)
        if self._busy() or monotonic() < self._quiet_until:
            return
        due = [w for w in waiting if is_due(w.attempted, w.pause, now)]
        due = [w for w in due if w.notice not in self._unnoted]
        if due and not self._stopped:
            # Whoever was tried less often first: one that is never taken keeps nobody waiting.
            due.sort(key=lambda one: one.attempts)
            self._current = None
            self._thread = threading.Thread(
                target=self._send, args=(due,), name=f"gleis {self.receiver.kind}", daemon=True
            )
            self._thread.start()

    def join(self, seconds: float) -> None:
        """Wait for what is being sent."""
        if self._thread is not None:
            self._thread.join(seconds)

    def stop(self) -> None:
        """Begin nothing more."""
        self._stopped = True

    def _busy(self) -> bool:
        if self._thread is None or not self._thread.is_alive():
            self._stuck = [thread for thread in self._stuck if thread.is_alive()]
            return len(self._stuck) >= _STUCK
        if self._current is None or monotonic() - self._current[1] < self._patience.attempt:
            return True
        waiting, _ = self._current
        said = f"no end within {self._patience.attempt:.0f} s"
        self._failed(waiting, Answer(outcome="failed", said=said))
        self._stuck.append(self._thread)
        self._thread = None
        return self._busy()

    def _send(self, due: Sequence[Waiting]) -> None:
        me = threading.current_thread()
        for waiting in due:
            if self._stopped or self._thread is not me:
                return
            try:
                if not self._send_one(waiting, me):
                    return
            except StoreError as error:
                self._quiet_until = monotonic() + _REST
                _log.warning("%s is not told for now: %s", self.receiver.name, error)
                return

    def _send_one(self, waiting: Waiting, me: threading.Thread) -> bool:
        """Send one notice; return whether the receiver is there for another."""
        now = self._clock.now()
        key = f"{waiting.notice}/{waiting.receiver}"
        self._current = (waiting, monotonic())
        # What was offered may have been read before it was told: never twice for that.
        if self._journal.was_told(waiting.notice, waiting.receiver):
            self._home.outbox.remove(waiting.notice, waiting.receiver)
            return True
        pause = pause_after(waiting.attempts + 1, key, self._seed)
        if not self._home.outbox.attempt(waiting, now, pause):
            return True
        answer = self._ask(waiting, now)
        late = self._thread is not me
        if answer.outcome == "delivered":
            self._end(waiting, "delivered", answer.said)
        elif not late and answer.outcome == "refused":
            self._end(waiting, "refused", answer.said)
        elif not late:
            self._failed(waiting, answer)
        return answer.outcome != "failed" and not late

    def _ask(self, waiting: Waiting, now: datetime) -> Answer:
        try:
            return self.receiver.send(self._write(waiting), now)
        except Exception as error:  # noqa: BLE001 - told with the notice, tried again, given up
            # What it says may hold an address; a trace is not logged for the same reason.
            said = tidy(f"{type(error).__name__}: {error}", self.receiver.secrets)
            return Answer(outcome="failed", said=said)

    def _failed(self, waiting: Waiting, answer: Answer) -> None:
        attempts, now = waiting.attempts + 1, self._clock.now()
        if is_over(attempts, waiting.since, now, self._patience.give_up):
            self._end(waiting, "given up", answer.said)
            return
        pause = pause_after(attempts, f"{waiting.notice}/{waiting.receiver}", self._seed)
        if answer.retry_after is not None:
            pause = max(pause, answer.retry_after)
            self._quiet_until = monotonic() + answer.retry_after
        if attempts == 1:
            _log.warning("%s is not told yet: %s", self.receiver.name, answer.said)
        self._home.outbox.failed(waiting, answer.said, pause)

    def _end(self, waiting: Waiting, outcome: DeliveryOutcome, said: str) -> None:
        if outcome != "delivered":
            _log.error(
                "%s was not told of %s (%s): %s", self.receiver.name, waiting.alarm, outcome, said
            )
        self._unnoted[waiting.notice] = Told(
            notice=waiting.notice,
            alarm=waiting.alarm,
            event=waiting.event,
            receiver=waiting.receiver,
            kind=self.receiver.kind,
            outcome=outcome,
            at=self._clock.now(),
            attempts=waiting.attempts + 1,
            said=said,
        )
        try:
            self._note(waiting.notice)
        except StoreError as error:
            _log.warning("%s (%s) cannot be noted yet: %s", waiting.notice, outcome, error)

    def _note(self, notice: str) -> None:
        told = self._unnoted.get(notice)
        if told is None:  # the other thread noted it in this moment
            return
        self._journal.write_told(told)
        self._home.outbox.remove(told.notice, told.receiver)
        self._unnoted.pop(notice, None)

    def _note_again(self) -> None:
        """Note what was sent when it could not be noted; it is not sent once more."""
        for notice in list(self._unnoted):
            self._note(notice)
