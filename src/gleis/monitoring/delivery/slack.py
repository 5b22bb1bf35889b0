"""Slack-compatible incoming hooks: what Slack, Mattermost and Rocket.Chat all understand."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from gleis.contracts.notice import Event, Notice, ReceiverKind
from gleis.monitoring.delivery.posting import post
from gleis.monitoring.delivery.receiver import Answer, delivery_key
from gleis.monitoring.delivery.wording import body_lines, plain_text, title, what_to_do

_COLOURS: dict[Event, str] = {
    "alarm": "#c0392b",
    "reminder": "#d68910",
    "resolved": "#1e8449",
    "test": "#5d6d7e",
}


class Slack:
    """Posts to one incoming hook.

    Parameters
    ----------
    name : str
    address : str
        A secret: whoever has it writes into the channel.
    hidden : tuple of str
        What must not be seen: the address and its path.
    """

    kind: ReceiverKind = "slack"

    def __init__(self, name: str, address: str, hidden: tuple[str, ...] = ()) -> None:
        self.name = name
        self.secrets = hidden
        self._address = address

    def send(self, notice: Notice, now: datetime) -> Answer:
        """Post once."""
        body = msgspec.json.encode(message(notice))
        headers = {"Idempotency-Key": delivery_key(notice, self.name)}
        return post(self._address, body, headers, now, self.secrets)


def message(notice: Notice) -> dict[str, Any]:
    """Return a notice as ``text`` and one attachment, which all three show alike.

    Blocks are Slack's alone; of an attachment only what all three know is used.
    """
    lines = [f"*{label}:* {_escaped(said)}" for label, said in body_lines(notice)]
    lines += [f"`{command}` {_escaped(effect)}" for command, effect in what_to_do(notice)]
    attachment = {
        "color": _COLOURS[notice.event],
        "fallback": plain_text(notice),
        "text": "\n".join(lines),
        "mrkdwn_in": ["text"],
    }
    if notice.link:
        attachment |= {"title": "Open gleis", "title_link": notice.link}
    return {"text": f"*{_escaped(title(notice))}*", "attachments": [attachment]}


def _escaped(text: str) -> str:
    """Escape the three characters of Slack's markup: ``<!channel>`` in a column's name is text."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
