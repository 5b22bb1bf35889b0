"""Who watches whom, where: the addresses that the files of Prometheus and Grafana name."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import msgspec

from gleis.contracts.errors import ConfigError

_HOST = re.compile(r"\[[0-9a-fA-F:]+\]|[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?")


class Stack(msgspec.Struct, frozen=True, kw_only=True):
    """A service and the programs around it."""

    model: str
    """The project's name."""
    targets: tuple[str, ...] = ("127.0.0.1:8000",)
    """``host:port`` of every service that serves it."""
    scheme: str = "http"
    key_file: str | None = None
    """File with the API key that Prometheus sends; None where nobody is asked for one."""
    alertmanager: str = "127.0.0.1:9093"
    prometheus: str = "http://127.0.0.1:9090"
    """Where Grafana finds Prometheus."""
    webhook: str | None = None
    """Address that Alertmanager posts alerts to."""
    every: str = "15s"
    """How often Prometheus scrapes and evaluates."""
    rules: str = "rules.yml"
    """The rules' file, as Prometheus' own configuration names it."""
    dashboards: str = "/etc/grafana/gleis"
    """Folder in which Grafana finds the dashboards."""
    probabilities: bool = True
    """Whether scores are probabilities: drawn from 0 to 1, and answers have classes."""


def check_address(address: str, option: str) -> str:
    """Return ``host:port`` as it was given.

    Raises
    ------
    ConfigError
        It is something else.

    Examples
    --------
    >>> check_address("[::1]:8000", "--target")
    '[::1]:8000'
    """
    host, colon, port = address.rpartition(":")
    good = colon and _HOST.fullmatch(host) and port.isdecimal() and 0 < int(port) < 65_536
    if not good:
        raise ConfigError(
            "An address is a host and a port",
            seen=address,
            remedy="Write it as host:port, without http://: flights.example.org:8000.",
            field=option,
        )
    return address


def check_url(url: str, option: str) -> str:
    """Return an address of the web as it was given.

    Raises
    ------
    ConfigError
        It is something else.
    """
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if not good:
        raise ConfigError(
            "An address of the web begins with http:// or https:// and names a host",
            seen=url,
            remedy="Write it as http://host:port/path.",
            field=option,
        )
    return url
