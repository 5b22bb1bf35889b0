"""A database's URL: what it names, and how it is shown without its password."""

from __future__ import annotations

import os
import re
from typing import NamedTuple
from urllib.parse import quote, urlencode

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from gleis.contracts.errors import ConfigError

_DEFAULTS: dict[str, str | int | None] = {
    "connect_timeout": 10,
    "application_name": "gleis",
    # A machine that vanished holds no session, and no lock, for longer than half a minute.
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}
_SERVER_SIDE = "-c tcp_keepalives_idle=10 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=3"


class Address(NamedTuple):
    """Where a database is."""

    url: str
    """As libpq and SQLAlchemy take it; it may hold a password."""
    conninfo: str
    """With our defaults; it may hold a password."""
    shown: str
    """For messages: without a password."""
    secret: str
    """The password of the URL; empty if it has none."""


def read_address(url: str) -> Address:
    """Read a URL.

    Examples
    --------
    >>> read_address("postgresql://ann:hush@db.example.org/gleis").shown
    'postgresql://ann@db.example.org/gleis'

    Raises
    ------
    ConfigError
        It is no URL of PostgreSQL's. The message does not quote a password.
    """
    if not re.match(r"postgres(ql)?://", url):
        raise _refused(url)
    try:
        given = conninfo_to_dict(url)
    except psycopg.ProgrammingError:
        # Its text may quote the URL, and with it the password.
        raise _refused(url) from None
    options = f"{_SERVER_SIDE} {given.get('options') or ''}".strip()
    full: dict[str, str | int | None] = {**_DEFAULTS, **given, "options": options}
    return Address(
        "postgresql://" + url.partition("://")[2],
        make_conninfo("", **full),
        _shown({key: str(value) for key, value in given.items() if value is not None}),
        str(given.get("password") or os.environ.get("PGPASSWORD") or ""),
    )


def sqlalchemy_url(url: str, schema: str) -> str:
    """Return a URL for SQLAlchemy, whose tables are in one schema.

    Parameters
    ----------
    url : str
        That `read_address` has taken.
    schema : str

    Examples
    --------
    >>> sqlalchemy_url("postgresql://ann@one/gleis", "runs")
    'postgresql+psycopg://ann@/gleis?host=one&options=-csearch_path%3D%22runs%22'
    """
    given = {key: str(value) for key, value in conninfo_to_dict(url).items() if value is not None}
    user, password, name = (given.pop(key, "") for key in ("user", "password", "dbname"))
    path = f'-csearch_path="{schema}"'
    given["options"] = f"{given.get('options', '')} {path}".strip()
    who = quote(user, safe="") + (f":{quote(password, safe='')}" if password else "")
    query = urlencode(given, quote_via=quote, safe="")
    return f"postgresql+psycopg://{who}{'@' if who else ''}/{quote(name, safe='')}?{query}"


def _shown(given: dict[str, str]) -> str:
    user = f"{given['user']}@" if "user" in given else ""
    host = given.get("host") or given.get("hostaddr") or ""
    port = f":{given['port']}" if "port" in given else ""
    name = f"/{given['dbname']}" if "dbname" in given else ""
    if host.startswith("/"):
        return f"postgresql://{user}{name}?host={host}{port and '&port=' + port[1:]}"
    return f"postgresql://{user}{host}{port}{name}"


def _refused(url: str) -> ConfigError:
    return ConfigError(
        "database is not the URL of a PostgreSQL database",
        seen=re.sub(r"//[^@/]*:[^@]*@", "//...@", url) if "@" in url else url,
        remedy="Write postgresql://user@host/name, or env:NAME for a variable that holds it.",
        field="database",
    )
