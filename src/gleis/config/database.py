"""What ``database`` says. No error shows a password."""

from __future__ import annotations

import re
from collections.abc import Mapping

from gleis.config.alarms import variable_of
from gleis.config.settings import Settings
from gleis.contracts.errors import ConfigError

_SCHEME = re.compile(r"postgres(ql)?://\S+")


def check_database(settings: Settings) -> None:
    """Check ``database``: a URL of PostgreSQL's, or a variable that holds one.

    Raises
    ------
    ConfigError
        It is neither.
    """
    url = settings.database
    if url is None or _SCHEME.fullmatch(url):
        return
    variable = variable_of(url)
    if variable is None:
        raise _refused("database is not the URL of a PostgreSQL database", _shown(url))
    if variable.upper().startswith("GLEIS_"):
        raise ConfigError(
            "database names a variable that begins with GLEIS_",
            seen=variable,
            remedy="Those set keys of gleis.toml; give the variable another name.",
            field="database",
        )


def database_url(settings: Settings, environment: Mapping[str, str]) -> str | None:
    """Return the URL of the project's database, from a variable if need be; None without one.

    Raises
    ------
    ConfigError
        The variable is not set, or does not hold a URL.
    """
    variable = variable_of(settings.database or "")
    if variable is None:
        return settings.database
    url = environment.get(variable, "")
    if not _SCHEME.fullmatch(url):
        what = "is not set" if not url else "holds no URL of a PostgreSQL database"
        raise _refused(f"The variable {variable}, which database names, {what}", ...)
    return url


def _shown(url: str) -> str:
    return re.sub(r"//[^@]*@", "//...@", url)


def _refused(what: str, seen: object) -> ConfigError:
    return ConfigError(
        what,
        seen=seen,
        remedy="Write postgresql://user@host/name, or env:NAME for a variable that holds it.",
        field="database",
    )
