"""``gleis data log``: which versions there are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import typer

from gleis.cli.data.options import Name
from gleis.cli.options import AsJson, Folder, open_project
from gleis.cli.output import print_json, print_table, say

if TYPE_CHECKING:
    from gleis.lifecycle.data.history import Entry


def log(
    name: Name = None,
    project: Folder = ".",  # type: ignore[assignment]
    as_json: AsJson = False,
) -> None:
    """List the versions of a dataset: who, when, rows, source, names, what needs them.

    Example: gleis data log
    """
    entries = open_project(project).data.history(name)
    if as_json:
        print_json([_document(entry) for entry in entries])
        return
    if not entries:
        say(f"No versions yet. Next: gleis data add{f' {name}' if name else ''}")
        return
    print_table(
        ["version", "rows", "added", "from", "to", "loaded", "by", "source", "state"],
        [
            (
                f"v{entry.version.version}",
                entry.version.rows,
                entry.added,
                _minute(entry.version.first),
                _minute(entry.version.last),
                _minute(entry.version.provenance.loaded_at),
                entry.version.provenance.loaded_by,
                entry.version.provenance.source,
                _state(entry),
            )
            for entry in entries
        ],
    )


def _state(entry: Entry) -> str | None:
    """Say in one cell what was said of a version since it was made."""
    said = list(entry.names)
    if entry.version.restored is not None:
        said.append(f"= v{entry.version.restored}")
    if erased := entry.version.erased:
        said.append(f"{erased:,} row{'s' * (erased != 1)} erased")
    if entry.removed is not None:
        why = f" ({entry.removed.why})" if entry.removed.why else ""
        said.append(f"removed by {entry.removed.by}{why}")
    said += [need for need in entry.needed if not need.startswith(("run ", "it has the name"))]
    if entry.version.provenance.note:
        said.append(f'"{entry.version.provenance.note}"')
    return "; ".join(said) or None


def _minute(moment: Any) -> str | None:
    return f"{moment:%Y-%m-%d %H:%M}" if moment else None


def _document(entry: Entry) -> dict[str, Any]:
    """Return the version's record with what was said of it beside."""
    beside = {
        "added": entry.added,
        "names": entry.names,
        "needed": entry.needed,
        "removed": entry.removed,
    }
    return msgspec.structs.asdict(entry.version) | beside


def register(data: typer.Typer) -> None:
    """Add the command."""
    data.command()(log)
