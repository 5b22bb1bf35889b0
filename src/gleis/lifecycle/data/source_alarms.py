"""Somebody is told of a source that goes on failing: what reads its table has old rows."""

from __future__ import annotations

from datetime import datetime, timedelta

from gleis.contracts.alarm import Alarm
from gleis.contracts.notice import Handled
from gleis.lifecycle.journal import Journal
from gleis.store.home import Home

AFTER = timedelta(hours=1)
"""How long a source must have failed, at every attempt; a passing failure is nobody's concern."""


class SourceAlarms:
    """Raises an alarm when a source has failed for an hour, and resolves it when it is read again.

    Since when a source fails is kept, so that a loop that is started again counts on.

    Parameters
    ----------
    home : Home
    """

    def __init__(self, home: Home) -> None:
        self._states = home.states
        self._journal = Journal(home.facts)

    def look(self, name: str, failed: str | None, now: datetime) -> Alarm | None:
        """Take note of one attempt.

        Parameters
        ----------
        name : str
            Of ``[datasets.NAME]``.
        failed : str or None
            Why it failed; None if it did not.
        now : datetime

        Returns
        -------
        Alarm or None
            The alarm that was raised just now.
        """
        key = f"failing/{name}"
        kept = (self._states.get(key) or b"").decode()
        if failed is None:
            if kept:
                self._resolve(_id(name, datetime.fromisoformat(kept)), now)
                self._states.put(key, b"")
            return None
        if not kept:
            self._states.put(key, now.isoformat().encode())
            return None
        since = datetime.fromisoformat(kept)
        if now - since < AFTER or self._raised(_id(name, since)):
            return None
        alarm = _alarm(name, failed, since, now)
        self._journal.write_alarm(alarm)
        return alarm

    def _raised(self, alarm: str) -> bool:
        return any(one.id == alarm for one in self._journal.alarms())

    def _resolve(self, alarm: str, now: datetime) -> None:
        done = self._journal.handled().get(alarm, ())
        if not self._raised(alarm) or (done and done[-1].status == "resolved"):
            return
        note = "it is read again"
        self._journal.write_handled(
            Handled(alarm=alarm, status="resolved", at=now, by="the source", note=note)
        )


def _id(name: str, since: datetime) -> str:
    return f"source-{name}-{since:%Y%m%dT%H%M%S}"


def _alarm(name: str, failed: str, since: datetime, now: datetime) -> Alarm:
    return Alarm(
        id=_id(name, since),
        kind="source",
        at=now,
        subject=name,
        also=(),
        evidence=0.0,
        threshold=0.0,
        promise="every attempt failed since then",
        effect=0.0,
        since=since,
        rows=0,
        version=0,
        message=f"{name} is not filled since {since:%Y-%m-%d %H:%M}: {failed}",
    )
