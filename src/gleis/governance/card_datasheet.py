"""The part of the model card that says what was declared about the data."""

from __future__ import annotations

from gleis.contracts.dataset import DatasetVersion
from gleis.contracts.datasheet import Datasheet
from gleis.data.datasheet import version_notes
from gleis.data.privacy.declared import held_notes
from gleis.governance.markdown import bullets, cell, table


def datasheet_parts(sheet: Datasheet | None, version: DatasetVersion) -> list[str]:
    """Return the blocks about a dataset's datasheet; none without one.

    Parameters
    ----------
    sheet : Datasheet or None
    version : DatasetVersion
        What the model was trained on; where its rows lie outside of the declared period is noted.

    References
    ----------
    Gebru, T. et al. (2021). Datasheets for datasets. Communications of the ACM 64(12).
    """
    if sheet is None:
        return []
    notes = [*sheet.collection.gaps, *version_notes(sheet, version)]
    notes += held_notes(sheet, version.provenance.personal)
    return ["### As declared", table(("", ""), declared_rows(sheet)), bullets(notes)]


def declared_rows(sheet: Datasheet) -> list[tuple[str, str]]:
    """Return what a datasheet says, a line each; what it leaves out is left out."""
    personal, collected = sheet.personal, sheet.collection
    period = f"{collected.since or '...'} to {collected.until or 'now'}"
    known = bool(collected.since or collected.until)
    columns = [f"{name}: {why}" for name, why in personal.columns.items()]
    rows = (
        ("origin", sheet.origin),
        ("purpose", sheet.purpose),
        ("licence", sheet.licence),
        ("terms", sheet.terms),
        ("collected", ", ".join(filter(None, (period if known else "", collected.how)))),
        ("personal data", ": ".join(filter(None, (personal.data, ", ".join(personal.categories))))),
        ("declared columns", "; ".join(columns)),
        ("legal basis", personal.legal_basis),
        ("kept for", personal.retention),
        ("contact", sheet.contact),
    )
    return [(name, cell(said)) for name, said in rows if said]
