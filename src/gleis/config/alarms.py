"""What types alone cannot say about ``[alarms]``. No error shows an address that is a secret."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import get_args
from urllib.parse import SplitResult, urlsplit

from gleis.config.durations import parse_duration
from gleis.config.settings import AlarmSettings, Settings
from gleis.contracts.alarm import AlarmKind
from gleis.contracts.errors import ConfigError

NEAR = frozenset({"localhost", "127.0.0.1", "::1"})
"""This machine: nobody on the way can read or change what is sent."""
_VARIABLE = re.compile(r"env:([A-Za-z_][A-Za-z0-9_]*)")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_MAILBOX = re.compile(r"[^\s@<>,;:\"\\]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,250}[A-Za-z0-9])?")
_SHORTEST = timedelta(minutes=1)


def check_alarms(settings: Settings) -> None:
    """Check ``[alarms]``: addresses, what needs what, kinds.

    Raises
    ------
    ConfigError
        Naming the key and the remedy, and the value where it is no secret.
    """
    alarms = settings.alarms
    for key, addresses in (("webhook", alarms.webhook), ("slack", alarms.slack)):
        for place, address in enumerate(addresses, 1):
            _check_address(address, f"alarms.{key}", place)
    for key in ("webhook_secret_from", "smtp_password_from"):
        _check_variable(getattr(alarms, key), f"alarms.{key}")
    _check_mail(alarms)
    _check_kinds(alarms.kinds)
    if alarms.link is not None and urlsplit(alarms.link).scheme not in {"http", "https"}:
        raise ConfigError(
            "alarms.link is not an address of pages",
            seen=alarms.link,
            remedy="Write http://... or https://..., as people reach this service's pages.",
            field="alarms.link",
        )
    if parse_duration(alarms.give_up, "alarms.give_up") < _SHORTEST:
        raise ConfigError(
            "alarms.give_up leaves a receiver no time",
            seen=alarms.give_up,
            remedy="Write 1min or more; 3d is usual.",
            field="alarms.give_up",
        )


def variable_of(address: str) -> str | None:
    """Return the environment variable that ``env:NAME`` names; None for an address.

    Examples
    --------
    >>> variable_of("env:OPS_HOOK"), variable_of("https://ops.example.org/hook")
    ('OPS_HOOK', None)
    """
    match = _VARIABLE.fullmatch(address)
    return match[1] if match else None


def split_address(address: str, key: str) -> SplitResult:
    """Take an address apart that something may be posted to.

    Raises
    ------
    ConfigError
        It is no https address, nor http on this machine. The address is not shown: it may be a
        secret.
    """
    try:
        parts = urlsplit(address)
        usable = bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        usable = False
    plain = address.isascii() and address.isprintable() and " " not in address
    if not usable or not plain:
        raise ConfigError(
            f"{key} is not an address",
            remedy="Write https://..., or env:NAME for a variable that holds it. It is not shown "
            "here, because it may be a secret.",
            field=key,
        )
    if parts.username is not None or parts.password is not None:
        raise ConfigError(
            f"{key} holds a name or a password before its host",
            seen=parts.hostname,
            remedy="Sign what is posted instead, with alarms.webhook_secret_from.",
            field=key,
        )
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in NEAR):
        raise ConfigError(
            f"{key} is not an https address",
            seen=f"{parts.scheme}://{parts.hostname}/...",
            remedy="Write https://...; http is taken on this machine only.",
            field=key,
        )
    return parts


def _check_address(address: str, key: str, place: int) -> None:
    variable = variable_of(address)
    if variable is not None:
        _check_variable(variable, key)
    elif address.startswith("env:"):
        raise ConfigError(
            f"{key}, entry {place}, names no environment variable",
            seen=address,
            remedy="Write env: and a name of letters, digits and _.",
            field=key,
        )
    else:
        split_address(address, key)


def _check_variable(name: str | None, key: str) -> None:
    if name is None:
        return
    if not _NAME.fullmatch(name):
        raise ConfigError(
            f"{key} is not the name of an environment variable",
            remedy="Write the variable's name, not the secret itself, which does not belong into "
            "the file. The value is not shown here.",
            field=key,
        )
    if name.upper().startswith("GLEIS_"):
        raise ConfigError(
            f"{key} names a variable that begins with GLEIS_",
            seen=name,
            remedy="Those set keys of gleis.toml; give the variable another name.",
            field=key,
        )


def _check_mail(alarms: AlarmSettings) -> None:
    for key in ("email", "sender"):
        value = getattr(alarms, key)
        for address in (value,) if isinstance(value, str) else value or ():
            if not _MAILBOX.fullmatch(address):
                raise ConfigError(
                    f"alarms.{key} is not an e-mail address",
                    seen=address,
                    remedy="Write name@host.example, without a display name.",
                    field=f"alarms.{key}",
                )
    if alarms.email:
        for key, example in (("smtp", "smtp://mail.example.org:587"), ("sender", "gleis@...")):
            if getattr(alarms, key) is None:
                raise ConfigError(
                    f"alarms.email needs alarms.{key}",
                    remedy=f'Write it under [alarms]: {key} = "{example}".',
                    field=f"alarms.{key}",
                )
    if alarms.smtp is not None:
        split_smtp(alarms.smtp)
    if (alarms.smtp_user is None) != (alarms.smtp_password_from is None):
        raise ConfigError(
            "alarms.smtp_user and alarms.smtp_password_from belong together",
            remedy="Name both, or neither for a server that asks for no login.",
            field="alarms.smtp_user",
        )


def split_smtp(address: str) -> tuple[bool, str, int]:
    """Read the server of the e-mails.

    Returns
    -------
    tuple of (bool, str, int)
        Whether TLS begins at once (``smtps``), host and port.

    Raises
    ------
    ConfigError
        It is none.

    Examples
    --------
    >>> split_smtp("smtp://mail.example.org"), split_smtp("smtps://[::1]:2465")
    ((False, 'mail.example.org', 587), (True, '::1', 2465))
    """
    try:
        parts = urlsplit(address)
        port = parts.port or {"smtp": 587, "smtps": 465}.get(parts.scheme, 0)
    except ValueError:
        port = 0
    bare = port and parts.hostname and parts.path in {"", "/"} and not parts.query
    if not bare or parts.username is not None:
        raise ConfigError(
            "alarms.smtp is not a mail server",
            remedy="Write smtp://HOST:PORT (STARTTLS) or smtps://HOST:PORT; name and password "
            "have keys of their own, smtp_user and smtp_password_from.",
            field="alarms.smtp",
        )
    return parts.scheme == "smtps", str(parts.hostname), port


def _check_kinds(kinds: tuple[str, ...]) -> None:
    known = get_args(AlarmKind)
    for kind in kinds:
        if kind not in known:
            raise ConfigError(
                "alarms.kinds names a kind that there is not",
                seen=kind,
                remedy=f"Take from {', '.join(known)}, or leave it out for all.",
                field="alarms.kinds",
            )
