"""A webhook: each notice as JSON by POST, signed if a key is given."""

from __future__ import annotations

from datetime import datetime

import msgspec

from gleis.contracts.alarm import Alarm
from gleis.contracts.notice import AlarmState, Event, Notice, ReceiverKind, short_id
from gleis.monitoring.delivery.posting import post
from gleis.monitoring.delivery.receiver import Answer, delivery_key
from gleis.monitoring.delivery.signature import HEADER, sign
from gleis.monitoring.delivery.wording import plain_text, title

SCHEMA = "gleis.alarm/1"
"""Changes with any change that a reader of the old form would stumble over."""
_COLUMNS = 20
"""Columns that are listed; the rest is in the ledger."""


class Posted(msgspec.Struct, frozen=True, kw_only=True):
    """What is posted; documented in docs/alarms.md."""

    schema: str
    event: Event
    key: str
    """The same for every attempt to tell this receiver this: also the ``Idempotency-Key``."""
    project: str
    at: datetime
    short: str
    """Short id of the alarm, for ``gleis alarms``."""
    title: str
    text: str
    """The whole message in plain words."""
    state: AlarmState
    response: str
    """What gleis does about it by itself."""
    link: str | None
    alarm: Alarm


class Webhook:
    """Posts to one address.

    Parameters
    ----------
    name : str
    address : str
    key : bytes, optional
        Signs what is posted.
    hidden : tuple of str
        What must not be seen: the address.
    """

    kind: ReceiverKind = "webhook"

    def __init__(
        self, name: str, address: str, key: bytes | None = None, hidden: tuple[str, ...] = ()
    ) -> None:
        self.name = name
        self.secrets = hidden
        self._address = address
        self._key = key

    def send(self, notice: Notice, now: datetime) -> Answer:
        """Post once."""
        posted = payload(notice, self.name)
        body = msgspec.json.encode(posted)
        headers = {"Idempotency-Key": posted.key}
        if self._key is not None:
            headers[HEADER] = sign(self._key, body, int(now.timestamp()))
        return post(self._address, body, headers, now, self.secrets)


def payload(notice: Notice, receiver: str) -> Posted:
    """Return what is posted about a notice."""
    alarm = notice.alarm
    short = msgspec.structs.replace(alarm, moved=alarm.moved[:_COLUMNS], also=alarm.also[:_COLUMNS])
    return Posted(
        schema=SCHEMA,
        event=notice.event,
        key=delivery_key(notice, receiver),
        project=notice.project,
        at=notice.at,
        short=short_id(alarm.id),
        title=title(notice),
        text=plain_text(notice),
        state=notice.state,
        response=notice.response,
        link=notice.link,
        alarm=short,
    )
