"""What PostgreSQL's errors mean for us: lost, passing, or for a person to mend."""

from __future__ import annotations

import re

import psycopg

from gleis.contracts.errors import StoreError
from gleis.store.postgres.url import Address

_REMEDIES = {
    "53100": "Free disk space on the server; nothing acknowledged is lost.",
    "53200": "The server has no memory left: give it more, or fewer clients.",
    "53300": "Raise max_connections on the server, or run fewer processes: each takes up to 4.",
    "25006": "The database is read-only, perhaps a standby: name the primary, or add "
    "target_session_attrs=read-write to the URL.",
    "28": "Check user and password of the URL, PGPASSWORD or ~/.pgpass, and pg_hba.conf.",
    "3D000": "Make the database (createdb), or correct its name in database.",
    "42501": "Grant the user CREATE on the database, or USAGE of the schema and its tables.",
    "42P01": "Tables are missing: restore a backup of the schema.",
    "55P03": "Another session holds a lock for over 30 s: see pg_locks, and end that session.",
    "57P03": "The server is starting or stopping: try again in a moment.",
    "58030": "The server's disk failed: check it and its mount.",
    "XX001": "The database is damaged: keep a copy of it, then restore a backup.",
    "XX002": "An index is damaged: REINDEX it, or keep a copy and restore a backup.",
}
_PHRASES = (  # where a connection is refused libpq hands on words, no code
    ("the database system is", "57P03"),
    ("remaining connection slots", "53300"),
    ("too many clients", "53300"),
    ("too many connections", "53300"),
    ("password authentication failed", "28"),
    ("no password supplied", "28"),
    ("no pg_hba.conf entry", "28"),
    ("authentication failed", "28"),
    ("FATAL:  role ", "28"),
    ("FATAL:  database ", "3D000"),
)
_BUSY = {"53300", "57P03"}
_REACH = "Start the server, or correct host and port in database; gleis doctor tries it."


def is_lost(error: BaseException, session: psycopg.Connection[tuple[object, ...]]) -> bool:
    """Say whether an error took the session with it: the server went away, or ended it."""
    return isinstance(error, psycopg.OperationalError) and (
        session.broken or session.closed or (error.sqlstate or "").startswith(("57P0", "08"))
    )


def is_passing(error: psycopg.OperationalError, *, known: bool) -> bool:
    """Say whether connecting may succeed in a moment: starting, all slots taken.

    A server that is ``known``, because it was reached before, may also be out of reach for one.
    """
    code = _code(error)
    return code in _BUSY or (known and (not code or code.startswith("08")))


def explained(address: Address, error: psycopg.Error) -> StoreError:
    """Return what is said about an error: where, what, and what to do. No secret is in it."""
    code = _code(error)
    remedy = next((text for key, text in _REMEDIES.items() if code.startswith(key)), "")
    if not remedy and isinstance(error, psycopg.OperationalError):
        remedy = _REACH
    text = re.sub(r"^connection (failed|is bad): ", "", " ".join(str(error).split())).rstrip("?.")
    if address.secret:
        text = text.replace(address.secret, "...")
    return StoreError(f"{address.shown} fails: {text}", remedy=remedy, field="database")


def no_rights(schema: str, user: str) -> StoreError:
    """Return the error of a user who may not write what others of the project made."""
    return StoreError(
        f"The user {user} may not use the schema {schema}, which another user made",
        remedy="Let both act as one role: GRANT role TO user; ALTER ROLE user SET role = role.",
        field="database",
    )


def _code(error: psycopg.Error) -> str:
    if error.sqlstate:
        return error.sqlstate
    said = str(error)
    return next((code for phrase, code in _PHRASES if phrase in said), "")
