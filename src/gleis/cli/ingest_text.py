"""What a reading of a source brought, in words."""

from __future__ import annotations

from collections.abc import Iterator

from gleis.cli.output import print_json, say
from gleis.contracts.ingest import Ingested

_SHOWN = 10


def tell_ingested(found: Ingested, *, as_json: bool) -> None:
    """Say which versions were made, and what was not taken and why."""
    if as_json:
        print_json(found)
        return
    for line in ingested_lines(found):
        say(line)


def ingested_lines(found: Ingested) -> Iterator[str]:
    """Return the sentences on one reading."""
    for version in found.made:
        files = len(version.provenance.files)
        of = f" of {files:,} file{'s' * (files != 1)}" if files else ""
        how = f"appended{of} to v{version.parent}" if version.parent else f"all rows{of}"
        note = version.provenance.note
        yield f"{version.label}: {version.rows:,} rows, {how}{f'; {note}' if note else ''}"
    if found.failed is not None:
        yield f"{found.dataset} was not taken in: {found.failed}"
    elif not found.made:
        held = found.latest
        has = "it has no rows yet" if held is None else f"{held.label} holds {held.rows:,} rows"
        yield f"Nothing new in {found.dataset}: {has}"
    if found.messages_set_aside:
        yield f"Set aside: {found.messages_set_aside:,} messages, kept with their reasons"
    yield from _cut("Set aside", [(one.what, one.reason) for one in found.set_aside])
    yield from _cut("Left", [(one.what, one.reason) for one in found.left])


def _cut(title: str, lines: list[tuple[str, str]]) -> Iterator[str]:
    for what, reason in lines[:_SHOWN]:
        yield f"{title}: {what}: {reason}"
    if len(lines) > _SHOWN:
        yield f"{title}: {len(lines) - _SHOWN:,} more"
