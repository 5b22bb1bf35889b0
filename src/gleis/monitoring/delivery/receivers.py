"""The receivers that ``[alarms]`` names."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

from gleis.config.alarms import split_address, split_smtp, variable_of
from gleis.config.settings import AlarmSettings
from gleis.contracts.errors import ConfigError
from gleis.monitoring.delivery.mail import Mail, MailServer
from gleis.monitoring.delivery.receiver import Receiver
from gleis.monitoring.delivery.slack import Slack
from gleis.monitoring.delivery.webhook import Webhook

_SHORTEST_KEY = 16


def make_receivers(alarms: AlarmSettings, environment: Mapping[str, str]) -> list[Receiver]:
    """Return whoever is told; secrets are taken from the environment.

    Raises
    ------
    ConfigError
        A variable is not set, or what is in it cannot be used. No secret is shown.
    """
    key = _signing_key(alarms, environment)
    found: list[Receiver] = []
    for given in dict.fromkeys(alarms.webhook):
        address = _address(given, "alarms.webhook", environment)
        found.append(Webhook(_name("webhook", given, address), address, key, _hidden(address)))
    for given in dict.fromkeys(alarms.slack):
        address = _address(given, "alarms.slack", environment)
        found.append(Slack(_name("slack", given, address), address, _hidden(address)))
    if alarms.email:
        server = _mail_server(alarms, environment)
        found += [Mail(f"email {to}", to, server) for to in dict.fromkeys(alarms.email)]
    return found


def _signing_key(alarms: AlarmSettings, environment: Mapping[str, str]) -> bytes | None:
    name = alarms.webhook_secret_from
    if name is None:
        return None
    key = _read(name, "alarms.webhook_secret_from", environment).encode()
    if len(key) < _SHORTEST_KEY:
        raise ConfigError(
            f"The key in {name} is too short to sign with",
            seen=f"{len(key)} bytes",
            remedy=f"Take {_SHORTEST_KEY} or more, such as openssl rand -hex 32 prints.",
            field="alarms.webhook_secret_from",
        )
    return key


def _address(given: str, key: str, environment: Mapping[str, str]) -> str:
    variable = variable_of(given)
    if variable is None:
        return given
    address = _read(variable, key, environment)
    split_address(address, f"{key} (in {variable})")
    return address


def _mail_server(alarms: AlarmSettings, environment: Mapping[str, str]) -> MailServer:
    tls, host, port = split_smtp(str(alarms.smtp))
    source = alarms.smtp_password_from
    password = None if source is None else _read(source, "alarms.smtp_password_from", environment)
    return MailServer(
        host=host,
        port=port,
        tls=tls,
        sender=str(alarms.sender),
        user=alarms.smtp_user,
        password=password,
    )


def _read(name: str, key: str, environment: Mapping[str, str]) -> str:
    found = environment.get(name, "").strip()
    if not found:
        raise ConfigError(
            f"{key} names the environment variable {name}, which is not set",
            remedy=f"Set {name} where gleis is started, or take the entry out of gleis.toml.",
            field=key,
        )
    return found


def _name(kind: str, given: str, address: str) -> str:
    """Name an address without showing it; one from a variable keeps its name if it changes."""
    if variable_of(given) is not None:
        return f"{kind} {given}"
    digest = hashlib.sha256(address.encode()).hexdigest()[:6]
    return f"{kind} {urlsplit(address).hostname} {digest}"


def _hidden(address: str) -> tuple[str, ...]:
    """Return the parts of an address that open it: whole, path and query."""
    parts = urlsplit(address)
    return tuple(part for part in _secret_parts(address, parts.path, parts.query) if len(part) > 3)


def _secret_parts(address: str, path: str, query: str) -> Iterable[str]:
    yield address
    yield path
    yield query
    # Whoever answers may name only the token, as proxies and hooks do.
    yield from (part for part in path.split("/") if len(part) >= 8)
