"""E-mails: plain text with a short HTML beside it, over a server that is spoken to in TLS."""

from __future__ import annotations

import hashlib
import smtplib
import ssl
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from html import escape

import msgspec

from gleis.config.alarms import NEAR
from gleis.contracts.notice import Notice, ReceiverKind
from gleis.monitoring.delivery.receiver import Answer, delivery_key, tidy
from gleis.monitoring.delivery.wording import body_lines, plain_text, title, what_to_do

_TIMEOUT = 20.0
_POLICY = SMTP.clone(max_line_length=250)
"""Subjects are not folded: some clients show the blank of a fold."""
_LONGEST = 150
"""Characters of a subject."""


class MailServer(msgspec.Struct, frozen=True, kw_only=True):
    """Where e-mails are handed in."""

    host: str
    port: int
    tls: bool
    """TLS from the first byte (``smtps``); else STARTTLS, which is insisted on."""
    sender: str
    user: str | None = None
    password: str | None = None


class Mail:
    """Writes to one address.

    Parameters
    ----------
    name : str
    address : str
    server : MailServer
    """

    kind: ReceiverKind = "email"

    def __init__(self, name: str, address: str, server: MailServer) -> None:
        self.name = name
        self.secrets = (server.password,) if server.password else ()
        self._address = address
        self._server = server

    def send(self, notice: Notice, now: datetime) -> Answer:
        """Hand one e-mail in."""
        message = write_mail(notice, self._server.sender, self._address, self.name, now)
        try:
            with _connected(self._server) as smtp:
                smtp.send_message(message)
        except smtplib.SMTPRecipientsRefused as error:
            code, said = next(iter(error.recipients.values()))
            return _answer(code, said, self.secrets)
        except smtplib.SMTPResponseException as error:
            return _answer(error.smtp_code, error.smtp_error, self.secrets)
        except (OSError, smtplib.SMTPException) as error:
            return Answer(outcome="failed", said=tidy(_reason(error), self.secrets))
        return Answer(outcome="delivered", said="handed to the mail server")


def _connected(server: MailServer) -> smtplib.SMTP:
    """Connect, with TLS unless the server is this machine's and offers none, and log in."""
    context = ssl.create_default_context()
    if server.tls:
        smtp: smtplib.SMTP = smtplib.SMTP_SSL(
            server.host, server.port, timeout=_TIMEOUT, context=context
        )
    else:
        smtp = smtplib.SMTP(server.host, server.port, timeout=_TIMEOUT)
    try:
        smtp.ehlo()
        if not server.tls and (smtp.has_extn("starttls") or server.host not in NEAR):
            smtp.starttls(context=context)
            smtp.ehlo()
        if server.user is not None and server.password is not None:
            smtp.login(server.user, server.password)
    except BaseException:
        smtp.close()
        raise
    return smtp


def _answer(code: int, said: bytes | str, secrets: tuple[str, ...]) -> Answer:
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    final = 500 <= code < 600
    return Answer(
        outcome="refused" if final else "failed", said=tidy(f"SMTP {code}: {text}", secrets)
    )


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, ssl.SSLError):
        return f"TLS: {getattr(error, 'verify_message', '') or error.reason or error}"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return f"{type(error).__name__}: {error}"


def write_mail(notice: Notice, sender: str, to: str, receiver: str, now: datetime) -> EmailMessage:
    """Return the e-mail about a notice; the same notice has the same ``Message-ID``."""
    message = EmailMessage(_POLICY)
    message["Subject"] = _one_line(f"[gleis] {title(notice)}")
    message["From"] = sender
    message["To"] = to
    message["Date"] = format_datetime(now)
    message["Message-ID"] = f"<{delivery_key(notice, receiver)}@{sender.partition('@')[2]}>"
    thread = hashlib.sha256(f"{notice.alarm.id}\n{receiver}".encode()).hexdigest()[:32]
    # All about one alarm is one thread, though nobody ever wrote its first message.
    message["References"] = f"<alarm.{thread}@{sender.partition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(plain_text(notice))
    message.add_alternative(_html(notice), subtype="html")
    return message


def _one_line(text: str) -> str:
    """Leave out whatever could begin another header."""
    line = " ".join("".join(c for c in word if c.isprintable()) for word in text.split())
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"


def _html(notice: Notice) -> str:
    rows = "".join(
        f'<tr><td style="padding:2px 12px 2px 0;color:#555;vertical-align:top;white-space:nowrap">'
        f"{escape(label)}</td><td>{escape(said)}</td></tr>"
        for label, said in body_lines(notice)
    )
    todo = "".join(
        f"<li><code>{escape(command)}</code> {escape(effect)}</li>"
        for command, effect in what_to_do(notice)
    )
    link = f'<p><a href="{escape(notice.link)}">Open gleis</a></p>' if notice.link else ""
    return (
        '<!doctype html><html><body style="font-family:sans-serif;font-size:14px">'
        f"<h3>{escape(title(notice))}</h3><table>{rows}</table>"
        f"{f'<p>What you can do:</p><ul>{todo}</ul>' if todo else ''}{link}</body></html>"
    )
