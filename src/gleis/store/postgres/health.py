"""Whether a database server keeps what it acknowledges, and can hold what we write."""

from __future__ import annotations

from gleis.contracts.errors import StoreError
from gleis.store.in_database import InDatabase
from gleis.store.postgres.errors import no_rights
from gleis.store.postgres.postgres import Postgres

_ASK = """SELECT current_setting('server_version'), current_setting('server_version_num')::int,
    current_setting('fsync'), current_setting('full_page_writes'),
    current_setting('server_encoding'), pg_is_in_recovery(),
    (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'),
    current_setting('max_connections')::int,
    (SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint FROM pg_class c
     JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind = 'r' AND n.nspname = %s),
    current_user, (SELECT n.oid IS NOT NULL FROM (SELECT 1) one
     LEFT JOIN pg_namespace n ON n.nspname = %s),
    has_database_privilege(current_database(), 'CREATE'),
    (SELECT has_schema_privilege(n.oid, 'USAGE') AND NOT EXISTS(SELECT 1 FROM pg_class c
     WHERE c.relnamespace = n.oid AND c.relkind = 'r' AND NOT has_table_privilege(c.oid, 'INSERT'))
     FROM pg_namespace n WHERE n.nspname = %s)"""
_OLDEST = 130_000
_MAY_LOSE = frozenset({"off"})


def examine_server(place: InDatabase) -> str:
    """Say which server it is and how full.

    Raises
    ------
    StoreError
        It is out of reach, too old, a standby, set up so that it may lose what it acknowledges or
        refuse text; or the user may not write.
    """
    database = Postgres(place.url, place.schema)
    try:
        found = database.read(_ASK, (place.schema,) * 3)[0]
    finally:
        database.close()
    version, number, fsync, pages, encoding, standby, used, most, size, *rights = found
    user, there, may_make, may_write = rights
    shown = database.address.shown
    wrong = (
        (number < _OLDEST, f"PostgreSQL {version} is too old", "Use PostgreSQL 13 or later."),
        (standby, "it is a standby, which takes no writes", "Name the primary."),
        (
            bool({fsync, pages} & _MAY_LOSE),
            f"it may lose what it acknowledges: fsync {fsync}, full_page_writes {pages}",
            "Set both to on in postgresql.conf.",
        ),
        (
            encoding != "UTF8",
            f"its encoding is {encoding}, which does not hold every text",
            "Make a database with encoding UTF8.",
        ),
        (
            not there and not may_make,
            f"the user {user} may not make schemas",
            "GRANT CREATE ON DATABASE to the user.",
        ),
    )
    for is_so, what, remedy in wrong:
        if is_so:
            raise StoreError(f"{shown}: {what}", remedy=remedy, field="database")
    if there and not may_write:
        raise no_rights(place.schema, user)
    return (
        f"PostgreSQL {version} at {shown}, schema {place.schema}, {size / 1e6:,.1f} MB, "
        f"{used} of {most} connections in use"
    )
