"""The query behind a table, as a dataset version's provenance keeps it."""

from __future__ import annotations

import hashlib
import re
from typing import Any

from gleis.data.sql_rows import is_query, is_result, query_and_engine

_SECRET = re.compile(
    r"(?i)\b(password|passwd|pwd|secret|token|access_key|secret_key|api_key)(\s*(?:=|:|\s)\s*)"
    r"('[^']*'|\"[^\"]*\"|[^\s'\",;)]+)"
)
_USER = re.compile(r"(?i)(\b[a-z][a-z0-9+.-]*://)[^\s/@'\"]+@")


def query_of(table: object) -> str | None:
    """Return the text of the query that gives a table; None if none is known.

    Of a SQLAlchemy query or result and of a DuckDB relation. Values bound to it are not kept, only
    the SHA-256 of text and values, so that two loads can be told apart. What looks like a password
    is not kept either.

    Examples
    --------
    >>> without_secrets("ATTACH 'postgres://me:pw@db/x' (password 'pw')")
    "ATTACH 'postgres://***@db/x' (password ***)"
    """
    if is_query(table):
        return _of_sqlalchemy(table)
    if type(table).__module__.partition(".")[0] in ("duckdb", "_duckdb"):
        return _of_duckdb(table)
    return None


def without_secrets(text: str) -> str:
    """Return text without what looks like a password, in a URL or behind its name."""
    return _USER.sub(r"\1***@", _SECRET.sub(r"\1\2***", text))


def _of_sqlalchemy(table: Any) -> str | None:
    if is_result(table):
        context = getattr(table, "context", None)
        text = getattr(context, "statement", None)
        return None if text is None else _said(str(text), getattr(context, "parameters", None))
    query, source = query_and_engine(table) or (None, None)
    if isinstance(query, str) or query is None:
        return _said(query or "", None)
    compiled = query.compile(dialect=getattr(source, "dialect", None))
    return _said(str(compiled), compiled.params)


def _of_duckdb(table: Any) -> str | None:
    asked = getattr(table, "sql_query", None)
    return _said(str(asked()), None) if callable(asked) else None


def _said(text: str, values: Any) -> str:
    text = without_secrets(text.strip())
    if not values or values in ([{}], [()]):
        return text
    digest = hashlib.sha256(f"{text}\0{values!r}".encode()).hexdigest()
    return f"{text}\n-- with values: sha256:{digest}"
